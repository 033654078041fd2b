import { dirname, join } from "node:path";
import { parseTilePath } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { type CheckpointMemory, type LogSigner, vkeyOf } from "./checkpoint.ts";
import { type Files, nodeFiles } from "./files.ts";
import { type Frame, leafBytesMax, payloadBytesMax } from "./frame.ts";
import { type Journal, openJournal } from "./journal.ts";
import { type JournalLimits, journalLimits } from "./journal-writer.ts";
import { lockLog } from "./lock.ts";
import { consistencyProof, inclusionProof, rootAt } from "./proof.ts";
import { Publisher } from "./publisher.ts";
import { recover } from "./recovery.ts";

export type { CheckpointMemory, LogSigner } from "./checkpoint.ts";
export type { Frame } from "./frame.ts";

export interface LogOptions {
  /** `log` in the data directory. */
  readonly folder: string;
  readonly signer: LogSigner;
  readonly memories?: readonly CheckpointMemory[];
  /** Milliseconds between checkpoints while there is something new; 0 publishes on demand only. */
  readonly publishEvery?: number;
  readonly maySign?: (next: { readonly size: number; readonly root: Uint8Array }) => Promise<void>;
  /** Collects cosignatures for a signed checkpoint before it is published; the checkpoint is remembered as signed by then. */
  readonly endorse?: (note: string) => Promise<string>;
  readonly limits?: Partial<JournalLimits>;
  readonly files?: Files;
  readonly lock?: (folder: string) => { release(): void };
}

export interface EvidenceLog {
  readonly origin: string;
  /** C2SP verifier key of the log. */
  readonly vkey: string;
  /** Durable entries. */
  readonly size: number;
  /** Resolves with the index once the frame is durable. Throws `log_poisoned`, `log_backpressure`. */
  append(frame: Frame): Promise<number>;
  read(index: number): Promise<Frame | undefined>;
  /** Durable entries `from` to `to`, exclusive. */
  scan(from: number, to?: number): AsyncGenerator<Frame>;
  /** The last signed checkpoint as a C2SP note; `undefined` before the first. */
  checkpoint(): string | undefined;
  /** Signs a checkpoint over everything durable now, and resolves with it. */
  publish(): Promise<string>;
  rootAt(size: number): Promise<Uint8Array>;
  /** RFC 6962 section 2.1.1, for any size up to the log's. */
  inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]>;
  /** RFC 6962 section 2.1.2. */
  consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]>;
  /** A published file by its C2SP path: `checkpoint` or a tile; `undefined` when there is none. */
  resource(path: string): Promise<Uint8Array | undefined>;
  healthy(): boolean;
  /** Waits for what is queued, publishes, and lets go of the files. */
  close(): Promise<void>;
}

/** Tiles wait in memory while the disk is slow; beyond this, appends are refused. */
const unpublishedBytesMax = 256 * 1024 * 1024;

/** Opens or creates a log. Throws `data_locked`, `log_damaged`, `log_rolled_back`. */
export async function openLog(options: LogOptions): Promise<EvidenceLog> {
  const files = options.files ?? nodeFiles;
  await files.makeDirectory(options.folder);
  const lock = (options.lock ?? lockLog)(options.folder);
  try {
    const { memories = [], maySign = async () => {}, endorse = async (note: string) => note, signer, folder } = options;
    const publisher = new Publisher({ files, folder, signer, memories, maySign, endorse });
    const journal = await openJournal({
      files,
      folder: join(folder, "journal"),
      limits: { ...journalLimits, ...options.limits },
      onDurable: (frames) => {
        for (const frame of frames) publisher.integrate(frame.leaf);
      },
    });
    await keepNames(files, folder);
    await recover({ files, folder, signer, memories, journal, publisher });
    return new TiledLog({ ...options, files }, { journal, publisher, lock });
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A synced file in a folder whose own name was not synced is lost with it; at each start, for the last may have died here. */
async function keepNames(files: Files, folder: string): Promise<void> {
  await files.syncDirectory(folder);
  await files.syncDirectory(dirname(folder));
  await files.syncDirectory(dirname(dirname(folder)));
}

interface Parts {
  readonly journal: Journal;
  readonly publisher: Publisher;
  readonly lock: { release(): void };
}

class TiledLog implements EvidenceLog {
  readonly #options: LogOptions & { readonly files: Files };
  readonly #parts: Parts;
  readonly #timer: NodeJS.Timeout | undefined;
  /** Publications follow each other; the second of two waiting callers shares the first one's. */
  #running: Promise<string> | undefined;
  #next: Promise<string> | undefined;
  #closed = false;

  constructor(options: LogOptions & { readonly files: Files }, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    const every = options.publishEvery ?? 1000;
    // A failed publication poisons the log or was withheld by `maySign`; the next append or publish says so.
    if (every > 0) this.#timer = setInterval(() => void this.publish().catch(() => {}), every).unref();
  }

  get origin(): string {
    return this.#options.signer.origin;
  }

  get vkey(): string {
    return vkeyOf(this.#options.signer);
  }

  get size(): number {
    return this.#parts.journal.size;
  }

  append(frame: Frame): Promise<number> {
    if (this.#closed) return Promise.reject(new LicetError("log_unavailable", { message: "the evidence log is closed" }));
    if (frame.leaf.length > leafBytesMax || frame.leaf.length === 0 || frame.payload.length > payloadBytesMax) {
      return Promise.reject(new LicetError("body_too_large", { message: "the entry is larger than the log can hold" }));
    }
    if (this.#parts.publisher.unwrittenBytes > unpublishedBytesMax) return Promise.reject(new LicetError("log_backpressure"));
    return this.#parts.journal.append(frame);
  }

  read(index: number): Promise<Frame | undefined> {
    return this.#parts.journal.read(index);
  }

  scan(from: number, to?: number): AsyncGenerator<Frame> {
    return this.#parts.journal.scan(from, to);
  }

  checkpoint(): string | undefined {
    return this.#parts.publisher.note;
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
    const { journal, publisher } = this.#parts;
    if (journal.poison) throw journal.poison;
    try {
      return await publisher.publish();
    } catch (error) {
      if (error instanceof LicetError) throw error;
      throw journal.poisonWith(error);
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

  async resource(path: string): Promise<Uint8Array | undefined> {
    if (path !== "checkpoint" && !parseTilePath(path).ok) return undefined;
    return this.#options.files.readWhole(join(this.#options.folder, path));
  }

  healthy(): boolean {
    return !this.#closed && this.#parts.journal.poison === undefined;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    const { journal, lock } = this.#parts;
    try {
      await journal.close();
      if (!journal.poison) await this.publish();
    } finally {
      lock.release();
    }
  }

  readonly #tiles = (level: number, index: number, width: number) => this.#parts.publisher.readTile(level, index, width);

  #within(size: number): void {
    if (size <= this.#parts.publisher.tree.size) return;
    throw new LicetError("not_found", { message: `the log has ${this.size} entries, fewer than ${size}` });
  }
}
