import { ByteReader, Damaged, type Source, sliceSource } from "../source.ts";

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  /** Where the local header starts in the file, prefix counted. */
  readonly at: number;
  readonly mode: number;
  readonly extra: Uint8Array;
  readonly comment: Uint8Array;
}

export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** Bytes before the archive proper. */
  readonly prefix: number;
  readonly start: number;
  /** After the comment. */
  readonly end: number;
  readonly comment: Uint8Array;
  /** What two readers may see differently. */
  readonly doubts: readonly string[];
}

const endSignature = 0x06054b50;
const endBytes = 22;
const commentBytesMax = 65_535;
const names = new TextDecoder("utf-8");

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

/**
 * The central directory of an archive, found from its end as zip readers do; undefined where there is none. Source:
 * PKWARE APPNOTE 6.3.10, sections 4.3.12 to 4.3.16.
 */
export function zipDirectory(source: Source, entriesMax: number): ZipDirectory | undefined {
  const tailStart = Math.max(0, source.size - endBytes - commentBytesMax - 4);
  const tail = source.read(tailStart, source.size - tailStart);
  for (let at = tail.length - endBytes; at >= 0; at -= 1) {
    if (tail[at] !== 0x50 || u32(tail, at) !== endSignature) continue;
    const directory = directoryAt(source, tailStart + at, entriesMax);
    if (directory !== undefined) return directory;
  }
  return undefined;
}

interface End {
  readonly count: number;
  readonly bytes: number;
  readonly offset: number;
  /** Where the records of the end begin: the directory ends there. */
  readonly at: number;
}

function directoryAt(source: Source, endAt: number, entriesMax: number): ZipDirectory | undefined {
  const reader = new ByteReader(source, endAt + 4);
  const disks = reader.u32();
  const counts = [reader.u16(), reader.u16()];
  const short: End = { count: counts[1] ?? 0, bytes: reader.u32(), offset: reader.u32(), at: endAt };
  const length = reader.u16();
  const comment = Uint8Array.from(source.read(reader.at, length));
  const end = zip64End(source, short) ?? short;
  const start = end.at - end.bytes;
  const prefix = start - end.offset;
  if (start < 0 || prefix < 0 || end.count > entriesMax * 2) return undefined;
  const entries = centralEntries(sliceSource(source, start, end.at), { count: end.count, prefix, entriesMax });
  if (entries === undefined) return undefined;
  const doubts = [
    disks !== 0 || counts[0] !== counts[1] ? "it is one part of several" : "",
    comment.length < length ? "its comment leaves the file" : "",
    entries.rest ? "its directory has more bytes than entries" : "",
  ].filter((doubt) => doubt !== "");
  return { entries: entries.entries, prefix, start, end: reader.at + comment.length, comment, doubts };
}

function zip64End(source: Source, short: End): End | undefined {
  if (short.at < 20) return undefined;
  const locator = source.read(short.at - 20, 20);
  if (u32(locator, 0) !== 0x07064b50) return undefined;
  // The record stands right before its locator unless it carries extra data; the written offset ignores a prefix.
  const written = u32(locator, 8) + u32(locator, 12) * 4294967296;
  for (const at of [short.at - 20 - 56, written]) {
    if (at < 0 || at + 56 > short.at || u32(source.read(at, 4), 0) !== 0x06064b50) continue;
    const reader = new ByteReader(source, at + 32);
    return { count: reader.u64(), bytes: reader.u64(), offset: reader.u64(), at };
  }
  return undefined;
}

function centralEntries(source: Source, options: { readonly count: number; readonly prefix: number; readonly entriesMax: number }): { readonly entries: readonly ZipEntry[]; readonly rest: boolean } | undefined {
  const reader = new ByteReader(source);
  const entries: ZipEntry[] = [];
  if (options.count > 0 && source.size < 46) return undefined;
  try {
    while (reader.left >= 46 && entries.length <= options.entriesMax) {
      if (reader.u32() !== 0x02014b50) return undefined;
      entries.push(centralEntry(reader, options.prefix));
    }
  } catch (fault) {
    if (fault instanceof Damaged) return undefined;
    throw fault;
  }
  return { entries, rest: reader.left > 0 || (entries.length !== options.count && entries.length % 65_536 !== options.count) };
}

function centralEntry(reader: ByteReader, prefix: number): ZipEntry {
  reader.skip(4);
  const flags = reader.u16();
  const method = reader.u16();
  reader.skip(4);
  const crc = reader.u32();
  const compressed = reader.u32();
  const size = reader.u32();
  const [nameBytes, extraBytes, noteBytes] = [reader.u16(), reader.u16(), reader.u16()];
  reader.skip(4);
  const mode = reader.u32() >>> 16;
  const offset = reader.u32();
  const name = names.decode(reader.take(nameBytes));
  const extra = Uint8Array.from(reader.take(extraBytes));
  const comment = Uint8Array.from(reader.take(noteBytes));
  const long = zip64Fields(extra, { size, compressed, offset });
  return { name, method, flags, crc, compressed: long.compressed, size: long.size, at: long.offset + prefix, mode, extra, comment };
}

/** Fields that read 0xffffffff stand in the extra field 1, in a fixed order. */
export function zip64Fields(extra: Uint8Array, short: { readonly size: number; readonly compressed: number; readonly offset: number }): { readonly size: number; readonly compressed: number; readonly offset: number } {
  const field = [...extraFields(extra)].find(({ id }) => id === 1);
  if (field === undefined) return short;
  let at = 0;
  const next = (value: number): number => {
    if (value !== 0xffffffff || at + 8 > field.bytes.length) return value;
    at += 8;
    return u32(field.bytes, at - 8) + u32(field.bytes, at - 4) * 4294967296;
  };
  return { size: next(short.size), compressed: next(short.compressed), offset: next(short.offset) };
}

export function* extraFields(extra: Uint8Array): Generator<{ readonly id: number; readonly bytes: Uint8Array }> {
  for (let at = 0; at + 4 <= extra.length; ) {
    const id = (extra[at] ?? 0) + (extra[at + 1] ?? 0) * 256;
    const length = (extra[at + 2] ?? 0) + (extra[at + 3] ?? 0) * 256;
    yield { id, bytes: extra.subarray(at + 4, at + 4 + length) };
    at += 4 + length;
  }
}
