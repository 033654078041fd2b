import { normalQuantile } from "./normal.ts";
import type { Bounds } from "./proportion.ts";

/** What a judge said on transcripts whose truth is known, and on those in question. */
export interface JudgedCounts {
  readonly flagged: number;
  readonly n: number;
  readonly judge: { readonly truePositives: number; readonly positives: number; readonly trueNegatives: number; readonly negatives: number };
}

/** Below this the judge hardly knows more than a coin, and nothing is concluded from it. */
export const youdenMin = 0.2;

/** Sensitivity + specificity - 1 of the judge on its labelled transcripts. */
export function youden({ judge }: JudgedCounts): number {
  return judge.truePositives / judge.positives + judge.trueNegatives / judge.negatives - 1;
}

/** The true rate behind a judge's rate, not cut to 0 to 1. Source: Rogan & Gladen 1978. */
export function roganGladen(counts: JudgedCounts): number {
  const { judge } = counts;
  return (counts.flagged / counts.n + judge.trueNegatives / judge.negatives - 1) / youden(counts);
}

/**
 * Bounds of the true rate behind a judge's rate, each with confidence about 1 - alpha, not cut to 0 to 1; the judge's
 * own errors are uncertain too. Source: Lang & Reiczigel 2014 (Prev Vet Med 113:13).
 */
export function langReiczigel(counts: JudgedCounts, alpha: number): Bounds {
  const z = normalQuantile(1 - alpha);
  const { judge } = counts;
  const n = counts.n + z * z;
  const rate = (counts.flagged + (z * z) / 2) / n;
  const [nPositive, nNegative] = [judge.positives + 2, judge.negatives + 2];
  const [sensitivity, specificity] = [(judge.truePositives + 1) / nPositive, (judge.trueNegatives + 1) / nNegative];
  const scale = sensitivity + specificity - 1;
  const prevalence = (rate + specificity - 1) / scale;
  const [varPositive, varNegative] = [(sensitivity * (1 - sensitivity)) / nPositive, (specificity * (1 - specificity)) / nNegative];
  const shift = 2 * z * z * (prevalence * varPositive - (1 - prevalence) * varNegative);
  const variance = (rate * (1 - rate)) / n + prevalence ** 2 * varPositive + (1 - prevalence) ** 2 * varNegative;
  const half = (z * Math.sqrt(variance)) / Math.abs(scale);
  return { lower: prevalence + shift - half, upper: prevalence + shift + half };
}
