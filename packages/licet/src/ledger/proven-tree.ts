import { emptyRoot, foldRow, hashBytes, leafHash, perfectRoot, tileWidth } from "./tree.ts";
import type { ShardFiles } from "./shard-files.ts";

const rowsMax = 1024;

/** The hashes of a tree whose root was signed: each row that it hands out leads to that root. */
export interface ProvenTree {
  readonly size: number;
  /** As many hashes as the tree has of this tile; `undefined` where nothing that is left of it fits. */
  row(level: number, index: number): Promise<Buffer | undefined>;
  leafHashAt(index: number): Promise<Buffer | undefined>;
}

export interface Claim {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Finds hashes in any of the sources that lead to the claimed root, from the root downwards; `undefined` when none do. */
export async function proveTree(claim: Claim, sources: readonly ShardFiles[]): Promise<ProvenTree | undefined> {
  const edge = claim.size === 0 ? [] : await proveEdge(claim, sources);
  if (!edge || (claim.size === 0 && !emptyRoot.equals(claim.root))) return undefined;
  const known = new Map<string, Promise<Buffer | undefined>>();
  const row = (level: number, index: number): Promise<Buffer | undefined> => {
    const at = edge[level];
    if (at?.index === index) return Promise.resolve(at.row);
    const key = `${level}/${index}`;
    const found = known.get(key) ?? below(level, index);
    known.delete(key);
    known.set(key, found);
    const [oldest] = known.keys();
    if (known.size > rowsMax && oldest !== undefined) known.delete(oldest);
    return found;
  };
  const below = async (level: number, index: number): Promise<Buffer | undefined> => {
    if (level >= edge.length) return undefined;
    const parent = await row(level + 1, Math.floor(index / tileWidth));
    const at = (index % tileWidth) * hashBytes;
    const expected = parent?.subarray(at, at + hashBytes);
    if (!expected || expected.length < hashBytes) return undefined;
    for await (const candidate of candidates(sources, { level, index, width: tileWidth })) {
      if (perfectRoot(candidate).equals(expected)) return candidate;
    }
    return undefined;
  };
  return {
    size: claim.size,
    row,
    leafHashAt: async (index) => {
      const at = (index % tileWidth) * hashBytes;
      const found = index < claim.size ? (await row(0, Math.floor(index / tileWidth)))?.subarray(at, at + hashBytes) : undefined;
      return found?.length === hashBytes ? found : undefined;
    },
  };
}

interface EdgeRow {
  readonly index: number;
  readonly row: Buffer;
}

/** The unfinished row of each level, lowest first: together they fold to the root, so they are tried together. */
async function proveEdge({ size, root }: Claim, sources: readonly ShardFiles[]): Promise<readonly EdgeRow[] | undefined> {
  const choices: EdgeRow[][] = [];
  for (let level = 0; Math.floor(size / tileWidth ** level) > 0; level += 1) {
    const count = Math.floor(size / tileWidth ** level);
    const [index, width] = [Math.floor(count / tileWidth), count % tileWidth];
    const rows = width === 0 ? [Buffer.alloc(0)] : await distinct(candidates(sources, { level, index, width }));
    choices.push(rows.map((row) => ({ index, row })));
  }
  return search(choices, { chosen: [], right: undefined, root });
}

async function distinct(rows: AsyncGenerator<Buffer>): Promise<readonly Buffer[]> {
  const found: Buffer[] = [];
  for await (const row of rows) if (!found.some((known) => known.equals(row))) found.push(row);
  return found;
}

interface Search {
  readonly chosen: readonly EdgeRow[];
  readonly right: Buffer | undefined;
  readonly root: Uint8Array;
}

function search(choices: readonly (readonly EdgeRow[])[], { chosen, right, root }: Search): readonly EdgeRow[] | undefined {
  const options = choices[chosen.length];
  if (!options) return right?.equals(root) === true ? chosen : undefined;
  for (const option of options) {
    const found = search(choices, { chosen: [...chosen, option], right: foldRow(option.row, right), root });
    if (found) return found;
  }
  return undefined;
}

interface Wanted {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** Files first; only when none of them fits is a row computed from what is below it. */
async function* candidates(sources: readonly ShardFiles[], wanted: Wanted): AsyncGenerator<Buffer> {
  yield* fromFiles(sources, wanted);
  yield* fromBundles(sources, wanted);
  for (const chosen of [...sources.map((source) => [source]), sources]) {
    for (const from of ["files", "bundles", "journal"] as const) {
      const computed = await guess(chosen, wanted, from);
      if (computed) yield computed;
    }
  }
}

async function* fromFiles(sources: readonly ShardFiles[], { level, index, width }: Wanted): AsyncGenerator<Buffer> {
  const bytes = width * hashBytes;
  for (const source of sources) {
    for (const row of await source.rows(level, index)) if (row.length >= bytes) yield Buffer.from(row.subarray(0, bytes));
  }
}

async function* fromBundles(sources: readonly ShardFiles[], { level, index, width }: Wanted): AsyncGenerator<Buffer> {
  const bundles = level > 0 ? [] : await Promise.all(sources.map((source) => source.bundles(index)));
  for (const bundle of bundles.flat()) {
    if (bundle.length >= width) yield Buffer.concat(bundle.slice(0, width).map((leaf) => leafHash(leaf)));
  }
}

/** What these sources say of a row without its own file: each hash is the root of the tile below, or of a leaf. */
async function guess(sources: readonly ShardFiles[], { level, index, width }: Wanted, from: "files" | "bundles" | "journal"): Promise<Buffer | undefined> {
  if (level === 0) return (from === "journal" ? undefined : await firstOf(fromBundles(sources, { level, index, width }))) ?? fromJournals(sources, index * tileWidth, width);
  const hashes: Buffer[] = [];
  for (let at = 0; at < width; at += 1) {
    const below = { level: level - 1, index: index * tileWidth + at, width: tileWidth };
    const child = (from === "files" ? await firstOf(fromFiles(sources, below)) : undefined) ?? (await guess(sources, below, from));
    if (!child) return undefined;
    hashes.push(perfectRoot(child));
  }
  return Buffer.concat(hashes);
}

async function firstOf(found: AsyncGenerator<Buffer>): Promise<Buffer | undefined> {
  for await (const each of found) return each;
  return undefined;
}

async function fromJournals(sources: readonly ShardFiles[], from: number, width: number): Promise<Buffer | undefined> {
  const hashes: Buffer[] = [];
  for (let index = from; index < from + width; index += 1) {
    let leaf: Uint8Array | undefined;
    for (const source of sources) leaf ??= (await source.frameAt(index))?.leaf;
    if (!leaf) return undefined;
    hashes.push(leafHash(leaf));
  }
  return Buffer.concat(hashes);
}
