import { emptyRoot } from "../merkle.ts";
import { sha256, sha256Into } from "../sha256.ts";
import { hashBytes, tileWidth } from "../tiles.ts";

/** A tile of a level above the leaves that the hashes below it give. */
export interface GivenTile {
  readonly level: number;
  readonly index: number;
  /** 1 to 256 hashes. */
  readonly hashes: Uint8Array;
}

interface Level {
  tile: number;
  width: number;
  readonly row: Uint8Array;
}

const rowBytes = tileWidth * hashBytes;

/** The right edge of a tree that is computed again, tile by tile: its memory does not grow with the log. */
export class TreeEdge {
  /** Level 1 first. */
  readonly #levels: Level[] = [];
  #full: GivenTile[] = [];

  /** Takes the root of the next 256^`level` entries; all before them must have come. */
  push(level: number, hash: Uint8Array): void {
    const at = this.#level(level);
    at.row.set(hash, at.width * hashBytes);
    at.width += 1;
    if (at.width < tileWidth) return;
    const hashes = at.row.slice();
    this.#full.push({ level, index: at.tile, hashes });
    at.tile += 1;
    at.width = 0;
    this.push(level + 1, perfectRoot(hashes));
  }

  /** Where the entries begin somewhere: what lies before counts as having come, `tiles` full ones at this level. */
  #level(level: number): Level {
    while (this.#levels.length < level) this.#levels.push({ tile: 0, width: 0, row: new Uint8Array(rowBytes) });
    const at = this.#levels[level - 1];
    if (at === undefined) throw new RangeError("levels begin with 1");
    return at;
  }

  /** Passes over whole tiles below `level`, whose common root is pushed there. */
  skip(level: number, tiles: number): void {
    for (let below = 1; below < level; below += 1) this.#level(below).tile += tiles / tileWidth ** below;
  }

  /** Full tiles since the last call. */
  takeFull(): readonly GivenTile[] {
    const full = this.#full;
    this.#full = [];
    return full;
  }

  /** The unfinished tiles, lowest level first. */
  unfinished(): readonly GivenTile[] {
    return this.#levels.flatMap(({ tile, width, row }, at) => (width === 0 ? [] : [{ level: at + 1, index: tile, hashes: row.slice(0, width * hashBytes) }]));
  }

  /** Root of everything pushed, followed by the leaf hashes of an unfinished tile. */
  root(leafHashes: Uint8Array): Uint8Array {
    let root = foldRow(leafHashes, undefined);
    for (const { row, width } of this.#levels) root = foldRow(row.subarray(0, width * hashBytes), root);
    return root ?? emptyRoot();
  }
}

const pair = new Uint8Array(1 + 2 * hashBytes).fill(1);

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 1);
  pair.set(right, 1 + hashBytes);
  return sha256(pair);
}

/** Root over a power of two of consecutive hashes. */
export function perfectRoot(hashes: Uint8Array): Uint8Array {
  const level = hashes.slice();
  for (let count = hashes.length / hashBytes / 2; count >= 1; count /= 2) {
    for (let at = 0; at < count; at += 1) {
      const from = at * 2 * hashBytes;
      // Byte by byte: a view of the two hashes costs more than copying them.
      for (let byte = 0; byte < 2 * hashBytes; byte += 1) pair[byte + 1] = level[from + byte] ?? 0;
      sha256Into(pair, level, at * hashBytes);
    }
  }
  return level.subarray(0, hashBytes);
}

/** Root of at most 256 hashes with what stands right of them: an odd last one moves up unchanged (RFC 6962). */
function foldRow(row: Uint8Array, right: Uint8Array | undefined): Uint8Array | undefined {
  let folded = right;
  for (let rest = row.length / hashBytes; rest > 0; rest &= rest - 1) {
    const width = rest & -rest;
    const left = perfectRoot(row.subarray((rest - width) * hashBytes, rest * hashBytes));
    folded = folded === undefined ? left : nodeHash(left, folded);
  }
  return folded;
}
