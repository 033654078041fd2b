/** Counts of the same bins or categories in two samples. */
export interface BinCounts {
  readonly reference: readonly number[];
  readonly current: readonly number[];
}

/** No bin's share counts as less than this in the stability index, whose logarithm would have no bound. */
const shareFloor = 1e-4;

/**
 * Population stability index: sum of (q - p) ln(q / p), every share at least 1e-4.
 * Source: Siddiqi 2006; equal to a symmetrised Kullback-Leibler divergence (Jeffreys). NaN for an empty sample.
 */
export function stabilityIndex({ reference, current }: BinCounts): number {
  const [n, m] = [total(reference), total(current)];
  if (n === 0 || m === 0) return Number.NaN;
  return sumOver(reference, current, (r, c) => {
    const p = Math.max(r / n, shareFloor);
    const q = Math.max(c / m, shareFloor);
    return (q - p) * Math.log(q / p);
  });
}

/** What the index is on average without drift, to first order: (bins - 1)(1/n + 1/m). Source: Yurdakul & Naranjo 2020. */
export function stabilityIndexNullMean(bins: number, n: number, m: number): number {
  return (bins - 1) * (1 / n + 1 / m);
}

/** Jensen-Shannon divergence in bits, 0 to 1; its root is a metric (Endres & Schindelin 2003). */
export function jensenShannonBits(counts: BinCounts): number {
  const [n, m] = [total(counts.reference), total(counts.current)];
  if (n === 0 || m === 0) return Number.NaN;
  const sum = sumOver(counts.reference, counts.current, (r, c) => {
    const [p, q] = [r / n, c / m];
    const middle = (p + q) / 2;
    return (p > 0 ? p * Math.log(p / middle) : 0) + (q > 0 ? q * Math.log(q / middle) : 0);
  });
  return Math.max(0, sum) / 2 / Math.LN2;
}

/** Hellinger distance, 0 to 1. */
export function hellinger({ reference, current }: BinCounts): number {
  const [n, m] = [total(reference), total(current)];
  return Math.sqrt(sumOver(reference, current, (r, c) => (Math.sqrt(r / n) - Math.sqrt(c / m)) ** 2) / 2);
}

/** Total variation: the largest difference in probability of any event, 0 to 1. */
export function totalVariation({ reference, current }: BinCounts): number {
  const [n, m] = [total(reference), total(current)];
  return sumOver(reference, current, (r, c) => Math.abs(r / n - c / m)) / 2;
}

/** The largest difference in the share of one bin. */
export function largestDifference({ reference, current }: BinCounts): number {
  const [n, m] = [total(reference), total(current)];
  return reference.reduce((most, r, index) => Math.max(most, Math.abs(r / n - (current[index] ?? 0) / m)), 0);
}

export function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function sumOver(reference: readonly number[], current: readonly number[], term: (r: number, c: number) => number): number {
  return reference.reduce((sum, r, index) => sum + term(r, current[index] ?? 0), 0);
}
