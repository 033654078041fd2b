import { crc32 } from "node:zlib";
import type { Layer } from "../layer.ts";
import { ByteReader, Damaged, type Source, sliceSource } from "../source.ts";
import { bunzip2 } from "./bzip2.ts";
import { decodeBounded } from "./decode.ts";
import { type Expanded, inflateRaw, unzstd } from "./expand.ts";
import { unlzmaEntry } from "./lzma.ts";
import { type ZipEntry, zip64Fields } from "./zip-directory.ts";

/** An entry with the bytes that it unpacks to. */
export interface ZipMember {
  readonly entry: ZipEntry;
  readonly source: Source;
}

const localHeader = 0x04034b50;
const descriptorMark = 0x08074b50;
type Open = (layer: Layer, packed: Source, size: number) => Promise<Expanded | undefined> | Expanded | undefined;

/** By the number of the method; APPNOTE 4.4.5. */
const methods: ReadonlyMap<number, Open> = new Map<number, Open>([
  [8, (layer, packed) => inflateRaw(layer, packed, 0)],
  [12, (layer, packed) => decodeBounded(layer, packed, bunzip2)],
  [14, (layer, packed, size) => decodeBounded(layer, packed, (reader, out) => unlzmaEntry(reader, out, size))],
  [93, (layer, packed) => unzstd(layer, packed, 0)],
]);
const names = new TextDecoder("utf-8");
const piece = 1 << 20;
const linkMode = 0o120000;

/** Compares the local header with the directory, claims both and the data, and unpacks. */
export async function openEntry(layer: Layer, entry: ZipEntry): Promise<ZipMember | undefined> {
  judgeName(layer, entry);
  const start = localData(layer, entry);
  const end = start + entry.compressed;
  if (end > layer.source.size) throw new Damaged(`entry \`${entry.name}\` leaves the file`, entry.at);
  layer.claims.claim(start, end, `entry ${entry.name}`);
  if ((entry.flags & 8) !== 0) claimDescriptor(layer, end);
  const source = await unpack(layer, entry, sliceSource(layer.source, start, end));
  if (source === undefined) return undefined;
  if (source.size !== entry.size) layer.report("zip.mismatch", `entry \`${entry.name}\` unpacks to ${source.size} bytes and declares ${entry.size}`, entry.at);
  if (crcOf(source) !== entry.crc) layer.report("zip.crc", `the checksum of entry \`${entry.name}\` is wrong: some readers refuse it and others do not`, entry.at);
  return { entry, source };
}

export function judgeName(layer: Layer, { name, mode, at }: Pick<ZipEntry, "name" | "mode" | "at">): void {
  if (leavesFolder(name)) layer.report("zip.path", `the name \`${name}\` leads out of the folder`, at);
  if ((mode & 0o170000) === linkMode) layer.report("zip.link", `entry \`${name}\` is a symbolic link`, at);
}

/** Absolute, of another drive, upwards, or with characters that end a name elsewhere. */
export function leavesFolder(name: string): boolean {
  const parts = name.replaceAll("\\", "/").split("/");
  return name === "" || parts.includes("..") || parts[0] === "" || /^[A-Za-z]:/u.test(name) || name.includes("\0") || name.includes("\\");
}

/** The offset of the data behind the local header, after every field that both headers have was compared. */
function localData(layer: Layer, entry: ZipEntry): number {
  const reader = new ByteReader(layer.source, entry.at);
  if (reader.left < 30 || reader.u32() !== localHeader) throw new Damaged(`entry \`${entry.name}\` has no local header`, entry.at);
  reader.skip(2);
  const [flags, method] = [reader.u16(), reader.u16()];
  reader.skip(4);
  const crc = reader.u32();
  const short = { compressed: reader.u32(), size: reader.u32(), offset: 0 };
  const [nameBytes, extraBytes] = [reader.u16(), reader.u16()];
  const name = names.decode(reader.take(nameBytes));
  const extra = reader.take(extraBytes);
  const local = zip64Fields(extra, short);
  const later = (entry.flags & 8) !== 0;
  const fields: readonly (readonly [string, boolean])[] = [
    ["name", name === entry.name],
    ["method", method === entry.method],
    ["flags", ((flags ^ entry.flags) & 0b1001) === 0],
    ["checksum", crc === entry.crc || (later && crc === 0)],
    ["packed size", local.compressed === entry.compressed || (later && isOpen(short.compressed))],
    ["size", local.size === entry.size || (later && isOpen(short.size))],
  ];
  const differs = fields.filter(([, same]) => !same).map(([what]) => what);
  if (differs.length > 0) layer.report("zip.mismatch", `entry \`${entry.name}\`: the two headers differ in ${differs.join(", ")}`, entry.at);
  layer.claims.claim(entry.at, reader.at, "local header");
  return reader.at;
}

/** A size that stands behind the data. */
function isOpen(size: number): boolean {
  return size === 0 || size === 0xffffffff;
}

function claimDescriptor(layer: Layer, at: number): void {
  const reader = new ByteReader(layer.source, at);
  if (reader.left < 12) return;
  const marked = reader.u32() === descriptorMark;
  const rest = (length: number): boolean => {
    const next = layer.source.read(at + length, 4);
    return next[0] === 0x50 && next[1] === 0x4b;
  };
  const length = marked ? (rest(16) || !rest(24) ? 16 : 24) : rest(12) || !rest(20) ? 12 : 20;
  layer.claims.claim(at, Math.min(at + length, layer.source.size), "data descriptor");
}

async function unpack(layer: Layer, entry: ZipEntry, packed: Source): Promise<Source | undefined> {
  const encrypted = (entry.flags & 1) !== 0;
  try {
    const source = await plainOf(layer, entry, packed);
    if (source === undefined || !encrypted) return source;
    if (entry.method === 0 && crcOf(source) !== entry.crc) {
      layer.report("zip.encrypted", `entry \`${entry.name}\` is encrypted`, entry.at);
      return source;
    }
    layer.report("zip.encrypted.flag", `entry \`${entry.name}\` says that it is encrypted and is not: scanners skip it and loaders do not`, entry.at);
    return source;
  } catch (fault) {
    if (!(fault instanceof Damaged)) throw fault;
    layer.report(encrypted ? "zip.encrypted" : "zip.malformed", encrypted ? `entry \`${entry.name}\` is encrypted` : `entry \`${entry.name}\`: ${fault.message}`, entry.at);
    return undefined;
  }
}

async function plainOf(layer: Layer, entry: ZipEntry, packed: Source): Promise<Source | undefined> {
  if (entry.method === 0) return packed;
  const open = methods.get(entry.method);
  if (open === undefined) {
    layer.report("zip.method", `entry \`${entry.name}\` is compressed with method ${entry.method}`, entry.at);
    return undefined;
  }
  const expanded = await open(layer, packed, entry.size);
  if (expanded !== undefined && expanded.consumed < packed.size) layer.report("zip.hidden", `${packed.size - expanded.consumed} bytes follow the compressed data of entry \`${entry.name}\``, entry.at);
  return expanded?.source;
}

function crcOf(source: Source): number {
  let value = 0;
  for (let at = 0; at < source.size; at += piece) value = crc32(source.read(at, piece), value);
  return value;
}
