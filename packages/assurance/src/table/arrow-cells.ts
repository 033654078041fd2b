import { type Data, DataType, DateUnit, Precision, TimeUnit, Type } from "apache-arrow";
import { dayText, decimalText, type MomentUnit, momentText, timeOfDayText } from "./exact-text.ts";
import { ColumnSink, type StoredColumn } from "./stored-column.ts";
import { textDecoder } from "./text-cells.ts";

/** Puts the cells of one record batch into a column; the answer is why it cannot. */
export type WriteBatch = (data: Data, sink: ColumnSink) => string | undefined;

export type ArrowWriter = { readonly kind: "cells"; readonly write: WriteBatch } | { readonly kind: "refused"; readonly why: string };

const short = "holds fewer values than it says";
const beyond = "holds a moment outside the years 0000 to 9999";

/** What the values of a column mean. Source: Apache Arrow, Columnar Format 1.5 and Schema.fbs. */
export function arrowWriter(type: DataType, fieldCharsMax: number): ArrowWriter {
  const write = numberWriter(type) ?? textWriter(type, fieldCharsMax) ?? momentWriter(type) ?? (DataType.isDictionary(type) ? coded(type.dictionary, fieldCharsMax) : undefined);
  return write === undefined ? { kind: "refused", why: `holds values of type ${Type[type.typeId].toLowerCase()}` } : { kind: "cells", write };
}

function numberWriter(type: DataType): WriteBatch | undefined {
  if (DataType.isNull(type)) return nothing;
  if (DataType.isBool(type)) return bits;
  if (DataType.isInt(type)) return each(type.bitWidth === 64 ? bigs : numbers);
  if (DataType.isFloat(type)) return each(type.precision === Precision.HALF ? halves : numbers);
  return DataType.isDecimal(type) ? decimals(type.bitWidth, type.scale) : undefined;
}

function textWriter(type: DataType, fieldCharsMax: number): WriteBatch | undefined {
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return texts(fieldCharsMax);
  return DataType.isUtf8View(type) ? viewed(fieldCharsMax) : undefined;
}

function momentWriter(type: DataType): WriteBatch | undefined {
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? each(days) : each(moments(1_000n, false, dayOf));
  if (DataType.isTimestamp(type)) return each(moments(unitOf(type.unit), typeof type.timezone === "string" && type.timezone !== ""));
  return DataType.isTime(type) ? each(moments(unitOf(type.unit), false, (value, unit) => timeOfDayText(value, unit))) : undefined;
}

const nothing: WriteBatch = ({ length }, sink) => {
  for (let row = 0; row < length; row += 1) sink.addMissing();
  return undefined;
};

/** Whether a row holds a value; undefined where the bitmap is shorter than the column. */
function presence({ nullCount, nullBitmap, length }: Data): ((row: number) => boolean) | undefined {
  if (nullCount <= 0) return () => true;
  return nullBitmap === undefined || nullBitmap.length * 8 < length ? undefined : (row) => bitOf(nullBitmap, row);
}

