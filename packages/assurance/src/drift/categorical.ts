import { absoluteDifference, newcombe } from "../stats/difference.ts";
import { type Bounds, wilson } from "../stats/proportion.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { hellinger, jensenShannonBits, stabilityIndex, stabilityIndexNullMean, total, totalVariation } from "./divergence.ts";
import { type AlarmRule, decideFamily, type DriftAlarm, driftAlarms, type Member } from "./family.ts";
import { testHomogeneity } from "./homogeneity.ts";

/** Counts by category of one column in both data sets; missing values apart. */
export interface CategoryCounts {
  readonly name: string;
  readonly categories: readonly string[];
  readonly reference: readonly number[];
  readonly current: readonly number[];
  readonly missing: { readonly reference: number; readonly current: number };
}

/** A category of which one side has nothing, with the rate on the other side and its bounds at 95 % (Wilson). */
export interface OneSided {
  readonly category: string;
  readonly events: number;
  readonly n: number;
  readonly bounds: Bounds;
}

export interface CategoricalDrift {
  readonly name: string;
  readonly reference: readonly number[];
  readonly current: readonly number[];
  readonly missing: { readonly reference: number; readonly current: number };
  /** Counts of all categories beyond the largest `categoriesMax` are put together at the end. */
  readonly merged: number;
  readonly totalVariation: number | null;
  readonly p: number | null;
  readonly pMethod: "chi-square" | "monte-carlo";
  readonly cramersV: number | null;
  readonly jensenShannonBits: number | null;
  readonly hellinger: number | null;
  readonly psi: number | null;
  readonly psiNullMean: number | null;
  readonly newCategories: readonly OneSided[];
  readonly lostCategories: readonly OneSided[];
}

export interface CategoricalDriftStatistics {
  readonly kind: "drift.categorical";
  readonly columns: readonly CategoricalDrift[];
  readonly notes: readonly string[];
}

/** The record keeps this many categories of a column; the bound on the rest is then one on all of them together. */
const categoriesMax = 200;
const listedMax = 20;

/**
 * `drift.categorical`: homogeneity test, total variation and new or lost categories of every column.
 * Assumes rows drawn independently, and that the categories seen on either side are all there are.
 */
export function measureCategoricalDrift(columns: readonly CategoryCounts[], options: { seed: string }): CategoricalDriftStatistics {
  const measured = columns.map((column) => measureColumn(column, `${options.seed}/${column.name}`));
  return { kind: "drift.categorical", columns: measured, notes: measured.flatMap(notesOf) };
}

function measureColumn(column: CategoryCounts, seed: string): CategoricalDrift {
  const { name, missing } = column;
  const [n, m] = [total(column.reference), total(column.current)];
  const empty = n === 0 || m === 0;
  const test = testHomogeneity(column, seed);
  const { reference, current, merged } = largest(column);
  const figure = (value: number) => (empty || Number.isNaN(value) ? null : round12(value));
  const extra = missing.reference + missing.current > 0;
  const withMissing = extra ? { reference: [...column.reference, missing.reference], current: [...column.current, missing.current] } : column;
  return {
    name, reference, current, missing, merged,
    totalVariation: figure(totalVariation(column)),
    p: figure(Number.isNaN(test.p) ? 1 : test.p),
    pMethod: test.method,
    cramersV: figure(test.cramersVCorrected),
    jensenShannonBits: figure(jensenShannonBits(column)),
    hellinger: figure(hellinger(column)),
    psi: figure(stabilityIndex(withMissing)),
    psiNullMean: figure(stabilityIndexNullMean(withMissing.reference.length, total(withMissing.reference), total(withMissing.current))),
    newCategories: empty ? [] : oneSided(column, { absentFrom: column.reference, counts: column.current }),
    lostCategories: empty ? [] : oneSided(column, { absentFrom: column.current, counts: column.reference }),
  };
}

/** The categories with most rows in their order, and the sum of all others at the end. */
function largest({ reference, current }: CategoryCounts): { reference: readonly number[]; current: readonly number[]; merged: number } {
  if (reference.length <= categoriesMax) return { reference, current, merged: 0 };
  const sum = (index: number) => (reference[index] ?? 0) + (current[index] ?? 0);
  const order = [...reference.keys()].sort((a, b) => sum(b) - sum(a) || a - b);
  const [first, rest] = [order.slice(0, categoriesMax), order.slice(categoriesMax)];
  const pick = (counts: readonly number[]) => [...first.map((index) => counts[index] ?? 0), total(rest.map((index) => counts[index] ?? 0))];
  return { reference: pick(reference), current: pick(current), merged: rest.length };
}

function oneSided({ categories }: CategoryCounts, { absentFrom, counts }: { absentFrom: readonly number[]; counts: readonly number[] }): readonly OneSided[] {
  const n = total(counts);
  const found = categories.flatMap((category, index) => {
    const events = counts[index] ?? 0;
    if ((absentFrom[index] ?? 0) > 0 || events === 0) return [];
    const { lower, upper } = wilson(events, n, 0.025);
    return [{ category: category.slice(0, 200), events, n, bounds: { lower: round12(lower), upper: round12(upper) } }];
  });
  return found.sort((a, b) => b.events - a.events).slice(0, listedMax);
}

