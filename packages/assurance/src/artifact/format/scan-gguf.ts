import type { Layer } from "../layer.ts";
import { ByteReader, Damaged } from "../source.ts";
import { isZero } from "../container/scan-zip.ts";
import { judgeTemplate } from "../text/judge-template.ts";

const keyBytesMax = 65_535;
const nameBytesMax = 127;
const typeNumberMax = 39;
const templateBytesMax = 16 << 20;
const dimensionsMax = 4;
const entriesMax = 300_000;
const arrayDepthMax = 8;
const scalarBytes: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const textType = 8;
const arrayType = 9;
const boolType = 7;
/** Elements and bytes of one block by the number of the tensor type. Source: ggml, `ggml_type` and its type traits. */
const blocks: Readonly<Record<number, readonly [number, number]>> = {
  0: [1, 4], 1: [1, 2], 2: [32, 18], 3: [32, 20], 6: [32, 22], 7: [32, 24], 8: [32, 34], 9: [32, 36], 10: [256, 84], 11: [256, 110], 12: [256, 144], 13: [256, 176], 14: [256, 210], 15: [256, 292],
  16: [256, 66], 17: [256, 74], 18: [256, 98], 19: [256, 50], 20: [32, 18], 21: [256, 110], 22: [256, 82], 23: [256, 136], 24: [1, 1], 25: [1, 2], 26: [1, 4], 27: [1, 8], 28: [1, 8], 29: [256, 56], 30: [1, 2], 34: [256, 54], 35: [256, 66], 39: [32, 17],
};

/** A type of tensor that was added after this table was written. */
class Unknown extends Error {}

interface Tensor {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

class GgufReader {
  readonly layer: Layer;
  readonly bytes: ByteReader;
  readonly wide: boolean;
  alignment = 32;

  constructor(layer: Layer, version: number) {
    this.layer = layer;
    this.bytes = new ByteReader(layer.source, 8);
    this.wide = version > 1;
  }

  count(): number {
    const count = this.wide ? this.bytes.u64() : this.bytes.u32();
    if (!(count <= this.bytes.size)) throw new Damaged(`a count of ${count} is more than the file can hold`, this.bytes.at);
    return count;
  }

  text(bytesMax: number): string {
    const length = this.count();
    if (length > bytesMax) throw new Damaged(`a text of ${length} bytes is longer than allowed`, this.bytes.at);
    return Buffer.from(this.bytes.take(length)).toString("utf8");
  }

  /** Skips one value; returns it when it is a text of at most a template's length. */
  value(type: number, depth = 0): string | number | undefined {
    if (!this.layer.step()) throw new Damaged("the file has more values than a scan may follow", this.bytes.at);
    if (type === textType) return this.#textValue();
    if (type === arrayType) return this.#array(depth);
    const width = scalarBytes[type];
    if (width === undefined || width === 0) throw new Damaged(`the value type ${type} does not exist`, this.bytes.at);
    if (type === boolType) return this.#bool();
    if (type === 4) return this.bytes.u32();
    this.bytes.skip(width);
    return undefined;
  }

  #bool(): undefined {
    if (this.bytes.byte() > 1) throw new Damaged("a truth value is neither 0 nor 1", this.bytes.at - 1);
    return undefined;
  }

  #textValue(): string | undefined {
    const length = this.count();
    if (length <= templateBytesMax) return Buffer.from(this.bytes.take(length)).toString("utf8");
    throw new Damaged(`a text of ${length} bytes is longer than allowed`, this.bytes.at);
  }

  #array(depth: number): undefined {
    if (depth >= arrayDepthMax) throw new Damaged("lists are nested too deep", this.bytes.at);
    const type = this.bytes.u32();
    const count = this.count();
    const width = scalarBytes[type] ?? 0;
    if (width > 0) this.bytes.skip(count * width);
    else for (let index = 0; index < count; index += 1) this.value(type, depth + 1);
    return undefined;
  }
}

