import type { TypedTable } from "../table/typed-table.ts";
import { round12 } from "../verdict/round.ts";
import type { PrivacyAccountant, Spending } from "./accountant.ts";
import { discreteGaussian, discreteLaplace, type NoiseSource } from "./noise-source.ts";

/** `laplace` costs epsilon, `gaussian` costs rho. Every person is one row. */
export type Mechanism = { readonly kind: "laplace"; readonly epsilon: number } | { readonly kind: "gaussian"; readonly rho: number };

export interface NoisyOptions {
  readonly mechanism: Mechanism;
  readonly accountant: PrivacyAccountant;
  readonly source: NoiseSource;
}

export type Noisy<T> = { readonly kind: "refused"; readonly reason: string } | { readonly kind: "figures"; readonly figures: T; readonly loss: NoiseLoss };

export interface NoiseLoss {
  /** What one person can change. */
  readonly sensitivity: number;
  /** Expected absolute error of each figure. */
  readonly expectedError: number;
  readonly epsilonSpent: number;
}

/**
 * Counts per category with noise; the categories must be declared, because that a rare one exists is a secret itself.
 * One person is in one category, so the whole histogram costs as much as one count.
 */
export function noisyCounts(table: TypedTable, query: { column: string; categories: readonly string[] }, options: NoisyOptions): Noisy<readonly { readonly category: string; readonly count: number }[]> {
  const { codes, dictionary } = table.category(query.column);
  const counts = new Map(query.categories.map((category) => [category, 0]));
  for (const code of codes) {
    const category = dictionary[code - 1];
    const known = category === undefined ? undefined : counts.get(category);
    if (category !== undefined && known !== undefined) counts.set(category, known + 1);
  }
  return release(`counts of ${query.column}`, { sensitivity: 1, unit: 1 }, options, (noise) => [...counts].map(([category, count]) => ({ category, count: Math.max(0, count + noise()) })));
}

const gridPerRange = 2 ** 20;

/** Sum of a column, every value moved into the declared range first; missing values count nothing. */
export function noisySum(table: TypedTable, query: { column: string; min: number; max: number }, options: NoisyOptions): Noisy<number> {
  const unit = Math.max(Math.abs(query.min), Math.abs(query.max)) / gridPerRange;
  let steps = 0;
  for (const value of table.number(query.column)) {
    // In whole steps, so that noise and sum are on one grid and rounding tells nothing.
    if (!Number.isNaN(value)) steps += Math.round(Math.min(query.max, Math.max(query.min, value)) / unit);
  }
  return release(`sum of ${query.column}`, { sensitivity: gridPerRange, unit }, options, (noise) => (steps + noise()) * unit);
}

function release<T>(name: string, { sensitivity, unit }: { sensitivity: number; unit: number }, { mechanism, accountant, source }: NoisyOptions, figures: (noise: () => number) => T): Noisy<T> {
  const spending: Spending = mechanism.kind === "laplace" ? { name, mechanism: "laplace", epsilon: mechanism.epsilon } : { name, mechanism: "gaussian", rho: mechanism.rho };
  const before = accountant.epsilon;
  const spent = accountant.spend(spending);
  if (spent.kind === "refused") return spent;
  const scale = mechanism.kind === "laplace" ? sensitivity / mechanism.epsilon : sensitivity / Math.sqrt(2 * mechanism.rho);
  const noise = mechanism.kind === "laplace" ? () => discreteLaplace(scale, source) : () => discreteGaussian(scale, source);
  const expectedError = unit * scale * (mechanism.kind === "laplace" ? 1 : Math.sqrt(2 / Math.PI));
  return { kind: "figures", figures: figures(noise), loss: { sensitivity: round12(sensitivity * unit), expectedError: round12(expectedError), epsilonSpent: round12(accountant.epsilon - before) } };
}
