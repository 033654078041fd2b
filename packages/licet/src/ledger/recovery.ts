import { dirname, join } from "node:path";
import { type Checkpoint, entriesPath, formatEntryBundle, tilePath } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { type CheckpointMemory, type LogSigner, openCheckpoint } from "./checkpoint.ts";
import { type Files, replaceFile } from "./files.ts";
import type { Journal } from "./journal.ts";
import { rootAt } from "./proof.ts";
import type { Publisher } from "./publisher.ts";
import { hashBytes, tileWidth, Tree } from "./tree.ts";

export interface RecoveryOptions {
  readonly files: Files;
  readonly folder: string;
  readonly signer: LogSigner;
  readonly memories: readonly CheckpointMemory[];
  readonly journal: Journal;
  readonly publisher: Publisher;
}

interface Signed extends Checkpoint {
  readonly note: string;
}

const unwrittenBytesMax = 16 * 1024 * 1024;

/**
 * Brings the tree to the journal's end and refuses a journal that contradicts anything signed before.
 * INVARIANT: no tile is overwritten before every known checkpoint agreed with the journal.
 */
export async function recover(options: RecoveryOptions): Promise<void> {
  const { journal, publisher } = options;
  const published = await readCheckpoint(options);
  const known = published ? [published, ...(await remembered(options))] : await remembered(options);
  const largest = Math.max(0, ...known.map(({ size }) => size));
  if (largest > journal.size) {
    throw rolledBack(`the journal has ${journal.size} entries, and a checkpoint over ${largest} was signed`);
  }
  if (!(await continueFromTiles(options, published, known))) {
    await confirmFromJournal(journal, known);
    publisher.restore({ size: 0, rows: [], bundle: [], note: undefined });
    await replay(options, 0);
  }
  await repairPartials(options);
}

async function readCheckpoint({ files, folder, signer }: RecoveryOptions): Promise<Signed | undefined> {
  const bytes = await files.readWhole(join(folder, "checkpoint"));
  return bytes ? openSigned(signer, Buffer.from(bytes).toString("utf8")) : undefined;
}

async function remembered({ memories, signer }: RecoveryOptions): Promise<readonly Signed[]> {
  const notes = await Promise.all(memories.map((memory) => memory.get()));
  return Promise.all(notes.filter((note) => note !== undefined).map((note) => openSigned(signer, note)));
}

async function openSigned(signer: LogSigner, note: string): Promise<Signed> {
  return { ...(await openCheckpoint(signer, note)), note };
}

/** The quick way: the published tiles stand for all entries below the checkpoint, if they give its root. */
async function continueFromTiles(
  options: RecoveryOptions,
  published: Signed | undefined,
  known: readonly Signed[],
): Promise<boolean> {
  if (!published) return false;
  const rows = await edgeRows(options, published.size);
  if (!rows) return false;
  const bundleStart = published.size - (published.size % tileWidth);
  const bundle: Uint8Array[] = [];
  for await (const frame of options.journal.scan(bundleStart, published.size)) bundle.push(Buffer.from(frame.leaf));
  options.publisher.restore({ size: published.size, rows, bundle, note: published.note });
  const { tree } = options.publisher;
  if (!tree.root().equals(published.root) || !sameLeaves(tree, bundle)) return false;
  try {
    for (const { size, root } of known.filter(({ size }) => size < published.size)) {
      const found = await rootAt((level, index, width) => options.publisher.readTile(level, index, width), size);
      if (!found.equals(root)) return false;
    }
  } catch {
    // A missing tile is no contradiction: the journal decides.
    return false;
  }
  const later = known.filter(({ size }) => size > published.size);
  if (later.length > 0) await confirmFromJournal(options.journal, later, treeAt(published.size, rows));
  await replay(options, published.size);
  return true;
}

function treeAt(size: number, rows: readonly Uint8Array[]): Tree {
  const tree = new Tree(() => {});
  tree.restore(size, rows);
  return tree;
}

