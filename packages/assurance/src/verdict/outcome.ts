import type { CheckResult } from "@licet/contract";
import type { Bounds } from "../stats/proportion.ts";

/** One row is no data set: whatever is true of it may be chance, and nobody means to release by it. */
export const rowsMin = 2;

export type Limit = CheckResult["limit"];
export type Counts = CheckResult["counts"];
export type Interval = NonNullable<CheckResult["interval"]>;

/** What the counts say about the limit. Everything in it can be derived again from counts and limit alone. */
export interface Outcome {
  readonly estimate: number | null;
  readonly interval: CheckResult["interval"];
  readonly verdict: "pass" | "fail" | "insufficient_evidence";
  readonly reason?: string;
  readonly requiredN?: number;
}

export function silent(reason: string): Outcome {
  return { estimate: null, interval: null, verdict: "insufficient_evidence", reason };
}

export interface Comparison {
  readonly method: string;
  readonly estimate: number;
  /** Each bound holds by itself with confidence 1 - alpha, or better. */
  readonly bounds: Bounds;
  readonly limit: Limit;
}

export function compared(comparison: Comparison, required: () => number | undefined): Outcome {
  const { estimate, bounds, limit } = comparison;
  const interval: Interval = { method: comparison.method, level: 1 - limit.alpha, sides: 1, ...bounds };
  const below = limit.op === "<=";
  if (below ? bounds.upper <= limit.value : bounds.lower >= limit.value) return { estimate, interval, verdict: "pass" };
  if (below ? bounds.lower > limit.value : bounds.upper < limit.value) return { estimate, interval, verdict: "fail" };
  const requiredN = required();
  const open = { estimate, interval, verdict: "insufficient_evidence", reason: "too_few" } as const;
  return requiredN === undefined ? open : { ...open, requiredN };
}
