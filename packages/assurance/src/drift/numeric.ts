import { absoluteDifference } from "../stats/difference.ts";
import { chiSquareSurvival } from "../stats/incomplete-gamma.ts";
import { normalQuantile } from "../stats/normal.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { countBins, decileEdges } from "./deciles.ts";
import { stabilityIndex, stabilityIndexNullMean } from "./divergence.ts";
import { type AlarmRule, decideFamily, type DriftAlarm, driftAlarms, type Member } from "./family.ts";
import { permutedStabilityP } from "./permuted-stability.ts";
import { compareSorted, quantileSorted, sortedFinite } from "./sorted-pair.ts";
import { twoSampleP, type TwoSampleMethod } from "./two-sample-p.ts";

/** A column in both data sets. What is not a finite number is a missing value. */
export interface NumericPair {
  readonly name: string;
  readonly reference: Float64Array;
  readonly current: Float64Array;
}

/** What is kept of one column. NaN is written as null. Bins: reference deciles. */
export interface NumericDrift {
  readonly name: string;
  readonly n: number;
  readonly m: number;
  readonly missing: { readonly reference: number; readonly current: number };
  readonly d: number | null;
  readonly p: number | null;
  readonly pMethod: TwoSampleMethod;
  readonly tiedShare: number | null;
  readonly wasserstein1: number | null;
  /** Wasserstein distance in interquartile ranges of the reference; null when that range is 0. */
  readonly wasserstein1OverIqr: number | null;
  readonly bins: { readonly reference: readonly number[]; readonly current: readonly number[] };
  /** With a bin of missing values where there are any. */
  readonly psi: number | null;
  readonly psiNullMean: number | null;
  readonly psiP: number | null;
  /** Both samples hold one and the same value: nothing could have been seen. */
  readonly constant: boolean;
}

export interface NumericDriftStatistics {
  readonly kind: "drift.numeric";
  readonly columns: readonly NumericDrift[];
  readonly notes: readonly string[];
}

export interface NumericDriftOptions {
  readonly seed: string;
  /** Random dealings behind the p-value of the stability index of small samples; 0 uses its limit. Default 499. */
  readonly permutations?: number;
}

/**
 * `drift.numeric`: Kolmogorov-Smirnov distance, Wasserstein distance and stability index of every column.
 * Assumes rows drawn independently within and between the two data sets.
 */
export function measureNumericDrift(pairs: readonly NumericPair[], options: NumericDriftOptions): NumericDriftStatistics {
  const columns = pairs.map((pair) => measureColumn(pair, { ...options, seed: `${options.seed}/${pair.name}` }));
  return { kind: "drift.numeric", columns, notes: notesOf(columns) };
}

function measureColumn({ name, reference, current }: NumericPair, options: NumericDriftOptions): NumericDrift {
  const [a, b] = [sortedFinite(reference), sortedFinite(current)];
  const [n, m] = [a.length, b.length];
  const missing = { reference: reference.length - n, current: current.length - m };
  const { d, wasserstein1, tiedShare } = compareSorted(a, b);
  const test = twoSampleP(a, b, { d, tiedShare, seed: options.seed });
  const edges = decileEdges(a);
  const bins = { reference: countBins(a, edges), current: countBins(b, edges) };
  const iqr = quantileSorted(a, 0.75) - quantileSorted(a, 0.25);
  const width = m > 0 && iqr > 0 ? wasserstein1 / iqr : Number.NaN;
  return {
    name, n, m, missing, bins,
    d: kept(d), p: kept(test.p), pMethod: test.method, tiedShare: kept(tiedShare),
    wasserstein1: kept(wasserstein1), wasserstein1OverIqr: kept(width),
    ...stability({ a, b, bins, missing }, options),
    constant: n > 0 && m > 0 && a[0] === a[n - 1] && b[0] === b[m - 1] && a[0] === b[0],
  };
}

interface Binned {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly bins: NumericDrift["bins"];
  readonly missing: NumericDrift["missing"];
}

/** Up to this many rows the index is compared with random dealings of them; above, its chi-square limit is exact enough. */
const permutedRowsMax = 2000;