/**
 * Largest distance in total variation of an empirical from its true distribution over k categories, exceeded with
 * probability at most alpha. The smaller of Weissman et al. 2003 (sharp for few categories) and of the expected
 * distance sqrt((k - 1) / n) / 2 with McDiarmid's inequality (sharp for many), both without assumptions.
 */
export function totalVariationHalfWidth(n: number, categories: number, alpha: number): number {
  if (categories < 2) return 0;
  const logEvents = categories > 50 ? categories * Math.LN2 : Math.log(2 ** categories - 2);
  const weissman = Math.sqrt((logEvents - Math.log(alpha)) / (2 * n));
  const mcDiarmid = Math.sqrt((categories - 1) / n) / 2 + Math.sqrt(-Math.log(alpha) / (2 * n));
  return Math.min(1, weissman, mcDiarmid);
}

/** Stability: pass when the upper bound of the total variation is at most the limit in every column. */
export function decideCategoricalDrift({ columns }: Pick<CategoricalDriftStatistics, "columns">, limit: Limit): Outcome {
  return decideFamily(columns.map((column) => memberOf(column, limit, columns.length)), limit, "weissman-2003");
}

function memberOf(column: CategoricalDrift, { value, alpha }: Limit, family: number): Member {
  const { name, totalVariation: distance, reference, current } = column;
  if (distance === null) return { name, estimate: Number.NaN, lower: 0, upper: 1, withheld: "undefined_denominator" };
  const [n, m] = [total(reference), total(current)];
  const used = reference.filter((count, index) => count + (current[index] ?? 0) > 0).length - (column.merged > 0 ? 1 : 0) + column.merged;
  const half = totalVariationHalfWidth(n, used, alpha / 2) + totalVariationHalfWidth(m, used, alpha / 2);
  const factor = distance < value ? (half / (value - distance)) ** 2 : undefined;
  const requiredN = factor === undefined ? undefined : Math.ceil(Math.max(1, factor) * (n + m));
  const lower = variationLower(column, alpha / family);
  const member: Member = { name, estimate: distance, lower, upper: Math.min(1, distance + half), requiredN };
  return used < 2 ? { ...member, withheld: "degenerate" } : member;
}

/** Columns in which a change is proven (Holm over all columns) and at least `effectMin` in size. */
export function categoricalDriftAlarms({ columns }: Pick<CategoricalDriftStatistics, "columns">, rule?: AlarmRule): readonly DriftAlarm[] {
  return driftAlarms(columns.map((column) => ({ name: column.name, p: column.p ?? Number.NaN, effectLower: round12(variationLower(column, 0.05)) })), rule);
}

/**
 * One-sided lower bound of the total variation: it is at least the difference in any one category, so the largest
 * bound of two rates over the categories (Bonferroni), or the distribution-free band, each at half of alpha.
 */
export function variationLower(column: Pick<CategoricalDrift, "reference" | "current" | "totalVariation" | "merged">, alpha: number): number {
  const { reference, current, totalVariation: distance, merged } = column;
  if (distance === null) return 0;
  const [n, m] = [total(reference), total(current)];
  const used = [...reference.keys()].filter((index) => (reference[index] ?? 0) + (current[index] ?? 0) > 0);
  const categories = used.length + Math.max(0, merged - 1);
  // Of two categories one is the complement of the other: a single comparison.
  const comparisons = used.length <= 2 ? 1 : used.length;
  const single = used.reduce((most, index) => {
    const [before, now] = [{ events: reference[index] ?? 0, n }, { events: current[index] ?? 0, n: m }];
    const { lower, upper } = newcombe(before, now, alpha / 2 / comparisons);
    // Exact bounds take a while, and of thousands of categories hardly one comes near.
    return Math.max(lower, -upper) <= most ? most : Math.max(most, absoluteDifference(before, now, alpha / 2 / comparisons).lower);
  }, 0);
  const band = distance - totalVariationHalfWidth(n, categories, alpha / 4) - totalVariationHalfWidth(m, categories, alpha / 4);
  return Math.max(band, single);
}

function notesOf(column: CategoricalDrift): readonly string[] {
  const { name, totalVariation: distance, newCategories, lostCategories } = column;
  if (distance === null) return [`column \`${name}\` has no values on one side`];
  const list = (kind: string, found: readonly OneSided[]) =>
    found.slice(0, 5).map(({ category, events, n, bounds }) => `column \`${name}\`: ${kind} category \`${category}\`, ${events} of ${n} (${percent(bounds.lower)} to ${percent(bounds.upper)})`);
  return [
    `column \`${name}\`: ${percent(distance)} of the rows changed category (total variation)`,
    ...list("new", newCategories),
    ...list("lost", lostCategories),
  ];
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}
