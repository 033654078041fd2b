import { normalCdf } from "../stats/normal.ts";
import type { Scored } from "./scored.ts";

/** Probabilities are kept this far from 0 and 1, so that one row cannot make the mean infinite; scikit-learn's figure. */
const epsilon = 1e-15;

/** -log of the probability given to the true class, per row. */
export function logLosses({ positive, scores }: Scored): Float64Array {
  return scores.map((score, row) => {
    const p = Math.min(1 - epsilon, Math.max(epsilon, score));
    return positive[row] === 1 ? -Math.log(p) : -Math.log(1 - p);
  });
}

/** What a row costs on average if it is wrong. */
export function wrongLogLoss({ scores }: Scored): number {
  const wrong = logLosses({ scores, positive: Uint8Array.from(scores, (score) => (score < 0.5 ? 1 : 0)) });
  return scores.length === 0 ? 0 : mean(wrong);
}

/** Squared distance of the probability from what happened, per row. Source: Brier 1950. */
export function brierLosses({ positive, scores }: Scored): Float64Array {
  return scores.map((score, row) => (score - (positive[row] ?? 0)) ** 2);
}

export function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/**
 * Spiegelhalter's z of a perfectly calibrated model, and its two-sided p-value. 0 where no row can tell, as with every
 * probability at 0.5. Source: Spiegelhalter 1986 (Stat Med 5:421).
 */
export function spiegelhalter({ positive, scores }: Scored): { readonly z: number; readonly p: number } {
  let [sum, variance] = [0, 0];
  for (let row = 0; row < scores.length; row += 1) {
    const p = scores[row] ?? Number.NaN;
    sum += ((positive[row] ?? 0) - p) * (1 - 2 * p);
    variance += (1 - 2 * p) ** 2 * p * (1 - p);
  }
  const z = variance === 0 && sum === 0 ? 0 : sum / Math.sqrt(variance);
  return { z, p: 2 * normalCdf(-Math.abs(z)) };
}
