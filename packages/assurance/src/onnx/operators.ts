import type { ModelNode } from "./model-file.ts";
import { linearClassifier, linearRegressor, normalizer, scaler, treeClassifier, treeRegressor, zipMap } from "./classical.ts";
import { malformed } from "./protobuf.ts";
import { softmaxRows } from "./softmax.ts";
import { type FloatTensor, floats, matrixOf, type Matrix, type Operator, type Tensor, unsupported } from "./tensor.ts";

type Prepare = (node: ModelNode, opset: number) => Operator;

/** Everything that the interpreter knows, by domain and name. What is not here is refused when the model is loaded. */
const prepared = new Map<string, Prepare>([
  ["Gemm", gemm],
  ["MatMul", () => ([a, b]) => [product(present(a), present(b), { transposed: false, factor: 1 })]],
  ["Add", () => elementwise((a, b) => a + b)],
  ["Sub", () => elementwise((a, b) => a - b)],
  ["Mul", () => elementwise((a, b) => a * b)],
  ["Div", () => elementwise((a, b) => a / b)],
  ["Relu", () => each((x) => (x < 0 ? 0 : x))],
  ["Sigmoid", () => each((x) => 1 / (1 + Math.exp(-x)))],
  ["Tanh", () => each(Math.tanh)],
  ["Exp", () => each(Math.exp)],
  ["Neg", () => each((x) => -x)],
  ["Identity", () => ([x]) => [present(x)]],
  ["Softmax", softmax],
  ["Concat", concat],
  ["Cast", cast],
  ["Constant", constant],
  ["ai.onnx.ml/Scaler", scaler],
  ["ai.onnx.ml/Normalizer", normalizer],
  ["ai.onnx.ml/LinearRegressor", linearRegressor],
  ["ai.onnx.ml/LinearClassifier", linearClassifier],
  ["ai.onnx.ml/TreeEnsembleRegressor", treeRegressor],
  ["ai.onnx.ml/TreeEnsembleClassifier", treeClassifier],
  ["ai.onnx.ml/ZipMap", zipMap],
]);

/** Names of the operators that models may use, with their domain where it is not the default. */
export const operatorNames: readonly string[] = [...prepared.keys()];

export function prepareOperator(node: ModelNode, opsets: ReadonlyMap<string, number>): Operator {
  const name = node.domain === "" ? node.operator : `${node.domain}/${node.operator}`;
  const prepare = prepared.get(name);
  if (prepare === undefined) throw unsupported(`the model uses the operator \`${name}\``);
  return prepare(node, opsets.get(node.domain) ?? 1);
}

function present(tensor: Tensor | undefined): Tensor {
  if (tensor === undefined) throw malformed("an operator lacks an input");
  return tensor;
}

function each(change: (x: number) => number): Operator {
  return ([x]) => {
    const input = present(x);
    const { data } = matrixOf(input, "an input");
    return [floats(input.dims, data.map(change))];
  };
}

/** Broadcasting of at most two dimensions, as numpy does it. */
function elementwise(combine: (a: number, b: number) => number): Operator {
  return ([first, second]) => {
    const [x, y] = [present(first), present(second)];
    const [a, b] = [matrixOf(x, "an input"), matrixOf(y, "an input")];
    const rows = broadcast(a.rows, b.rows);
    const columns = broadcast(a.columns, b.columns);
    const data = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const left = a.data[(a.rows === 1 ? 0 : row) * a.columns + (a.columns === 1 ? 0 : column)] ?? Number.NaN;
        const right = b.data[(b.rows === 1 ? 0 : row) * b.columns + (b.columns === 1 ? 0 : column)] ?? Number.NaN;
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

function product(x: Tensor, y: Tensor, options: ProductOptions): FloatTensor {
  if (x.dims.length !== 2 || y.dims.length !== 2) throw unsupported("a matrix product has an operand that is no matrix");
  const a = matrixOf(x, "an input");
  const b = options.transposed ? transpose(matrixOf(y, "an input")) : matrixOf(y, "an input");
  if (a.columns !== b.rows) throw malformed("two matrices do not fit together");
  const data = new Float32Array(a.rows * b.columns);
  for (let row = 0; row < a.rows; row += 1) {
    for (let column = 0; column < b.columns; column += 1) {
      data[row * b.columns + column] = options.factor * dot({ a, b, row, column });
    }
  }
  return floats([a.rows, b.columns], data);
}

function dot(options: { a: Matrix; b: Matrix; row: number; column: number }): number {
  const { a, b, row, column } = options;
  let sum = 0;
  for (let k = 0; k < b.rows; k += 1) {
    sum += (a.data[row * a.columns + k] ?? Number.NaN) * (b.data[k * b.columns + column] ?? Number.NaN);
  }
  return sum;
}

function transpose(matrix: Matrix): Matrix {
  const { rows, columns } = matrix;
  const data = Float32Array.from(matrix.data, (_, index) => matrix.data[(index % rows) * columns + Math.floor(index / rows)] ?? Number.NaN);
  return { rows: columns, columns: rows, data };
}

function gemm(node: ModelNode): Operator {
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

/** Rows are independent samples, so only the last axis is meaningful; opset 13 made that the default. */
function softmax(node: ModelNode, opset: number): Operator {
  const axis = node.attributes.get("axis")?.integer ?? (opset < 13 ? 1 : -1);
  if (axis !== 1 && axis !== -1) throw unsupported("a Softmax runs along the rows");
  return ([x]) => {
    const input = present(x);
    const { rows, columns, data } = matrixOf(input, "an input");
    return [floats(input.dims, softmaxRows(data, rows, columns))];
  };
}

function concat(node: ModelNode): Operator {
  const axis = node.attributes.get("axis")?.integer;
  if (axis !== 1 && axis !== -1) throw unsupported("a Concat joins rows");
  return (inputs) => {
    const parts = inputs.map((input) => matrixOf(input, "an input"));
    const rows = parts[0]?.rows ?? 0;
    const columns = parts.reduce((sum, part) => sum + part.columns, 0);
    if (parts.some((part) => part.rows !== rows)) throw malformed("a Concat joins tables of different length");
    const data = new Float32Array(rows * columns);
    let start = 0;
    for (const part of parts) {
      for (let row = 0; row < rows; row += 1) {
        data.set(part.data.subarray(row * part.columns, (row + 1) * part.columns), row * columns + start);
      }
      start += part.columns;
    }
    return [floats([rows, columns], data)];
  };
}

function cast(node: ModelNode): Operator {
  const to = node.attributes.get("to")?.integer;
  return ([x]) => {
    const input = present(x);
    if (input.kind === "string" || (to !== 1 && to !== 7)) throw unsupported("a Cast goes from or to another type than float and int64");
    if (to === 1) return [floats(input.dims, Float32Array.from(input.data))];
    return [{ kind: "int", dims: input.dims, data: Float64Array.from(input.data, Math.trunc) }];
  };
}

function constant(node: ModelNode): Operator {
  const tensor = node.attributes.get("value")?.tensor;
  if (tensor === undefined) throw unsupported("a Constant is not a tensor");
  return () => [tensor];
}
