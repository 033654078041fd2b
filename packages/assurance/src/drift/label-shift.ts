import { normalQuantile } from "../stats/normal.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { rounded } from "../verdict/settle.ts";
import { invert } from "../linear/inverse.ts";

/** Labelled reference rows and unlabelled current rows, both answered by the same model. Classes are numbered from 0. */
export interface LabelShiftInput {
  readonly classes: readonly string[];
  readonly referenceLabels: Uint32Array;
  readonly referenceAnswers: Uint32Array;
  readonly currentAnswers: Uint32Array;
}

export interface LabelShiftStatistics {
  readonly kind: "drift.label";
  readonly classes: readonly string[];
  /** `confusion[answer][label]` over the reference. */
  readonly confusion: readonly (readonly number[])[];
  /** Answers over the current rows. */
  readonly answers: readonly number[];
  readonly notes: readonly string[];
}

/**
 * `drift.label`: black box shift estimation: the class shares behind today's unlabelled rows, from the model's answers
 * and its confusion on labelled reference rows. Assumes that rows of one class look as they did (label shift only).
 * Source: Lipton, Wang & Smola 2018 (ICML), section 3.
 */
export function measureLabelShift({ classes, referenceLabels, referenceAnswers, currentAnswers }: LabelShiftInput): LabelShiftStatistics {
  const confusion = classes.map(() => classes.map(() => 0));
  for (let row = 0; row < referenceLabels.length; row += 1) {
    const line = confusion[referenceAnswers[row] ?? 0];
    const label = referenceLabels[row] ?? 0;
    if (line !== undefined) line[label] = (line[label] ?? 0) + 1;
  }
  const answers = classes.map(() => 0);
  for (const answer of currentAnswers) answers[answer] = (answers[answer] ?? 0) + 1;
  const shift = estimateLabelShift({ confusion, answers }, 0.05);
  const notes = shift === undefined ? ["the model's answers do not tell the classes apart: their shares cannot be estimated"] : shift.map(({ before, now, halfWidth }, index) => `class \`${classes[index] ?? ""}\`: ${percent(before)} of the reference, now about ${percent(now)} (± ${percent(halfWidth)})`);
  return { kind: "drift.label", classes, confusion, answers, notes };
}

export interface ClassShift {
  readonly before: number;
  /** Estimated share now, possibly a little outside 0 to 1. */
  readonly now: number;
  /** Of the change, on each side at 1 - alpha, by the delta method. */
  readonly halfWidth: number;
}

/** Below this inverse condition the classes cannot be told apart by the answers. */
const inverseConditionMin = 0.05;

/** Undefined without rows, with a class that never occurs, or with answers that say nothing about the class. */
export function estimateLabelShift({ confusion, answers }: Pick<LabelShiftStatistics, "confusion" | "answers">, alpha: number): readonly ClassShift[] | undefined {
  const k = answers.length;
  const [n, m] = [sum(confusion.map(sum)), sum(answers)];
  const labels = answers.map((_, label) => sum(confusion.map((line) => line[label] ?? 0)));
  if (n === 0 || m === 0 || labels.includes(0)) return undefined;
  // P(answer | label): its inverse turns shares of answers into shares of labels.
  const given = new Float64Array(k * k);
  for (const [answer, line] of confusion.entries()) for (const [label, count] of line.entries()) given[answer * k + label] = count / (labels[label] ?? 1);
  const inverse = invert(given, k);
  if (inverse === undefined || inverse.inverseCondition < inverseConditionMin) return undefined;
  const z = normalQuantile(1 - alpha);
  const now = answers.map((_, label) => sum(answers.map((count, answer) => (inverse.values[label * k + answer] ?? 0) * (count / m))));
  return now.map((share, label) => {
    const row = answers.map((_, answer) => inverse.values[label * k + answer] ?? 0);
    const before = (labels[label] ?? 0) / n;
    const variance = multinomialVariance(row, answers) + sum(now.map((other, each) => other * other * multinomialVariance(row, confusion.map((line) => line[each] ?? 0)))) + (before * (1 - before)) / n;
    return { before, now: share, halfWidth: z * Math.sqrt(variance) };
  });
}

/** Variance of the sum of `weights` times shares, shares being counts over their sum. */
function multinomialVariance(weights: readonly number[], counts: readonly number[]): number {
  const n = sum(counts);
  const mean = sum(counts.map((count, index) => (weights[index] ?? 0) * (count / n)));
  return Math.max(0, sum(counts.map((count, index) => (weights[index] ?? 0) ** 2 * (count / n))) - mean * mean) / n;
}

/**
 * Total variation between reference and estimated class shares. Pass when even the upper bounds of all changes sum to
 * at most the limit, fail when one class surely moved by more (Bonferroni); intervals by the delta method.
 */
export function decideLabelShift(statistics: Pick<LabelShiftStatistics, "confusion" | "answers">, limit: Limit): Outcome {
  const k = statistics.answers.length;
  const rows = sum(statistics.confusion.map(sum)) + sum(statistics.answers);
  // Two-sided per class; of two classes one change is the other's mirror.
  const shift = estimateLabelShift(statistics, limit.alpha / (2 * Math.max(1, k - 1)));
  if (shift === undefined) return silent(rows === 0 ? "too_few" : "degenerate");
  const change = shift.map(({ before, now }) => Math.abs(clamp(now) - before));
  const estimate = sum(change) / 2;
  const bounds = {
    lower: Math.max(0, ...shift.map(({ halfWidth }, index) => (change[index] ?? 0) - halfWidth)),
    upper: Math.min(1, sum(shift.map(({ halfWidth }, index) => Math.min(1, (change[index] ?? 0) + halfWidth))) / 2),
  };
  return rounded(compared({ method: "bbse-delta", estimate: round12(estimate), bounds, limit }, () => {
    const width = bounds.upper - estimate;
    return estimate < limit.value ? Math.ceil((width / (limit.value - estimate)) ** 2 * rows) : undefined;
  }));
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}
