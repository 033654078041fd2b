import type { Matrix } from "../linear/matrix.ts";

/** Euclidean distances of all pairs of rows, the upper triangle row after row: (0,1), (0,2), …, (1,2), … */
export function pairDistances({ rows, columns, values }: Matrix): Float64Array {
  const distances = new Float64Array((rows * (rows - 1)) / 2);
  let at = 0;
  for (let i = 0; i < rows; i += 1) {
    for (let j = i + 1; j < rows; j += 1) {
      let sum = 0;
      for (let k = 0; k < columns; k += 1) sum += ((values[i * columns + k] ?? 0) - (values[j * columns + k] ?? 0)) ** 2;
      distances[at++] = Math.sqrt(sum);
    }
  }
  return distances;
}

/** Sums of a pair function within the first sample, within the second, and between them. */
export interface PairSums {
  readonly within1: number;
  readonly within2: number;
  readonly between: number;
}

/** `second[row]` is 1 for rows of the second sample. */
export function sumPairs(pairs: Float64Array, second: Uint8Array): PairSums {
  // Slots: 0 within the first, 1 between, 2 within the second.
  const sums = new Float64Array(3);
  const rows = second.length;
  let at = 0;
  for (let i = 0; i < rows; i += 1) {
    const own = second[i] ?? 0;
    let [first, other] = [0, 0];
    for (let j = i + 1; j < rows; j += 1) {
      const value = pairs[at++] ?? 0;
      if (second[j] === 1) other += value;
      else first += value;
    }
    sums[own] = (sums[own] ?? 0) + first;
    sums[own + 1] = (sums[own + 1] ?? 0) + other;
  }
  return { within1: sums[0] ?? 0, between: sums[1] ?? 0, within2: sums[2] ?? 0 };
}

/**
 * Energy statistic 2 E|X - Y| - E|X - X'| - E|Y - Y'| from distances, as a V-statistic (a row's distance to itself
 * counts as 0); 0 only when both samples are the same. Source: Székely & Rizzo 2004.
 */
export function energyStatistic({ within1, within2, between }: PairSums, n: number, m: number): number {
  return (2 * between) / (n * m) - (2 * within1) / (n * n) - (2 * within2) / (m * m);
}

/** Unbiased squared maximum mean discrepancy from kernel values. Source: Gretton et al. 2012, lemma 6. */
export function unbiasedMmd2({ within1, within2, between }: PairSums, n: number, m: number): number {
  return (2 * within1) / (n * (n - 1)) + (2 * within2) / (m * (m - 1)) - (2 * between) / (n * m);
}

/** Gaussian kernel exp(-d^2 / (2 s^2)) of distances, s being their median (the "median heuristic" of Gretton et al. 2012). */
export function medianKernel(distances: Float64Array): { readonly kernel: Float64Array; readonly median: number } {
  const sorted = distances.slice().sort();
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  const scale = 2 * median * median;
  return { median, kernel: scale === 0 ? distances.map((distance) => (distance === 0 ? 1 : 0)) : distances.map((distance) => Math.exp((-distance * distance) / scale)) };
}
