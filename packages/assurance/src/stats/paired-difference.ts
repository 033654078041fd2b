import { boundedRate, exactMover } from "./difference.ts";
import type { Bounds } from "./proportion.ts";
import { tango } from "./score-interval.ts";

/** How a record names these bounds. */
export const pairedDifferenceMethod = "tango-1998+mover-clopper-pearson";

/**
 * Bounds of the difference of two rates over the same rows, each with confidence 1 - alpha: the wider of Tango's and of
 * those that follow from the exact bounds of both rates as if they were independent (MOVER). Of few rows on which exactly
 * one has an event the score interval errs up to 9 % of the time where 5 % are allowed; with many it is the wider one.
 */
export function pairedDifference(paired: { readonly onlyFirst: number; readonly onlySecond: number; readonly n: number }, alpha: number): Bounds {
  const { onlyFirst, onlySecond, n } = paired;
  const score = tango(paired, alpha);
  const exact = exactMover(boundedRate({ events: onlyFirst, n }), boundedRate({ events: onlySecond, n }), alpha);
  return { lower: Math.min(score.lower, exact.lower), upper: Math.max(score.upper, exact.upper) };
}
