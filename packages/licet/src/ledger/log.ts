import { join } from "node:path";
import { LicetError } from "../base/errors.ts";
import type { CheckpointMemory, LogSigner } from "./checkpoint.ts";
import { type Files, nodeFiles } from "./files.ts";
import type { Frame } from "./frame.ts";
import { type JournalLimits, journalLimits } from "./journal-writer.ts";
import { LiveShard, openLiveShard } from "./live-shard.ts";
import { lockLog } from "./lock.ts";
import { readMinimumIndex } from "./prune.ts";
import { firstShard, formatShardList, readShardList, refuseForeignHistory, type ShardList, shardListName, type ShardMemory } from "./shard-list.ts";
import { openFrozenShard, resolveShardPath, type Shard, type ShardView, signerFor } from "./shards.ts";

export type { CheckpointMemory, LogSigner } from "./checkpoint.ts";
export type { Frame } from "./frame.ts";
export type { ShardView } from "./shards.ts";

export interface LogOptions {
  /** `log` in the data directory. */
  readonly folder: string;
  /** Of the first shard's origin; later shards are signed by the same key. */
  readonly signer: LogSigner;
  readonly memories?: readonly CheckpointMemory[];
  /** Which shards the keys know, so that a directory from before a restore is refused. */
  readonly shardMemory?: ShardMemory | undefined;
  /** Milliseconds between checkpoints while there is something new; 0 publishes on demand only. */
  readonly publishEvery?: number;
  readonly maySign?: (next: { readonly size: number; readonly root: Uint8Array }) => Promise<void>;
  /** Collects cosignatures for a signed checkpoint before it is published; the checkpoint is remembered as signed by then. */
  readonly endorse?: (note: string) => Promise<string>;
  /** Whether the published checkpoint of this size should be endorsed again. */
  readonly lacking?: (size: number) => boolean;
  readonly limits?: Partial<JournalLimits>;
  readonly files?: Files;
  readonly lock?: (folder: string) => { release(): void };
}

/** The whole log, over all its shards. Checkpoints, roots and proofs are those of the newest shard, which is written. */
export interface EvidenceLog {
  /** Origin of the newest shard. */
  readonly origin: string;
  /** C2SP verifier key of the newest shard. */
  readonly vkey: string;
  /** In order; all but the last are frozen. */
  readonly shards: readonly ShardView[];
  /** Durable entries of all shards. */
  readonly size: number;
  /** Entries below it are no longer served; 0 when the log was never pruned. */
  readonly minimumIndex: number;
  /**
   * Resolves with the index in the whole log once the frame is durable. Throws `log_poisoned`, `log_backpressure`, and
   * `log_unavailable` when the disk did not take it in time.
   */
  append(frame: Frame): Promise<number>;
  read(index: number): Promise<Frame | undefined>;
  /** Durable entries `from` to `to`, exclusive, across shards. */
  scan(from: number, to?: number): AsyncGenerator<Frame>;
  /** The shard of an entry and its place there; `undefined` beyond the end. */
  locate(index: number): { readonly shard: ShardView; readonly index: number } | undefined;
  /** The last signed checkpoint as a C2SP note; `undefined` before the first. */
  checkpoint(): string | undefined;
  /** Signs a checkpoint over everything durable now, and resolves with it. */
  publish(): Promise<string>;
  rootAt(size: number): Promise<Uint8Array>;
  /** RFC 6962 section 2.1.1, for an index and any size of the newest shard. */
  inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]>;
  /** RFC 6962 section 2.1.2. */
  consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]>;
  /** What is served below `/log/`: `shards.json`, the first shard's files by their C2SP path, further ones below `shards/NAME/`. */
  resource(path: string): Promise<Uint8Array | undefined>;
  healthy(): boolean;
  /** Waits for what is queued, publishes, and lets go of the files. */
  close(): Promise<void>;
}

/** Opens or creates a log. Throws `data_locked`, `log_damaged`, `log_rolled_back`. */
export async function openLog(options: LogOptions): Promise<EvidenceLog> {
  const files = options.files ?? nodeFiles;
  const { folder, signer } = options;
  await files.makeDirectory(folder);
  const lock = (options.lock ?? lockLog)(folder);
  const opened: Shard[] = [];
  try {
    const list = await readShardList(files, folder);
    const records = list ?? [firstShard(signer.origin)];
    await agreeWithMemories(options, records);
    for (const [at, record] of records.slice(0, -1).entries()) {
      const end = records[at + 1]?.previous;
      if (end) opened.push(await openFrozenShard({ files, folder, record, signer, end }));
    }
    const live = await openNewest({ ...options, files }, records);
    const minimumIndex = await readMinimumIndex(files, folder);
    return new ShardedLog({ records, frozen: opened, live, lock, minimumIndex });
  } catch (error) {
    await Promise.allSettled(opened.map((shard) => shard.close()));
    lock.release();
    throw error;
  }
}

