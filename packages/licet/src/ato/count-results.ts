import { gateKindOf, gateKinds, type GateFacts } from "@licet/contract";
import type { Decider } from "../policy/decide.ts";
import { checkSets, rowsOf } from "./check-sets.ts";
import type { GateWatch } from "./gate-watch.ts";
import { resultRequest, type CheckFact } from "./result-request.ts";

export interface CountedResults {
  /** Of evidence that passed results stand for, sorted. */
  readonly kinds: readonly string[];
  /** Ids of checks that stand for a kind, in the order in which they are declared. */
  standingFor(kind: string): readonly string[];
}

/**
 * Asks the policies of each passed result what it may stand for: that a check passed says little before its limit is
 * known. Where a check has several results, each must stand for it. Whatever cannot be asked or is not permitted does not.
 */
export function countResults(decider: Decider, facts: GateFacts, watch: GateWatch): CountedResults {
  const standing = new Map<string, string[]>();
  const counts = (row: CheckFact, kind: string): boolean => {
    const request = resultRequest(facts, row, { kind });
    const decision = decider.decide(request);
    watch({ bundle: decider.bundle, request, decision });
    return decision.decision === "allow" && decision.errors.length === 0;
  };
  for (const id of checkSets(facts).passed) {
    const rows = rowsOf(facts, id);
    for (const kind of kindsAsked(rows)) if (rows.every((row) => counts(row, kind))) standing.set(kind, [...(standing.get(kind) ?? []), id]);
  }
  return { kinds: [...standing.keys()].sort(), standingFor: (kind) => standing.get(kind) ?? [] };
}

/** A check of ours is evidence of its own kind only; of what another tool reports, a baseline may say what it shows. */
export function kindsAsked(rows: readonly CheckFact[]): readonly string[] {
  const own = rows.map((row) => gateKindOf(row.check));
  return [...new Set(rows.some((row) => row.judged !== undefined && row.judged.origin !== "native") ? [...own, ...gateKinds] : own)];
}
