import { type Counts, type Limit, type Outcome, silent } from "./outcome.ts";
import { round12 } from "./round.ts";

/** Above this share of rows without an answer, nothing is said about the rest. */
export const unassessedShareMax = 0.05;

/** Rows that were tried and rows that gave an answer. */
export interface Assessed {
  readonly attempted: number;
  readonly assessed: number;
}

/** What every measurement counts beside its figure. */
export interface Evidence extends Assessed {
  /** Why the figure says nothing even where it can be computed. */
  readonly degenerate: "constant_predictions" | "one_class" | null;
}

/**
 * The rules that hold for every verdict, whatever it follows from: no rows, too many rows without an answer, and data
 * that cannot tell are never a pass; figures have twelve digits.
 */
export function settle(raw: Outcome, { attempted, assessed, degenerate }: Assessed & Partial<Evidence>): Outcome {
  const outcome = rounded(raw);
  if (attempted === 0) return withheld(outcome, "too_few");
  if (attempted - assessed > unassessedShareMax * attempted) return withheld(outcome, "unassessed_budget");
  return (degenerate ?? null) !== null && outcome.verdict !== "fail" ? withheld(outcome, "degenerate") : outcome;
}

/** A figure that was computed but decides nothing. */
export function withheld(outcome: Outcome, reason: string): Outcome {
  return { estimate: outcome.estimate, interval: outcome.interval, verdict: "insufficient_evidence", reason };
}

/** Figures with twelve significant digits; what is no finite number has no place in a record. */
export function rounded(outcome: Outcome): Outcome {
  const { estimate, interval } = outcome;
  return {
    ...outcome,
    estimate: figure(estimate),
    interval: interval === null ? null : { ...interval, level: round12(interval.level), lower: figure(interval.lower), upper: figure(interval.upper) },
  };
}

/** A number for a record, or null where it is no finite number. */
export function figure(value: number | null | undefined): number | null {
  return value === null || value === undefined || !Number.isFinite(value) ? null : round12(value);
}

export function countsOf({ attempted, assessed }: Assessed): Counts {
  return { attempted, assessed, unassessed: attempted - assessed };
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
