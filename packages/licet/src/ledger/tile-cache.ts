import { hashBytes, parentRow, tileWidth } from "./tree.ts";

/** The first `width` hashes of a tile of the tree. */
export type TileReader = (level: number, index: number, width: number) => Promise<Uint8Array>;

/** With their nodes 4 MB: in a log of ten million entries everything above the lowest level, where proofs meet. */
const tilesMax = 256;

/** A reader that remembers tiles, least recently used first: so many hashes of a tile are always the same. */
export function cachedTiles(read: TileReader): TileReader {
  const known = new Map<string, Uint8Array>();
  return async (level, index, width) => {
    const name = `${level}/${index}/${width}`;
    const tile = known.get(name) ?? (await read(level, index, width));
    known.delete(name);
    known.set(name, tile);
    const [oldest] = known.keys();
    if (known.size > tilesMax && oldest !== undefined) known.delete(oldest);
    return tile;
  };
}

/** All nodes of a tile, each row of them made when it is first asked for. */
export class TileNodes {
  readonly #rows: Buffer[];

  constructor(hashes: Uint8Array) {
    this.#rows = [Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length)];
  }

  /** Over `width` hashes, a power of two, from a multiple of it on. */
  root(from: number, width: number): Buffer {
    const height = Math.log2(width);
    for (let top = this.#rows.at(-1); top && this.#rows.length <= height; top = this.#rows.at(-1)) this.#rows.push(parentRow(top));
    const at = (from / width) * hashBytes;
    return this.#rows[height]?.subarray(at, at + hashBytes) ?? Buffer.alloc(0);
  }
}

/** By the tile as a cache gives it out, so that its nodes are kept as long as it is. */
const nodesKnown = new WeakMap<Uint8Array, TileNodes>();

function nodesOf(tile: Uint8Array): TileNodes {
  const known = nodesKnown.get(tile) ?? new TileNodes(tile);
  nodesKnown.set(tile, known);
  return known;
}

export type TileNodesReader = (level: number, index: number, width: number) => Promise<TileNodes>;

/** For one proof over a tree of this size: asks for each tile once, at its whole width in that tree. */
export function wholeTiles(read: TileReader, size: number): TileNodesReader {
  const known = new Map<string, Promise<TileNodes>>();
  return (level, index, width) => {
    const name = `${level}/${index}`;
    const there = Math.min(tileWidth, Math.floor(size / tileWidth ** level) - index * tileWidth);
    const tile = known.get(name) ?? read(level, index, Math.max(width, there)).then(nodesOf);
    known.set(name, tile);
    return tile;
  };
}
