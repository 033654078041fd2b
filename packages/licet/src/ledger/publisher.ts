import { dirname, join } from "node:path";
import { entriesPath, formatEntryBundle, tilePath } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { type CheckpointMemory, isSignedByCurrent, type LogSigner, signCheckpoint } from "./checkpoint.ts";
import { type Files, replaceFile } from "./files.ts";
import type { NewFile } from "./replace-files.ts";
import { hashBytes, tileWidth, Tree } from "./tree.ts";

export interface PublisherOptions {
  readonly files: Files;
  readonly folder: string;
  readonly signer: LogSigner;
  readonly memories: readonly CheckpointMemory[];
  /** Throws to withhold the signature, for instance while a witness holds a larger checkpoint. */
  readonly maySign: (next: { readonly size: number; readonly root: Uint8Array }) => Promise<void>;
  /** Collects others' cosignatures: answers the note with the lines that it got, within its own time limit. */
  readonly endorse: (note: string) => Promise<string>;
  /** Whether the published checkpoint of this size should be endorsed again, because a cosignature is missing or old. */
  readonly lacking?: ((size: number) => boolean) | undefined;
}

/** Two at a time: more would take the threads that the journal's sync needs. */
const writesAtOnce = 2;
/** So few that two groups are not much memory, so many that the hand-over costs nothing. */
const filesAtOnce = 16;

