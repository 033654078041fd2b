import { jensenShannonBits } from "../../packages/assurance/src/drift/divergence.ts";
import { chiSquareSurvival } from "../../packages/assurance/src/stats/incomplete-gamma.ts";

/** Population standard deviation. */
export function referenceDeviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Equal bins over a range, numpy's way; a range of one value is widened by a half on each side. */
function linearEdges(low: number, high: number, width: number): readonly number[] {
  const [first, last] = low === high ? [low - 0.5, high + 0.5] : [low, high];
  const bins = width > 0 ? Math.max(1, Math.ceil((last - first) / width)) : 1;
  const step = (last - first) / bins;
  return Array.from({ length: bins + 1 }, (_, index) => (index === bins ? last : first + index * step));
}

/** Values per bin; the last bin holds its upper edge, values outside belong to none. */
function histogram(values: Float64Array, edges: readonly number[]): readonly number[] {
  const counts = Array.from({ length: edges.length - 1 }, () => 0);
  const last = edges.at(-1) ?? 0;
  for (const value of values) {
    if (value < (edges[0] ?? 0) || value > last) continue;
    let bin = edges.findIndex((edge) => edge > value) - 1;
    if (bin < 0) bin = counts.length - 1;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/** numpy's "doane" bins of the reference, which nannyml uses. */
export function doaneEdges(sorted: Float64Array): readonly number[] {
  const n = sorted.length;
  const [low, high] = [sorted[0] ?? 0, sorted[n - 1] ?? 0];
  const deviation = referenceDeviation(sorted);
  if (n <= 2 || deviation === 0) return linearEdges(low, high, 0);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
  const skew = sorted.reduce((sum, value) => sum + ((value - mean) / deviation) ** 3, 0) / n;
  const scatter = Math.sqrt((6 * (n - 2)) / ((n + 1) * (n + 3)));
  return linearEdges(low, high, (high - low) / (1 + Math.log2(n) + Math.log2(1 + Math.abs(skew) / scatter)));
}

/** nannyml's Jensen-Shannon distance: Doane bins of the reference, what lies outside in one more bin. */
export function nannymlJensenShannon(a: Float64Array, b: Float64Array): number {
  const edges = doaneEdges(a);
  const [reference, current] = [histogram(a, edges), histogram(b, edges)];
  const outside = b.length - current.reduce((sum, count) => sum + count, 0);
  return Math.sqrt(jensenShannonBits({ reference: [...reference, 0], current: [...current, outside] }));
}

interface Shares {
  readonly reference: readonly number[];
  readonly current: readonly number[];
}

const differentMax = 20;

/** Evidently's bins: Sturges over both samples together, or every value by itself where the reference has at most 20. */
function evidentlyShares(a: Float64Array, b: Float64Array): Shares {
  const share = (counts: readonly number[], n: number) => counts.map((count) => count / n);
  if (new Set(a).size > differentMax) {
    const low = Math.min(a[0] ?? 0, b[0] ?? 0);
    const high = Math.max(a.at(-1) ?? 0, b.at(-1) ?? 0);
    const edges = linearEdges(low, high, (high - low) / (Math.log2(a.length + b.length) + 1));
    return { reference: share(histogram(a, edges), a.length), current: share(histogram(b, edges), b.length) };
  }
  const keys = [...new Set([...a, ...b])];
  const count = (values: Float64Array) => keys.map((key) => values.filter((value) => value === key).length);
  return { reference: share(count(a), a.length), current: share(count(b), b.length) };
}

function withoutZeros(shares: readonly number[]): readonly number[] {
  const least = Math.min(...shares.filter((share) => share > 0));
  return shares.map((share) => (share > 0 ? share : least <= 1e-4 ? least / 1e6 : 1e-4));
}

export function evidentlyStability(a: Float64Array, b: Float64Array): number {
  const shares = evidentlyShares(a, b);
  const [reference, current] = [withoutZeros(shares.reference), withoutZeros(shares.current)];
  return reference.reduce((sum, p, index) => sum + (p - (current[index] ?? 0)) * Math.log(p / (current[index] ?? 0)), 0);
}

export function evidentlyJensenShannon(a: Float64Array, b: Float64Array): number {
  return Math.sqrt(jensenShannonBits(evidentlyShares(a, b)) * Math.LN2);
}

/** Evidently's chi-square: the current counts against the reference's as if those were exact. */
export function evidentlyGoodnessOfFit(reference: readonly number[], current: readonly number[]): number {
  const ratio = sum(current) / sum(reference);
  const statistic = reference.reduce((total, count, index) => {
    const expected = count * ratio;
    const observed = current[index] ?? 0;
    return expected === 0 && observed === 0 ? total : total + (observed - expected) ** 2 / expected;
  }, 0);
  return statistic === Infinity ? 0 : chiSquareSurvival(statistic, reference.length - 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
