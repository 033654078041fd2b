import { aucBounds } from "./auc.ts";
import { normalQuantile, normalCdf } from "./normal.ts";
import { orderOf } from "./order.ts";
import type { Bounds } from "./proportion.ts";

/** For each positive and each negative, the share of the other class that it is on the right side of. */
export interface Placements {
  readonly auc: number;
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/**
 * Placement values by midranks in O(n log n); ties count half. Scores must be finite.
 * Source: DeLong, DeLong & Clarke-Pearson 1988 in the form of Sun & Xu 2014.
 */
export function placements(scores: Float64Array, positive: Uint8Array): Placements {
  const order = orderOf(scores);
  const all = midranks(scores, order);
  const own = new Float64Array(scores.length);
  for (const label of [0, 1]) {
    const part = order.filter((row) => positive[row] === label);
    for (const [place, rank] of midranksOf(scores, part).entries()) own[part[place] ?? 0] = rank;
  }
  const counts = { positive: 0, negative: 0 };
  for (const label of positive) counts[label === 1 ? "positive" : "negative"] += 1;
  const positives = new Float64Array(counts.positive);
  const negatives = new Float64Array(counts.negative);
  const next = { positive: 0, negative: 0 };
  let sum = 0;
  for (let row = 0; row < scores.length; row += 1) {
    const above = (all[row] ?? 0) - (own[row] ?? 0);
    if (positive[row] === 1) {
      positives[next.positive] = above / counts.negative;
      next.positive += 1;
      sum += above;
    } else {
      negatives[next.negative] = 1 - above / counts.positive;
      next.negative += 1;
    }
  }
  return { auc: sum / (counts.positive * counts.negative), positives, negatives };
}

/** DeLong's variance of the AUC; NaN with fewer than two of either class. */
export function delongVariance({ positives, negatives }: Placements): number {
  return covariance(positives, positives) / positives.length + covariance(negatives, negatives) / negatives.length;
}

/** Difference of two AUCs on the same rows with its standard error. */
export interface PairedAuc {
  readonly first: number;
  readonly second: number;
  readonly difference: number;
  readonly se: number;
  /** Of both AUCs; 0 where one of them does not vary. */
  readonly correlation: number;
}

/** Source: DeLong, DeLong & Clarke-Pearson 1988, equation 5. */
export function pairedDelong(first: Placements, second: Placements): PairedAuc {
  const between = covariance(first.positives, second.positives) / first.positives.length + covariance(first.negatives, second.negatives) / first.negatives.length;
  const [one, two] = [delongVariance(first), delongVariance(second)];
  const scale = Math.sqrt(one * two);
  const correlation = scale > 0 ? Math.max(-1, Math.min(1, between / scale)) : 0;
  return { first: first.auc, second: second.auc, difference: first.auc - second.auc, se: Math.sqrt(Math.max(0, one + two - 2 * between)), correlation };
}

/**
 * Bounds of the difference, each with confidence 1 - alpha: the wider of DeLong's and of those that follow from Newcombe's
 * bounds of each AUC and their correlation (MOVER, Zou 2007). DeLong's alone are too narrow for good models: with AUCs
 * near 0.97 of 50 and 50 rows they are wrong 9.5 % of the time where 5 % are allowed.
 */
export function pairedAucBounds({ first, second, se, correlation }: Omit<PairedAuc, "difference">, sizes: { readonly positives: number; readonly negatives: number }, alpha: number): Bounds {
  const [one, two] = [aucBounds(first, sizes, alpha), aucBounds(second, sizes, alpha)];
  const half = normalQuantile(1 - alpha) * se;
  const reach = (a: number, b: number) => Math.max(half, Math.sqrt(Math.max(0, a * a + b * b - 2 * correlation * a * b)));
  return { lower: first - second - reach(first - one.lower, two.upper - second), upper: first - second + reach(one.upper - first, second - two.lower) };
}

/** Two-sided p-value that both AUCs are equal; 1 when neither varies and they agree. */
export function pairedDelongP({ difference, se }: Pick<PairedAuc, "difference" | "se">): number {
  if (se === 0) return difference === 0 ? 1 : 0;
  return 2 * normalCdf(-Math.abs(difference / se));
}

/** Normal bounds of an AUC, cut to 0 to 1. No width at AUC = 0 or 1: for comparison with other tools. */
export function aucWald(auc: number, variance: number, alpha: number): Bounds {
  const half = normalQuantile(1 - alpha) * Math.sqrt(variance);
  return { lower: Math.max(0, auc - half), upper: Math.min(1, auc + half) };
}

/** Normal bounds on the logit scale; NaN at AUC = 0 or 1. */
export function aucLogit(auc: number, variance: number, alpha: number): Bounds {
  const half = (normalQuantile(1 - alpha) * Math.sqrt(variance)) / (auc * (1 - auc));
  const centre = Math.log(auc / (1 - auc));
  return { lower: 1 / (1 + Math.exp(half - centre)), upper: 1 / (1 + Math.exp(-half - centre)) };
}

/** Average ranks from 1; equal values share theirs. */
export function midranks(values: Float64Array, order: Uint32Array = orderOf(values)): Float64Array {
  const ranks = new Float64Array(values.length);
  for (const [place, rank] of midranksOf(values, order).entries()) ranks[order[place] ?? 0] = rank;
  return ranks;
}

function midranksOf(values: Float64Array, order: Uint32Array): Float64Array {
  const ranks = new Float64Array(order.length);
  for (let start = 0; start < order.length; ) {
    const value = values[order[start] ?? 0];
    let end = start + 1;
    while (end < order.length && values[order[end] ?? 0] === value) end += 1;
    ranks.fill((start + end + 1) / 2, start, end);
    start = end;
  }
  return ranks;
}

function covariance(a: Float64Array, b: Float64Array): number {
  const n = a.length;
  let [meanA, meanB] = [0, 0];
  for (let index = 0; index < n; index += 1) {
    meanA += a[index] ?? 0;
    meanB += b[index] ?? 0;
  }
  meanA /= n;
  meanB /= n;
  let sum = 0;
  for (let index = 0; index < n; index += 1) sum += ((a[index] ?? 0) - meanA) * ((b[index] ?? 0) - meanB);
  return sum / (n - 1);
}
