import type { Interval, Limit, Outcome } from "../verdict/outcome.ts";
import { silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";

/** Above this share of rows without an answer, nothing is said about the rest. */
const unassessedShareMax = 0.05;

/** What every measurement counts beside its figure. */
export interface Evidence {
  readonly attempted: number;
  readonly assessed: number;
  /** Why the figure says nothing even where it can be computed. */
  readonly degenerate: "constant_predictions" | "one_class" | null;
}

/**
 * The rules that hold for every verdict: no rows, too many rows without an answer, and data that cannot tell are never a
 * pass; figures have twelve digits.
 */
export function settle(raw: Outcome, { attempted, assessed, degenerate }: Evidence): Outcome {
  const outcome: Outcome = { ...raw, estimate: rounded(raw.estimate), interval: roundedInterval(raw.interval) };
  if (assessed === 0 || attempted === 0) return withheld(outcome, "too_few");
  if (attempted - assessed > unassessedShareMax * attempted) return withheld(outcome, "unassessed_budget");
  return degenerate !== null && outcome.verdict !== "fail" ? withheld(outcome, "degenerate") : outcome;
}

/** A figure that was computed but decides nothing. */
export function withheld(outcome: Outcome, reason: string): Outcome {
  return { estimate: outcome.estimate, interval: outcome.interval, verdict: "insufficient_evidence", reason };
}

/** A limit that is no number, or an error rate that no test has, decides nothing. */
export function unusable({ value, alpha }: Limit): Outcome | undefined {
  return Number.isFinite(value) && alpha > 0 && alpha < 0.5 ? undefined : silent("inconsistent_import");
}

/** Stored counts that contradict each other support nothing, whoever wrote them. */
export function contradicted(holds: boolean): Outcome | undefined {
  return holds ? undefined : silent("inconsistent_import");
}

/** Whole numbers with 0 <= events <= n. */
export function isRate(events: number, n: number): boolean {
  return Number.isSafeInteger(events) && Number.isSafeInteger(n) && events >= 0 && events <= n;
}

function rounded(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : round12(value);
}

function roundedInterval(interval: Outcome["interval"]): Outcome["interval"] {
  if (interval === null) return null;
  const { lower, upper, ...rest }: Interval = interval;
  return { ...rest, level: round12(interval.level), lower: rounded(lower), upper: rounded(upper) };
}