/** INVARIANT: nothing is opened for writing before the keys agree that this is the history that they followed last. */
async function agreeWithMemories({ memories = [], shardMemory, signer }: LogOptions, records: ShardList): Promise<void> {
  if (records[0]?.origin !== signer.origin) throw new LicetError("log_damaged", { message: "the list of shards is another log's" });
  const notes = (await Promise.all(memories.map((memory) => memory.get()))).filter((note) => note !== undefined);
  const known = await shardMemory?.get();
  refuseForeignHistory(records, { known, notes });
  const news = records.length > 1 && (known === undefined || formatShardList(known) !== formatShardList(records));
  if (news) await shardMemory?.set(records);
}

async function openNewest(options: LogOptions & { readonly files: Files }, records: ShardList): Promise<LiveShard> {
  const { memories = [], maySign = async () => {}, endorse = async (note: string) => note, lacking, files, publishEvery = 1000 } = options;
  const record = records.at(-1) ?? firstShard(options.signer.origin);
  const limits = { ...journalLimits, ...options.limits };
  const signer = signerFor(options.signer, record.origin);
  const live = await openLiveShard({ files, folder: join(options.folder, record.path), name: record.name, base: record.base, signer, memories, publishEvery, maySign, endorse, lacking, limits });
  if (records.length > 1 && live.size === 0) {
    await live.freeze();
    throw new LicetError("log_damaged", { message: `the shard \`${record.name}\` lacks the entry that it begins with` });
  }
  return live;
}

interface Parts {
  readonly records: ShardList;
  readonly frozen: readonly Shard[];
  readonly live: LiveShard;
  readonly lock: { release(): void };
  readonly minimumIndex: number;
}

class ShardedLog implements EvidenceLog {
  readonly shards: readonly Shard[];
  readonly minimumIndex: number;
  readonly #parts: Parts;
  readonly #live: LiveShard;
  readonly #base: number;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#live = parts.live;
    this.#base = parts.live.base;
    this.minimumIndex = parts.minimumIndex;
    this.shards = [...parts.frozen, parts.live];
  }

  get origin(): string {
    return this.#live.origin;
  }

  get vkey(): string {
    return this.#live.vkey;
  }

  get size(): number {
    return this.#base + this.#live.size;
  }

  append(frame: Frame): Promise<number> {
    // One promise less for each entry of a log that was never restored.
    return this.#base === 0 ? this.#live.append(frame) : this.#live.append(frame).then((index) => this.#base + index);
  }

  async read(index: number): Promise<Frame | undefined> {
    const place = this.locate(index);
    return place?.shard.read(place.index);
  }

  async *scan(from: number, to: number = this.size): AsyncGenerator<Frame> {
    for (const shard of this.shards) {
      const [start, end] = [Math.max(from, shard.base), Math.min(to, shard.base + shard.size)];
      if (start < end) yield* shard.scan(start - shard.base, end - shard.base);
    }
  }

  locate(index: number): { readonly shard: Shard; readonly index: number } | undefined {
    const shard = this.shards.findLast(({ base }) => base <= index);
    return shard && index - shard.base < shard.size ? { shard, index: index - shard.base } : undefined;
  }

  checkpoint(): string | undefined {
    return this.#live.checkpoint();
  }

  publish(): Promise<string> {
    return this.#live.publish();
  }

  rootAt(size: number): Promise<Uint8Array> {
    return this.#live.rootAt(size);
  }

  inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]> {
    return this.#live.inclusionProof(index, size);
  }

  consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]> {
    return this.#live.consistencyProof(oldSize, newSize);
  }

  async resource(path: string): Promise<Uint8Array | undefined> {
    if (path === shardListName) return Buffer.from(formatShardList(this.#parts.records));
    const place = resolveShardPath(this.shards, path);
    return place?.shard.resource(place.path);
  }

  healthy(): boolean {
    return this.#live.healthy();
  }

  async close(): Promise<void> {
    try {
      await this.#live.close();
      for (const shard of this.#parts.frozen) await shard.close();
    } finally {
      this.#parts.lock.release();
    }
  }
}
