import { LicetError } from "../base/errors.ts";
import { type TileNodesReader, type TileReader, wholeTiles } from "./tile-cache.ts";
import { emptyRoot, nodeHash, tileWidth } from "./tree.ts";

export type { TileReader } from "./tile-cache.ts";

/** Root of the entries `start` to `end`, as RFC 6962 splits them. `start` is a multiple of the subtree's size. */
async function rangeRoot(read: TileNodesReader, start: number, end: number): Promise<Buffer> {
  const count = end - start;
  const level = Math.floor(Math.log2(count) / 8);
  const span = tileWidth ** level;
  const first = start / span;
  const whole = Math.floor(count / span);
  const from = first % tileWidth;
  const tile = await read(level, Math.floor(first / tileWidth), from + whole);
  const rest = start + whole * span;
  let root = rest < end ? await rangeRoot(read, rest, end) : undefined;
  // From the right: an odd last node moves up unchanged.
  for (let left = whole; left > 0; left &= left - 1) {
    const width = left & -left;
    const node = tile.root(from + left - width, width);
    root = root ? nodeHash(node, root) : node;
  }
  return root ?? emptyRoot;
}

export async function rootAt(read: TileReader, size: number): Promise<Buffer> {
  return size === 0 ? emptyRoot : rangeRoot(wholeTiles(read, size), 0, size);
}

/** The largest power of two smaller than `count`; not by bits, which would end at 2^31. */
function split(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** RFC 6962 section 2.1.1, sibling hashes from the leaf upwards. */
export async function inclusionProof(read: TileReader, index: number, size: number): Promise<readonly Buffer[]> {
  if (!(index >= 0 && index < size)) throw outside(`entry ${index} is not in a tree of ${size}`);
  const tiles = wholeTiles(read, size);
  const proof: Buffer[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + split(end - start);
    if (index < middle) {
      proof.push(await rangeRoot(tiles, middle, end));
      end = middle;
    } else {
      proof.push(await rangeRoot(tiles, start, middle));
      start = middle;
    }
  }
  return proof.reverse();
}

/** RFC 6962 section 2.1.2; empty for equal sizes and from the empty tree. */
export async function consistencyProof(read: TileReader, oldSize: number, newSize: number): Promise<readonly Buffer[]> {
  if (!(oldSize >= 0 && oldSize <= newSize)) throw outside(`a tree of ${newSize} does not continue one of ${oldSize}`);
  if (oldSize === newSize || oldSize === 0) return [];
  const tiles = wholeTiles(read, newSize);
  const proof: Buffer[] = [];
  let [start, end] = [0, newSize];
  while (end !== oldSize) {
    const middle = start + split(end - start);
    if (oldSize <= middle) {
      proof.push(await rangeRoot(tiles, middle, end));
      end = middle;
    } else {
      proof.push(await rangeRoot(tiles, start, middle));
      start = middle;
    }
  }
  if (start > 0) proof.push(await rangeRoot(tiles, start, end));
  return proof.reverse();
}

function outside(message: string): LicetError {
  return new LicetError("not_found", { message });
}

