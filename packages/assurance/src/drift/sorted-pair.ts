import { sortValues } from "./sort-values.ts";

/** How two sorted samples without missing values differ. */
export interface SortedComparison {
  /** Largest distance of the two empirical distribution functions (Kolmogorov-Smirnov). */
  readonly d: number;
  /** Area between them, in the unit of the column (Wasserstein-1, earth mover's distance). */
  readonly wasserstein1: number;
  /** Twice the integral of their squared difference; its root is the energy distance (Székely). */
  readonly energySquared: number;
  /** Share of the pooled values that have an equal one. */
  readonly tiedShare: number;
}

/** The finite values in rising order; everything else counts as missing. */
export function sortedFinite(values: Float64Array): Float64Array {
  let missing = 0;
  for (let row = 0; row < values.length; row += 1) if (!Number.isFinite(values[row])) missing += 1;
  const kept = new Float64Array(values.length - missing);
  if (missing === 0) kept.set(values);
  else {
    let next = 0;
    for (let row = 0; row < values.length; row += 1) {
      const value = values[row] ?? Number.NaN;
      if (Number.isFinite(value)) kept[next++] = value;
    }
  }
  return sortValues(kept);
}

/**
 * One pass over both samples. Either being empty gives NaN. Cost n + m: without a branch on which sample comes next,
 * which no processor can predict.
 */
export function compareSorted(a: Float64Array, b: Float64Array): SortedComparison {
  const n = a.length;
  const m = b.length;
  if (n === 0 || m === 0) return { d: Number.NaN, wasserstein1: Number.NaN, energySquared: Number.NaN, tiedShare: Number.NaN };
  let i = Number((a[0] ?? 0) <= (b[0] ?? 0));
  let j = 1 - i;
  let last = Math.min(a[0] ?? 0, b[0] ?? 0);
  let [gap, d, area, energy, equal, runs, inRun] = [i / n - j / m, 0, 0, 0, 0, 0, 0];
  for (let left = n + m - 1; left > 0; left -= 1) {
    const x = a[i] ?? Infinity;
    const y = b[j] ?? Infinity;
    const value = Math.min(x, y);
    const width = value - last;
    const size = Math.abs(gap);
    area += size * width;
    energy += size * size * width;
    // Between equal values the functions are not yet what they are at that value.
    const moved = Number(width > 0);
    d = Math.max(d, size * moved);
    equal += 1 - moved;
    runs += (1 - moved) * (1 - inRun);
    inRun = 1 - moved;
    last = value;
    const first = Number(x <= y);
    i += first;
    j += 1 - first;
    gap = i / n - j / m;
  }
  return { d, wasserstein1: area, energySquared: 2 * energy, tiedShare: (equal + runs) / (n + m) };
}

/** 1 where a run of equal pooled values ends; for the exact distribution with ties. */
export function runEnds(a: Float64Array, b: Float64Array): Uint8Array {
  const ends = new Uint8Array(a.length + b.length);
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const x = Math.min(i < a.length ? (a[i] ?? 0) : Infinity, j < b.length ? (b[j] ?? 0) : Infinity);
    while (i < a.length && a[i] === x) i += 1;
    while (j < b.length && b[j] === x) j += 1;
    ends[i + j - 1] = 1;
  }
  return ends;
}

/**
 * Quantile by linear interpolation between order statistics (Hyndman & Fan 1996, type 7; numpy's default).
 * NaN for an empty sample.
 */
export function quantileSorted(sorted: Float64Array, q: number): number {
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.min(sorted.length - 1, Math.floor(at) + 1)];
  if (below === undefined || above === undefined) return Number.NaN;
  const share = at - Math.floor(at);
  return share >= 0.5 ? above - (above - below) * (1 - share) : below + (above - below) * share;
}

/** How many of the sorted values are at most `x`. */
export function countAtMost(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
