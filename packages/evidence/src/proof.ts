import { nodeHash } from "./merkle.ts";
import { parseTile, tilePath, tileWidth, tileWidthAt, type Tile } from "./tiles.ts";

/** A complete subtree: the 2^`height` leaves from `index` × 2^`height` on. Height 0 is a leaf hash. */
export interface TreeNode {
  readonly height: number;
  readonly index: number;
}

/** Reads the hash of a complete subtree. */
export type ReadNode = (node: TreeNode) => Promise<Uint8Array>;

/** Leaves from `start` to `end`, exclusive. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** The ranges whose hashes prove entry `index` in a tree of `size`, leaf upwards (RFC 6962 section 2.1.1). */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new RangeError(`no entry ${index} in a tree of ${size}`);
  }
  const ranges: LeafRange[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    const [goesLeft, left, right] = [index < middle, { start, end: middle }, { start: middle, end }];
    ranges.push(goesLeft ? right : left);
    [start, end] = goesLeft ? [start, middle] : [middle, end];
  }
  return ranges.toReversed();
}

/** The ranges whose hashes prove that a tree of `newSize` begins with one of `oldSize` (RFC 6962 section 2.1.2). */
export function consistencyRanges(oldSize: number, newSize: number): readonly LeafRange[] {
  if (!Number.isSafeInteger(oldSize) || !Number.isSafeInteger(newSize) || oldSize < 0 || oldSize > newSize) {
    throw new RangeError(`a tree of ${newSize} cannot begin with one of ${oldSize}`);
  }
  if (oldSize === 0 || oldSize === newSize) return [];
  const ranges: LeafRange[] = [];
  let [start, end] = [0, newSize];
  while (oldSize < end) {
    const middle = start + splitPoint(end - start);
    const goesLeft = oldSize <= middle;
    ranges.push(goesLeft ? { start: middle, end } : { start, end: middle });
    [start, end] = goesLeft ? [start, middle] : [middle, end];
  }
  // The verifier knows the old root already when the old tree is one complete subtree.
  if (start > 0) ranges.push({ start, end });
  return ranges.toReversed();
}

/** The largest power of two below a count over 1. */
function splitPoint(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** Complete subtrees, largest first, that make up a range whose start is aligned as RFC 6962's splits are. */
export function rangeNodes(range: LeafRange): readonly TreeNode[] {
  const nodes: TreeNode[] = [];
  let start = range.start;
  while (start < range.end) {
    let height = 0;
    while (start % 2 ** (height + 1) === 0 && start + 2 ** (height + 1) <= range.end) height += 1;
    nodes.push({ height, index: start / 2 ** height });
    start += 2 ** height;
  }
  return nodes;
}

/** Hash of a range of a tree. */
export async function rangeHash(range: LeafRange, read: ReadNode): Promise<Uint8Array> {
  const hashes = await Promise.all(rangeNodes(range).map(read));
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** Audit path of an entry, for `verifyInclusion`. Throws a RangeError unless `index` < `size`. */
export async function inclusionProof(at: { readonly index: number; readonly size: number; readonly read: ReadNode }): Promise<readonly Uint8Array[]> {
  return Promise.all(inclusionRanges(at.index, at.size).map((range) => rangeHash(range, at.read)));
}

/** Proof for `verifyConsistency`. Throws a RangeError unless `oldSize` ≤ `newSize`. */
export async function consistencyProof(of: { readonly oldSize: number; readonly newSize: number; readonly read: ReadNode }): Promise<readonly Uint8Array[]> {
  return Promise.all(consistencyRanges(of.oldSize, of.newSize).map((range) => rangeHash(range, of.read)));
}

/**
 * Reads nodes out of the tiles of a tree of `size` entries (C2SP tlog-tiles).
 * `readTile` answers a tile's bytes; it may answer the full tile where a partial one is asked for.
 * Throws a RangeError for nodes outside the tree and for tiles of a wrong length.
 */
export function tileReader(size: number, readTile: (tile: Tile, path: string) => Promise<Uint8Array>): ReadNode {
  const tiles = new Map<string, Promise<readonly Uint8Array[]>>();
  const hashesOf = (level: number, index: number): Promise<readonly Uint8Array[]> => {
    const tile = { level, index, width: tileWidthAt({ level, index, size }) };
    const path = tilePath(tile);
    const known = tiles.get(path) ?? readTile(tile, path).then((bytes) => splitTile(bytes, tile.width));
    tiles.set(path, known);
    return known;
  };
  return async ({ height, index }) => {
    if ((index + 1) * 2 ** height > size) throw new RangeError("the node is not a complete subtree of this tree");
    const span = 2 ** (height % 8);
    const first = index * span;
    const hashes = await hashesOf(Math.floor(height / 8), Math.floor(first / tileWidth));
    return fold(hashes.slice(first % tileWidth, (first % tileWidth) + span));
  };
}

function splitTile(bytes: Uint8Array, width: number): readonly Uint8Array[] {
  const full = parseTile(bytes, tileWidth);
  const hashes = full.ok ? full : parseTile(bytes, width);
  if (!hashes.ok) throw new RangeError(hashes.message);
  return hashes.value;
}

function fold(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes;
  if (only !== undefined && hashes.length === 1) return only;
  const middle = hashes.length / 2;
  return nodeHash(fold(hashes.slice(0, middle)), fold(hashes.slice(middle)));
}
