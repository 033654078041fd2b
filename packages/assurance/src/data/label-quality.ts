import type { LabelledProbabilities } from "./confident-joint.ts";

const floor = 1e-6;

/** Probability of the given label: the lower, the more suspect. */
export function selfConfidence({ labels, probabilities: { columns, values } }: LabelledProbabilities): Float64Array {
  return Float64Array.from(labels, (label, row) => values[row * columns + label] ?? Number.NaN);
}

/** Lead of the given label over the best other, moved to 0 to 1. */
export function normalisedMargin({ labels, probabilities: { columns, values } }: LabelledProbabilities): Float64Array {
  return Float64Array.from(labels, (label, row) => {
    let other = -Infinity;
    for (let k = 0; k < columns; k += 1) if (k !== label) other = Math.max(other, values[row * columns + k] ?? 0);
    return ((values[row * columns + label] ?? Number.NaN) - other + 1) / 2;
  });
}

/** Falls with entropy over self-confidence, 0 to 1. Source: Kuan & Mueller 2022 (arXiv:2207.03061). */
export function confidenceWeightedEntropy(data: LabelledProbabilities): Float64Array {
  const { columns, values } = data.probabilities;
  return selfConfidence(data).map((confidence, row) => {
    let entropy = 0;
    for (let k = 0; k < columns; k += 1) {
      const p = values[row * columns + k] ?? 0;
      if (p > 0) entropy -= p * Math.log(p);
    }
    const score = entropy / Math.log(columns) / Math.max(floor, confidence);
    return Math.log(score + 1) / Math.max(floor, score);
  });
}
