import type { DecisionView, RouteAnswer } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import { indexCursor } from "../http/index-cursor.ts";
import { findDecision, listDecisions } from "../gateway/store.ts";
import type { Handlers } from "../http/handlers.ts";
import { findSystem } from "../inventory/store.ts";
import { board, type InsightDeps } from "./board.ts";
import { checkHistory, checkResult, checksView } from "./checks.ts";
import { explainDecision, requestAccess, type ExplainParts } from "./explain.ts";
import { systemDetail, systemTimeline } from "./system-detail.ts";
import type { TrafficFeed } from "./traffic-feed.ts";
import { decidedPart, parsed } from "./traffic-row.ts";
import { trafficWindow } from "./traffic-window.ts";

type DecisionRecord = Awaited<ReturnType<typeof listDecisions>>[number];

function decisionView(row: DecisionRecord): DecisionView {
  return { ...decidedPart(row, parsed(row.detail) ?? {}), outcome: parsed(row.outcome) };
}

async function mustExist(deps: InsightDeps, space: string, system: string): Promise<void> {
  if ((await findSystem(deps.read, space, system)) === undefined) throw new LicetError("system_unknown", { message: `there is no system \`${system}\` in this space` });
}

async function decisions(deps: InsightDeps, space: string, page: { readonly system: string; readonly before?: number | undefined; readonly limit: number }): Promise<RouteAnswer<"listDecisions">> {
  await mustExist(deps, space, page.system);
  const rows = await listDecisions(deps.read, space, { ...page, limit: page.limit + 1 });
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  return { items: shown.map(decisionView), next: rows.length > page.limit && last !== undefined ? String(last.log_index) : null };
}

export interface InsightRoutes extends InsightDeps, Pick<ExplainParts, "decisionUrl" | "moves"> {
  readonly feed: TrafficFeed;
}

type InsightHandlers = Pick<Handlers, "listSystems" | "showSystem" | "showTimeline" | "listDecisions" | "showDecision" | "listTraffic" | "showTraffic" | "explainDecision" | "requestAccess" | "showChecks" | "listCheckResults" | "showCheckResult">;

export function insightRoutes(deps: InsightRoutes): InsightHandlers {
  const window = trafficWindow(deps);
  return {
    listTraffic: ({ params, query }) => deps.feed.page(params.space, query),
    showTraffic: ({ params, query }) => window.summary(params.space, query.minutes),
    explainDecision: ({ params }, caller) => explainDecision(deps, params, caller),
    requestAccess: ({ params, body }, caller) => requestAccess(deps, { ...params, ...body }, caller),
    listSystems: ({ params, query }) => board(deps, params.space, { after: query.cursor, limit: query.limit }),
    showSystem: ({ params }) => systemDetail(deps, params.space, params.system),
    showChecks: ({ params, query }) => checksView(deps, params.space, { system: params.system, release: query.release }),
    listCheckResults: ({ params, query }) => checkHistory(deps, params.space, { ...params, ...query }),
    showCheckResult: ({ params }) => checkResult(deps, params.space, params),
    async showTimeline({ params, query }) {
      await mustExist(deps, params.space, params.system);
      return systemTimeline(deps, params.space, { system: params.system, before: indexCursor(query.cursor), limit: query.limit });
    },
    listDecisions: ({ params, query }) => decisions(deps, params.space, { system: params.system, before: indexCursor(query.cursor), limit: query.limit }),
    async showDecision({ params }) {
      const row = await findDecision(deps.read, params.space, params.decision);
      if (row === undefined) throw new LicetError("not_found", { message: `there is no decision \`${params.decision}\` in this space` });
      return { decision: decisionView(row), detail: parsed(row.detail) ?? {} };
    },
  };
}
