/** A matrix with offsets, rows by columns, row by row; or nothing at all. Double precision of 32-bit weights. */
export type Affine =
  | { readonly kind: "identity" }
  | { readonly kind: "diagonal"; readonly factors: readonly number[]; readonly offsets: readonly number[] }
  | Layer;

export interface Layer {
  readonly kind: "matrix";
  readonly rows: number;
  readonly columns: number;
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

/** Hidden layers, each followed by max(0, x), and a last affine step. Without hidden layers it is a linear model. */
export interface Network {
  readonly inputs: number;
  readonly layers: readonly Layer[];
  readonly last: Affine;
}

export const identityAffine: Affine = { kind: "identity" };

export function diagonal(factors: readonly number[]): Affine {
  return { kind: "diagonal", factors, offsets: [0] };
}

export function shifted(offsets: readonly number[]): Affine {
  return { kind: "diagonal", factors: [1], offsets };
}

/** `next` after the network's last step; undefined when the shapes do not fit. */
export function composed(network: Network, next: Affine): Affine | undefined {
  const { last } = network;
  if (next.kind === "identity") return last;
  const width = last.kind === "matrix" ? last.rows : (network.layers.at(-1)?.rows ?? network.inputs);
  const outer = next.kind === "matrix" ? next : expanded(next, width);
  if (outer === undefined || outer.columns !== width) return undefined;
  if (last.kind === "identity") return outer;
  const inner = last.kind === "matrix" ? last : expanded(last, width);
  return inner === undefined || outer.rows * outer.columns * inner.columns > productsMax ? undefined : multiplied(outer, inner);
}

/** Looking through a model must not cost more than running it: beyond these it stays opaque. */
const widthMax = 2048;
const productsMax = 2 ** 31;

function expanded(affine: Extract<Affine, { kind: "diagonal" }>, width: number): Layer | undefined {
  const { factors, offsets } = affine;
  if (width > widthMax || [factors, offsets].some((list) => list.length !== 1 && list.length !== width)) return undefined;
  const weights = new Float64Array(width * width);
  for (let index = 0; index < width; index += 1) weights[index * width + index] = factors[factors.length === 1 ? 0 : index] ?? Number.NaN;
  return { kind: "matrix", rows: width, columns: width, weights, bias: Float64Array.from({ length: width }, (_, index) => offsets[offsets.length === 1 ? 0 : index] ?? Number.NaN) };
}

function multiplied(outer: Layer, inner: Layer): Layer {
  const weights = new Float64Array(outer.rows * inner.columns);
  const bias = Float64Array.from(outer.bias);
  for (let row = 0; row < outer.rows; row += 1) {
    for (let k = 0; k < outer.columns; k += 1) {
      const by = outer.weights[row * outer.columns + k] ?? Number.NaN;
      bias[row] = (bias[row] ?? 0) + by * (inner.bias[k] ?? Number.NaN);
      for (let column = 0; column < inner.columns; column += 1) {
        const at = row * inner.columns + column;
        weights[at] = (weights[at] ?? 0) + by * (inner.weights[k * inner.columns + column] ?? Number.NaN);
      }
    }
  }
  return { kind: "matrix", rows: outer.rows, columns: inner.columns, weights, bias };
}

/** A network of one step as a matrix, also where it takes the features as they are; undefined when it has more or is too wide. */
export function onlyLayer({ inputs, layers, last }: Network): Layer | undefined {
  if (layers.length > 0) return undefined;
  if (last.kind === "matrix") return last;
  return expanded(last.kind === "identity" ? { kind: "diagonal", factors: [1], offsets: [0] } : last, inputs);
}

/** The last step as a matrix; undefined when the network ends in bare features. */
export function lastLayer(network: Network): Layer | undefined {
  return network.last.kind === "matrix" ? network.last : undefined;
}

/** `weights * x + bias`. */
export function applied(layer: Layer, x: ArrayLike<number>): Float64Array {
  const { rows, columns, weights } = layer;
  const result = Float64Array.from(layer.bias);
  for (let row = 0; row < rows; row += 1) {
    let sum = result[row] ?? 0;
    for (let column = 0; column < columns; column += 1) sum += (weights[row * columns + column] ?? 0) * (x[column] ?? Number.NaN);
    result[row] = sum;
  }
  return result;
}

/** Outputs before any link, in double precision. */
export function forward(network: Network, x: ArrayLike<number>): Float64Array {
  let values: ArrayLike<number> = x;
  for (const layer of network.layers) values = applied(layer, values).map((value) => Math.max(0, value));
  const last = lastLayer(network);
  return last === undefined ? Float64Array.from(values) : applied(last, values);
}
