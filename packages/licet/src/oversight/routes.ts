import type { RouteAnswer } from "@licet/contract";
import type { Caller, Handlers } from "../http/handlers.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { draftApproval, giveApproval, type ApprovalOptions, type Passkeys } from "./approvals.ts";
import { askToLift, holdViews, placeHold } from "./holds.ts";
import { mine } from "./judge.ts";
import type { Oversight } from "./oversight.ts";
import { findHold, listHolds, listRequests, listWaivers, openRequests, type Reader } from "./store.ts";
import { moveAnswer, needRequest, requestView, viewOf } from "./view.ts";
import { askForWaiver, revokeWaiver, waiverView, waiverViews } from "./waiver-moves.ts";

export interface OversightRoutes {
  readonly read: Reader;
  readonly recorder: Recorder;
  readonly oversight: Oversight;
  readonly passkeys: Passkeys;
}

type OversightHandlers = Pick<Handlers, "placeHold" | "liftHold" | "listHolds" | "showQueue" | "listRequests" | "showRequest" | "draftApproval" | "giveApproval" | "requestWaiver" | "listWaivers" | "showWaiver" | "endWaiver">;

/** A queue is read by one person at a time: more open requests than this wait behind the oldest. */
const queueItemsMax = 200;

export function oversightRoutes(options: OversightRoutes): OversightHandlers {
  const { read, recorder, oversight, passkeys } = options;
  const approvals: ApprovalOptions = { read, recorder, judge: oversight.judge, passkeys };
  const viewing = () => ({ read, judge: oversight.judge, now: recorder.now() });
  const shown = async (space: string, id: string): Promise<RouteAnswer<"showRequest">> => requestView(viewing(), await needRequest(read, space, id));
  return {
    ...waiverHandlers(options, shown),
    placeHold: async ({ params, body }, caller) => {
      const id = await placeHold(recorder, { space: params.space, scope: body.scope, system: body.system, vendor: body.vendor, reason: body.reason, by: caller.personId });
      return oneHold(read, params.space, id);
    },
    liftHold: async ({ params, body }, caller) => {
      const id = await askToLift(oversight.moves, { space: params.space, hold: params.hold, reason: body.reason, by: caller.personId });
      return moveAnswer(await shown(params.space, id));
    },
    listHolds: async ({ params, query }) => {
      const rows = await listHolds(read, params.space, { before: query.cursor, limit: query.limit + 1 });
      return page(await holdViews(read, params.space, rows), query.limit);
    },
    showQueue: async ({ params }, caller) => ({ items: await queue(options, params.space, caller) }),
    listRequests: async ({ params, query }) => {
      const rows = await listRequests(read, params.space, { status: query.status, before: query.cursor, limit: query.limit + 1 });
      const views: RouteAnswer<"showRequest">[] = [];
      for (const row of rows) views.push(await requestView(viewing(), row));
      return page(views, query.limit);
    },
    showRequest: async ({ params }) => shown(params.space, params.request),
    draftApproval: async ({ params, body }, caller) => {
      const draft = await draftApproval(approvals, { ...body, space: params.space, request: params.request }, caller);
      return { statement: draft.text, digest: draft.digest, challenge: draft.challenge, allowCredentials: [...draft.allowCredentials] };
    },
    giveApproval: async ({ params, body }, caller) => {
      const { space, request } = params;
      const { role, answer, comment, statement, assertion } = body;
      await giveApproval(approvals, { space, request, role, answer, comment }, { by: caller, signing: { statement, assertion } });
      await oversight.settle(space, request);
      return shown(space, request);
    },
  };
}

type WaiverHandlers = Pick<Handlers, "requestWaiver" | "listWaivers" | "showWaiver" | "endWaiver">;

function waiverHandlers(options: OversightRoutes, shown: (space: string, request: string) => Promise<RouteAnswer<"showRequest">>): WaiverHandlers {
  const { read, recorder, oversight } = options;
  return {
    requestWaiver: async ({ params, body }, caller) => moveAnswer(await shown(params.space, await askForWaiver(options, (opening) => oversight.ask(opening), { ...params, ...body, by: caller.personId }))),
    listWaivers: async ({ params, query }) => {
      const rows = await listWaivers(read, params.space, { system: query.system, before: query.cursor, limit: query.limit + 1 });
      return page(await waiverViews(options, params.space, rows), query.limit);
    },
    showWaiver: async ({ params }) => waiverView(options, params.space, params.waiver),
    endWaiver: async ({ params, body }, caller) => {
      await revokeWaiver(recorder, { space: params.space, waiver: params.waiver, reason: body.reason, by: caller.personId });
      return waiverView(options, params.space, params.waiver);
    },
  };
}

async function oneHold(read: Reader, space: string, id: string): Promise<RouteAnswer<"placeHold">> {
  const row = await findHold(read, space, id);
  const [view] = row === undefined ? [] : await holdViews(read, space, [row]);
  if (view === undefined) throw new Error("a hold that was just placed is gone");
  return view;
}

function page<T extends { readonly id: string }>(items: readonly T[], limit: number): { items: T[]; next: string | null } {
  const shown = items.slice(0, limit);
  return { items: shown, next: items.length > limit ? (shown.at(-1)?.id ?? null) : null };
}

async function queue({ read, recorder, oversight }: OversightRoutes, space: string, caller: Caller): Promise<RouteAnswer<"showQueue">["items"]> {
  const items: RouteAnswer<"showQueue">["items"] = [];
  const now = recorder.now();
  for (const request of (await openRequests(read, space)).slice(0, queueItemsMax)) {
    const judged = await oversight.judge(read, request, now);
    const own = await mine(read, space, { person: caller, judged, now });
    if (own.roles.length === 0) continue;
    items.push({ request: await viewOf(read, request, judged), roles: [...own.roles], mayAnswer: own.mayAnswer, why: own.why });
  }
  return items;
}
