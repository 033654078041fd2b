import { dirname, join } from "node:path";
import { LicetError } from "../base/errors.ts";
import { type CheckpointMemory, type LogSigner, vkeyOf } from "./checkpoint.ts";
import type { Files } from "./files.ts";
import { type Frame, leafBytesMax, payloadBytesMax } from "./frame.ts";
import { type Journal, openJournal } from "./journal.ts";
import type { JournalLimits } from "./journal-writer.ts";
import { consistencyProof, inclusionProof, rootAt } from "./proof.ts";
import { Publisher } from "./publisher.ts";
import { recover } from "./recovery.ts";
import { claimOf } from "./shard-list.ts";
import { publishedFile, type Shard } from "./shards.ts";
import { cachedTiles } from "./tile-cache.ts";

export interface LiveShardOptions {
  readonly files: Files;
  readonly folder: string;
  readonly name: string;
  readonly base: number;
  /** Of this shard's origin. */
  readonly signer: LogSigner;
  readonly memories: readonly CheckpointMemory[];
  readonly publishEvery: number;
  readonly maySign: (next: { readonly size: number; readonly root: Uint8Array }) => Promise<void>;
  readonly endorse: (note: string) => Promise<string>;
  readonly lacking?: ((size: number) => boolean) | undefined;
  readonly limits: JournalLimits;
}

/** Tiles wait in memory while the disk is slow; beyond this, appends are refused. */
const unpublishedBytesMax = 256 * 1024 * 1024;

/** The shard that is written. The caller holds the log's lock. */
export async function openLiveShard(options: LiveShardOptions): Promise<LiveShard> {
  const { files, folder, signer, maySign, endorse, lacking, limits } = options;
  await files.makeDirectory(folder);
  const memories = options.memories.map((memory) => memoryOf(memory, signer.origin));
  const publisher = new Publisher({ files, folder, signer, memories, maySign, endorse, lacking });
  const journal = await openJournal({
    files,
    folder: join(folder, "journal"),
    limits,
    onDurable: (frames) => {
      for (const frame of frames) publisher.integrate(frame.leaf);
    },
  });
  await keepNames(files, folder);
  await recover({ files, folder, signer, memories, journal, publisher });
  return new LiveShard(options, journal, publisher);
}

/** A memory holds the last checkpoint of the whole log; before this shard's first one, that is of another shard. */
function memoryOf(memory: CheckpointMemory, origin: string): CheckpointMemory {
  return {
    get: async () => {
      const note = await memory.get();
      // What does not even parse goes on to where its signature is refused.
      return note === undefined || (claimOf(note)?.origin ?? origin) === origin ? note : undefined;
    },
    set: (note) => memory.set(note),
  };
}

/** A synced file in a folder whose own name was not synced is lost with it; at each start, for the last may have died here. */
async function keepNames(files: Files, folder: string): Promise<void> {
  await files.syncDirectory(folder);
  await files.syncDirectory(dirname(folder));
  await files.syncDirectory(dirname(dirname(folder)));
}

export class LiveShard implements Shard {
  readonly frozen = false;
  readonly #options: LiveShardOptions;
  readonly #journal: Journal;
  readonly #publisher: Publisher;
  readonly #timer: NodeJS.Timeout | undefined;
  /** Publications follow each other; the second of two waiting callers shares the first one's. */
  #running: Promise<string> | undefined;
  #next: Promise<string> | undefined;
  #closed = false;

  constructor(options: LiveShardOptions, journal: Journal, publisher: Publisher) {
    this.#options = options;
    this.#journal = journal;
    this.#publisher = publisher;
    const every = options.publishEvery;
    // A failed publication poisons the log or was withheld by `maySign`; the next append or publish says so.
    if (every > 0) this.#timer = setInterval(() => void this.publish().catch(() => {}), every).unref();
  }

  get name(): string {
    return this.#options.name;
  }

  get origin(): string {
    return this.#options.signer.origin;
  }

  get vkey(): string {
    return vkeyOf(this.#options.signer);
  }

  get base(): number {
    return this.#options.base;
  }

  get size(): number {
    return this.#journal.size;
  }

  append(frame: Frame): Promise<number> {
    if (this.#closed) return Promise.reject(new LicetError("log_unavailable", { message: "the evidence log is closed" }));
    if (frame.leaf.length > leafBytesMax || frame.leaf.length === 0 || frame.payload.length > payloadBytesMax) {
      return Promise.reject(new LicetError("body_too_large", { message: "the entry is larger than the log can hold" }));
    }
    if (this.#publisher.unwrittenBytes > unpublishedBytesMax) return Promise.reject(new LicetError("log_backpressure"));
    return this.#journal.append(frame);
  }

  read(index: number): Promise<Frame | undefined> {
    return this.#journal.read(index);
  }

  scan(from: number, to?: number): AsyncGenerator<Frame> {
    return this.#journal.scan(from, to);
  }

  checkpoint(): string | undefined {
    return this.#publisher.note;
  }

  publish(): Promise<string> {
    if (!this.#running) {
      this.#running = this.#publish().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    this.#next ??= this.#running
      .catch(() => "")
      .then(() => {
        this.#next = undefined;
        return this.publish();
      });
    return this.#next;
  }

  async #publish(): Promise<string> {
    if (this.#journal.poison) throw this.#journal.poison;
    try {
      return await this.#publisher.publish();
    } catch (error) {
      if (error instanceof LicetError) throw error;
      throw this.#journal.poisonWith(error);
    }
  }

  async rootAt(size: number): Promise<Uint8Array> {
    this.#within(size);
    return rootAt(this.#tiles, size);
  }

  async inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]> {
    this.#within(size);
    return inclusionProof(this.#tiles, index, size);
  }

  async consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]> {
    this.#within(newSize);
    return consistencyProof(this.#tiles, oldSize, newSize);
  }

  resource(path: string): Promise<Uint8Array | undefined> {
    return publishedFile(this.#options.files, this.#options.folder, path);
  }

  healthy(): boolean {
    return !this.#closed && this.#journal.poison === undefined;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#stop();
    if (!this.#journal.poison) await this.publish();
  }

  /** The last act on a shard: all of its tree on the disk, and nothing signed. */
  async freeze(): Promise<void> {
    await this.#stop();
    if (this.#journal.poison) throw this.#journal.poison;
    await this.#publisher.settle();
  }

  async #stop(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#running?.catch(() => {});
    await this.#journal.close();
  }

  readonly #tiles = cachedTiles((level, index, width) => this.#publisher.readTile(level, index, width));

  #within(size: number): void {
    if (size <= this.#publisher.tree.size) return;
    throw new LicetError("not_found", { message: `the log has ${this.size} entries, fewer than ${size}` });
  }
}
