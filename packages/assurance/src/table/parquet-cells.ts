import type { SchemaElement } from "hyparquet";
import { decimalText, dayText, type MomentUnit, momentText, timeOfDayText } from "./exact-text.ts";
import type { ColumnSink } from "./stored-column.ts";
import { textDecoder } from "./text-cells.ts";

/** Puts a value as it lies in the file into a column; the answer is why it cannot. */
export type WriteCell = (value: unknown, sink: ColumnSink) => string | undefined;

export type CellWriter = { readonly kind: "cells"; readonly write: WriteCell } | { readonly kind: "refused"; readonly why: string };

/** What the values of a column mean. Source: Apache Parquet, LogicalTypes.md; the older converted types say the same in fewer words. */
export function cellWriter(element: SchemaElement, fieldCharsMax: number): CellWriter {
  const write = momentWriter(element) ?? valueWriter(element);
  return write === undefined ? bytesWriter(element, fieldCharsMax) : { kind: "cells", write };
}

function momentWriter({ type, converted_type: converted, logical_type: logical }: SchemaElement): WriteCell | undefined {
  if (logical?.type === "DATE") return days;
  if (logical?.type === "TIMESTAMP") return moments(unitOf(logical.unit), logical.isAdjustedToUTC);
  if (logical?.type === "TIME") return times(unitOf(logical.unit));
  if (type === "INT96") return moments(1_000_000_000n, false);
  return converted === undefined ? undefined : older[converted];
}

function valueWriter(element: SchemaElement): WriteCell | undefined {
  const { type, converted_type: converted, logical_type: logical } = element;
  const meaning = logical?.type ?? converted;
  if (meaning === "DECIMAL") return decimals(scaleOf(element));
  if (meaning === "UUID") return uuids;
  if (meaning === "FLOAT16") return halves;
  if (type === "INT32" || type === "INT64") return integers(isUnsigned(element), type === "INT32" ? 32 : 64);
  if (type === "FLOAT" || type === "DOUBLE") return floats;
  return type === "BOOLEAN" ? booleans : undefined;
}

function bytesWriter({ type, converted_type: converted, logical_type: logical }: SchemaElement, fieldCharsMax: number): CellWriter {
  const words = logical?.type ?? converted;
  const isText = words === undefined || ["STRING", "UTF8", "ENUM", "JSON"].includes(words);
  // Bytes that nobody says the meaning of are usually text that an old writer did not mark; what is no UTF-8 is refused where it stands.
  if (type === "BYTE_ARRAY" && isText) return { kind: "cells", write: texts(fieldCharsMax) };
  return { kind: "refused", why: words === undefined ? "holds bytes" : `holds values of type ${words.toLowerCase()}` };
}

const strange = "holds a value that its type does not allow";

const floats: WriteCell = (value, sink) => {
  if (typeof value !== "number") return strange;
  sink.addNumber(value);
  return undefined;
};

const booleans: WriteCell = (value, sink) => {
  if (typeof value !== "boolean") return strange;
  sink.addText(value ? "true" : "false");
  return undefined;
};

function integers(unsigned: boolean, bits: 32 | 64): WriteCell {
  return (value, sink) => {
    const whole = integerOf(value);
    if (whole === undefined) return strange;
    if (typeof whole === "number") sink.addNumber(unsigned ? whole >>> 0 : whole);
    else sink.addInteger(unsigned ? BigInt.asUintN(bits, whole) : whole);
    return undefined;
  };
}

function integerOf(value: unknown): number | bigint | undefined {
  return typeof value === "number" || typeof value === "bigint" ? value : undefined;
}

function bigOf(value: unknown): bigint | undefined {
  const whole = integerOf(value);
  return whole === undefined ? undefined : BigInt(whole);
}

function decimals(scale: number | undefined): WriteCell {
  return (value, sink) => {
    const unscaled = value instanceof Uint8Array ? signed(value) : bigOf(value);
    if (unscaled === undefined || scale === undefined) return strange;
    sink.addText(decimalText(unscaled, scale));
    return undefined;
  };
}

const decimalBytesMax = 64;

/** Two's complement, the highest byte first. */
function signed(bytes: Uint8Array): bigint | undefined {
  if (bytes.length === 0 || bytes.length > decimalBytesMax) return undefined;
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(8 * bytes.length, value);
}

const scaleMax = 100;

function scaleOf({ scale, logical_type: logical }: SchemaElement): number | undefined {
  const found = logical?.type === "DECIMAL" ? logical.scale : (scale ?? 0);
  return Number.isInteger(found) && found >= 0 && found <= scaleMax ? found : undefined;
}

function written(text: string | undefined, sink: ColumnSink): string | undefined {
  if (text === undefined) return "holds a moment outside the years 0000 to 9999";
  sink.addText(text);
  return undefined;
}

const days: WriteCell = (value, sink) => (typeof value === "number" ? written(dayText(value), sink) : strange);

function moments(unit: MomentUnit, isUtc: boolean): WriteCell {
  return (value, sink) => {
    const units = bigOf(value);
    return units === undefined ? strange : written(momentText(units, unit, isUtc), sink);
  };
}

function times(unit: MomentUnit): WriteCell {
  return (value, sink) => {
    const units = bigOf(value);
    return units === undefined ? strange : written(timeOfDayText(units, unit), sink);
  };
}

function unitOf(unit: "MILLIS" | "MICROS" | "NANOS"): MomentUnit {
  if (unit === "MILLIS") return 1_000n;
  return unit === "MICROS" ? 1_000_000n : 1_000_000_000n;
}

const uuids: WriteCell = (value, sink) => {
  if (!(value instanceof Uint8Array) || value.length !== 16) return strange;
  const hex = Buffer.from(value).toString("hex");
  sink.addText(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`);
  return undefined;
};

/** IEEE 754 half precision, the lowest byte first. */
const halves: WriteCell = (value, sink) => {
  if (!(value instanceof Uint8Array) || value.length !== 2) return strange;
  sink.addNumber(new DataView(value.buffer, value.byteOffset, 2).getFloat16(0, true));
  return undefined;
};

function texts(fieldCharsMax: number): WriteCell {
  const decode = textDecoder(fieldCharsMax);
  return (value, sink) => (value instanceof Uint8Array ? decode(value, sink) : strange);
}

function isUnsigned({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return converted?.startsWith("UINT_") === true || (logical?.type === "INTEGER" && !logical.isSigned);
}

const older: Readonly<Partial<Record<NonNullable<SchemaElement["converted_type"]>, WriteCell>>> = {
  DATE: days,
  TIMESTAMP_MILLIS: moments(1_000n, true),
  TIMESTAMP_MICROS: moments(1_000_000n, true),
  TIME_MILLIS: times(1_000n),
  TIME_MICROS: times(1_000_000n),
};
