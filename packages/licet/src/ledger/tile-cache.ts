import { hashBytes, tileWidth } from "./tree.ts";

/** The first `width` hashes of a tile of the tree. */
export type TileReader = (level: number, index: number, width: number) => Promise<Uint8Array>;

/** 2 MB: in a log of ten million entries everything above the lowest level, where proofs meet. */
const tilesMax = 256;

/** A reader that remembers full tiles, least recently used first: they never change. Partial ones it asks for again. */
export function cachedTiles(read: TileReader): TileReader {
  const known = new Map<string, Uint8Array>();
  return async (level, index, width) => {
    if (width < tileWidth) return read(level, index, width);
    const name = `${level}/${index}`;
    const tile = known.get(name) ?? (await read(level, index, width));
    known.delete(name);
    known.set(name, tile);
    const [oldest] = known.keys();
    if (known.size > tilesMax && oldest !== undefined) known.delete(oldest);
    return tile;
  };
}

/** For one proof over a tree of this size: asks for each tile once, at its whole width in that tree. */
export function wholeTiles(read: TileReader, size: number): TileReader {
  const known = new Map<string, Promise<Uint8Array>>();
  return async (level, index, width) => {
    const name = `${level}/${index}`;
    const there = Math.min(tileWidth, Math.floor(size / tileWidth ** level) - index * tileWidth);
    const tile = known.get(name) ?? read(level, index, Math.max(width, there));
    known.set(name, tile);
    return (await tile).subarray(0, width * hashBytes);
  };
}
