import { answers, type ClassScored } from "../performance/multi-class.ts";

/** Probabilities are kept this far from 0 and 1 before a logarithm is taken. */
const margin = 1e-7;

const clip = (p: number) => Math.min(1 - margin, Math.max(margin, p));

/** Loss of each row: minus the logarithm of the probability of the true class. A low loss speaks for a member. Source: Yeom et al. 2018. */
export function rowLosses({ truth, scores, classes }: ClassScored): Float64Array {
  return Float64Array.from(truth, (actual, row) => -Math.log(clip(scores[row * classes + actual] ?? Number.NaN)));
}

/** Largest probability of each row, whatever the truth: needs no labels. Source: Salem et al. 2019. */
export function confidences({ truth, scores, classes }: ClassScored): Float64Array {
  return Float64Array.from(truth, (_, row) => scores.subarray(row * classes, (row + 1) * classes).reduce((best, p) => Math.max(best, p), -Infinity));
}

/** Entropy of each row that falls where the true class is probable and rises where it is not. Source: Song & Mittal 2021. */
export function modifiedEntropies({ truth, scores, classes }: ClassScored): Float64Array {
  return Float64Array.from(truth, (actual, row) => {
    let sum = 0;
    for (let index = 0; index < classes; index += 1) {
      const p = clip(scores[row * classes + index] ?? Number.NaN);
      sum -= index === actual ? (1 - p) * Math.log(p) : p * Math.log(1 - p);
    }
    return sum;
  });
}

/** 1 where the answer is right: the gap attack calls those rows members. Source: Yeom et al. 2018. */
export function rightAnswers(scored: ClassScored): Uint8Array {
  return Uint8Array.from(answers(scored), (answer, row) => (scored.truth[row] === answer ? 1 : 0));
}

/** Probability of the true class under the audited model, and under reference models not trained on the row. */
export interface ReferenceSignals {
  readonly target: Float64Array;
  /** One column per reference model. */
  readonly out: readonly Float64Array[];
}

/**
 * RMIA with offline references: the share of population rows z against which the row's likelihood ratio is at least
 * `gamma` times theirs. `a` moves the mean over models without the row towards one over models with and without.
 * Source: Zarifzadeh, Liu & Shokri 2024, equations 4 and 10.
 */
export function rmiaOffline(rows: ReferenceSignals, population: ReferenceSignals, options: { readonly a: number; readonly gamma: number }): Float64Array {
  const ratios = (signals: ReferenceSignals) => signals.target.map((p, row) => p / (((1 + options.a) * meanOut(signals, row) + 1 - options.a) / 2));
  const others = ratios(population).sort();
  return ratios(rows).map((ratio) => countUpTo(others, (other) => ratio / other >= options.gamma) / others.length);
}

/**
 * LiRA with at least two offline references and one spread pooled within rows: how far the row's logit lies above those of models without it, as
 * a normal probability's argument. Source: Carlini et al. 2022, section VI.
 */
export function liraOffline(rows: ReferenceSignals): { readonly scores: Float64Array; readonly pooledSd: number } {
  const logits = rows.out.map((column) => column.map(logit));
  const means = rows.target.map((_, row) => logits.reduce((sum, column) => sum + (column[row] ?? 0), 0) / logits.length);
  let squares = 0;
  for (const column of logits) for (const [row, value] of column.entries()) squares += (value - (means[row] ?? 0)) ** 2;
  const pooledSd = Math.sqrt(squares / (rows.target.length * (logits.length - 1)));
  return { scores: rows.target.map((p, row) => (logit(p) - (means[row] ?? 0)) / pooledSd), pooledSd };
}

function logit(p: number): number {
  const clipped = clip(p);
  return Math.log(clipped / (1 - clipped));
}

function meanOut({ out }: ReferenceSignals, row: number): number {
  return out.reduce((sum, column) => sum + (column[row] ?? 0), 0) / out.length;
}

/** How many of the sorted values hold, which do so from the smallest up. */
function countUpTo(sorted: Float64Array, holds: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sorted[middle] ?? Infinity)) low = middle + 1;
    else high = middle;
  }
  return low;
}
