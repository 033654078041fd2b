import { incompleteBeta, inverseIncompleteBeta } from "./beta.ts";
import { normalQuantile } from "./normal.ts";

/** Lower and upper bound, both included. */
export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

const unknown: Bounds = { lower: 0, upper: 1 };

/**
 * One-sided Clopper-Pearson bounds of a rate: each holds on its own with confidence 1 - alpha.
 * For a two-sided interval with confidence 1 - a, pass alpha = a / 2. Without trials nothing is known: 0 to 1.
 * Source: Clopper & Pearson 1934, by quantiles of the beta distribution.
 */
export function clopperPearson(events: number, n: number, alpha: number): Bounds {
  if (!(n > 0)) return unknown;
  return {
    lower: events === 0 ? 0 : inverseIncompleteBeta(alpha, events, n - events + 1),
    upper: events === n ? 1 : 1 - inverseIncompleteBeta(alpha, n - events, events + 1),
  };
}

/**
 * One-sided Wilson score bounds of a rate, each with confidence 1 - alpha. Fractional counts are allowed.
 * Source: Wilson 1927. At 0 and n events the outer bound is exactly 0 and 1.
 */
export function wilson(events: number, n: number, alpha: number): Bounds {
  if (!(n > 0)) return unknown;
  const z = normalQuantile(1 - alpha);
  const rate = events / n;
  const scale = 1 + (z * z) / n;
  const centre = (rate + (z * z) / (2 * n)) / scale;
  const half = (z / scale) * Math.sqrt((rate * (1 - rate)) / n + (z * z) / (4 * n * n));
  return {
    lower: events === 0 ? 0 : Math.max(0, centre - half),
    upper: events === n ? 1 : Math.min(1, centre + half),
  };
}

/** Trials without any event that bound a rate by `limit` with confidence 1 - alpha ("rule of three"). */
export function zeroEventTrials(limit: number, alpha: number): number {
  return Math.ceil(Math.log(alpha) / Math.log1p(-limit) - 1e-12);
}

/** Upper bound of a rate of which n trials showed no event, with confidence 1 - alpha. */
export function noEventsUpper(n: number, alpha: number): number {
  return -Math.expm1(Math.log(alpha) / n);
}

/** One-sided exact p-value of "the rate is at most `limit`" after `events` of `n`. */
export function exceedsP(events: number, n: number, limit: number): number {
  return events === 0 ? 1 : incompleteBeta(limit, events, n - events + 1);
}
