import { LicetError } from "@licet/contract";

/** One field of a message as it stands on the wire; nested messages are read again from `bytes`. */
export interface Field {
  readonly number: number;
  readonly wire: "varint" | "fixed64" | "bytes" | "fixed32";
  /** Value of a varint as a signed 64-bit integer; 0 for the others. */
  readonly integer: number;
  readonly bytes: Uint8Array;
}

const wires: ReadonlyMap<number, Field["wire"]> = new Map([[0, "varint"], [1, "fixed64"], [2, "bytes"], [5, "fixed32"]]);
const none = new Uint8Array(0);
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The fields of one protobuf message in order. Lengths are checked against the message, groups are refused,
 * so reading never leaves the bytes and always ends. Throws `model_malformed` with the offset.
 * Source: Protocol Buffers encoding specification.
 */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  while (at < message.length) {
    const key = varint(message, at);
    const tag = Number(key.value);
    const wire = wires.get(tag & 7);
    if (wire === undefined || tag < 8) throw malformed(`an unknown wire type at byte ${at}`);
    const number = Math.floor(tag / 8);
    at = key.end;
    if (wire === "varint") {
      const value = varint(message, at);
      at = value.end;
      yield { number, wire, integer: safeInteger(value.value), bytes: none };
      continue;
    }
    const length = wire === "fixed64" ? 8 : wire === "fixed32" ? 4 : -1;
    const start = length >= 0 ? { value: BigInt(length), end: at } : varint(message, at);
    const end = start.end + Number(start.value);
    if (end > message.length) throw malformed(`a field at byte ${at} is longer than its message`);
    at = end;
    yield { number, wire, integer: 0, bytes: message.subarray(start.end, end) };
  }
}

export function textOf(field: Field): string {
  try {
    return utf8.decode(field.bytes);
  } catch (cause) {
    throw malformed("a name is not UTF-8", cause);
  }
}

/** Repeated integers, packed or one by one. */
export function integersOf(field: Field): readonly number[] {
  if (field.wire === "varint") return [field.integer];
  const values: number[] = [];
  for (let at = 0; at < field.bytes.length; ) {
    const next = varint(field.bytes, at);
    values.push(safeInteger(next.value));
    at = next.end;
  }
  return values;
}

/** Repeated little-endian 32-bit floats, packed or one by one. */
export function floatsOf(field: Field): readonly number[] {
  const { bytes } = field;
  if (field.wire === "varint" || bytes.length % 4 !== 0) throw malformed("a list of floats has a broken length");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true));
}

export function malformed(what: string, cause?: unknown): LicetError {
  return new LicetError("model_malformed", { message: `the model is damaged: ${what}; export it again`, cause });
}

function varint(bytes: Uint8Array, start: number): { value: bigint; end: number } {
  let value = 0n;
  for (let index = 0; index < 10; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) throw malformed(`it ends inside a number at byte ${start}`);
    value |= BigInt(byte & 127) << BigInt(7 * index);
    if (byte < 128) return { value: BigInt.asUintN(64, value), end: start + index + 1 };
  }
  throw malformed(`a number at byte ${start} has more than ten bytes`);
}

function safeInteger(value: bigint): number {
  const signed = Number(BigInt.asIntN(64, value));
  if (!Number.isSafeInteger(signed)) throw malformed("a number is larger than any count or label can be");
  return signed;
}
