import { randomFrom, permutation } from "../stats/random.ts";
import type { Probe, Rows } from "../subject/probe.ts";
import { decideExact } from "../verdict/decide-rate.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { completenessResidual, exactFeaturesMax, exactShapley, sampledShapley, type Shapley } from "./shapley.ts";

/** Sufficient statistics of explain.shapley. */
export interface ShapleyStatistics {
  readonly method: "exact" | "sampled";
  readonly attempted: number;
  readonly assessed: number;
  /** Largest |base + sum - score|, relative to the larger of 1 and the score. */
  readonly residual: number | null;
  /** Smallest Kendall tau-b between the orders of mean |value| over the seeds. */
  readonly stability: number | null;
  readonly globals: readonly { readonly name: string; readonly meanAbsolute: number; readonly error: number }[];
}

export interface ShapleyOptions {
  readonly output: number;
  readonly names: readonly string[];
  readonly seed: string;
  /** Seeds over which the order of the features must hold. Default 5. */
  readonly seeds?: number;
  /** Pairs of orders drawn per row where 2^d coalitions are too many. Default 50. */
  readonly pairs?: number;
}

/**
 * Explains rows and asks whether the explanation holds: complete (values add up to the score) and stable (the order of
 * the features stays when another half of the background, and other orders, are drawn).
 */
export function* measureShapley(rows: Rows, background: Rows, options: ShapleyOptions): Probe<{ statistics: ShapleyStatistics; notes: readonly string[] }> {
  const seeds = Array.from({ length: options.seeds ?? 5 }, (_, index) => `${options.seed}/${index}`);
  const first = yield* explained(rows, background, { ...options, seed: options.seed });
  const globals = [first.globals];
  for (const seed of seeds) globals.push((yield* explained(rows, halfOf(background, seed), { ...options, seed })).globals);
  const pairs = globals.slice(1).flatMap((a, index) => globals.slice(index + 2).map((b) => kendall(a, b)));
  const statistics: ShapleyStatistics = {
    method: rows.columns <= exactFeaturesMax ? "exact" : "sampled", attempted: rows.rows, assessed: first.assessed,
    residual: first.assessed === 0 ? null : round12(first.residual),
    stability: pairs.length === 0 || pairs.some(Number.isNaN) ? null : round12(Math.min(...pairs)),
    globals: options.names.map((name, feature) => ({ name, meanAbsolute: round12(first.globals[feature] ?? Number.NaN), error: round12(first.errors[feature] ?? 0) })).toSorted((a, b) => b.meanAbsolute - a.meanAbsolute).slice(0, 200),
  };
  return { statistics, notes: statistics.globals.slice(0, 5).map(({ name, meanAbsolute }) => `\`${name}\` moves the score by ${meanAbsolute.toPrecision(3)} on average`) };
}

interface Explained {
  readonly globals: Float64Array;
  readonly errors: Float64Array;
  readonly residual: number;
  readonly assessed: number;
}

function* explained(rows: Rows, background: Rows, options: ShapleyOptions): Probe<Explained> {
  const d = rows.columns;
  const [globals, errors] = [new Float64Array(d), new Float64Array(d)];
  let [residual, assessed] = [0, 0];
  for (let row = 0; row < rows.rows; row += 1) {
    const task = { row: rows.data.slice(row * d, (row + 1) * d), background, output: options.output };
    const found: Shapley = d <= exactFeaturesMax ? yield* exactShapley(task) : yield* sampledShapley(task, { seed: `${options.seed}/${row}`, pairs: options.pairs ?? 50 });
    if (!Number.isFinite(found.score) || found.values.some((value) => !Number.isFinite(value))) continue;
    assessed += 1;
    residual = Math.max(residual, completenessResidual(found) / Math.max(1, Math.abs(found.score)));
    for (const [feature, value] of found.values.entries()) {
      globals[feature] = (globals[feature] ?? 0) + Math.abs(value);
      errors[feature] = (errors[feature] ?? 0) + (found.errors[feature] ?? 0);
    }
  }
  const mean = (sums: Float64Array) => sums.map((sum) => (assessed === 0 ? Number.NaN : sum / assessed));
  return { globals: mean(globals), errors: mean(errors), residual, assessed };
}

function halfOf(background: Rows, seed: string): Rows {
  const count = Math.max(1, Math.ceil(background.rows / 2));
  const order = permutation(randomFrom(`${seed}/background`), background.rows).subarray(0, count);
  const data = new Float32Array(count * background.columns);
  for (const [place, row] of order.entries()) data.set(background.data.subarray(row * background.columns, (row + 1) * background.columns), place * background.columns);
  return { rows: count, columns: background.columns, data };
}

/** Kendall's tau-b; NaN when one list is all ties. Source: Kendall 1945. */
export function kendall(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [score, left, right] = [0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const [x, y] = [Math.sign((a[i] ?? 0) - (a[j] ?? 0)), Math.sign((b[i] ?? 0) - (b[j] ?? 0))];
      score += x * y;
      left += x * x;
      right += y * y;
    }
  }
  return score / Math.sqrt(left * right);
}

/** Completeness against its limit (1e-4). Nothing is inferred. */
export function decideCompleteness(statistics: ShapleyStatistics, limit: Limit): Outcome {
  return decideExact({ value: statistics.residual ?? Number.NaN, method: "census" }, statistics, limit);
}

/** The worst agreement of orders against its floor (0.8). A statement about the seeds drawn, not about others. */
export function decideStability(statistics: ShapleyStatistics, limit: Limit): Outcome {
  return decideExact({ value: statistics.stability ?? Number.NaN, method: "census" }, statistics, limit);
}
