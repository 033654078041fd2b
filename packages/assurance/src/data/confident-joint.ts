import type { Matrix } from "../linear/matrix.ts";

/** Labels as class numbers, and out-of-sample probabilities: one row per label, one column per class. */
export interface LabelledProbabilities {
  readonly labels: Uint32Array;
  readonly probabilities: Matrix;
}

/** Slack in comparisons with a threshold, so that a probability equal to it counts whatever its last bits. */
const slack = 1e-6;
/** Above every probability: a class without labels can confidently hold no row. */
const never = 2;

/** Average probability of each class among the rows labelled with it: above it a row is confidently of that class. */
export function confidentThresholds({ labels, probabilities }: LabelledProbabilities): Float64Array {
  const classes = probabilities.columns;
  const sums = new Float64Array(classes);
  const counts = labelCounts(labels, classes);
  for (let row = 0; row < labels.length; row += 1) {
    const label = labels[row] ?? 0;
    sums[label] = (sums[label] ?? 0) + (probabilities.values[row * classes + label] ?? 0);
  }
  return sums.map((sum, index) => ((counts[index] ?? 0) === 0 ? never : Math.max(2 * slack, sum / (counts[index] ?? 1))));
}

export function labelCounts(labels: Uint32Array, classes: number): readonly number[] {
  const counts = Array.from({ length: classes }, () => 0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

export interface ConfidentJoint {
  readonly thresholds: Float64Array;
  /** Row: given label; column: class that the row is confidently of. At least 1 on the diagonal. */
  readonly counted: readonly (readonly number[])[];
  /** Scaled to the number of rows per label, in whole numbers. */
  readonly calibrated: readonly (readonly number[])[];
  /** Rows that are confidently of another class than their label. */
  readonly offDiagonal: readonly number[];
  /** Estimated share of wrong labels. */
  readonly noiseRate: number;
}

/**
 * Confident learning: how many rows of each label are confidently of each class.
 * Source: Northcutt, Jiang & Chuang 2021 (JAIR 70:1373), equation 1 and section 3.1. Assumes probabilities of a model
 * that has not seen the row.
 */
export function confidentJoint(data: LabelledProbabilities): ConfidentJoint {
  const { labels, probabilities } = data;
  const classes = probabilities.columns;
  const thresholds = confidentThresholds(data);
  const counted = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  const offDiagonal: number[] = [];
  for (let row = 0; row < labels.length; row += 1) {
    const guess = confidentClass(probabilities, row, thresholds);
    if (guess === undefined) continue;
    const label = labels[row] ?? 0;
    const line = counted[label];
    if (line !== undefined) line[guess] = (line[guess] ?? 0) + 1;
    if (guess !== label) offDiagonal.push(row);
  }
  for (const [index, line] of counted.entries()) line[index] = Math.max(1, line[index] ?? 0);
  const calibrated = calibrate(counted, labelCounts(labels, classes));
  const kept = calibrated.reduce((sum, line, index) => sum + (line[index] ?? 0), 0);
  return { thresholds, counted, calibrated, offDiagonal, noiseRate: labels.length === 0 ? Number.NaN : 1 - kept / labels.length };
}

/** The one class above its threshold; of several the most probable of all. */
function confidentClass({ columns, values }: Matrix, row: number, thresholds: Float64Array): number | undefined {
  let found: number | undefined;
  let above = 0;
  for (let k = 0; k < columns; k += 1) {
    if ((values[row * columns + k] ?? 0) < (thresholds[k] ?? never) - slack) continue;
    above += 1;
    found ??= k;
  }
  return above > 1 ? mostProbable(values.subarray(row * columns, (row + 1) * columns)) : found;
}

/** The first of the largest. */
export function mostProbable(values: ArrayLike<number>): number {
  let best = 0;
  for (let k = 1; k < values.length; k += 1) if ((values[k] ?? 0) > (values[best] ?? 0)) best = k;
  return best;
}

const tiny = 1e-100;

function calibrate(counted: readonly (readonly number[])[], counts: readonly number[]): readonly (readonly number[])[] {
  const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
  const scaled = counted.map((line, label) => line.map((count) => (count / Math.max(tiny, sum(line))) * (counts[label] ?? 0)));
  const all = Math.max(tiny, sum(scaled.map(sum)));
  const rows = sum(counts);
  return scaled.map((line) => roundKeepingSum(line.map((value) => (value / all) * rows)));
}

/** Rounds to whole numbers with the same (rounded) sum: those that rounding moved furthest are moved back first. */
export function roundKeepingSum(values: readonly number[]): readonly number[] {
  const whole = values.map(roundHalfEven);
  const target = roundHalfEven(values.reduce((sum, value) => sum + value, 0));
  let excess = whole.reduce((sum, value) => sum + value, 0) - target;
  while (excess !== 0) {
    const step = excess > 0 ? -1 : 1;
    const rounding = (index: number) => step * ((values[index] ?? 0) - (whole[index] ?? 0));
    const order = [...values.keys()].sort((a, b) => rounding(b) - rounding(a));
    for (const index of order.slice(0, Math.min(Math.abs(excess), order.length))) {
      whole[index] = (whole[index] ?? 0) + step;
      excess += step;
    }
  }
  return whole;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
