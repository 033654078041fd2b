import { hasPickleInside } from "../inner-format.ts";
import type { Layer } from "../layer.ts";
import { ByteReader, Damaged } from "../source.ts";
import { isZero } from "./scan-zip.ts";
import { type Decode, decodeBounded } from "./decode.ts";
import { type Expanded, inflateRaw, unzstd } from "./expand.ts";

const nameBytesMax = 65_536;
const membersMax = 10_000;

/** RFC 1952: one or more members, each read to its own end. */
export async function scanGzip(layer: Layer): Promise<void> {
  layer.format = "gzip";
  let at = 0;
  for (let member = 0; at < layer.source.size && member < membersMax; member += 1) {
    if (isZero(layer.source, at, layer.source.size)) {
      layer.claims.claim(at, layer.source.size, "padding");
      return;
    }
    const start = gzipHeader(layer, at);
    if (start === undefined) {
      layer.report("compressed.trailing", `${layer.source.size - at} bytes follow the compressed data`, at);
      layer.claims.claim(at, layer.source.size, "trailing data");
      return;
    }
    const expanded = await inflateRaw(layer, layer.source, start);
    if (expanded === undefined) return;
    const end = start + expanded.consumed + 8;
    if (end > layer.source.size) throw new Damaged("the checksum is missing", at);
    layer.claims.claim(at, end, "gzip");
    await inside(layer, expanded, member);
    at = end;
  }
}

function gzipHeader(layer: Layer, at: number): number | undefined {
  const reader = new ByteReader(layer.source, at);
  if (reader.left < 18 || reader.u16() !== 0x8b1f || reader.byte() !== 8) return undefined;
  const flags = reader.byte();
  reader.skip(6);
  if ((flags & 4) !== 0) reader.skip(reader.u16());
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const start = reader.at;
    while (reader.byte() !== 0) if (reader.at - start > nameBytesMax) throw new Damaged("a name is longer than any real one", start);
  }
  if ((flags & 2) !== 0) reader.skip(2);
  return reader.at;
}

/** RFC 1950, as joblib writes it by default; `skip` is the length of an older prefix of joblib. */
export async function scanZlib(layer: Layer, skip = 0): Promise<void> {
  layer.format = "zlib";
  const start = skip + 2;
  const expanded = await inflateRaw(layer, layer.source, start);
  if (expanded === undefined) return;
  const end = start + expanded.consumed + 4;
  if (end > layer.source.size) throw new Damaged("the checksum is missing", start);
  layer.claims.claim(0, end, "zlib");
  if (end < layer.source.size) {
    layer.report("compressed.trailing", `${layer.source.size - end} bytes follow the compressed data`, end);
    layer.claims.claim(end, layer.source.size, "trailing data");
  }
  await inside(layer, expanded, 0);
}

export async function scanZstd(layer: Layer): Promise<void> {
  layer.format = "zstd";
  const expanded = await unzstd(layer, layer.source, 0);
  if (expanded === undefined) return;
  if (expanded.consumed < layer.source.size) layer.report("compressed.trailing", `${layer.source.size - expanded.consumed} bytes follow the compressed data`, expanded.consumed);
  layer.claimAll("zstd");
  await inside(layer, expanded, 0);
}

async function inside(layer: Layer, { source }: Expanded, member: number): Promise<void> {
  const inner = await layer.child(member === 0 ? "content" : `content ${member + 1}`, source);
  if (inner !== undefined && hasPickleInside(inner.format)) layer.format = "joblib";
}

/** Formats whose decoder is our own. */
export async function scanDecoded(layer: Layer, format: string, decode: Decode): Promise<void> {
  layer.format = format;
  const expanded = decodeBounded(layer, layer.source, decode);
  if (expanded === undefined) return;
  const end = expanded.consumed;
  if (end < layer.source.size && !isZero(layer.source, end, layer.source.size)) layer.report("compressed.trailing", `${layer.source.size - end} bytes follow the compressed data`, end);
  layer.claimAll(format);
  await inside(layer, expanded, 0);
}

/** Compressed in a way that this scanner does not undo: what is inside stays unknown. */
export function refuseCompressed(layer: Layer, format: string): void {
  layer.format = format;
  layer.report("compressed.unsupported", `what is compressed with ${format} cannot be read here`);
  layer.claimAll(format);
}