function stability({ a, b, bins, missing }: Binned, { seed, permutations = 499 }: NumericDriftOptions): Pick<NumericDrift, "psi" | "psiNullMean" | "psiP"> {
  if (a.length === 0 || b.length === 0) return { psi: null, psiNullMean: null, psiP: null };
  const extra = missing.reference + missing.current > 0;
  const counts = extra ? { reference: [...bins.reference, missing.reference], current: [...bins.current, missing.current] } : bins;
  const psi = stabilityIndex(counts);
  const [n, m] = [a.length + missing.reference, b.length + missing.current];
  const size = counts.reference.length;
  const dealt = n + m <= permutedRowsMax && permutations > 0;
  const p = dealt ? permutedStabilityP(a, b, { missing, psi, seed, permutations }) : chiSquareSurvival(psi / (1 / n + 1 / m), size - 1);
  return { psi: kept(psi), psiNullMean: kept(stabilityIndexNullMean(size, n, m)), psiP: kept(p) };
}

/**
 * Half-width of the band around a two-sample distance that holds with 1 - alpha on each side, without assumptions on
 * the distributions, alpha split over both samples. Source: Massart 1990, the sharp form of Dvoretzky-Kiefer-Wolfowitz.
 */
export function dkwHalfWidth(n: number, m: number, alpha: number): number {
  const part = (size: number) => Math.sqrt(Math.log(4 / alpha) / (2 * size));
  return part(n) + part(m);
}

/**
 * Stability: pass when the DKW-Massart upper bound of D is at most the limit in every column, fail when a
 * Bonferroni-corrected lower bound exceeds it. A constant column supports no pass: nothing could have been seen.
 */
export function decideNumericDrift({ columns }: Pick<NumericDriftStatistics, "columns">, limit: Limit): Outcome {
  return decideFamily(columns.map((column) => memberOf(column, limit, columns.length)), limit, "dkw-massart-1990");
}

function memberOf({ name, n, m, d, constant }: NumericDrift, { value, alpha }: Limit, family: number): Member {
  if (d === null || n === 0 || m === 0) return { name, estimate: Number.NaN, lower: 0, upper: 1, withheld: "undefined_denominator" };
  const lower = Math.max(0, d - dkwHalfWidth(n, m, alpha / family));
  const half = dkwHalfWidth(n, m, alpha);
  const scatter = normalQuantile(0.8) * Math.sqrt((1 / n + 1 / m) / 4);
  const factor = d < value ? ((half + scatter) / (value - d)) ** 2 : undefined;
  const requiredN = factor === undefined ? undefined : Math.ceil(Math.max(1, factor) * (n + m));
  const member: Member = { name, estimate: d, lower, upper: Math.min(1, d + half), requiredN };
  return constant ? { ...member, withheld: "degenerate" } : member;
}

/** Columns in which a change is proven (Holm over all columns) and at least `effectMin` in size. */
export function numericDriftAlarms({ columns }: Pick<NumericDriftStatistics, "columns">, rule?: AlarmRule): readonly DriftAlarm[] {
  return driftAlarms(columns.map((column) => ({ name: column.name, p: column.p ?? Number.NaN, effectLower: distanceLower(column, 0.05) })), rule);
}

/**
 * One-sided lower bound of D: the better of DKW-Massart's and that of two rates at the reference deciles (Bonferroni), each at
 * half of alpha. D is at least the difference at any one point, so the second is far sharper where samples are small.
 */
export function distanceLower({ n, m, d, bins }: Pick<NumericDrift, "n" | "m" | "d" | "bins">, alpha: number): number {
  if (d === null) return 0;
  const cuts = bins.reference.length - 1;
  let best = d - dkwHalfWidth(n, m, alpha / 2);
  let below = { reference: 0, current: 0 };
  for (let cut = 0; cut < cuts; cut += 1) {
    below = { reference: below.reference + (bins.reference[cut] ?? 0), current: below.current + (bins.current[cut] ?? 0) };
    const bounds = absoluteDifference({ events: below.reference, n }, { events: below.current, n: m }, alpha / 2 / cuts);
    best = Math.max(best, bounds.lower);
  }
  return round12(Math.max(0, best));
}

function notesOf(columns: readonly NumericDrift[]): readonly string[] {
  const worst = columns.filter(({ d }) => d !== null).toSorted((x, y) => (y.d ?? 0) - (x.d ?? 0)).slice(0, 5);
  const lines = worst.map(({ name, d, p, n, m }) => `column \`${name}\`: distance ${short(d)} (p ${short(p)}) between ${n} and ${m} values`);
  const empty = columns.filter(({ d }) => d === null).map(({ name }) => `column \`${name}\` has no values on one side`);
  const constant = columns.filter((column) => column.constant).map(({ name }) => `column \`${name}\` holds one value on both sides: leave it out, or find out why`);
  return [...lines, ...empty, ...constant];
}

function short(value: number | null): string {
  return value === null ? "unknown" : String(Number(value.toPrecision(3)));
}

function kept(value: number): number | null {
  return Number.isNaN(value) ? null : round12(value);
}
