import { hashBytes, tilePath, tileWidth } from "./tiles.ts";
import { perfectRoot, TreeEdge } from "./verify/tree-edge.ts";

/** A hash tile of a tree, to be written below the tree's folder. */
export interface HashTile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Every hash tile of a tree (C2SP tlog-tiles), from its leaf hashes one after the other, 32 bytes each. */
export function tilesOfTree(leafHashes: Uint8Array): readonly HashTile[] {
  const edge = new TreeEdge();
  const tiles: HashTile[] = [];
  const rowBytes = tileWidth * hashBytes;
  for (let at = 0; at < leafHashes.length; at += rowBytes) {
    const row = leafHashes.slice(at, at + rowBytes);
    tiles.push({ path: tilePath({ level: 0, index: at / rowBytes, width: row.length / hashBytes }), bytes: row });
    if (row.length === rowBytes) edge.push(1, perfectRoot(row));
  }
  const above = [...edge.takeFull(), ...edge.unfinished()];
  return [...tiles, ...above.map(({ level, index, hashes }) => ({ path: tilePath({ level, index, width: hashes.length / hashBytes }), bytes: hashes }))];
}
