import { applied, forward, lastLayer, type Layer, type Network } from "../onnx/network.ts";

/** A box around a row: the same radius for every (scaled) feature. */
export interface Ball {
  readonly row: Float64Array;
  readonly radius: number;
  readonly norm: "linf" | "l2" | "l1";
}

export interface Range {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** Bounds before each max(0, x), layer by layer. */
export type LayerRanges = readonly Range[];

/**
 * Bounds of every hidden value within the ball: interval arithmetic (Gowal 2018) intersected with backward linear
 * relaxation (CROWN, Zhang et al. 2018, theorem 3.2).
 */
export function layerRanges(network: Network, ball: Ball): LayerRanges {
  const ranges: Range[] = [];
  for (const layer of network.layers) {
    const relaxed = linearRange(layer, { before: network.layers, ranges, ball });
    const plain = intervalRange(layer, ranges.at(-1));
    ranges.push(plain === undefined ? relaxed : intersection(relaxed, plain));
  }
  return ranges;
}

/** Lower bound of `weights . outputs + offset` within the ball. */
export function marginBound(network: Network, rival: { weights: readonly number[]; offset: number }, ball: Ball): number {
  const layer = lastLayer(network);
  if (layer === undefined) return -Infinity;
  const row = contracted(layer, rival);
  return linearRange(row, { before: network.layers, ranges: layerRanges(network, ball), ball }).lower[0] ?? -Infinity;
}

/** The last layer and a combination of its outputs, as one row. */
export function contracted(layer: Layer, rival: { weights: readonly number[]; offset: number }): Layer {
  const weights = new Float64Array(layer.columns);
  let bias = rival.offset;
  for (let row = 0; row < layer.rows; row += 1) {
    const by = rival.weights[row] ?? 0;
    bias += by * (layer.bias[row] ?? 0);
    for (let column = 0; column < layer.columns; column += 1) weights[column] = (weights[column] ?? 0) + by * (layer.weights[row * layer.columns + column] ?? 0);
  }
  return { kind: "matrix", rows: 1, columns: layer.columns, weights, bias: Float64Array.of(bias) };
}

function intersection(first: Range, second: Range): Range {
  return {
    lower: first.lower.map((value, index) => Math.max(value, second.lower[index] ?? -Infinity)),
    upper: first.upper.map((value, index) => Math.min(value, second.upper[index] ?? Infinity)),
  };
}

function intervalRange(layer: Layer, before: Range | undefined): Range | undefined {
  if (before === undefined) return undefined;
  const [lower, upper] = [Float64Array.from(layer.bias), Float64Array.from(layer.bias)];
  for (let row = 0; row < layer.rows; row += 1) {
    for (let column = 0; column < layer.columns; column += 1) {
      const weight = layer.weights[row * layer.columns + column] ?? 0;
      const [low, high] = [Math.max(0, before.lower[column] ?? 0), Math.max(0, before.upper[column] ?? 0)];
      lower[row] = (lower[row] ?? 0) + weight * (weight > 0 ? low : high);
      upper[row] = (upper[row] ?? 0) + weight * (weight > 0 ? high : low);
    }
  }
  return { lower, upper };
}

interface Below {
  readonly before: readonly Layer[];
  readonly ranges: LayerRanges;
  readonly ball: Ball;
}

function linearRange(layer: Layer, below: Below): Range {
  const lower = new Float64Array(layer.rows);
  const upper = new Float64Array(layer.rows);
  for (let row = 0; row < layer.rows; row += 1) {
    const weights = layer.weights.slice(row * layer.columns, (row + 1) * layer.columns);
    const offset = layer.bias[row] ?? 0;
    lower[row] = lowest(weights, offset, below);
    upper[row] = -lowest(weights.map((weight) => -weight), -offset, below);
  }
  return { lower, upper };
}

/** Lowest value of `weights . max(0, last hidden) + offset`, substituted backwards layer by layer. */
function lowest(weights: Float64Array, offset: number, below: Below): number {
  let current = weights;
  let constant = offset;
  for (let index = below.ranges.length - 1; index >= 0; index -= 1) {
    const layer = below.before[index];
    const range = below.ranges[index];
    if (layer === undefined || range === undefined) return -Infinity;
    const slopes = current.map((weight, k) => {
      const { slope, shift } = relaxation(weight, range.lower[k] ?? 0, range.upper[k] ?? 0);
      constant += shift + slope * (layer.bias[k] ?? 0);
      return slope;
    });
    current = pulledBack(layer, slopes);
  }
  return constant + current.reduce((sum, weight, index) => sum + weight * (below.ball.row[index] ?? 0), 0) - below.ball.radius * dualNorm(current, below.ball.norm);
}

/** weight * max(0, z) >= slope * z + shift for every z within the bounds. */
function relaxation(weight: number, low: number, high: number): { slope: number; shift: number } {
  if (low >= 0) return { slope: weight, shift: 0 };
  if (high <= 0) return { slope: 0, shift: 0 };
  if (weight >= 0) return { slope: high > -low ? weight : 0, shift: 0 };
  const slope = (weight * high) / (high - low);
  return { slope, shift: -slope * low };
}

/** The norm that measures how much a unit of distance can move a weighted sum. */
export function dualNorm(weights: Float64Array, norm: Ball["norm"]): number {
  if (norm === "linf") return weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
  if (norm === "l1") return weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  return Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
}

/** `weights . outputs + offset` and its gradient at a point. */
export function marginAt(network: Network, rival: { weights: readonly number[]; offset: number }, x: Float64Array): { value: number; gradient: Float64Array } {
  const inner: Float64Array[] = [];
  let values = x;
  for (const layer of network.layers) {
    const before = applied(layer, values);
    inner.push(before);
    values = before.map((value) => Math.max(0, value));
  }
  const layer = lastLayer(network);
  const row = layer === undefined ? undefined : contracted(layer, rival);
  let gradient = row?.weights ?? new Float64Array(network.inputs);
  const value = row === undefined ? Number.NaN : (applied(row, values)[0] ?? Number.NaN);
  for (let index = network.layers.length - 1; index >= 0; index -= 1) {
    const hidden = network.layers[index];
    const before = inner[index];
    if (hidden === undefined || before === undefined) break;
    gradient = pulledBack(hidden, gradient.map((each, k) => ((before[k] ?? 0) > 0 ? each : 0)));
  }
  return { value, gradient };
}

function pulledBack(layer: Layer, gradient: Float64Array): Float64Array {
  const result = new Float64Array(layer.columns);
  for (let row = 0; row < layer.rows; row += 1) {
    const by = gradient[row] ?? 0;
    if (by === 0) continue;
    for (let column = 0; column < layer.columns; column += 1) result[column] = (result[column] ?? 0) + by * (layer.weights[row * layer.columns + column] ?? 0);
  }
  return result;
}

export function marginOnly(network: Network, rival: { weights: readonly number[]; offset: number }, x: Float64Array): number {
  const outputs = forward(network, x);
  return rival.weights.reduce((sum, weight, index) => sum + weight * (outputs[index] ?? Number.NaN), rival.offset);
}
