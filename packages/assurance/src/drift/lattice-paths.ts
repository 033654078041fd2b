/** Two samples as they stand in the pooled order: sizes, and after how many pooled values a run of equal values ends. */
export interface PooledOrder {
  readonly n: number;
  readonly m: number;
  /** `ends[i]` is 1 when a run of equal values ends after i + 1 pooled values. Absent: no two values are equal. */
  readonly ends?: Uint8Array;
}

/**
 * P(D >= d) of the two-sample Kolmogorov-Smirnov statistic over all ways to deal the pooled values into samples of n
 * and m: its permutation distribution, counted and not drawn. With ties the samples are compared only where a run of
 * equal values ends. Source: Hodges 1958; Schröer & Trenkler 1995 for ties. Cost n times m.
 *
 * Only probabilities of leaving are added, so a p-value of 1e-50 keeps its digits.
 */
export function twoSampleExactP(d: number, { n, m, ends }: PooledOrder): number {
  if (n === 0 || m === 0 || Number.isNaN(d)) return Number.NaN;
  // A distance is a multiple of 1 / (n m): rounding to it makes "at least d" an exact comparison of whole numbers.
  const limit = Math.round(d * n * m);
  if (limit <= 0) return 1;
  let outside = 0;
  const inside = new Float64Array(m + 1);
  for (let i = 0; i <= n; i += 1) {
    for (let j = 0; j <= m; j += 1) {
      const here = arriving(inside, { i, j, n, m });
      const compared = i + j > 0 && (ends === undefined || ends[i + j - 1] === 1);
      if (compared && Math.abs(i * m - j * n) >= limit) {
        outside += here;
        inside[j] = 0;
      } else inside[j] = here;
    }
  }
  return Math.min(1, outside);
}

/** Probability that a random dealing stands at (i, j) without having left before; `inside` holds row i - 1, and row i up to j - 1. */
function arriving(inside: Float64Array, { i, j, n, m }: { i: number; j: number; n: number; m: number }): number {
  if (i === 0 && j === 0) return 1;
  const left = n + m - i - j + 1;
  const above = i === 0 ? 0 : ((inside[j] ?? 0) * (n - i + 1)) / left;
  const before = j === 0 ? 0 : ((inside[j - 1] ?? 0) * (m - j + 1)) / left;
  return above + before;
}