function bitOf(bytes: Uint8Array, row: number): boolean {
  return (((bytes[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
}

/** Writes a value of a typed array; the answer is why it cannot. */
type WriteValue = (value: unknown, sink: ColumnSink) => string | undefined;

function each(write: WriteValue): WriteBatch {
  return (data, sink) => {
    const has = presence(data);
    const values: ArrayLike<unknown> | undefined = data.values;
    if (has === undefined || values === undefined || values.length < data.length) return short;
    for (let row = 0; row < data.length; row += 1) {
      if (!has(row)) sink.addMissing();
      else {
        const why = write(values[row], sink);
        if (why !== undefined) return why;
      }
    }
    return undefined;
  };
}

const numbers: WriteValue = (value, sink) => {
  if (typeof value !== "number") return short;
  sink.addNumber(value);
  return undefined;
};

const bigs: WriteValue = (value, sink) => {
  if (typeof value !== "bigint") return short;
  sink.addInteger(value);
  return undefined;
};

const halfBits = new DataView(new ArrayBuffer(2));

const halves: WriteValue = (value, sink) => {
  if (typeof value !== "number") return short;
  halfBits.setUint16(0, value);
  sink.addNumber(halfBits.getFloat16(0));
  return undefined;
};

const days: WriteValue = (value, sink) => {
  const text = typeof value === "number" ? dayText(value) : undefined;
  if (text === undefined) return beyond;
  sink.addText(text);
  return undefined;
};

function moments(unit: MomentUnit, isUtc: boolean, spell: (value: bigint, unit: MomentUnit) => string | undefined = (value) => momentText(value, unit, isUtc)): WriteValue {
  return (value, sink) => {
    if (typeof value !== "bigint" && typeof value !== "number") return short;
    const text = spell(BigInt(value), unit);
    if (text === undefined) return beyond;
    sink.addText(text);
    return undefined;
  };
}

function dayOf(value: bigint, unit: MomentUnit): string | undefined {
  return momentText(value, unit, false)?.slice(0, "2024-02-29".length);
}

function unitOf(unit: TimeUnit): MomentUnit {
  if (unit === TimeUnit.SECOND) return 1n;
  if (unit === TimeUnit.MILLISECOND) return 1_000n;
  return unit === TimeUnit.MICROSECOND ? 1_000_000n : 1_000_000_000n;
}

const bits: WriteBatch = (data, sink) => {
  const has = presence(data);
  const values: unknown = data.values;
  if (has === undefined || !(values instanceof Uint8Array) || values.length * 8 < data.length) return short;
  for (let row = 0; row < data.length; row += 1) {
    if (has(row)) sink.addText(bitOf(values, row) ? "true" : "false");
    else sink.addMissing();
  }
  return undefined;
};

function texts(fieldCharsMax: number): WriteBatch {
  const decode = textDecoder(fieldCharsMax);
  return (data, sink) => {
    const has = presence(data);
    const { valueOffsets: offsets, length } = data;
    const values: unknown = data.values;
    if (length === 0) return undefined;
    if (has === undefined || !(values instanceof Uint8Array) || offsets === undefined || offsets.length < length + 1) return short;
    for (let row = 0; row < length; row += 1) {
      if (!has(row)) {
        sink.addMissing();
        continue;
      }
      const [from, to] = [Number(offsets[row]), Number(offsets[row + 1])];
      if (!(from >= 0 && from <= to && to <= values.length)) return short;
      const why = decode(values.subarray(from, to), sink);
      if (why !== undefined) return why;
    }
    return undefined;
  };
}

const viewBytes = 16;
const inlineBytesMax = 12;

/** Views hold short texts themselves, and of others the buffer and the place. */
function viewed(fieldCharsMax: number): WriteBatch {
  const decode = textDecoder(fieldCharsMax);
  return (data, sink) => {
    const has = presence(data);
    const values: unknown = data.values;
    if (has === undefined || !(values instanceof Uint8Array) || values.length < viewBytes * data.length) return short;
    const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
    for (let row = 0; row < data.length; row += 1) {
      const bytes = has(row) ? viewedBytes(view, viewBytes * row, data.variadicBuffers) : undefined;
      if (bytes === null) return short;
      const why = bytes === undefined ? sink.addMissing() : decode(bytes, sink);
      if (why !== undefined) return why;
    }
    return undefined;
  };
}

/** null where the view leads outside its buffer. */
function viewedBytes(view: DataView, at: number, buffers: readonly Uint8Array[]): Uint8Array | null {
  const length = view.getInt32(at, true);
  if (length < 0) return null;
  if (length <= inlineBytesMax) return new Uint8Array(view.buffer, view.byteOffset + at + 4, length);
  const buffer = buffers[view.getInt32(at + 8, true)];
  const from = view.getInt32(at + 12, true);
  return buffer === undefined || from < 0 || from + length > buffer.length ? null : buffer.subarray(from, from + length);
}

const scaleMax = 100;

function decimals(bitWidth: number, scale: number): WriteBatch | undefined {
  const words = bitWidth / 32;
  if (!Number.isInteger(words) || words < 1 || words > 8 || !Number.isInteger(scale) || Math.abs(scale) > scaleMax) return undefined;
  return (data, sink) => {
    const has = presence(data);
    const values: unknown = data.values;
    if (has === undefined || !(values instanceof Uint32Array) || values.length < words * data.length) return short;
    for (let row = 0; row < data.length; row += 1) {
      if (!has(row)) {
        sink.addMissing();
        continue;
      }
      let unscaled = 0n;
      // The lowest word comes first.
      for (let word = words - 1; word >= 0; word -= 1) unscaled = (unscaled << 32n) | BigInt(values[words * row + word] ?? 0);
      sink.addText(decimalText(BigInt.asIntN(bitWidth, unscaled), scale));
    }
    return undefined;
  };
}

/** The dictionary is read once for each batch, as a column of its own; a code that it does not have is a damaged file. */
function coded(type: DataType, fieldCharsMax: number): WriteBatch | undefined {
  const words = DataType.isDictionary(type) ? undefined : arrowWriter(type, fieldCharsMax);
  if (words?.kind !== "cells") return undefined;
  return (data, sink) => {
    const has = presence(data);
    const indices: ArrayLike<unknown> | undefined = data.values;
    if (has === undefined || indices === undefined || indices.length < data.length || data.dictionary === undefined) return short;
    const known = new ColumnSink();
    for (const part of data.dictionary.data) {
      const why = words.write(part, known);
      if (why !== undefined) return why;
    }
    return writeCodes({ indices, length: data.length, has }, known, sink);
  };
}

interface Codes {
  readonly indices: ArrayLike<unknown>;
  readonly length: number;
  readonly has: (row: number) => boolean;
}

function writeCodes({ indices, length, has }: Codes, words: ColumnSink, sink: ColumnSink): string | undefined {
  const add = adder(words.end(), sink);
  for (let row = 0; row < length; row += 1) {
    const index = has(row) ? Number(indices[row]) : undefined;
    if (index === undefined) sink.addMissing();
    else if (index >= 0 && index < words.length) add(index);
    else return short;
  }
  return undefined;
}

function adder(words: StoredColumn, sink: ColumnSink): (index: number) => void {
  if (words.kind === "number") return (index) => sink.addNumber(words.values[index] ?? Number.NaN);
  if (words.kind === "text") return (index) => sink.addText(words.dictionary[(words.codes[index] ?? 0) - 1] ?? "");
  return () => sink.addMissing();
}
