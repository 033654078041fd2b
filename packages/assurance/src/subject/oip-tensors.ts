import { failed } from "./subject.ts";

/** A number type of the Open Inference Protocol v2 as it lies in binary tensor data: the lowest byte first. */
interface Datatype {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
  readonly write: (view: DataView, at: number, value: number) => void;
}

const datatypes: ReadonlyMap<string, Datatype> = new Map([
  ["BOOL", { bytes: 1, read: (view, at) => view.getUint8(at), write: (view, at, value) => view.setUint8(at, value) }],
  ["UINT8", { bytes: 1, read: (view, at) => view.getUint8(at), write: (view, at, value) => view.setUint8(at, value) }],
  ["UINT16", { bytes: 2, read: (view, at) => view.getUint16(at, true), write: (view, at, value) => view.setUint16(at, value, true) }],
  ["UINT32", { bytes: 4, read: (view, at) => view.getUint32(at, true), write: (view, at, value) => view.setUint32(at, value, true) }],
  ["UINT64", { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)), write: (view, at, value) => view.setBigUint64(at, BigInt(value), true) }],
  ["INT8", { bytes: 1, read: (view, at) => view.getInt8(at), write: (view, at, value) => view.setInt8(at, value) }],
  ["INT16", { bytes: 2, read: (view, at) => view.getInt16(at, true), write: (view, at, value) => view.setInt16(at, value, true) }],
  ["INT32", { bytes: 4, read: (view, at) => view.getInt32(at, true), write: (view, at, value) => view.setInt32(at, value, true) }],
  ["INT64", { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)), write: (view, at, value) => view.setBigInt64(at, BigInt(value), true) }],
  ["FP16", { bytes: 2, read: (view, at) => view.getFloat16(at, true), write: (view, at, value) => view.setFloat16(at, value, true) }],
  ["BF16", { bytes: 2, read: readBrain, write: writeBrain }],
  ["FP32", { bytes: 4, read: (view, at) => view.getFloat32(at, true), write: (view, at, value) => view.setFloat32(at, value, true) }],
  ["FP64", { bytes: 8, read: (view, at) => view.getFloat64(at, true), write: (view, at, value) => view.setFloat64(at, value, true) }],
]);

const scratch = new DataView(new ArrayBuffer(4));

/** The upper half of a 32-bit number. */
function readBrain(view: DataView, at: number): number {
  scratch.setUint32(0, view.getUint16(at, true) * 0x1_0000);
  return scratch.getFloat32(0);
}

/** To the nearest, halves to the even one; NaN stays NaN. */
function writeBrain(view: DataView, at: number, value: number): void {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const rounded = bits + 0x7fff + ((bits >>> 16) & 1);
  view.setUint16(at, Number.isNaN(value) ? 0x7fc0 : Math.floor(rounded / 0x1_0000), true);
}

export function isFloat(datatype: string): boolean {
  return datatype.startsWith("FP") || datatype === "BF16";
}

/**
 * Numbers as binary tensor data; undefined where one of them is none of the type, or the type has no such form: it would
 * be another number, and the row another row.
 */
export function packed(datatype: string, values: readonly number[]): Uint8Array | undefined {
  const type = datatypes.get(datatype);
  if (type === undefined) return undefined;
  const bytes = new Uint8Array(values.length * type.bytes);
  const view = new DataView(bytes.buffer);
  const fits = isFloat(datatype) ? (value: number, back: number) => Number.isFinite(value) === Number.isFinite(back) : (value: number, back: number) => value === back;
  for (const [index, value] of values.entries()) {
    if (!isFloat(datatype) && !Number.isInteger(value)) return undefined;
    type.write(view, index * type.bytes, value);
    if (!fits(value, type.read(view, index * type.bytes))) return undefined;
  }
  return bytes;
}

/** A tensor whose data stand behind the JSON of an answer. */
export interface TailTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** `binary_data_size`; undefined where the data stand in the JSON. */
  readonly bytes: number | undefined;
}

/**
 * What stands behind the JSON of an answer, by the name of its tensor, in their order. Every byte belongs to one of
 * them, and every tensor has as many as its shape takes. All lengths are hostile. Throws `subject_failed`.
 *
 * Source: Open Inference Protocol, extension binary_tensor_data (KServe, Triton Inference Server).
 */
export function unpackedTail(tensors: readonly TailTensor[], tail: Uint8Array): ReadonlyMap<string, Float64Array> {
  const found = new Map<string, Float64Array>();
  let at = 0;
  for (const tensor of tensors) {
    if (tensor.bytes === undefined) continue;
    const end = at + tensor.bytes;
    if (!(end <= tail.length)) throw failed("its binary data are shorter than it says");
    found.set(tensor.name, unpacked(tensor, tail.subarray(at, end)));
    at = end;
  }
  if (at !== tail.length) throw failed("its binary data are longer than it says");
  return found;
}

function unpacked({ datatype, shape }: TailTensor, bytes: Uint8Array): Float64Array {
  const count = shape.reduce((product, length) => product * length, 1);
  // A shape that is larger than what came is refused before there is any room for it.
  const size = datatype === "BYTES" ? countedTexts(bytes) : bytes.length / (datatypes.get(datatype)?.bytes ?? Number.NaN);
  if (size !== count) throw failed("its binary data do not fill their shape");
  const type = datatypes.get(datatype);
  // A text is no score.
  if (type === undefined) return new Float64Array(count).fill(Number.NaN);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: count }, (_, index) => type.read(view, index * type.bytes));
}

/** Each has four bytes of length before it. */
function countedTexts(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let count = 0;
  for (let at = 0; at < bytes.length; count += 1) {
    if (at + 4 > bytes.length) throw failed("its binary data are cut off");
    at += 4 + view.getUint32(at, true);
    if (at > bytes.length) throw failed("its binary data are shorter than it says");
  }
  return count;
}
