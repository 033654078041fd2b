import type { Scored } from "./scored.ts";

/** Counts of a two-class decision. */
export interface Confusion {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
}

/** Positive is predicted where score >= threshold. */
export function confusionAt({ positive, scores }: Scored, threshold: number): Confusion {
  const counts = new Float64Array(4);
  for (let row = 0; row < scores.length; row += 1) {
    const cell = (positive[row] ?? 0) * 2 + ((scores[row] ?? Number.NaN) >= threshold ? 1 : 0);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  const [tn = 0, fp = 0, fn = 0, tp = 0] = counts;
  return { tp, fp, fn, tn };
}

export interface ConfusionFigures {
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  readonly precision: number;
  readonly recall: number;
  readonly specificity: number;
  readonly f1: number;
  readonly mcc: number;
}

/**
 * Rates of a confusion table; NaN without a denominator. Balanced accuracy is the mean recall of the classes that
 * occur; Matthews' correlation is 0 where a margin is empty. Source: scikit-learn's definitions.
 */
export function confusionFigures({ tp, fp, fn, tn }: Confusion): ConfusionFigures {
  const recall = tp / (tp + fn);
  const specificity = tn / (tn + fp);
  const present = [recall, specificity].filter((rate) => !Number.isNaN(rate));
  const margins = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);
  return {
    accuracy: (tp + tn) / (tp + fp + fn + tn),
    balancedAccuracy: present.reduce((sum, rate) => sum + rate, 0) / present.length,
    precision: tp / (tp + fp),
    recall,
    specificity,
    f1: (2 * tp) / (2 * tp + fp + fn),
    mcc: margins === 0 ? 0 : (tp * tn - fp * fn) / Math.sqrt(margins),
  };
}
