import { randomFrom } from "../stats/random.ts";
import type { Network } from "../onnx/network.ts";
import { lastLayer } from "../onnx/network.ts";
import type { Probe, Rows, Scores } from "../subject/probe.ts";

/** Contributions of the features of one row, their base value and the score that they explain. */
export interface Shapley {
  readonly method: "linear" | "exact" | "trees" | "sampled";
  readonly values: Float64Array;
  readonly base: number;
  readonly score: number;
  /** Standard error of each value; 0 for closed forms. */
  readonly errors: Float64Array;
}

/** Up to here all 2^d coalitions are evaluated. */
export const exactFeaturesMax = 12;

/**
 * Shapley values of an affine output: weight times distance from the background's mean.
 * Source: Štrumbelj & Kononenko 2014, section 3.2; exact for the interventional value function.
 */
export function linearShapley(network: Network, output: number, options: { row: ArrayLike<number>; mean: ArrayLike<number> }): Shapley | undefined {
  const layer = lastLayer(network);
  if (layer === undefined || network.layers.length > 0) return undefined;
  const { columns, weights } = layer;
  const weight = (feature: number) => weights[output * columns + feature] ?? Number.NaN;
  const values = Float64Array.from({ length: columns }, (_, feature) => weight(feature) * ((options.row[feature] ?? Number.NaN) - (options.mean[feature] ?? Number.NaN)));
  const bias = layer.bias[output] ?? Number.NaN;
  const base = values.reduce((sum, _, feature) => sum + weight(feature) * (options.mean[feature] ?? Number.NaN), bias);
  return { method: "linear", values, base, score: values.reduce((sum, value) => sum + value, base), errors: new Float64Array(columns) };
}

export interface ShapleyTask {
  readonly row: Float32Array;
  readonly background: Rows;
  /** Column of the scores that is explained. */
  readonly output: number;
}

/**
 * Exact interventional Shapley values by all 2^d coalitions: v(S) is the mean score over the background, with the
 * features of S taken from the row. Costs 2^d times the background. Source: Shapley 1953; Janzing, Minorics & Blöbaum 2020.
 */
export function* exactShapley(task: ShapleyTask): Probe<Shapley> {
  const d = task.row.length;
  if (d > exactFeaturesMax) throw new RangeError(`2^${d} coalitions are more than 2^${exactFeaturesMax}`);
  const coalitions = 2 ** d;
  const worth = new Float64Array(coalitions);
  const perBatch = Math.max(1, Math.floor(50_000 / Math.max(1, task.background.rows)));
  for (let start = 0; start < coalitions; start += perBatch) {
    const masks = Array.from({ length: Math.min(perBatch, coalitions - start) }, (_, index) => start + index);
    const means = meansOf(yield mixed(task, masks.map((mask) => (feature: number) => ((mask >> feature) & 1) === 1)), task, masks.length);
    worth.set(means, start);
  }
  const weights = coalitionWeights(d);
  const values = new Float64Array(d);
  for (let mask = 0; mask < coalitions; mask += 1) {
    const size = bits(mask);
    for (let feature = 0; feature < d; feature += 1) {
      if (((mask >> feature) & 1) === 1) continue;
      values[feature] = (values[feature] ?? 0) + (weights[size] ?? 0) * ((worth[mask | (1 << feature)] ?? 0) - (worth[mask] ?? 0));
    }
  }
  return { method: "exact", values, base: worth[0] ?? Number.NaN, score: worth[coalitions - 1] ?? Number.NaN, errors: new Float64Array(d) };
}

/** |S|! (d - |S| - 1)! / d! for |S| from 0 to d - 1. */
function coalitionWeights(d: number): Float64Array {
  const weights = new Float64Array(d);
  let choose = 1;
  for (let size = 0; size < d; size += 1) {
    weights[size] = 1 / (d * choose);
    choose = (choose * (d - 1 - size)) / (size + 1);
  }
  return weights;
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest > 0; rest &= rest - 1) count += 1;
  return count;
}

/** The whole background once per coalition, with the coalition's features overwritten by the row's. */
function mixed(task: ShapleyTask, coalitions: readonly ((feature: number) => boolean)[]): Rows {
  const { background, row } = task;
  const data = new Float32Array(background.data.length * coalitions.length);
  for (const [index, inside] of coalitions.entries()) {
    const start = index * background.data.length;
    data.set(background.data, start);
    for (let feature = 0; feature < row.length; feature += 1) {
      if (!inside(feature)) continue;
      const value = row[feature] ?? Number.NaN;
      for (let at = start + feature; at < start + background.data.length; at += background.columns) data[at] = value;
    }
  }
  return { rows: background.rows * coalitions.length, columns: background.columns, data };
}

function meansOf(scores: Scores, task: ShapleyTask, coalitions: number): Float64Array {
  const { rows } = task.background;
  return Float64Array.from({ length: coalitions }, (_, index) => {
    let sum = 0;
    for (let row = 0; row < rows; row += 1) sum += scores.scores[(index * rows + row) * scores.columns + task.output] ?? Number.NaN;
    return sum / rows;
  });
}

export interface SamplingOptions {
  readonly seed: string;
  /** Pairs of an order and its reverse. Each costs 2 (d + 1) times the background. */
  readonly pairs: number;
}

/**
 * Shapley values from drawn orders of the features, each used forwards and backwards, with standard errors over pairs.
 * Complete by construction: in every order the steps add up to score - base.
 * Source: Castro, Gómez & Tejada 2009; antithetic pairs: Mitchell, Cooper, Frank & Holmes 2022.
 */
export function* sampledShapley(task: ShapleyTask, options: SamplingOptions): Probe<Shapley> {
  const d = task.row.length;
  const random = randomFrom(`${options.seed}/shapley`);
  const [sums, squares] = [new Float64Array(d), new Float64Array(d)];
  let ends: readonly [number, number] = [Number.NaN, Number.NaN];
  for (let pair = 0; pair < options.pairs; pair += 1) {
    const order = Array.from({ length: d }, (_, feature) => feature);
    random.permute(order);
    const found = new Float64Array(d);
    for (const direction of [order, order.toReversed()]) {
      const place = new Map(direction.map((feature, index) => [feature, index]));
      const coalitions = Array.from({ length: d + 1 }, (_, size) => (feature: number) => (place.get(feature) ?? d) < size);
      const means = meansOf(yield mixed(task, coalitions), task, d + 1);
      for (const [index, feature] of direction.entries()) found[feature] = (found[feature] ?? 0) + ((means[index + 1] ?? 0) - (means[index] ?? 0)) / 2;
      ends = [means[0] ?? Number.NaN, means[d] ?? Number.NaN];
    }
    for (const [feature, value] of found.entries()) {
      sums[feature] = (sums[feature] ?? 0) + value;
      squares[feature] = (squares[feature] ?? 0) + value * value;
    }
  }
  const n = options.pairs;
  const spread = (feature: number) => Math.max(0, (squares[feature] ?? 0) - (sums[feature] ?? 0) ** 2 / n) / Math.max(1, n - 1);
  const errors = sums.map((_, feature) => (n < 2 ? Number.NaN : Math.sqrt(spread(feature) / n)));
  return { method: "sampled", values: sums.map((sum) => sum / n), base: ends[0], score: ends[1], errors };
}

/** What the contributions fail to add up to: |base + sum - score|. */
export function completenessResidual(shapley: Shapley): number {
  return Math.abs(shapley.values.reduce((sum, value) => sum + value, shapley.base) - shapley.score);
}
