import type { Scored } from "./scored.ts";

/** Rows with a true class, an answered class and a score of the positive class. A row without a finite score is not assessed. */
export interface Answered {
  /** Score of the positive class. */
  readonly scores: Float64Array;
  /** True and answered classes, by number. */
  readonly target: Int32Array;
  readonly answer: Int32Array;
  /** The class that scores and rates are about. */
  readonly positive: number;
}

export const thresholdDefault = 0.5;

/** Two classes: positive is answered where score >= threshold. */
export function answeredAt({ positive, scores }: Scored, threshold: number = thresholdDefault): Answered {
  return { scores, target: Int32Array.from(positive), answer: Int32Array.from(scores, (score) => (score >= threshold ? 1 : 0)), positive: 1 };
}

/** 1 where the true class is the positive one. */
export function positives({ target, positive }: Answered): Uint8Array {
  return Uint8Array.from(target, (value) => (value === positive ? 1 : 0));
}

export function scoredOf(answered: Answered): Scored {
  return { positive: positives(answered), scores: answered.scores };
}

/** 1 where the positive class was answered. */
export function predictedPositive({ answer, positive }: Answered): Uint8Array {
  return Uint8Array.from(answer, (value) => (value === positive ? 1 : 0));
}

/** Whether each answer was right: 1, 0, or 255 without one. */
export function rightRows({ scores, target, answer }: Answered): Uint8Array {
  return Uint8Array.from(scores, (score, row) => (Number.isFinite(score) ? Number(target[row] === answer[row]) : 255));
}

/** The rows that were assessed. */
export function finiteAnswers(all: Answered): Answered {
  const { scores, target, answer, positive } = all;
  if (scores.every((score) => Number.isFinite(score))) return all;
  const kept = Uint32Array.from(scores.keys()).filter((row) => Number.isFinite(scores[row]));
  const classes = (column: Int32Array) => Int32Array.from(kept, (row) => column[row] ?? -1);
  return { scores: Float64Array.from(kept, (row) => scores[row] ?? 0), target: classes(target), answer: classes(answer), positive };
}
