import { LicetError } from "@licet/contract";
import { malformed } from "./protobuf.ts";

/** Floats are 32 bits wide as in the model; integers are exact up to 2^53. At most two dimensions. */
export type Tensor =
  | { readonly kind: "float"; readonly dims: readonly number[]; readonly data: Float32Array; readonly classes?: readonly string[] }
  | { readonly kind: "int"; readonly dims: readonly number[]; readonly data: Float64Array }
  | { readonly kind: "string"; readonly dims: readonly number[]; readonly data: readonly string[] };

export type FloatTensor = Extract<Tensor, { kind: "float" }>;

/** Takes the node's inputs, undefined where an optional one is left out, and returns its outputs in order. Prepared once per node, run once per batch. */
export type Operator = (inputs: readonly (Tensor | undefined)[]) => readonly Tensor[];

/** Rows and columns; a vector is one row, a scalar is one cell. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** Cells of one value while a batch is computed: a hostile graph must not make a small row into gigabytes. */
const cellsMax = 16 * 1024 * 1024;

/** Room for a result, or a coded refusal. Throws `model_too_large`. */
export function room(rows: number, columns: number): Float32Array {
  const cells = rows * columns;
  if (!(cells <= cellsMax)) {
    throw new LicetError("model_too_large", { message: `a value of the model has more than ${cellsMax} cells in one batch: export a smaller model` });
  }
  return new Float32Array(cells);
}

export function floats(dims: readonly number[], data: Float32Array): FloatTensor {
  return { kind: "float", dims, data };
}

export function matrixOf(tensor: Tensor, role: string): Matrix {
  if (tensor.kind !== "float") throw unsupported(`${role} is not a float tensor`);
  if (tensor.dims.length > 2) throw unsupported(`${role} has more than two dimensions`);
  const columns = tensor.dims.at(-1) ?? 1;
  const rows = tensor.dims.length === 2 ? (tensor.dims[0] ?? 1) : 1;
  return { rows, columns, data: tensor.data };
}

export function only(tensor: Tensor | undefined): Matrix {
  return matrixOf(present(tensor), "an input");
}

export function present(tensor: Tensor | undefined): Tensor {
  if (tensor === undefined) throw malformed("an operator lacks an input");
  return tensor;
}

/** The part of the model is well-formed, but this engine does not implement it. */
export function unsupported(what: string): LicetError {
  return new LicetError("model_unsupported", { message: `${what}, which this engine does not implement: export the model with plain operators` });
}