/** Turns durable entries into tiles, and tiles into signed checkpoints (C2SP tlog-tiles). */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #tree: Tree;
  /** Leaves of the unfinished bundle. */
  #bundle: Uint8Array[] = [];
  /** Full tiles and bundles that are not on disk yet, by path. */
  readonly #unwritten = new Map<string, Uint8Array>();
  #unwrittenBytes = 0;
  /** Folders of partial tiles that a full tile has replaced. */
  readonly #superseded: string[] = [];
  /** Folders of partial tiles that are there; all of them may be while `#partialsUnknown`. */
  readonly #partials = new Set<string>();
  #partialsUnknown = true;
  /** Folders whose names are durable. */
  readonly #known = new Set<string>();
  #note: string | undefined;
  #publishedSize = -1;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#tree = new Tree(({ level, index, hashes }) => {
      this.#keep(tilePath({ level, index, width: tileWidth }), hashes);
      if (level === 0) this.#finishBundle(index);
    });
  }

  get tree(): Tree {
    return this.#tree;
  }

  get unwrittenBytes(): number {
    return this.#unwrittenBytes;
  }

  get note(): string | undefined {
    return this.#note;
  }

  integrate(leaf: Uint8Array): void {
    this.#bundle.push(leaf);
    this.#tree.add(leaf);
  }

  /** Continues from a published state whose root the caller has verified. */
  restore(state: {
    readonly size: number;
    readonly rows: readonly Uint8Array[];
    readonly bundle: Uint8Array[];
    readonly note: string | undefined;
  }): void {
    this.#tree.restore(state.size, state.rows);
    this.#bundle = state.bundle;
    this.#note = state.note;
    this.#publishedSize = state.note === undefined ? -1 : state.size;
  }

  /** `width` hashes of a tile, from memory or disk. */
  async readTile(level: number, index: number, width: number): Promise<Uint8Array> {
    const row = this.#tree.row(level, index);
    const bytes = width * hashBytes;
    if (row && row.length >= bytes) return Buffer.from(row.subarray(0, bytes));
    const path = tilePath({ level, index, width: tileWidth });
    const full = this.#unwritten.get(path) ?? (await this.#options.files.readWhole(join(this.#options.folder, path), tileWidth * hashBytes));
    if (full && full.length >= bytes) return full.subarray(0, bytes);
    throw new LicetError("log_damaged", { message: `the tile \`${path}\` is missing or short`, at: { path } });
  }

  /** Writes what is new, makes it durable, then signs; never the other way round. The caller serialises. */
  async publish(): Promise<string> {
    const size = this.#tree.size;
    const published = size === this.#publishedSize ? this.#note : undefined;
    if (published !== undefined && isSignedByCurrent(this.#options.signer, published)) return this.#endorsedAgain(published);
    const root = this.#tree.root();
    const superseded = this.#superseded.splice(0);
    try {
      await this.writeTiles(this.#edgeFiles());
      await this.#options.maySign({ size, root });
      const signed = await signCheckpoint(this.#options.signer, { size, root });
      for (const memory of this.#options.memories) await memory.set(signed);
      const note = await this.#options.endorse(signed);
      await this.#keepNote(note);
      this.#publishedSize = size;
      for (const folder of superseded) await this.#options.files.remove(join(this.#options.folder, folder));
      this.#partialsUnknown = false;
      return note;
    } catch (error) {
      this.#superseded.push(...superseded);
      throw error;
    }
  }

  async #endorsedAgain(published: string): Promise<string> {
    if (this.#options.lacking?.(this.#publishedSize) !== true) return published;
    const note = await this.#options.endorse(published);
    if (note !== published) await this.#keepNote(note);
    return note;
  }

  async #keepNote(note: string): Promise<void> {
    await replaceFile(this.#options.files, join(this.#options.folder, "checkpoint"), Buffer.from(note));
    await this.#options.files.syncDirectory(this.#options.folder);
    this.#note = note;
  }

  /** All tiles of the tree as it stands, durable; signs nothing. */
  async settle(): Promise<void> {
    await this.writeTiles(this.#edgeFiles());
  }

  /** Also frees the memory that waiting tiles hold. */
  async writeTiles(more: ReadonlyMap<string, Uint8Array> = new Map()): Promise<void> {
    const full = [...this.#unwritten];
    const folders = new Set<string>();
    const queue = [...full, ...more].map(([path, data]) => ({ path: join(this.#options.folder, path), data }));
    for (const { path } of queue) await this.#makeFolder(dirname(path), folders);
    const worker = async () => {
      for (let next = queue.splice(0, filesAtOnce); next.length > 0; next = queue.splice(0, filesAtOnce)) await this.#write(next);
    };
    await Promise.all(Array.from({ length: writesAtOnce }, worker));
    for (const folder of folders) await this.#options.files.syncDirectory(folder);
    for (const folder of folders) this.#known.add(folder);
    for (const [path, data] of full) {
      this.#unwritten.delete(path);
      this.#unwrittenBytes -= data.length;
    }
  }

  #edgeFiles(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    for (const { level, index, hashes } of this.#tree.edge()) {
      const width = hashes.length / hashBytes;
      if (width > 0) files.set(tilePath({ level, index, width }), hashes);
    }
    const width = this.#bundle.length;
    if (width > 0) {
      files.set(entriesPath(Math.floor(this.#tree.size / tileWidth), width), formatEntryBundle(this.#bundle));
    }
    for (const path of files.keys()) this.#partials.add(dirname(path));
    return files;
  }

  #finishBundle(index: number): void {
    this.#keep(entriesPath(index), formatEntryBundle(this.#bundle));
    this.#bundle = [];
  }

  #keep(path: string, data: Uint8Array): void {
    this.#unwritten.set(path, data);
    this.#unwrittenBytes += data.length;
    const partials = `${path}.p`;
    if (this.#partials.delete(partials) || this.#partialsUnknown) this.#superseded.push(partials);
  }

  async #makeFolder(folder: string, folders: Set<string>): Promise<void> {
    if (folders.has(folder)) return;
    folders.add(folder);
    if (this.#known.has(folder)) return;
    await this.#options.files.makeDirectory(folder);
    // The names of new folders have to last as well: sync every folder from here up to the log's own.
    for (let up = dirname(folder); up.length >= this.#options.folder.length; up = dirname(up)) folders.add(up);
  }

  async #write(group: readonly NewFile[]): Promise<void> {
    const { files } = this.#options;
    if (files.replaceMany) return files.replaceMany(group);
    for (const { path, data } of group) await replaceFile(files, path, data);
  }
}