function sameLeaves(tree: Tree, bundle: readonly Uint8Array[]): boolean {
  const check = new Tree(() => {});
  for (const leaf of bundle) check.add(leaf);
  const expected = tree.row(0, Math.floor(tree.size / tileWidth));
  return (check.row(0, 0) ?? Buffer.alloc(0)).equals(expected ?? Buffer.alloc(0));
}

async function edgeRows({ files, folder }: RecoveryOptions, size: number): Promise<Uint8Array[] | undefined> {
  const rows: Uint8Array[] = [];
  for (let level = 0; Math.floor(size / tileWidth ** level) > 0; level += 1) {
    const count = Math.floor(size / tileWidth ** level);
    const [index, width] = [Math.floor(count / tileWidth), count % tileWidth];
    const partial = width === 0 ? Buffer.alloc(0) : await readRow(files, folder, { level, index, width });
    if (!partial) return undefined;
    rows.push(partial);
  }
  return rows;
}

async function readRow(
  files: Files,
  folder: string,
  tile: { readonly level: number; readonly index: number; readonly width: number },
): Promise<Uint8Array | undefined> {
  const bytes = tile.width * hashBytes;
  for (const width of [tile.width, tileWidth]) {
    const found = await files.readWhole(join(folder, tilePath({ ...tile, width })));
    if (found && found.length === width * hashBytes) return found.subarray(0, bytes);
  }
  return undefined;
}

/** Recomputes the root at each known size, and keeps nothing else. */
async function confirmFromJournal(journal: Journal, known: readonly Signed[], tree = new Tree(() => {})): Promise<void> {
  const claims = [...known].sort((a, b) => a.size - b.size);
  const check = () => {
    for (; claims[0]?.size === tree.size; claims.shift()) {
      if (!tree.root().equals(claims[0].root)) {
        throw rolledBack(`the journal's first ${tree.size} entries are not those that were signed`);
      }
    }
  };
  check();
  for await (const frame of journal.scan(tree.size, claims.at(-1)?.size ?? 0)) {
    tree.add(frame.leaf);
    check();
  }
}

async function replay({ journal, publisher }: RecoveryOptions, from: number): Promise<void> {
  for await (const frame of journal.scan(from)) {
    publisher.integrate(Buffer.from(frame.leaf));
    if (publisher.unwrittenBytes > unwrittenBytesMax) await publisher.writeTiles();
  }
}

/** Earlier partial tiles of the unfinished right edge were served under earlier checkpoints: they must be right too. */
async function repairPartials(options: RecoveryOptions): Promise<void> {
  const { tree } = options.publisher;
  for (const { level, index, hashes } of tree.edge()) {
    const path = tilePath({ level, index, width: tileWidth });
    await repairFolder(options, path, (width) =>
      width * hashBytes <= hashes.length ? hashes.subarray(0, width * hashBytes) : undefined,
    );
  }
  const start = tree.size - (tree.size % tileWidth);
  const leaves: Uint8Array[] = [];
  for await (const frame of options.journal.scan(start)) leaves.push(Buffer.from(frame.leaf));
  await repairFolder(options, entriesPath(start / tileWidth), (width) =>
    width <= leaves.length ? formatEntryBundle(leaves.slice(0, width)) : undefined,
  );
}

async function repairFolder(
  { files, folder }: RecoveryOptions,
  tile: string,
  expected: (width: number) => Uint8Array | undefined,
): Promise<void> {
  const partials = join(folder, `${tile}.p`);
  for (const name of await files.list(partials)) {
    const path = join(partials, name);
    const right = /^[1-9]\d{0,2}$/.test(name) ? expected(Number(name)) : undefined;
    if (!right) await files.remove(path);
    else if (!Buffer.from(right).equals((await files.readWhole(path)) ?? Buffer.alloc(0))) {
      await replaceFile(files, path, right);
      await files.syncDirectory(dirname(path));
    }
  }
}

function rolledBack(message: string): LicetError {
  return new LicetError("log_rolled_back", { message });
}
