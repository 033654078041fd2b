import { concat, equalBytes } from "../bytes.ts";
import type { PackManifest } from "../pack.ts";
import { hashBytes, tilePath, tileWidth, tileWidthAt } from "../tiles.ts";
import { count, fail, pass, type Finding } from "./report.ts";
import { readListed, type PackSource } from "./source.ts";
import { perfectRoot, TreeEdge } from "./tree-edge.ts";
import type { Tree } from "./trees.ts";

/** A log beyond this many entries puts no tiles into its exports; they would take 32 bytes for each. */
export const packTilesEntriesMax = 100_000;

/** The leaf hashes of a tree, one after the other, proved to give its root. */
export interface PackTiles {
  readonly origin: string;
  readonly leafHashes: Uint8Array;
}

/** Hash tiles in the export: all of a tree or none, and exactly those that give its root. With them any older checkpoint can be compared. */
export async function checkTiles(source: PackSource, manifest: PackManifest, trees: readonly Tree[]): Promise<{ readonly findings: readonly Finding[]; readonly value: readonly PackTiles[] }> {
  const findings: Finding[] = [];
  const value: PackTiles[] = [];
  const expected = new Set<string>();
  for (const tree of trees) {
    if (!manifest.files.some(({ path }) => path.startsWith(`${tree.prefix}tile/`))) continue;
    const given = tree.size > packTilesEntriesMax ? undefined : await readTiles(source, manifest, tree);
    for (const path of given?.paths ?? []) expected.add(path);
    if (given?.leafHashes === undefined) findings.push(fail("tiles", "tile_differs", `the tiles of \`${tree.shard.origin}\` do not give its root`));
    else value.push({ origin: tree.shard.origin, leafHashes: given.leafHashes });
  }
  return { findings: findings.length > 0 ? findings : judged(manifest, expected, value), value };
}

function judged(manifest: PackManifest, expected: ReadonlySet<string>, tiles: readonly PackTiles[]): readonly Finding[] {
  const extra = manifest.files.find(({ path }) => /^(?:shards\/[^/]+\/)?tile\//.test(path) && !expected.has(path));
  if (extra !== undefined) return [fail("tiles", "tile_extra", `\`${extra.path}\` is no tile of the trees in the export`)];
  const entries = tiles.reduce((sum, { leafHashes }) => sum + leafHashes.length / hashBytes, 0);
  return tiles.length === 0 ? [] : [pass("tiles", `the hashes of all ${count(entries, "entry", "entries")} give the signed root, so that any older checkpoint can be compared`)];
}

interface Given {
  readonly paths: readonly string[];
  readonly leafHashes: Uint8Array | undefined;
}

async function readTiles(source: PackSource, manifest: PackManifest, tree: Tree): Promise<Given> {
  const files = new Map(manifest.files.map((file) => [file.path, file]));
  const paths: string[] = [];
  const edge = new TreeEdge();
  const rows: Uint8Array[] = [];
  let whole = true;
  const read = async (level: number, index: number): Promise<Uint8Array> => {
    const path = `${tree.prefix}${tilePath({ level, index, width: tileWidthAt({ level, index, size: tree.size }) })}`;
    paths.push(path);
    const file = files.get(path);
    const bytes = file === undefined ? undefined : await readListed(source, file);
    return bytes?.ok === true ? bytes.value : new Uint8Array(0);
  };
  for (let index = 0; index * tileWidth < tree.size; index += 1) {
    const row = await read(0, index);
    whole &&= row.length === tileWidthAt({ level: 0, index, size: tree.size }) * hashBytes;
    rows.push(row);
    if (row.length === tileWidth * hashBytes) edge.push(1, perfectRoot(row));
  }
  for (const { level, index, hashes } of [...edge.takeFull(), ...edge.unfinished()]) whole &&= equalBytes(await read(level, index), hashes);
  const last = rows.at(-1);
  const rest = last === undefined || last.length === tileWidth * hashBytes ? new Uint8Array(0) : last;
  const proved = whole && equalBytes(edge.root(rest), tree.root);
  return { paths, leafHashes: proved ? concat(...rows) : undefined };
}