/** Source: ggml `docs/gguf.md`, and the checks of `gguf_init_from_file` (CVE-2024-23496 and its kin are counts that overflow). */
export function scanGguf(layer: Layer): void {
  layer.format = "gguf";
  const version = new ByteReader(layer.source, 4).u32();
  if (version > 0xffff || version < 1 || version > 3) {
    layer.report("gguf.unsupported", version > 0xffff ? "the file is written big endian" : `version ${version} is unknown`, 4);
    layer.claimAll("gguf");
    return;
  }
  const reader = new GgufReader(layer, version);
  const tensorCount = reader.count();
  const pairs = reader.count();
  if (tensorCount > entriesMax || pairs > entriesMax) throw new Damaged(`${Math.max(tensorCount, pairs)} entries are more than any real file has`, 8);
  readPairs(reader, pairs);
  try {
    const tensors = readTensors(reader, tensorCount);
    const end = reader.bytes.at;
    layer.claims.claim(0, end, "gguf header");
    placeTensors(layer, tensors, Math.ceil(end / reader.alignment) * reader.alignment);
  } catch (fault) {
    if (!(fault instanceof Unknown)) throw fault;
    layer.report("gguf.unsupported", fault.message, reader.bytes.at);
    layer.claimAll("gguf");
  }
}

function readPairs(reader: GgufReader, count: number): void {
  const keys = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    const at = reader.bytes.at;
    const key = reader.text(keyBytesMax);
    if (keys.has(key)) throw new Damaged(`the key \`${key}\` stands twice`, at);
    keys.add(key);
    const type = reader.bytes.u32();
    const value = reader.value(type);
    if (key === "general.alignment") setAlignment(reader, typeof value === "number" ? value : 0);
    if (typeof value === "string" && /chat_template/u.test(key)) judgeTemplate(reader.layer, value, key);
  }
}

function setAlignment(reader: GgufReader, alignment: number): void {
  if (alignment < 1 || alignment > 1 << 20 || (alignment & (alignment - 1)) !== 0) throw new Damaged(`an alignment of ${alignment} is no power of two`, reader.bytes.at);
  reader.alignment = alignment;
}

function readTensors(reader: GgufReader, count: number): readonly Tensor[] {
  const tensors = new Map<string, Tensor>();
  for (let index = 0; index < count; index += 1) {
    const at = reader.bytes.at;
    const name = reader.text(nameBytesMax);
    const dimensions = reader.bytes.u32();
    if (dimensions > dimensionsMax) throw new Damaged(`tensor \`${name}\` has ${dimensions} dimensions`, at);
    const sides = Array.from({ length: dimensions }, () => (reader.wide ? reader.bytes.u64() : reader.bytes.u32()));
    const type = reader.bytes.u32();
    const offset = reader.bytes.u64();
    const block = blocks[type];
    if (block === undefined && type > typeNumberMax) throw new Unknown(`tensor \`${name}\` has the type ${type}, which is newer than this scanner`);
    if (block === undefined) throw new Damaged(`tensor \`${name}\` has the unknown type ${type}`, at);
    const elements = sides.reduce((product, side) => product * side, 1);
    if (!Number.isSafeInteger(elements) || (sides[0] ?? 1) % block[0] !== 0) throw new Damaged(`the shape of tensor \`${name}\` overflows or does not fit its type`, at);
    if (tensors.has(name)) throw new Damaged(`the tensor \`${name}\` stands twice`, at);
    tensors.set(name, { name, offset, bytes: (elements / block[0]) * block[1] });
  }
  return [...tensors.values()];
}

function placeTensors(layer: Layer, tensors: readonly Tensor[], start: number): void {
  const { size } = layer.source;
  for (const { name, offset, bytes } of tensors) {
    const at = start + offset;
    if (!(at + bytes <= size)) throw new Damaged(`tensor \`${name}\` leaves the file`, Math.min(at, size));
    layer.claims.claim(at, at + bytes, "tensor");
  }
  const overlap = layer.claims.overlap();
  if (overlap !== undefined) throw new Damaged("two tensors share bytes", overlap.second.start);
  for (const gap of layer.claims.gaps(size)) {
    if (!isZero(layer.source, gap.start, gap.end)) throw new Damaged(`${gap.end - gap.start} bytes belong to no tensor`, gap.start);
    layer.claims.claim(gap.start, gap.end, "padding");
  }
}
