import { LicetError } from "@licet/contract";

/** Floats are 32 bits wide as in the model; integers are exact up to 2^53. At most two dimensions. */
export type Tensor =
  | { readonly kind: "float"; readonly dims: readonly number[]; readonly data: Float32Array; readonly classes?: readonly string[] }
  | { readonly kind: "int"; readonly dims: readonly number[]; readonly data: Float64Array }
  | { readonly kind: "string"; readonly dims: readonly number[]; readonly data: readonly string[] };

export type FloatTensor = Extract<Tensor, { kind: "float" }>;

/** Takes the node's inputs and returns its outputs in order. Prepared once per node, run once per batch. */
export type Operator = (inputs: readonly Tensor[]) => readonly Tensor[];

/** Rows and columns; a vector is one row, a scalar is one cell. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
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

/** The part of the model is well-formed, but this engine does not implement it. */
export function unsupported(what: string): LicetError {
  return new LicetError("model_unsupported", { message: `${what}, which this engine does not implement: export the model with plain operators` });
}
