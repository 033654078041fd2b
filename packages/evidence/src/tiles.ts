import { concat, type Bytes } from "./bytes.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";

/** Hashes in a full tile, entries in a full bundle (C2SP tlog-tiles). */
export const tileWidth = 256;
export const hashBytes = 32;
/** Longest entry that a bundle's 16-bit length prefix can carry. */
export const entryBytesMax = 65_535;

export interface Tile {
  /** 0 holds leaf hashes; `entries` holds the entries themselves. */
  readonly level: number | "entries";
  /** Position within its level, from 0. */
  readonly index: number;
  /** Hashes or entries in it: 1 to 256; under 256 it is partial. */
  readonly width: number;
}

/** Path of a tile below the log's prefix, such as `tile/0/x001/234.p/17` (C2SP tlog-tiles). */
export function tilePath(tile: Tile): string {
  const partial = tile.width < tileWidth ? `.p/${tile.width}` : "";
  return `tile/${tile.level}/${indexPath(tile.index)}${partial}`;
}

/** Path of an entry bundle below the log's prefix. */
export function entriesPath(index: number, width: number = tileWidth): string {
  return tilePath({ level: "entries", index, width });
}

function indexPath(index: number): string {
  let path = String(index % 1000).padStart(3, "0");
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, "0")}/${path}`;
  }
  return path;
}

const tilePattern = /^tile\/(entries|0|[1-9]|[1-5]\d|6[0-3])\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** The inverse of `tilePath`: takes exactly the paths that it writes. */
export function parseTilePath(path: string): Parsed<Tile> {
  const match = tilePattern.exec(path);
  const [, level = "", place = "", partial] = match ?? [];
  const index = Number(place.replaceAll(/[x/]/g, ""));
  const tile: Tile = {
    level: level === "entries" ? level : Number(level),
    index,
    width: partial === undefined ? tileWidth : Number(partial),
  };
  const known = match !== null && Number.isSafeInteger(index) && tilePath(tile) === path;
  return known ? parsed(tile) : refused("tile_path_invalid", "the path is not that of a tile");
}

/** Width of a tile in a tree of `size` entries; 0 if the tree does not reach it. Level `entries` counts as 0. */
export function tileWidthAt(place: { readonly level: number | "entries"; readonly index: number; readonly size: number }): number {
  const level = place.level === "entries" ? 0 : place.level;
  const hashes = Math.floor(place.size / tileWidth ** level);
  return Math.max(0, Math.min(tileWidth, hashes - place.index * tileWidth));
}

/** Every hash tile that holds a hash of entries `from` to `size` (exclusive): what growing a tree must write. */
export function tilesTouched(from: number, size: number): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; Math.floor(size / tileWidth ** level) > 0; level += 1) {
    const [start, end] = [Math.floor(from / tileWidth ** level), Math.floor(size / tileWidth ** level)];
    if (start === end) break;
    for (let index = Math.floor(start / tileWidth); index * tileWidth < end; index += 1) {
      tiles.push({ level, index, width: tileWidthAt({ level, index, size }) });
    }
  }
  return tiles;
}

/** Splits a tile's bytes into its hashes. */
export function parseTile(bytes: Uint8Array, width: number): Parsed<readonly Uint8Array[]> {
  if (bytes.length !== width * hashBytes) return refused("tile_length", `the tile should have ${width * hashBytes} bytes and has ${bytes.length}`);
  return parsed(Array.from({ length: width }, (_, at) => bytes.subarray(at * hashBytes, (at + 1) * hashBytes)));
}

/** Entries as a bundle: each with its length before it as a big-endian 16-bit number. Throws a RangeError over 65,535 bytes. */
export function formatEntryBundle(entries: readonly Uint8Array[]): Bytes {
  return concat(
    ...entries.flatMap((entry) => {
      if (entry.length > entryBytesMax) throw new RangeError(`an entry of ${entry.length} bytes does not fit a bundle`);
      return [Uint8Array.of(entry.length >>> 8, entry.length & 0xff), entry];
    }),
  );
}

/** Splits a bundle into exactly `width` entries; anything left over or cut short is refused. */
export function parseEntryBundle(bytes: Uint8Array, width: number): Parsed<readonly Uint8Array[]> {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (entries.length < width) {
    const [high, low] = [bytes[at], bytes[at + 1]];
    if (high === undefined || low === undefined) return refused("bundle_truncated", "the entry bundle ends early");
    const end = at + 2 + high * 256 + low;
    if (end > bytes.length) return refused("bundle_truncated", "the entry bundle ends within an entry");
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return at === bytes.length ? parsed(entries) : refused("bundle_trailing", "the entry bundle has bytes after its last entry");
}
