import { equalBytes } from "../bytes.ts";
import { emptyRoot } from "../merkle.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { sha256Into } from "../sha256.ts";
import { entryBytesMax, hashBytes, tilePath, tileWidth, tileWidthAt, type Tile } from "../tiles.ts";
import { bundleText, scanLeaf, type LeafHead } from "./leaf-scan.ts";
import { ahead, type LogSource } from "./log-source.ts";
import { fail, type Failures } from "./report.ts";
import { perfectRoot, TreeEdge, type GivenTile } from "./tree-edge.ts";

/** Files that are read at once. */
const readsAtOnce = 16;
/** The largest entry bundle that C2SP tlog-tiles allows. */
export const bundleBytesMax = tileWidth * (2 + entryBytesMax);
const tileBytesMax = tileWidth * hashBytes;

export interface Walk {
  readonly source: LogSource;
  /** Entries under the signed checkpoint. */
  readonly size: number;
  /** Number of the shard's first entry in the whole log. */
  readonly base: number;
  /** Tiles and bundles whose entries all lie below may be missing (C2SP tlog-tiles, pruning); counted in this shard. */
  readonly minimumIndex: number;
  /** Sizes whose roots are wanted. */
  readonly rootsAt: readonly number[];
  /** Told of every entry in order, with its number in the whole log. */
  readonly onLeaf: (index: number, head: LeafHead) => void;
  readonly entryFailures: Failures;
  readonly tileFailures: Failures;
}

export interface Walked {
  /** Undefined when tiles are missing without which no root can be had. */
  readonly root: Uint8Array | undefined;
  readonly roots: ReadonlyMap<number, Uint8Array>;
  /** Entries that were not there to be read, from the first on. */
  readonly pruned: number;
}

/** Reads every entry and every tile of one tree, and computes each hash again. */
export async function walkLog(walk: Walk): Promise<Walked> {
  return new Walker(walk).run();
}

interface Read {
  readonly bundle: Found | undefined;
  readonly tile: Uint8Array | undefined;
}

interface Found {
  readonly bytes: Uint8Array;
  /** The full bundle, where a partial one was asked for that is no longer served. */
  readonly longer: boolean;
}

class Walker {
  readonly #walk: Walk;
  readonly #edge = new TreeEdge();
  readonly #roots = new Map<number, Uint8Array>();
  #pruned = 0;
  #rest = new Uint8Array(0);
  #broken = false;

  constructor(walk: Walk) {
    this.#walk = walk;
    if (walk.rootsAt.includes(0)) this.#roots.set(0, emptyRoot());
  }

