/** A copy that answers with a class. */
export type Surrogate = (row: Float32Array) => number;

export interface Answered {
  readonly row: Float32Array;
  readonly answer: number;
}

const iterations = 300;
const ridge = 1e-4;
const momentum = 0.9;

/** Features moved and scaled to mean 0 and spread 1. */
function standardised(rows: readonly Float32Array[]): (row: Float32Array) => Float64Array {
  const width = rows[0]?.length ?? 0;
  const means = Float64Array.from({ length: width }, (_, index) => rows.reduce((sum, row) => sum + (row[index] ?? 0), 0) / rows.length);
  const sds = Float64Array.from({ length: width }, (_, index) => Math.sqrt(rows.reduce((sum, row) => sum + ((row[index] ?? 0) - (means[index] ?? 0)) ** 2, 0) / rows.length) || 1);
  return (row) => Float64Array.from({ length: width }, (_, index) => ((row[index] ?? 0) - (means[index] ?? 0)) / (sds[index] ?? 1));
}

/** Softmax regression by gradient descent with momentum: the same steps on every machine. */
export function softmaxSurrogate(known: readonly Answered[]): Surrogate {
  if (known.length === 0) return () => -1;
  const scale = standardised(known.map(({ row }) => row));
  const inputs = known.map(({ row }) => Float64Array.of(...scale(row), 1));
  const classes = Math.max(...known.map(({ answer }) => answer)) + 1;
  const width = inputs[0]?.length ?? 1;
  const weights = new Float64Array(classes * width);
  const velocity = new Float64Array(weights.length);
  const rate = 1 / Math.max(1, inputs.reduce((sum, input) => sum + input.reduce((all, value) => all + value * value, 0), 0) / inputs.length / 4);
  for (let step = 0; step < iterations; step += 1) {
    for (const [index, slope] of gradientOf({ weights, inputs, known, classes }).entries()) {
      velocity[index] = momentum * (velocity[index] ?? 0) - rate * slope;
      weights[index] = (weights[index] ?? 0) + (velocity[index] ?? 0);
    }
  }
  return (row) => largest(linear(weights, Float64Array.of(...scale(row), 1), classes));
}

interface Fit {
  readonly weights: Float64Array;
  readonly inputs: readonly Float64Array[];
  readonly known: readonly Answered[];
  readonly classes: number;
}

function gradientOf({ weights, inputs, known, classes }: Fit): Float64Array {
  const gradient = weights.map((weight) => ridge * weight);
  for (const [index, input] of inputs.entries()) {
    const shares = softmax(linear(weights, input, classes));
    for (const [each, share] of shares.entries()) {
      const residual = (share - (known[index]?.answer === each ? 1 : 0)) / inputs.length;
      addScaled(gradient.subarray(each * input.length, (each + 1) * input.length), input, residual);
    }
  }
  return gradient;
}

function addScaled(into: Float64Array, values: Float64Array, factor: number): void {
  for (const [index, value] of values.entries()) into[index] = (into[index] ?? 0) + factor * value;
}

/** The answer to the nearest query, the first of equals. */
export function nearestSurrogate(known: readonly Answered[]): Surrogate {
  const scale = standardised(known.map(({ row }) => row));
  const inputs = known.map(({ row, answer }) => ({ input: scale(row), answer }));
  return (row) => {
    const at = scale(row);
    let [best, answer] = [Infinity, -1];
    for (const { input, answer: own } of inputs) {
      let distance = 0;
      for (let index = 0; index < at.length && distance < best; index += 1) distance += ((at[index] ?? 0) - (input[index] ?? 0)) ** 2;
      if (distance < best) [best, answer] = [distance, own];
    }
    return answer;
  };
}

function linear(weights: Float64Array, input: Float64Array, classes: number): Float64Array {
  const width = input.length;
  return Float64Array.from({ length: classes }, (_, each) => {
    let sum = 0;
    for (let index = 0; index < width; index += 1) sum += (weights[each * width + index] ?? 0) * (input[index] ?? 0);
    return sum;
  });
}

function softmax(scores: Float64Array): Float64Array {
  const highest = scores.reduce((best, score) => Math.max(best, score), -Infinity);
  const powers = scores.map((score) => Math.exp(score - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

function largest(scores: Float64Array): number {
  return scores.reduce((best, score, index) => (score > (scores[best] ?? Infinity) ? index : best), 0);
}
