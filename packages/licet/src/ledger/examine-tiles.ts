import { join } from "node:path";
import { formatEntryBundle, parseTilePath, type Tile, tilePath } from "@licet/evidence";
import type { ProvenTree } from "./proven-tree.ts";
import type { ShardFiles } from "./shard-files.ts";
import { hashBytes, leafHash, perfectRoot, tileWidth } from "./tree.ts";
import { type FileVerdict, firstDifference } from "./verdict.ts";

export interface TileExamination {
  readonly source: ShardFiles;
  readonly backup: ShardFiles | undefined;
  readonly proven: ProvenTree | undefined;
  /** Entries of the tree that was published: its tiles have to be there. */
  readonly published: number;
  /** Entries of the journal: tiles of those beyond the published tree may be there. */
  readonly size: number;
}

/** Every tile and bundle of the published tree, and every other file among them. */
export async function* examineTiles(of: TileExamination): AsyncGenerator<FileVerdict> {
  const expected = new Expected(of);
  const seen = new Set<string>();
  for (const tile of tilesOf(of.published)) {
    const path = tilePath(tile);
    seen.add(path);
    yield* examine(of, expected, { path, tile, needed: true });
  }
  for await (const path of filesBelow(of.source, "tile")) {
    if (seen.has(path) || path.endsWith(".tmp")) continue;
    const tile = parseTilePath(path);
    if (tile.ok) yield* examine(of, expected, { path, tile: tile.value, needed: false });
    else yield { path, flaws: [{ offset: 0, what: "no file is expected here", lost: "what this file is" }], complete: false };
  }
}

function* tilesOf(size: number): Generator<Tile> {
  for (let level = 0; Math.floor(size / tileWidth ** level) > 0; level += 1) {
    const hashes = Math.floor(size / tileWidth ** level);
    for (let index = 0; index * tileWidth < hashes; index += 1) {
      const width = Math.min(tileWidth, hashes - index * tileWidth);
      yield { level, index, width };
      if (level === 0) yield { level: "entries", index, width };
    }
  }
}

async function* filesBelow(source: ShardFiles, path: string): AsyncGenerator<string> {
  for (const name of await source.files.list(join(source.folder, path))) {
    const below = `${path}/${name}`;
    const inside = await source.files.list(join(source.folder, below)).catch(() => []);
    if (inside.length > 0) yield* filesBelow(source, below);
    else if (await source.files.readWhole(join(source.folder, below)).catch(() => undefined)) yield below;
  }
}

async function* examine(of: TileExamination, expected: Expected, at: { readonly path: string; readonly tile: Tile; readonly needed: boolean }): AsyncGenerator<FileVerdict> {
  const { path, tile, needed } = at;
  const actual = await of.source.files.readWhole(join(of.source.folder, path));
  // A full tile may have taken a partial one's place.
  if (!actual && tile.width < tileWidth && (await of.source.files.readWhole(join(of.source.folder, tilePath({ ...tile, width: tileWidth }))))) return;
  const right = await (tile.level === "entries" ? expected.bundle(tile.index, tile.width) : expected.row(tile.level, tile.index, tile.width));
  if (!right) {
    if (actual === undefined && !needed) return;
    yield { path, flaws: [{ offset: 0, what: "nothing proves what stood here", lost: `the content of ${path}` }], complete: false };
    return;
  }
  if (!actual) yield { path, flaws: [{ offset: 0, what: "the file is missing" }], repaired: right, complete: true };
  const flaw = actual && firstDifference(actual, right);
  if (flaw) yield { path, flaws: [flaw], repaired: right, complete: true };
}

/** What files of the tree have to hold: proven as far as something was signed, and from the journal beyond. */
class Expected {
  readonly #of: TileExamination;

  constructor(of: TileExamination) {
    this.#of = of;
  }

  async row(level: number, index: number, width: number): Promise<Buffer | undefined> {
    const bytes = width * hashBytes;
    const { proven, size } = this.#of;
    const known = proven && (await proven.row(level, index));
    if (known && known.length >= bytes) return known.subarray(0, bytes);
    if ((index * tileWidth + width) * tileWidth ** level > size) return undefined;
    const hashes: Buffer[] = [];
    for (let at = 0; at < width; at += 1) {
      const found = await this.#hashAt(level, index * tileWidth + at);
      if (!found) return undefined;
      hashes.push(found);
    }
    return Buffer.concat(hashes);
  }

  /** Of proven entries only the proven hash counts: a journal that says otherwise is what is wrong. */
  async #hashAt(level: number, index: number): Promise<Buffer | undefined> {
    const { proven, source } = this.#of;
    if (level > 0) {
      const below = await this.row(level - 1, index, tileWidth);
      return below && perfectRoot(below);
    }
    if (proven && index < proven.size) return proven.leafHashAt(index);
    const frame = await source.frameAt(index);
    return frame && leafHash(frame.leaf);
  }

  async bundle(index: number, width: number): Promise<Buffer | undefined> {
    const row = await this.row(0, index, width);
    if (!row) return undefined;
    const leaves: Uint8Array[] = [];
    for (let at = 0; at < width; at += 1) {
      const leaf = await this.#leaf(index * tileWidth + at, row.subarray(at * hashBytes, (at + 1) * hashBytes));
      if (!leaf) return undefined;
      leaves.push(leaf);
    }
    return Buffer.from(formatEntryBundle(leaves));
  }

  async #leaf(index: number, hashed: Buffer): Promise<Uint8Array | undefined> {
    const { source, backup } = this.#of;
    for (const from of backup ? [source, backup] : [source]) {
      const leaf = (await from.frameAt(index))?.leaf;
      if (leaf && leafHash(leaf).equals(hashed)) return leaf;
      for (const bundle of await from.bundles(Math.floor(index / tileWidth))) {
        const found = bundle[index % tileWidth];
        if (found && leafHash(found).equals(hashed)) return found;
      }
    }
    return undefined;
  }
}
