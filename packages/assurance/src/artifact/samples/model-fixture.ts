import { bytes, u16, u32, u64 } from "./bytes-fixture.ts";

function varint(value: number): Uint8Array {
  const out: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > 127n; left >>= 7n) out.push(Number(left & 127n) | 128);
  return bytes(...out, Number(left));
}

/** One protobuf field: a number as a varint, anything else with its length. */
export function field(number: number, value: number | string | Uint8Array): Uint8Array {
  if (typeof value === "number") return bytes(varint(number * 8), varint(value));
  const body = typeof value === "string" ? Buffer.from(value, "utf8") : value;
  return bytes(varint(number * 8 + 2), varint(body.length), body);
}

export function onnxNode(operator: string, { domain = "", inputs = ["x"], attributes = [] as readonly Uint8Array[] } = {}): Uint8Array {
  return field(1, bytes(...inputs.map((input) => field(1, input)), field(2, "y"), field(4, operator), ...attributes.map((attribute) => field(5, attribute)), domain === "" ? "" : field(7, domain)));
}

export function onnxTensor(parts: { readonly dims?: readonly number[]; readonly raw?: Uint8Array; readonly external?: Readonly<Record<string, string>>; readonly name?: string }): Uint8Array {
  const external = Object.entries(parts.external ?? {}).map(([key, value]) => field(13, bytes(field(1, key), field(2, value))));
  return bytes(...(parts.dims ?? [2]).map((side) => field(1, side)), field(2, 1), field(8, parts.name ?? "w"), parts.raw === undefined ? "" : field(9, parts.raw), ...external, external.length > 0 ? field(14, 1) : "");
}

export function onnx(graph: readonly Uint8Array[], more: readonly Uint8Array[] = []): Uint8Array {
  return bytes(field(1, 8), field(8, field(2, 17)), field(7, bytes(...graph, field(2, "g"))), ...more);
}

export function savedModel(operators: readonly string[], { inLibrary = false, metadata = "" } = {}): Uint8Array {
  const nodes = operators.map((operator) => bytes(field(1, `node/${operator}`), field(2, operator)));
  const graph = inLibrary ? field(2, field(1, bytes(field(1, field(1, "f")), ...nodes.map((node) => field(3, node))))) : bytes(...nodes.map((node) => field(1, node)));
  const objects = metadata === "" ? "" : field(7, field(1, field(4, bytes(field(1, "_tf_keras_layer"), field(3, metadata)))));
  return bytes(field(1, 1), field(2, bytes(field(1, field(4, "serve")), field(2, graph), objects)));
}

export function safetensors(header: string, data: Uint8Array, length = Buffer.byteLength(header)): Uint8Array {
  return bytes(u64(length), Buffer.from(header), data);
}

export function ggufText(value: string): Uint8Array {
  const encoded = Buffer.from(value);
  return bytes(u64(encoded.length), encoded);
}

export interface GgufSample {
  readonly pairs?: readonly (readonly [string, number, Uint8Array])[];
  readonly tensors?: readonly Uint8Array[];
  readonly data?: Uint8Array;
  readonly version?: number;
  readonly tensorCount?: number | bigint;
  readonly pairCount?: number | bigint;
}

export function gguf({ pairs = [], tensors = [], data = new Uint8Array(0), version = 3, tensorCount = tensors.length, pairCount = pairs.length }: GgufSample): Uint8Array {
  const head = bytes("GGUF", u32(version), u64(tensorCount), u64(pairCount), ...pairs.map(([key, type, value]) => bytes(ggufText(key), u32(type), value)), ...tensors);
  return data.length === 0 ? head : bytes(head, new Uint8Array((32 - (head.length % 32)) % 32), data);
}

export function ggufTensor(name: string, sides: readonly (number | bigint)[], { type = 0, offset = 0 } = {}): Uint8Array {
  return bytes(ggufText(name), u32(sides.length), ...sides.map((side) => u64(side)), u32(type), u64(offset));
}

export function npy(descr: string, shape: string, data: Uint8Array): Uint8Array {
  const header = `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  return bytes(0x93, "NUMPY", 1, 0, u16(padded.length), padded, data);
}

/** Object header messages of an HDF5 file: number and body. */
export type Hdf5Message = readonly [number, Uint8Array];

/** A file with one group, version 2 of the superblock and of the object header. */
export function hdf5(messages: readonly Hdf5Message[], trailing: Uint8Array = new Uint8Array(0)): Uint8Array {
  const body = bytes(...messages.map(([type, data]) => bytes(type, u16(data.length), 0, data)));
  const header = bytes("OHDR", 2, 2, u32(body.length), body, u32(0));
  const start = 48;
  const head = bytes(0x89, "HDF\r\n", 0x1a, "\n", 2, 8, 8, 0, u64(0), u64(0xffffffffffffffffn), u64(start + header.length), u64(start), u32(0));
  return bytes(head, header, trailing);
}

export function hdf5Text(name: string, value: string): Hdf5Message {
  const encoded = Buffer.from(value);
  const label = bytes(name, 0);
  const type = bytes(0x13, 0, 0, 0, u32(encoded.length));
  const space = bytes(2, 0, 0, 0);
  return [0x0c, bytes(3, 0, u16(label.length), u16(type.length), u16(space.length), 0, label, type, space, encoded)];
}

/** A FlatBuffer with one list of operators, each with a custom name. */
export function tflite(names: readonly string[]): Uint8Array {
  const operators = names.map((name) => {
    const label = Buffer.from(name);
    const text = bytes(u32(label.length), label, new Uint8Array(4 - (label.length % 4)));
    return bytes(u16(8), u16(12), u16(4), u16(8), u32(8), u32(32), u32(4), text);
  });
  const list = 28;
  let at = list + 4 + operators.length * 4;
  const offsets = operators.map((operator, index) => {
    const offset = at + 8 - (list + 4 + index * 4);
    at += operator.length;
    return u32(offset);
  });
  const model = bytes(u32(16), "TFL3", u16(8), u16(12), u16(4), u16(8), u32(8), u32(3), u32(4));
  return bytes(model, u32(names.length), ...offsets, ...operators);
}
