import { join } from "node:path";
import { parseTilePath, tileWidthAt, type Tile } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { type LogSigner, vkeyOf } from "./checkpoint.ts";
import type { Files } from "./files.ts";
import type { Frame } from "./frame.ts";
import { openFrozenJournal } from "./frozen-journal.ts";
import { consistencyProof, inclusionProof, rootAt } from "./proof.ts";
import type { ShardRecord } from "./shard-list.ts";
import { cachedTiles } from "./tile-cache.ts";
import { readTileFile } from "./tile-files.ts";
import { tileWidth } from "./tree.ts";

/** One tree of the log with its own origin. Indices and sizes are its own: entry 0 is the log's entry `base`. */
export interface ShardView {
  readonly name: string;
  readonly origin: string;
  /** C2SP verifier key: the log's key under this shard's origin. */
  readonly vkey: string;
  /** Index of its first entry in the whole log. */
  readonly base: number;
  /** Durable entries of this shard. */
  readonly size: number;
  /** A restore went on after it: it is never written or signed again. */
  readonly frozen: boolean;
  /** The last signed checkpoint as a C2SP note; `undefined` before the first. Of a frozen shard it may cover less than `size`. */
  checkpoint(): string | undefined;
  rootAt(size: number): Promise<Uint8Array>;
  /** RFC 6962 section 2.1.1, for any size up to the shard's. */
  inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]>;
  /** RFC 6962 section 2.1.2. */
  consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]>;
  /** A published file by its C2SP path: `checkpoint` or a tile; `undefined` when there is none. */
  resource(path: string): Promise<Uint8Array | undefined>;
}

/** A shard as the log reads it. */
export interface Shard extends ShardView {
  read(index: number): Promise<Frame | undefined>;
  scan(from: number, to?: number): AsyncGenerator<Frame>;
  close(): Promise<void>;
}

/** The log's key under a shard's origin. What signs more lines takes the origin from the checkpoint's first line. */
export function signerFor(signer: LogSigner, origin: string): LogSigner {
  return origin === signer.origin ? signer : { ...signer, origin };
}

export interface FrozenShardOptions {
  readonly files: Files;
  /** `log` in the data directory. */
  readonly folder: string;
  readonly record: ShardRecord;
  readonly signer: LogSigner;
  /** The tree at the end, as the next shard cites it. */
  readonly end: { readonly size: number; readonly root: string };
}

/** Opens a shard that was left behind, and refuses it when it is not the tree that the next shard continues. */
export async function openFrozenShard(options: FrozenShardOptions): Promise<Shard> {
  const { files, record, end, signer } = options;
  const folder = join(options.folder, record.path);
  const journal = await openFrozenJournal({ files, folder: join(folder, "journal"), size: end.size });
  const note = await files.readWhole(join(folder, "checkpoint"));
  const read = cachedTiles((level, index, width) => readTileFile({ files, folder, level, index, width, size: end.size }));
  const within = (size: number) => {
    if (size > end.size) throw new LicetError("not_found", { message: `the shard \`${record.name}\` has ${end.size} entries, fewer than ${size}` });
  };
  const shard: Shard = {
    name: record.name,
    origin: record.origin,
    vkey: vkeyOf(signerFor(signer, record.origin)),
    base: record.base,
    size: end.size,
    frozen: true,
    checkpoint: () => note && Buffer.from(note).toString("utf8"),
    rootAt: async (size) => {
      within(size);
      return rootAt(read, size);
    },
    inclusionProof: async (index, size) => {
      within(size);
      return inclusionProof(read, index, size);
    },
    consistencyProof: async (oldSize, newSize) => {
      within(newSize);
      return consistencyProof(read, oldSize, newSize);
    },
    resource: (path) => publishedFile(files, folder, path),
    read: (index) => journal.read(index),
    scan: (from, to) => journal.scan(from, to),
    close: () => journal.close(),
  };
  if (Buffer.from(await shard.rootAt(end.size)).toString("base64") !== end.root) {
    throw new LicetError("log_damaged", { message: `the frozen shard \`${record.name}\` is not the tree of ${end.size} entries that the next one continues` });
  }
  return shard;
}

export async function publishedFile(files: Files, folder: string, path: string): Promise<Uint8Array | undefined> {
  if (path !== "checkpoint" && !parseTilePath(path).ok) return undefined;
  return files.readWhole(join(folder, path));
}

const shardPrefix = /^shards\/([1-9]\d{0,5}-[0-9a-f]{8})\/(.+)$/;

/** Splits a path below `/log/` into its shard and the path in that shard. */
export function resolveShardPath<T extends ShardView>(shards: readonly T[], path: string): { readonly shard: T; readonly path: string } | undefined {
  const match = shardPrefix.exec(path);
  const [, name = "1", rest = path] = match ?? [];
  const shard = shards.find((each) => each.name === name);
  return shard && { shard, path: rest };
}

/** C2SP tlog-tiles: a tile or bundle may be denied when all that it would cover, once full, lies below the minimum index. */
export function isPruned({ level, index }: Tile, minimumIndex: number): boolean {
  return tileWidthAt({ level, index, size: minimumIndex }) === tileWidth;
}
