import { crc32, deflateRawSync } from "node:zlib";
import { bytes, u16, u32, u64 } from "./bytes-fixture.ts";

export interface ZipSample {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflate?: boolean;
  /** What differs from an ordinary entry. */
  readonly localName?: string;
  readonly flags?: number;
  readonly crc?: number;
  readonly method?: number;
  readonly size?: number;
  readonly mode?: number;
  readonly extra?: Uint8Array;
  /** Left out of the directory. */
  readonly hidden?: boolean;
  /** Bytes behind this entry. */
  readonly after?: Uint8Array;
  /** Bytes behind the compressed data, inside of the packed size. */
  readonly tail?: Uint8Array;
  readonly zip64?: boolean;
}

export interface ZipExtras {
  readonly prefix?: Uint8Array;
  readonly comment?: Uint8Array;
  readonly beforeDirectory?: Uint8Array;
}

const nothing = new Uint8Array(0);

export function zip(entries: readonly ZipSample[], { prefix = nothing, beforeDirectory = nothing, comment = nothing }: ZipExtras = {}): Uint8Array {
  const pieces: Uint8Array[] = [prefix];
  const central: Uint8Array[] = [];
  let at = prefix.length;
  for (const entry of entries) {
    const local = bytes(localPart(entry), entry.after ?? nothing);
    if (entry.hidden !== true) central.push(centralPart(entry, at));
    pieces.push(local);
    at += local.length;
  }
  pieces.push(beforeDirectory);
  at += beforeDirectory.length;
  const directory = bytes(...central);
  const count = central.length;
  return bytes(...pieces, directory, "PK\u0005\u0006", u32(0), u16(count), u16(count), u32(directory.length), u32(at), u16(comment.length), comment);
}

function packed(entry: ZipSample): Uint8Array {
  return bytes(entry.deflate === true ? deflateRawSync(entry.data) : entry.data, entry.tail ?? new Uint8Array(0));
}

function fields(entry: ZipSample): Uint8Array {
  const method = entry.method ?? (entry.deflate === true ? 8 : 0);
  const sizes = entry.zip64 === true ? [u32(0xffffffff), u32(0xffffffff)] : [u32(packed(entry).length), u32(entry.size ?? entry.data.length)];
  return bytes(u16(entry.flags ?? 0), u16(method), u32(0), u32(entry.crc ?? crc32(entry.data)), ...sizes);
}

function extraOf(entry: ZipSample): Uint8Array {
  const long = entry.zip64 === true ? bytes(u16(1), u16(16), u64(entry.size ?? entry.data.length), u64(packed(entry).length)) : new Uint8Array(0);
  return bytes(long, entry.extra ?? new Uint8Array(0));
}

function localPart(entry: ZipSample): Uint8Array {
  const name = Buffer.from(entry.localName ?? entry.name);
  const extra = extraOf(entry);
  return bytes("PK\u0003\u0004", u16(20), fields(entry), u16(name.length), u16(extra.length), name, extra, packed(entry));
}

function centralPart(entry: ZipSample, at: number): Uint8Array {
  const name = Buffer.from(entry.name);
  const extra = extraOf(entry);
  return bytes("PK\u0001\u0002", u16(20), u16(20), fields(entry), u16(name.length), u16(extra.length), u16(0), u16(0), u16(0), u32((entry.mode ?? 0) * 65_536), u32(at), name, extra);
}
