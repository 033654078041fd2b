import type { ModelNode } from "./model-file.ts";
import { malformed } from "./protobuf.ts";
import { type FloatTensor, floats, type Matrix, matrixOf, only, type Operator, present, room, type Tensor, unsupported } from "./tensor.ts";

/** Arithmetic of the default ONNX domain on tables of rows by columns. Source: ONNX operator set 7 to 22. */

export function each(change: (x: number) => number): Operator {
  return ([x]) => {
    const input = present(x);
    return [floats(input.dims, matrixOf(input, "an input").data.map(change))];
  };
}

/** Broadcasting of at most two dimensions, as numpy does it. */
export function elementwise(combine: (a: number, b: number) => number): Operator {
  return ([first, second]) => {
    const [x, y] = [present(first), present(second)];
    const [a, b] = [matrixOf(x, "an input"), matrixOf(y, "an input")];
    const rows = broadcast(a.rows, b.rows);
    const columns = broadcast(a.columns, b.columns);
    const data = room(rows, columns);
    const [aRow, aColumn] = [a.rows === 1 ? 0 : a.columns, a.columns === 1 ? 0 : 1];
    const [bRow, bColumn] = [b.rows === 1 ? 0 : b.columns, b.columns === 1 ? 0 : 1];
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const left = a.data[row * aRow + column * aColumn] ?? Number.NaN;
        const right = b.data[row * bRow + column * bColumn] ?? Number.NaN;
        data[row * columns + column] = combine(left, right);
      }
    }
    const rank = Math.max(x.dims.length, y.dims.length);
    return [floats([rows, columns].slice(2 - rank), data)];
  };
}

function broadcast(a: number, b: number): number {
  if (a !== b && a !== 1 && b !== 1) throw malformed("two shapes do not fit together");
  return a === 1 ? b : a;
}

interface ProductOptions {
  readonly transposed: boolean;
  readonly factor: number;
}

export function product(x: Tensor, y: Tensor, options: ProductOptions): FloatTensor {
  if (x.dims.length !== 2 || y.dims.length !== 2) throw unsupported("a matrix product has an operand that is no matrix");
  const a = matrixOf(x, "an input");
  const b = options.transposed ? transpose(matrixOf(y, "an input")) : matrixOf(y, "an input");
  if (a.columns !== b.rows) throw malformed("two matrices do not fit together");
  const data = room(a.rows, b.columns);
  const sums = new Float64Array(b.columns);
  for (let row = 0; row < a.rows; row += 1) {
    sums.fill(0);
    for (let k = 0; k < b.rows; k += 1) addScaled(sums, b, { row: k, by: a.data[row * a.columns + k] ?? Number.NaN });
    for (let column = 0; column < b.columns; column += 1) data[row * b.columns + column] = options.factor * (sums[column] ?? Number.NaN);
  }
  return floats([a.rows, b.columns], data);
}

function addScaled(sums: Float64Array, matrix: Matrix, from: { row: number; by: number }): void {
  const { columns, data } = matrix;
  const start = from.row * columns;
  for (let column = 0; column < columns; column += 1) {
    sums[column] = (sums[column] ?? Number.NaN) + from.by * (data[start + column] ?? Number.NaN);
  }
}

export function transpose(matrix: Matrix): Matrix {
  const { rows, columns } = matrix;
  const data = Float32Array.from(matrix.data, (_, index) => matrix.data[(index % rows) * columns + Math.floor(index / rows)] ?? Number.NaN);
  return { rows: columns, columns: rows, data };
}

export function gemm(node: ModelNode): Operator {
  if (node.attributes.get("transA")?.integer === 1) throw unsupported("a Gemm transposes its rows");
  const transposed = node.attributes.get("transB")?.integer === 1;
  const factor = node.attributes.get("alpha")?.float ?? 1;
  const beta = node.attributes.get("beta")?.float ?? 1;
  const add = elementwise((a, b) => a + beta * b);
  return ([a, b, c]) => {
    const result = product(present(a), present(b), { transposed, factor });
    return c === undefined ? [result] : add([result, c]);
  };
}

/** Bounds come as inputs since operator set 11, as attributes before; either may be left out. */
/** Of the 32-bit numbers that are finite: where a bound is left out, infinities are clipped to it. */
const largest = 3.402_823_466_385_288_6e38;

export function clip(node: ModelNode): Operator {
  const bound = (tensor: Tensor | undefined, name: string, open: number) => {
    if (tensor === undefined) return node.attributes.get(name)?.float ?? open;
    if (tensor.data.length !== 1 || tensor.kind === "string") throw malformed("a bound of a Clip is not one number");
    return Number(tensor.data[0]);
  };
  return ([x, low, high]) => {
    const [least, most] = [bound(low, "min", -largest), bound(high, "max", largest)];
    return each((value) => Math.min(most, Math.max(least, value)))([present(x)]);
  };
}

/** Activations with one or two constants; defaults are the standard's. */
export function activation(shape: (alpha: number, beta: number) => (x: number) => number, defaults: { alpha: number; beta?: number }) {
  return (node: ModelNode): Operator => {
    const alpha = node.attributes.get("alpha")?.float ?? defaults.alpha;
    const beta = (node.attributes.get("beta") ?? node.attributes.get("gamma"))?.float ?? defaults.beta ?? 0;
    return each(shape(alpha, beta));
  };
}

/** Only along the columns: rows are independent samples. */
export function reduce(combine: (values: Float32Array) => number): (node: ModelNode) => Operator {
  return (node) => {
    const keep = (node.attributes.get("keepdims")?.integer ?? 1) === 1;
    const listed = node.attributes.get("axes")?.integers;
    return ([x, given]) => {
      const axes = given === undefined ? listed : [...given.data].map(Number);
      if (axes?.length !== 1 || (axes[0] !== 1 && axes[0] !== -1)) throw unsupported("a sum runs along the rows");
      const { rows, columns, data } = only(x);
      const sums = Float32Array.from({ length: rows }, (_, row) => combine(data.subarray(row * columns, (row + 1) * columns)));
      return [floats(keep ? [rows, 1] : [rows], sums)];
    };
  };
}