  async run(): Promise<Walked> {
    const { size, source } = this.#walk;
    const tiles = Math.ceil(size / tileWidth);
    let at = await this.#skipPruned();
    const first = at;
    const read = (offset: number): Promise<Read> => readPair(source, first + offset, size);
    for await (const found of ahead(this.#broken ? 0 : tiles - first, read, readsAtOnce)) {
      this.#take(at, found);
      if (this.#broken) break;
      await this.#compareFull();
      at += 1;
    }
    if (this.#broken) return { root: undefined, roots: this.#roots, pruned: this.#pruned };
    for (const tile of this.#edge.unfinished()) await this.#compare(tile);
    return { root: this.#edge.root(this.#rest), roots: this.#roots, pruned: this.#pruned };
  }

  /** The number of the first bundle from which on all must be there. */
  async #skipPruned(): Promise<number> {
    const { source, minimumIndex, size } = this.#walk;
    const allowed = Math.floor(Math.min(minimumIndex, size) / tileWidth);
    let at = 0;
    while (at < allowed && !this.#broken) {
      const { bundle, tile } = await readPair(source, at, size);
      if (bundle !== undefined) break;
      at += tile === undefined ? await this.#climb(at, allowed) : this.#pushTile(at, tile);
      await this.#compareFull();
    }
    this.#pruned = at * tileWidth;
    return at;
  }

  #pushTile(at: number, tile: Uint8Array): number {
    if (tile.length === tileBytesMax) this.#push(perfectRoot(tile));
    else this.#breakAt({ level: 0, index: at, width: tileWidth }, "tile_length", "has not the length of a tile");
    return 1;
  }

  /** Takes the root of a pruned subtree from the lowest tile that is still there. Answers how many level-0 tiles it covers. */
  async #climb(at: number, allowed: number): Promise<number> {
    let span = 1;
    for (let level = 1; at % span === 0 && at + span <= allowed; level += 1) {
      const place = Math.floor(at / span);
      const index = Math.floor(place / tileWidth);
      const width = tileWidthAt({ level, index, size: this.#walk.size });
      const tile = width === 0 ? undefined : await readHashes(this.#walk.source, { level, index, width });
      const hash = tile?.subarray((place % tileWidth) * hashBytes, (place % tileWidth) * hashBytes + hashBytes);
      if (hash?.length === hashBytes) {
        this.#edge.skip(level, span);
        this.#edge.push(level, hash);
        return span;
      }
      span *= tileWidth;
    }
    this.#breakAt({ level: 0, index: at, width: tileWidth }, "tile_missing", "is missing, and so are those above it");
    return 1;
  }

  #take(at: number, { bundle, tile }: Read): void {
    const { size, tileFailures, minimumIndex, base } = this.#walk;
    const width = tileWidthAt({ level: 0, index: at, size });
    const hashes = bundle === undefined ? undefined : this.#readBundle(at, bundle, width);
    if (bundle === undefined) this.#failEntries("bundle_missing", `entries ${base + at * tileWidth} to ${base + at * tileWidth + width - 1} are missing: \`${tilePath({ level: "entries", index: at, width })}\``);
    if (tile === undefined) {
      if ((at + 1) * tileWidth > minimumIndex) tileFailures.add(fail("tiles", "tile_missing", `\`${tilePath({ level: 0, index: at, width })}\` is missing`));
    } else if (hashes !== undefined && !equalHashes(hashes, tile)) {
      tileFailures.add(fail("tiles", "tile_differs", `\`${tilePath({ level: 0, index: at, width })}\` does not hold the hashes of its entries`));
    }
    const row = hashes ?? (tile?.length === width * hashBytes ? tile : undefined);
    if (row === undefined) this.#broken = true;
    else this.#pushRow(at, row);
  }

  #pushRow(at: number, row: Uint8Array): void {
    for (const size of this.#walk.rootsAt) {
      const within = size - at * tileWidth;
      if (within > 0 && within < tileWidth && within <= row.length / hashBytes) this.#roots.set(size, this.#edge.root(row.subarray(0, within * hashBytes)));
    }
    if (row.length < tileBytesMax) this.#rest = new Uint8Array(row);
    else this.#push(perfectRoot(row));
    if (row.length === tileBytesMax && this.#walk.rootsAt.includes((at + 1) * tileWidth)) this.#roots.set((at + 1) * tileWidth, this.#edge.root(new Uint8Array(0)));
  }

  #push(hash: Uint8Array): void {
    this.#edge.push(1, hash);
  }

  /** Leaf hashes of a bundle, after each leaf was read; undefined when the bundle itself is malformed. */
  #readBundle(at: number, { bytes, longer }: Found, width: number): Uint8Array | undefined {
    const ends = entryEnds(bytes, width, longer);
    if (!ends.ok) {
      this.#failEntries(ends.code, `\`${tilePath({ level: "entries", index: at, width })}\`: ${ends.message}`);
      return undefined;
    }
    const hashes = new Uint8Array(width * hashBytes);
    const bundle = bundleText(bytes);
    const prefixed = bytes.slice();
    let start = 2;
    ends.value.forEach((end, offset) => {
      this.#readLeaf(this.#walk.base + at * tileWidth + offset, scanLeaf(bundle, start, end));
      // The length before the entry has been read: its place takes the zero byte that a leaf hash begins with.
      prefixed[start - 1] = 0;
      sha256Into(prefixed.subarray(start - 1, end), hashes, offset * hashBytes);
      start = end + 2;
    });
    return hashes;
  }

  #readLeaf(index: number, leaf: Parsed<LeafHead>): void {
    if (leaf.ok) this.#walk.onLeaf(index, leaf.value);
    else this.#walk.entryFailures.add(fail("entries", leaf.code, `entry ${index}: ${leaf.message}`));
  }

  #failEntries(code: string, sentence: string): void {
    this.#walk.entryFailures.add(fail("entries", code, sentence));
  }

