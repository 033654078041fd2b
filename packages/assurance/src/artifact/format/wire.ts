import { ByteReader, Damaged, type Source } from "../source.ts";

/** One field of a protobuf message, with the place of its bytes instead of the bytes: tensors are never loaded. */
export interface WireField {
  readonly number: number;
  readonly wire: 0 | 1 | 2 | 5;
  /** Value of a varint, exact up to 2^53; negative numbers come as themselves. */
  readonly integer: number;
  readonly start: number;
  readonly end: number;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
const textBytesMax = 64 << 20;
const fieldsMax = 4_000_000;
const integersMax = 1000;

/** The fields of the message that lies in a span of a source. Throws `Damaged` where a length leaves the message. */
export function* wireFields(source: Source, span: Span): Generator<WireField> {
  const reader = new ByteReader({ size: span.end, read: (offset, length) => source.read(offset, Math.min(length, span.end - offset)) }, span.start);
  for (let count = 0; reader.at < span.end; count += 1) {
    const at = reader.at;
    if (count >= fieldsMax) throw new Damaged("a message has more fields than a scan may follow", at);
    const tag = varint(reader);
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number < 1 || number > 536_870_911) throw new Damaged("a field has no number", at);
    if (wire === 0) {
      const start = reader.at;
      yield { number, wire, integer: varint(reader), start, end: reader.at };
    } else if (wire === 1 || wire === 5) {
      const start = reader.at;
      reader.skip(wire === 1 ? 8 : 4);
      yield { number, wire, integer: 0, start, end: reader.at };
    } else if (wire === 2) {
      const length = varint(reader);
      const start = reader.at;
      reader.skip(length);
      yield { number, wire, integer: 0, start, end: reader.at };
    } else throw new Damaged("a field has an unknown wire type", at);
  }
}

export function wireText(source: Source, { start, end }: Span): string {
  if (end - start > textBytesMax) throw new Damaged("a text is longer than any real one", start);
  try {
    return utf8.decode(source.read(start, end - start));
  } catch {
    throw new Damaged("a text is not UTF-8", start);
  }
}

/** Integers of a repeated field, packed or one by one. */
export function wireIntegers(source: Source, field: WireField): readonly number[] {
  if (field.wire === 0) return [field.integer];
  const reader = new ByteReader({ size: field.end, read: (offset, length) => source.read(offset, Math.min(length, field.end - offset)) }, field.start);
  const values: number[] = [];
  while (reader.at < field.end) {
    if (values.length >= integersMax) throw new Damaged("a list has more numbers than any shape", field.start);
    values.push(varint(reader));
  }
  return values;
}

function varint(reader: ByteReader): number {
  const at = reader.at;
  let low = 0;
  let high = 0;
  for (let index = 0; index < 10; index += 1) {
    const byte = reader.byte();
    if (index < 4) low += (byte & 127) * 2 ** (7 * index);
    else high += (byte & 127) * 2 ** (7 * (index - 4));
    if (byte >= 128) continue;
    const value = low + high * 2 ** 28;
    return value >= 2 ** 63 ? value - 2 ** 64 : value;
  }
  throw new Damaged("a number has more than ten bytes", at);
}
