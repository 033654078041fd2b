import { gateKindOf, type GateFacts } from "@licet/contract";
import type { PolicyRequest } from "../policy/decide.ts";
import { millionths } from "./millionths.ts";

export type CheckFact = GateFacts["checks"][number];

/** The move for which a result is to count. */
export type CountedFor = Pick<GateFacts, "system" | "from" | "to" | "tier" | "now">;

/** Of a result, what a policy may compare: whole numbers, in millionths where they are limits, shares or distances. */
export type ResultAttributes = Readonly<Record<string, unknown>>;

/**
 * The question whether a result stands as evidence of `kind` in this move. A fact that is not known is left out, so that
 * whatever asks for it finds nothing; what lies between two millionths is told as the laxer of them.
 */
export function resultRequest(move: CountedFor, row: CheckFact, { kind, attributes = {} }: { readonly kind: string; readonly attributes?: ResultAttributes }): PolicyRequest {
  const system = { type: "Licet::System", id: move.system };
  const result = { type: "Licet::Result", id: row.result };
  const given = { ...resultAttributes(row), ...attributes };
  return {
    principal: system,
    action: { type: "Licet::Action", id: "countResult" },
    resource: result,
    context: known({ now: datetime(move.now), to: licetEntity("Stage", move.to), tier: licetEntity("Tier", move.tier), kind }),
    entities: [
      { uid: system, attrs: { stage: licetEntity("Stage", move.from) }, parents: [] },
      { uid: result, attrs: known(given), parents: [] },
    ],
  };
}

function known(facts: ResultAttributes): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

function resultAttributes({ check, producer, at, judged }: CheckFact): ResultAttributes {
  const own = { check, kind: gateKindOf(check), producer, at: datetime(at) };
  if (judged === undefined) return own;
  const { op, limit, alpha, attempted, assessed, origin, figure, norm, queries } = judged;
  return {
    ...own,
    native: origin === "native",
    ...(origin !== "native" && { tool: origin }),
    ...(op === "<=" ? { most: millionths(limit, "up") } : { least: millionths(limit, "down") }),
    alpha: millionths(alpha, "up"),
    assessed,
    unassessed: attempted > 0 && assessed <= attempted ? millionths((attempted - assessed) / attempted, "up") : undefined,
    figure,
    distance: judged.distance === undefined ? undefined : millionths(judged.distance, "down"),
    norm,
    queries,
  };
}

export function licetEntity(type: "Stage" | "Tier" | "System", id: string): { readonly __entity: { readonly type: string; readonly id: string } } {
  return { __entity: { type: `Licet::${type}`, id } };
}

/** Undefined for a time that no calendar has. */
function datetime(time: number): { readonly __extn: { readonly fn: "datetime"; readonly arg: string } } | undefined {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? undefined : { __extn: { fn: "datetime", arg: date.toISOString() } };
}