  #breakAt(tile: Tile, code: string, what: string): void {
    this.#broken = true;
    this.#walk.tileFailures.add(fail("tiles", code, `\`${tilePath(tile)}\` ${what}`));
  }

  async #compareFull(): Promise<void> {
    for (const tile of this.#edge.takeFull()) await this.#compare(tile);
  }

  async #compare({ level, index, hashes }: GivenTile): Promise<void> {
    const { source, tileFailures, minimumIndex } = this.#walk;
    const place: Tile = { level, index, width: hashes.length / hashBytes };
    const tile = await readHashes(source, place);
    const prunable = place.width === tileWidth && (index + 1) * tileWidth ** (level + 1) <= minimumIndex;
    if (tile === undefined) {
      if (!prunable) tileFailures.add(fail("tiles", "tile_missing", `\`${tilePath(place)}\` is missing`));
    } else if (!equalHashes(tile, hashes)) tileFailures.add(fail("tiles", "tile_differs", `\`${tilePath(place)}\` is not what the tiles below it give`));
  }
}

/** `equalBytes` calls a function for every byte, which a million entries would notice. */
function equalHashes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at += 1) if (left[at] !== right[at]) return false;
  return true;
}

async function readPair(source: LogSource, index: number, size: number): Promise<Read> {
  const width = tileWidthAt({ level: 0, index, size });
  const [bundle, tile] = await Promise.all([readBundleFile(source, index, width), readHashes(source, { level: 0, index, width })]);
  return { bundle, tile };
}

async function readBundleFile(source: LogSource, index: number, width: number): Promise<Found | undefined> {
  const bytes = await source.read(tilePath({ level: "entries", index, width }), bundleBytesMax);
  if (bytes !== undefined) return { bytes, longer: false };
  const full = width === tileWidth ? undefined : await source.read(tilePath({ level: "entries", index, width: tileWidth }), bundleBytesMax);
  return full === undefined ? undefined : { bytes: full, longer: true };
}

/** The hashes of a tile; the first ones of the full tile, where a partial one is no longer served. Their number may be wrong. */
export async function readHashes(source: LogSource, tile: Tile): Promise<Uint8Array | undefined> {
  const bytes = await source.read(tilePath(tile), tileBytesMax);
  if (bytes !== undefined || tile.width === tileWidth) return bytes;
  const full = await source.read(tilePath({ ...tile, width: tileWidth }), tileBytesMax);
  return full?.subarray(0, tile.width * hashBytes);
}

/** Where each entry of a bundle ends. */
function entryEnds(bytes: Uint8Array, width: number, longer: boolean): Parsed<readonly number[]> {
  const ends: number[] = [];
  let at = 0;
  while (ends.length < width) {
    const [high, low] = [bytes[at], bytes[at + 1]];
    if (high === undefined || low === undefined) return refused("bundle_truncated", "the entry bundle ends early");
    at += 2 + high * 256 + low;
    if (at > bytes.length) return refused("bundle_truncated", "the entry bundle ends within an entry");
    ends.push(at);
  }
  return longer || at === bytes.length ? parsed(ends) : refused("bundle_trailing", "the entry bundle has bytes after its last entry");
}

/** Root of the first `size` entries as computed, compared with what was signed. */
export function rootIs(computed: Uint8Array | undefined, signed: Uint8Array): boolean {
  return computed !== undefined && equalBytes(computed, signed);
}
