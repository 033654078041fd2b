import type { Layer } from "../layer.ts";
import { ByteReader, Damaged, type Source } from "../source.ts";
import { isList, isObject, type Json, type JsonObject, parseJson } from "../text/json.ts";

/** As the reference implementation has it. */
export const headerBytesMax = 100_000_000;
const bits: Readonly<Record<string, number>> = {
  BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8, I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, F64: 64, I64: 64, U64: 64, C64: 64, F4: 4, F6_E2M3: 6, F6_E3M2: 6,
};

/** Eight bytes of length, then a JSON object. The length may lie: then this is a broken file of this kind, not another kind. */
export function isSafetensors(head: Uint8Array, source: Source): boolean {
  if (source.size < 8 || head[8] !== 0x7b) return false;
  const length = new ByteReader(source).u64();
  const next = Buffer.from(head.subarray(9, 40)).toString("latin1").trimStart()[0];
  return (next === '"' || next === "}") && (length <= source.size || head.subarray(0, 8).some((byte) => byte < 9 || byte > 126));
}

interface Range {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Source: the format's README and `safetensors::tensor::Metadata::validate`. */
export function scanSafetensors(layer: Layer): void {
  layer.format = "safetensors";
  const reader = new ByteReader(layer.source);
  const length = reader.u64();
  if (length > headerBytesMax) throw new Damaged(`the header claims ${length} bytes; at most ${headerBytesMax} are allowed`, 0);
  if (length > reader.left) throw new Damaged("the header is longer than the file", 0);
  const document = parseJson(Buffer.from(layer.source.read(8, length)).toString("utf8"));
  const [twice] = document.duplicates;
  if (twice !== undefined) throw new Damaged(`the key \`${twice.key}\` stands twice in the header`, 8 + twice.at);
  if (!isObject(document.value) || document.end !== Buffer.from(layer.source.read(8, length)).toString("utf8").length) throw new Damaged("the header is not one JSON object", 8);
  const start = 8 + length;
  layer.claims.claim(0, start, "header");
  const ranges = Object.entries(document.value).filter(([name]) => name !== "__metadata__").map(([name, info]) => rangeOf(name, info));
  judgeMetadata(document.value["__metadata__"]);
  let at = 0;
  for (const range of ranges.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (range.start < at) throw new Damaged(`tensor \`${range.name}\` shares bytes with another`, start + range.start);
    if (range.start > at) throw new Damaged(`${range.start - at} bytes before tensor \`${range.name}\` belong to no tensor`, start + at);
    at = range.end;
  }
  if (start + at > layer.source.size) throw new Damaged("a tensor leaves the file", start);
  layer.claims.claim(start, start + at, "tensors");
  if (start + at < layer.source.size) throw new Damaged(`${layer.source.size - start - at} bytes follow the tensors`, start + at);
}

function judgeMetadata(metadata: Json | undefined): void {
  if (metadata === undefined) return;
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) throw new Damaged("`__metadata__` must hold texts alone", 8);
}

function rangeOf(name: string, info: Json): Range {
  if (!isObject(info)) throw new Damaged(`tensor \`${name}\` is no object`, 8);
  const { shape, data_offsets: offsets } = info;
  const width = widthOf(name, info);
  const [start, end] = counts(offsets) ?? [];
  const sides = counts(shape);
  if (start === undefined || end === undefined || sides === undefined || start > end) throw new Damaged(`tensor \`${name}\` has no valid shape or offsets`, 8);
  const elements = sides.reduce((product, side) => product * side, 1);
  if (!Number.isSafeInteger(elements * width) || (elements * width) / 8 !== end - start) throw new Damaged(`the shape of tensor \`${name}\` does not fit its ${end - start} bytes`, 8);
  return { name, start, end };
}

function widthOf(name: string, info: JsonObject): number {
  const { dtype } = info;
  if (Object.keys(info).length !== 3 || typeof dtype !== "string") throw new Damaged(`tensor \`${name}\` needs dtype, shape and data_offsets, and nothing else`, 8);
  const width = Object.hasOwn(bits, dtype) ? bits[dtype] : undefined;
  if (width === undefined) throw new Damaged(`tensor \`${name}\` has the unknown type \`${dtype}\``, 8);
  return width;
}

function counts(value: Json | undefined): readonly number[] | undefined {
  if (!isList(value)) return undefined;
  const numbers = value.filter((item) => typeof item === "number").filter((item) => Number.isSafeInteger(item) && item >= 0);
  return numbers.length === value.length ? numbers : undefined;
}

