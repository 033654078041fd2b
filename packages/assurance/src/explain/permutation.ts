import { randomFrom } from "../stats/random.ts";
import { type Probe, type Rows, type Scores } from "../subject/probe.ts";
import { type LossName, lossOf } from "./loss.ts";

export interface PermutationOptions {
  readonly loss: LossName;
  /** Model calls in all; with fewer than the exact expectation needs, permutations are drawn. */
  readonly queriesMax: number;
  /** Permutations drawn per feature where the exact expectation is out of reach. Default 30. */
  readonly repeats?: number;
  readonly seed: string;
  /** Rows sent at once. */
  readonly batchRowsMax?: number;
}

/** Loss increase of every row for every feature: `increases[feature][row]`, and the loss of the rows as they are. */
export interface PermutationIncreases {
  readonly method: "exact" | "sampled";
  readonly base: Float64Array;
  readonly increases: readonly Float64Array[];
  readonly queries: number;
}

/**
 * Permutation importance row by row. Exact: the expectation over uniform permutations, where each row takes each of
 * the n values of the feature with the same probability; otherwise the average over drawn permutations.
 * Source: Breiman 2001 (section 10); Fisher, Rudin & Dominici 2019, eq. 3.2 (expectation over all replacements).
 * Assumes nothing about the model; correlated features share importance in ways that the average hides.
 */
export function* permutationIncreases(rows: Rows, targets: ArrayLike<number>, options: PermutationOptions): Probe<PermutationIncreases> {
  const plans = Array.from({ length: rows.columns }, (_, feature) => replacementsOf(rows, feature));
  const exactCalls = rows.rows * plans.reduce((sum, { values }) => sum + values.length, 0) + rows.rows;
  const exact = exactCalls <= options.queriesMax;
  const repeats = options.repeats ?? 30;
  const random = randomFrom(`${options.seed}/permutation`);
  const base = losses(yield rows, targets, options.loss);
  const increases: Float64Array[] = [];
  let queries = rows.rows;
  for (const plan of plans) {
    const draws = exact ? plan.values.map((value) => ({ weight: value.share, at: () => value.value })) : Array.from({ length: repeats }, () => shuffled(rows, plan.feature, random));
    const sums = new Float64Array(rows.rows);
    const perBatch = Math.max(1, Math.floor((options.batchRowsMax ?? 100_000) / Math.max(1, rows.rows)));
    for (let start = 0; start < draws.length; start += perBatch) {
      const part = draws.slice(start, start + perBatch);
      const scores = yield replaced(rows, plan.feature, part.map(({ at }) => at));
      queries += part.length * rows.rows;
      addLosses(sums, scores, { targets, loss: options.loss, weights: part.map(({ weight }) => weight) });
    }
    const total = exact ? 1 : repeats;
    increases.push(sums.map((sum, row) => sum / total - (base[row] ?? Number.NaN)));
  }
  return { method: exact ? "exact" : "sampled", base, increases, queries };
}

/** The distinct values of a feature with their shares: equal values need one call, not many. */
function replacementsOf(rows: Rows, feature: number): { feature: number; values: readonly { value: number; share: number }[] } {
  const counts = new Map<number, number>();
  for (let row = 0; row < rows.rows; row += 1) {
    const value = rows.data[row * rows.columns + feature] ?? Number.NaN;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return { feature, values: [...counts].map(([value, count]) => ({ value, share: count / rows.rows })) };
}

function shuffled(rows: Rows, feature: number, random: ReturnType<typeof randomFrom>) {
  const values = Float32Array.from({ length: rows.rows }, (_, row) => rows.data[row * rows.columns + feature] ?? Number.NaN);
  random.permute(values);
  return { weight: 1, at: (row: number) => values[row] ?? Number.NaN };
}

function replaced(rows: Rows, feature: number, draws: readonly ((row: number) => number)[]): Rows {
  const data = new Float32Array(rows.data.length * draws.length);
  for (const [draw, at] of draws.entries()) {
    const start = draw * rows.data.length;
    data.set(rows.data, start);
    for (let row = 0; row < rows.rows; row += 1) data[start + row * rows.columns + feature] = at(row);
  }
  return { rows: rows.rows * draws.length, columns: rows.columns, data };
}

function losses(scores: Scores, targets: ArrayLike<number>, loss: LossName): Float64Array {
  return Float64Array.from({ length: scores.rows }, (_, row) => lossOf(loss, scores, row, targets[row] ?? Number.NaN));
}

function addLosses(sums: Float64Array, scores: Scores, by: { targets: ArrayLike<number>; loss: LossName; weights: readonly number[] }): void {
  for (const [draw, weight] of by.weights.entries()) {
    for (let row = 0; row < sums.length; row += 1) {
      sums[row] = (sums[row] ?? 0) + weight * lossOf(by.loss, scores, draw * sums.length + row, by.targets[row] ?? Number.NaN);
    }
  }
}

export function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return values.length === 0 ? Number.NaN : sum / values.length;
}
