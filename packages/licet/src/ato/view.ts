import { AtoState, Envelope, TrafficStage, type RouteAnswer } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { AtoRow } from "./store.ts";

export type AtoView = RouteAnswer<"listAtos">["items"][number];

export interface Circumstance {
  readonly now: number;
  /** A hold on the system, or on everything, is in force. */
  readonly held: boolean;
}

/** The state as it is now: the clock ends what nobody revoked, a hold suspends what is granted. */
export function atoState(row: Pick<AtoRow, "state" | "not_after">, { now, held }: Circumstance): AtoState {
  const state = AtoState.parse(row.state);
  if (state === "revoked" || state === "denied") return state;
  if (now >= row.not_after) return "expired";
  return held && (state === "granted" || state === "conditional") ? "suspended" : state;
}

export function atoView(row: AtoRow, circumstance: Circumstance): AtoView {
  const state = atoState(row, circumstance);
  const computed = state !== row.state;
  return {
    id: row.id,
    system: row.system,
    release: row.release,
    stage: TrafficStage.parse(row.stage),
    environment: row.environment,
    state,
    notBefore: row.not_before,
    notAfter: row.not_after,
    grantedAt: row.granted_at,
    stateSince: state === "expired" ? row.not_after : row.state_since,
    stateReason: computed ? (state === "expired" ? "its last day is over" : "a hold is in force") : row.state_reason,
    request: row.request,
    entry: row.entry,
    statement: Envelope.parse(parseJson(row.statement)),
  };
}
