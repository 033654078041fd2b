import { orderOf } from "../stats/order.ts";
import type { Scored } from "./scored.ts";

/** One threshold: everything at or above it is called positive. */
export interface RocPoint {
  readonly threshold: number;
  readonly tp: number;
  readonly fp: number;
}

export interface Roc {
  readonly positives: number;
  readonly negatives: number;
  /** From the highest threshold down, one per distinct score. */
  readonly points: readonly RocPoint[];
}

export function rocOf({ positive, scores }: Scored): Roc {
  const order = orderOf(scores);
  const points: RocPoint[] = [];
  let [tp, fp] = [0, 0];
  for (let place = order.length - 1; place >= 0; ) {
    const threshold = scores[order[place] ?? 0] ?? Number.NaN;
    for (; place >= 0 && scores[order[place] ?? 0] === threshold; place -= 1) {
      if (positive[order[place] ?? 0] === 1) tp += 1;
      else fp += 1;
    }
    points.push({ threshold, tp, fp });
  }
  return { positives: tp, negatives: fp, points };
}

/** Area under the precision-recall steps, without interpolation. Source: scikit-learn's `average_precision_score`. */
export function averagePrecision({ positives, points }: Roc): number {
  let sum = 0;
  let before = 0;
  for (const { tp, fp } of points) {
    sum += ((tp - before) / positives) * (tp / (tp + fp));
    before = tp;
  }
  return points.length === 0 || positives === 0 ? Number.NaN : sum;
}

/** Largest difference between true and false positive rate over all thresholds (Youden's J, the KS separation); at least 0. */
export function separation({ positives, negatives, points }: Roc): number {
  let best = positives === 0 || negatives === 0 ? Number.NaN : 0;
  for (const { tp, fp } of points) best = Math.max(best, tp / positives - fp / negatives);
  return best;
}

/** Largest true positive rate among thresholds whose false positive rate is at most `fprMax`; 0 when none is. */
export function tprAtFpr({ positives, negatives, points }: Roc, fprMax: number): number {
  let best = positives === 0 || negatives === 0 ? Number.NaN : 0;
  for (const { tp, fp } of points) if (fp / negatives <= fprMax) best = Math.max(best, tp / positives);
  return best;
}
