import type { NoiseSource } from "./noise-source.ts";
import { discreteGaussian } from "./noise-source.ts";

/** A column as codes 0 to size - 1. */
export interface CodedColumn {
  readonly name: string;
  readonly codes: Uint32Array;
  readonly size: number;
}

/** Counts of one column, or of two: `counts[first * size of second + second]`. */
export function countOne({ codes, size }: CodedColumn): Float64Array {
  const counts = new Float64Array(size);
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

export function countTwo(first: CodedColumn, second: CodedColumn): Float64Array {
  const counts = new Float64Array(first.size * second.size);
  for (let row = 0; row < first.codes.length; row += 1) {
    const cell = (first.codes[row] ?? 0) * second.size + (second.codes[row] ?? 0);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  return counts;
}

/** Gaussian noise that costs `rho` for a table of counts in which each person is one count; negative counts become 0. */
export function noisyMarginal(counts: Float64Array, rho: number, source: NoiseSource): Float64Array {
  const sigma = 1 / Math.sqrt(2 * rho);
  return counts.map((count) => Math.max(0, count + discreteGaussian(sigma, source)));
}

/** Sum of absolute differences between a table of two columns and what it would be if they were independent. */
export function dependence(pair: Float64Array, first: Float64Array, second: Float64Array): number {
  const total = Math.max(1, first.reduce((sum, count) => sum + count, 0));
  return pair.reduce((sum, count, cell) => sum + Math.abs(count - ((first[Math.floor(cell / second.length)] ?? 0) * (second[cell % second.length] ?? 0)) / total), 0);
}

/** Half the sum of absolute differences of two tables of counts as shares, 0 to 1. */
export function marginalDistance(first: Float64Array, second: Float64Array): number {
  const total = (counts: Float64Array) => Math.max(1, counts.reduce((sum, count) => sum + count, 0));
  const [n, m] = [total(first), total(second)];
  return first.reduce((sum, count, cell) => sum + Math.abs(count / n - (second[cell] ?? 0) / m), 0) / 2;
}

/** A code drawn in proportion to the weights; any when all are 0. */
export function drawCode(weights: Float64Array, source: NoiseSource): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return Math.floor(source.uniform() * weights.length);
  let left = source.uniform() * total;
  let last = 0;
  for (const [code, weight] of weights.entries()) {
    if (weight === 0) continue;
    last = code;
    left -= weight;
    if (left < 0) return code;
  }
  return last;
}
