import { normalCdf, normalQuantile } from "../stats/normal.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { rounded } from "../verdict/settle.ts";

/** Scores of the positive class: with labels on the reference, without on the current rows. */
export interface PerformanceInput {
  readonly referenceScores: Float64Array;
  readonly referenceLabels: Uint8Array;
  readonly currentScores: Float64Array;
  /** Answered positive when the score is at least this. Default 0.5. */
  readonly threshold?: number;
}

/** Sums over current rows, from which every rate and its spread follow. */
export interface ExpectedCounts {
  readonly n: number;
  readonly answeredPositive: number;
  /** Expected true and false positives and negatives. */
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
  /** Sum of p (1 - p) over all rows, and over rows answered positive. */
  readonly variance: number;
  readonly variancePositive: number;
}

export interface Calibration {
  readonly n: number;
  /** Debiased expected calibration error over 15 bins of equal size. */
  readonly ece: number;
  /** Spiegelhalter's z and its two-sided p-value. */
  readonly z: number;
  readonly p: number;
  readonly passes: boolean;
}

export interface PerformanceEstimateStatistics {
  readonly kind: "drift.performance";
  readonly advisory: true;
  readonly calibration: Calibration;
  /** Null when the scores are not calibrated: then nothing may be read from them. */
  readonly expected: ExpectedCounts | null;
  readonly notes: readonly string[];
}

const bins = 15;
const rowsMin = 200;
const eceMax = 0.05;
const calibrationPMin = 0.01;

/**
 * `drift.performance`: what accuracy, precision and recall are today if the scores are still probabilities. Only when
 * they are on the labelled reference; assumes no concept drift, which it cannot see. Advisory.
 * Sources: Białek et al. 2024 (arXiv:2401.08348) for the estimate; Spiegelhalter 1986; Kumar, Liang & Ma 2019.
 */
export function measurePerformanceEstimate(input: PerformanceInput): PerformanceEstimateStatistics {
  const calibration = calibrationOf(input.referenceScores, input.referenceLabels);
  const usable = calibration.passes && inRange(input.currentScores);
  const expected = usable ? expectedCounts(input.currentScores, input.threshold ?? 0.5) : null;
  const notes = [
    ...(usable ? ["assumes no concept drift: that rows with one score are positive as often as they were"] : [`the scores are not calibrated on ${calibration.n} labelled rows (error ${calibration.ece}, p ${calibration.p}): no estimate`]),
    ...(expected === null ? [] : [`expected accuracy ${round12((expected.tp + expected.tn) / Math.max(1, expected.n))} over ${expected.n} rows`]),
  ];
  return { kind: "drift.performance", advisory: true, calibration, expected, notes };
}

function inRange(scores: Float64Array): boolean {
  return scores.every((score) => score >= 0 && score <= 1);
}

function calibrationOf(scores: Float64Array, labels: Uint8Array): Calibration {
  const n = scores.length;
  const order = Uint32Array.from({ length: n }, (_, index) => index).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  let debiased = 0;
  for (let bin = 0; bin < bins; bin += 1) {
    const rows = order.subarray(Math.floor((bin * n) / bins), Math.floor(((bin + 1) * n) / bins));
    if (rows.length < 2) continue;
    const mean = (of: (row: number) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
    const rate = mean((row) => labels[row] ?? 0);
    const gap = (rate - mean((row) => scores[row] ?? 0)) ** 2 - (rate * (1 - rate)) / (rows.length - 1);
    debiased += (rows.length / n) * gap;
  }
  const ece = round12(Math.sqrt(Math.max(0, debiased)));
  const { z, spread } = spiegelhalter(scores, labels);
  const p = round12(2 * normalCdf(-Math.abs(z)));
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const passes = n >= rowsMin && positives > 0 && positives < n && inRange(scores) && spread > 0 && ece <= eceMax && p >= calibrationPMin;
  return { n, ece, z: round12(z), p, passes };
}

function spiegelhalter(scores: Float64Array, labels: Uint8Array): { readonly z: number; readonly spread: number } {
  let [squared, spread] = [0, 0];
  for (const [row, p] of scores.entries()) {
    squared += ((labels[row] ?? 0) - p) * (1 - 2 * p);
    spread += (1 - 2 * p) ** 2 * p * (1 - p);
  }
  return { z: spread === 0 ? 0 : squared / Math.sqrt(spread), spread };
}

function expectedCounts(scores: Float64Array, threshold: number): ExpectedCounts {
  let [answeredPositive, tp, fn, variance, variancePositive] = [0, 0, 0, 0, 0];
  for (const p of scores) {
    variance += p * (1 - p);
    if (p >= threshold) {
      answeredPositive += 1;
      tp += p;
      variancePositive += p * (1 - p);
    } else fn += p;
  }
  const n = scores.length;
  return {
    n,
    answeredPositive,
    tp: round12(tp),
    fp: round12(answeredPositive - tp),
    fn: round12(fn),
    tn: round12(n - answeredPositive - fn),
    variance: round12(variance),
    variancePositive: round12(variancePositive),
  };
}

export type EstimatedMetric = "accuracy" | "precision" | "recall" | "specificity";

/** Against a floor, with a normal interval for the unknown labels (Poisson-binomial). Advisory. */
export function decidePerformanceEstimate({ expected }: Pick<PerformanceEstimateStatistics, "expected">, metric: EstimatedMetric, limit: Limit): Outcome {
  if (expected === null) return silent("degenerate");
  const { n, answeredPositive, tp, fn, tn, fp, variance, variancePositive } = expected;
  const rates: Readonly<Record<EstimatedMetric, readonly [number, number]>> = { accuracy: [tp + tn, n], precision: [tp, answeredPositive], recall: [tp, tp + fn], specificity: [tn, tn + fp] };
  const [events, trials] = rates[metric];
  if (!(trials > 0)) return silent("undefined_denominator");
  const estimate = events / trials;
  // Rows drawn anew and labels unknown: for a ratio of two sums the first-order spread about its value.
  const negative = variance - variancePositive;
  const spread = { accuracy: variance, precision: variancePositive, recall: (1 - estimate) ** 2 * variancePositive + estimate ** 2 * negative, specificity: (1 - estimate) ** 2 * negative + estimate ** 2 * variancePositive }[metric];
  const half = normalQuantile(1 - limit.alpha) * (Math.sqrt(spread + trials * estimate * (1 - estimate)) / trials);
  const bounds = { lower: Math.max(0, estimate - half), upper: Math.min(1, estimate + half) };
  return rounded(compared({ method: "cbpe-normal", estimate, bounds, limit }, () => (estimate === limit.value ? undefined : Math.ceil((half / Math.abs(limit.value - estimate)) ** 2 * n))));
}
