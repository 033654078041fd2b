import { normalQuantile } from "./normal.ts";
import type { Bounds } from "./proportion.ts";

/** Pairs of one positive and one negative: `wins` score higher for the positive, `ties` are equal. */
export interface PairCounts {
  readonly wins: number;
  readonly ties: number;
  readonly positives: number;
  readonly negatives: number;
}

/** Counts the pairs behind the Mann-Whitney form of the AUC in O(n log n). Scores must be finite. */
export function countPairs(scores: readonly number[], positive: readonly boolean[]): PairCounts {
  const order = scores.map((score, row) => ({ score, isPositive: positive[row] === true }));
  order.sort((a, b) => a.score - b.score);
  let wins = 0;
  let ties = 0;
  let negativesBelow = 0;
  for (let start = 0; start < order.length; ) {
    const score = order[start]?.score;
    let positives = 0;
    let negatives = 0;
    let end = start;
    while (end < order.length && order[end]?.score === score) {
      if (order[end]?.isPositive === true) positives += 1;
      else negatives += 1;
      end += 1;
    }
    wins += positives * negativesBelow;
    ties += positives * negatives;
    negativesBelow += negatives;
    start = end;
  }
  return { wins, ties, positives: order.length - negativesBelow, negatives: negativesBelow };
}

/** Area under the ROC curve; NaN when one class is absent. */
export function auc(pairs: PairCounts): number {
  return (pairs.wins + pairs.ties / 2) / (pairs.positives * pairs.negatives);
}

/**
 * One-sided bounds of an AUC, each with confidence 1 - alpha. Keeps a width at AUC = 1 and with five positives,
 * where DeLong's interval has none. Source: Newcombe 2006 (Stat Med 25:559), method 5, by bisection.
 */
export function aucBounds(estimate: number, sizes: { positives: number; negatives: number }, alpha: number): Bounds {
  const z = normalQuantile(1 - alpha);
  const distance = (theta: number) => Math.abs(estimate - theta) - z * Math.sqrt(aucVariance(theta, sizes));
  return {
    lower: estimate === 0 ? 0 : crossing(distance, 0, estimate),
    upper: estimate === 1 ? 1 : crossing(distance, 1, estimate),
  };
}

function aucVariance(theta: number, sizes: { positives: number; negatives: number }): number {
  const halfTotal = (sizes.positives + sizes.negatives) / 2;
  const bracket = 1 + (halfTotal - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta));
  return (theta * (1 - theta) * bracket) / (sizes.positives * sizes.negatives);
}

/** `distance` is positive at `outer` and negative at `inner`. */
function crossing(distance: (theta: number) => number, outer: number, inner: number): number {
  let outside = outer;
  let inside = inner;
  for (let step = 0; step < 200; step += 1) {
    const middle = (outside + inside) / 2;
    if (distance(middle) > 0) outside = middle;
    else inside = middle;
  }
  return (outside + inside) / 2;
}
