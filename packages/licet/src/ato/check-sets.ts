import type { GateFacts } from "@licet/contract";
import type { CheckFact } from "./result-request.ts";

export interface CheckSets {
  readonly declared: readonly string[];
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}

/** A check passes when it has results, every one of them passes, and every one comes from a producer that counts. */
export function checkSets(facts: GateFacts): CheckSets {
  const passed = facts.declaredChecks.filter((id) => {
    const rows = rowsOf(facts, id);
    return rows.length > 0 && rows.every((row) => row.verdict === "pass" && producerCounts(row, facts.tier));
  });
  const advisory = facts.advisoryChecks.filter((id) => !facts.declaredChecks.includes(id));
  const failed = facts.checks.filter((row) => row.verdict !== "pass" && !advisory.includes(row.id)).map((row) => row.id);
  return { declared: sorted(facts.declaredChecks), passed: sorted(passed), failed: sorted(failed) };
}

export function rowsOf(facts: GateFacts, id: string): readonly CheckFact[] {
  return facts.checks.filter((row) => row.id === id);
}

/** `self` never counts above minimal tier. */
export function producerCounts(row: Pick<CheckFact, "producer">, tier: GateFacts["tier"]): boolean {
  return row.producer !== "self" || tier === "minimal";
}

export function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}
