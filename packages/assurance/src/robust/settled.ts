import { decideCounts } from "../verdict/decide-counts.ts";
import type { Counts, Limit, Outcome } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";

/** Rows that were tried and rows that gave an answer. */
export interface Assessed {
  readonly attempted: number;
  readonly assessed: number;
}

export function countsOf({ attempted, assessed }: Assessed): Counts {
  return { attempted, assessed, unassessed: attempted - assessed };
}

/** A rate with exact bounds, under the rules that hold for every check: nothing assessed is never a pass. */
export function decideShare(share: { events: number; n: number }, assessed: Assessed, limit: Limit): Outcome {
  return decideCounts({ kind: "rate", events: share.events, n: share.n, degenerate: null }, limit, countsOf(assessed));
}

const unassessedShareMax = 0.05;

/** Rounds the figures and withholds the verdict where too little was assessed. */
export function settled(outcome: Outcome, { attempted, assessed }: Assessed): Outcome {
  const figure = (value: number | null) => (value === null ? null : round12(value));
  const { interval } = outcome;
  const rounded: Outcome = {
    ...outcome,
    estimate: figure(outcome.estimate),
    interval: interval === null ? null : { ...interval, level: round12(interval.level), lower: figure(interval.lower), upper: figure(interval.upper) },
  };
  const withheld = (reason: string): Outcome => ({ estimate: rounded.estimate, interval: rounded.interval, verdict: "insufficient_evidence", reason });
  if (attempted === 0 || assessed === 0) return withheld("too_few");
  return attempted - assessed > unassessedShareMax * attempted ? withheld("unassessed_budget") : rounded;
}

/** An exact count against a limit: nothing is inferred, so nothing is uncertain. */
export function decideExact(found: { value: number; method: string }, assessed: Assessed, limit: Limit): Outcome {
  const { value, method } = found;
  const holds = limit.op === "<=" ? value <= limit.value : value >= limit.value;
  const interval = { method, level: 1, sides: 2, lower: value, upper: value } as const;
  if (Number.isNaN(value)) return { estimate: null, interval: null, verdict: "insufficient_evidence", reason: "undefined_denominator" };
  return settled({ estimate: value, interval, verdict: holds ? "pass" : "fail" }, assessed);
}

/** The middle of sorted values, Infinity kept; null without values. */
export function middle(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}

/** A JSON number, or null where it is no finite number. */
export function finite(value: number | null | undefined): number | null {
  return value === null || value === undefined || !Number.isFinite(value) ? null : round12(value);
}
