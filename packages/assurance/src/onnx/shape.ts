import { largestOfRows } from "./classical.ts";
import type { ModelNode } from "./model-file.ts";
import { malformed } from "./protobuf.ts";
import { softmaxRows } from "./softmax.ts";
import { type FloatTensor, floats, matrixOf, only, type Operator, present, room, type Tensor, unsupported } from "./tensor.ts";

/** Operators that move, retype or rank values. Rows are independent samples and are never joined or reordered. */

/** Only the last axis is meaningful; operator set 13 made that the default. */
export function softmax(node: ModelNode, opset: number): Operator {
  const axis = node.attributes.get("axis")?.integer ?? (opset < 13 ? 1 : -1);
  if (axis !== 1 && axis !== -1) throw unsupported("a Softmax runs along the rows");
  const log = node.operator === "LogSoftmax";
  return ([x]) => {
    const input = present(x);
    const { rows, columns, data } = matrixOf(input, "an input");
    return [floats(input.dims, log ? logSoftmaxRows(data, rows, columns) : softmaxRows(data, rows, columns))];
  };
}

/** Not the logarithm of the softmax: that would turn small shares into minus infinity. */
function logSoftmaxRows(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    const values = data.subarray(row * columns, (row + 1) * columns);
    const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
    const rest = Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
    // First the largest, then the rest: beside a large value the rest would be lost.
    for (const [column, value] of values.entries()) result[row * columns + column] = value - most - rest;
  }
  return result;
}

export function concat(node: ModelNode): Operator {
  const axis = node.attributes.get("axis")?.integer;
  if (axis !== 1 && axis !== -1) throw unsupported("a Concat joins rows");
  return (inputs) => [joined(inputs.map(present))];
}

export function joined(inputs: readonly Tensor[]): FloatTensor {
  const parts = inputs.map((input) => matrixOf(input, "an input"));
  const rows = parts[0]?.rows ?? 0;
  const columns = parts.reduce((sum, part) => sum + part.columns, 0);
  if (parts.some((part) => part.rows !== rows)) throw malformed("tables of different length are joined");
  const data = room(rows, columns);
  let start = 0;
  for (const part of parts) {
    for (let row = 0; row < rows; row += 1) {
      data.set(part.data.subarray(row * part.columns, (row + 1) * part.columns), row * columns + start);
    }
    start += part.columns;
  }
  return floats([rows, columns], data);
}

/** From float, int64 or bool to float (1), int32 (6), int64 (7) or bool (9). */
export function cast(node: ModelNode): Operator {
  const to = node.attributes.get("to")?.integer ?? 0;
  return ([x]) => {
    const input = present(x);
    if (input.kind === "string" || ![1, 6, 7, 9].includes(to)) throw unsupported("a Cast goes from or to another type than float, int32, int64 and bool");
    if (to === 1) return [floats(input.dims, Float32Array.from(input.data))];
    return [{ kind: "int", dims: input.dims, data: Float64Array.from(input.data, to === 9 ? (value) => (value === 0 ? 0 : 1) : Math.trunc) }];
  };
}

export function constant(node: ModelNode): Operator {
  const tensor = node.attributes.get("value")?.tensor;
  if (tensor === undefined) throw unsupported("a Constant is not a tensor");
  return () => [tensor];
}

/** The rows stay; 0 keeps a length and one -1 takes what is left. */
export function reshape(node: ModelNode): Operator {
  const fixed = node.attributes.get("shape")?.integers;
  return ([x, shape]) => {
    const input = present(x);
    const asked = shape === undefined ? fixed : [...shape.data].map(Number);
    if (asked === undefined || asked.length === 0 || asked.length > 2) throw unsupported("a Reshape goes to something that is no table");
    return [reshaped(input, asked.map((length, axis) => (length === 0 ? (input.dims[axis] ?? 1) : length)))];
  };
}

function reshaped(input: Tensor, asked: readonly number[]): Tensor {
  const known = asked.filter((length) => length !== -1).reduce((product, length) => product * length, 1);
  const dims = asked.map((length) => (length === -1 ? input.data.length / known : length));
  const size = dims.reduce((product, length) => product * length, 1);
  if (size !== input.data.length || dims.some((length) => !Number.isSafeInteger(length) || length < 0)) throw malformed("a Reshape does not keep the number of values");
  return { ...input, dims };
}

export function flatten(node: ModelNode): Operator {
  if ((node.attributes.get("axis")?.integer ?? 1) !== 1) throw unsupported("a Flatten joins rows");
  return ([x]) => {
    const input = present(x);
    return [{ ...input, dims: [input.dims[0] ?? 1, input.data.length / Math.max(1, input.dims[0] ?? 1)] }];
  };
}

/** Takes a column's own axis away, or gives it back. The first axis, the rows, cannot be taken. */
export function squeeze(): Operator {
  return ([x]) => {
    const input = present(x);
    return [input.dims.length === 2 && input.dims[1] === 1 ? { ...input, dims: input.dims.slice(0, 1) } : input];
  };
}

export function unsqueeze(): Operator {
  return ([x]) => {
    const input = present(x);
    if (input.dims.length > 1) throw unsupported("an Unsqueeze goes beyond rows and columns");
    return [{ ...input, dims: [input.dims[0] ?? 1, 1] }];
  };
}

export function argMax(node: ModelNode): Operator {
  const axis = node.attributes.get("axis")?.integer ?? 0;
  if (axis !== 1 && axis !== -1) throw unsupported("an ArgMax runs along the rows");
  if (node.attributes.get("select_last_index")?.integer === 1) throw unsupported("an ArgMax takes the last of equals");
  const keep = (node.attributes.get("keepdims")?.integer ?? 1) === 1;
  return ([x]) => {
    const { rows, columns, data } = only(x);
    return [{ kind: "int", dims: keep ? [rows, 1] : [rows], data: Float64Array.from(largestOfRows(data, rows, columns)) }];
  };
}
