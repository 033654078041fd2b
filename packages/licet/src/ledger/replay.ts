import type { Transaction } from "kysely";
import { LicetError } from "../base/errors.ts";
import type { Database } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { Entry, EntryDefinition, LoggedEntry } from "./entry.ts";
import type { Frame } from "./frame.ts";
import type { Keyring } from "./keyring.ts";
import type { EvidenceLog } from "./log.ts";
import { type Registry, upcast } from "./registry.ts";
import { leafIn, openEntry } from "./sealing.ts";
import { clearRecords, type Cursors, insertEntry, insertErasedEntry, readCursors, writeCursors } from "./store.ts";

export interface ReplayOptions {
  readonly database: Database;
  readonly log: EvidenceLog;
  readonly keyring: Keyring;
  readonly registry: Registry;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Entries of this process that need not be opened again. */
  readonly recent?: (index: number) => Entry | undefined;
}

export interface Replayed {
  readonly applied: number;
  readonly projected: number;
  /** Entries whose payload was erased: their rows cannot come back, and must not. */
  readonly erased: number;
}

interface Step extends Replayed {
  /** Nothing is left. */
  readonly done: boolean;
  /** Every entry up to here has its rows. */
  readonly through: number;
}

/** While others wait for the write lock. Under load each statement waits for a turn of the event loop, so few must do. */
const entriesPerTransaction = 2048;

/**
 * Brings the database to the end of the log, in the log's order, through the same `apply` as the first time.
 * INVARIANT: cursors and rows change in one transaction, so that no entry is applied twice.
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const total = { applied: 0, projected: 0, erased: 0 };
  for (;;) {
    const step = await replayBatch(options);
    total.applied += step.applied;
    total.projected += step.projected;
    total.erased += step.erased;
    if (step.done) return total;
  }
}

/** One transaction's worth. While it holds the write lock no command is between its append and its commit. */
export async function replayBatch(options: ReplayOptions): Promise<Step> {
  const { database, log } = options;
  return database.write(async (tx) => {
    const cursors = await readCursors(tx, options.now());
    const { size } = log;
    if (Math.max(cursors.applied, cursors.projected) >= size) throw behind(cursors, size);
    const from = Math.min(cursors.applied, cursors.projected) + 1;
    const to = Math.min(size, from + entriesPerTransaction);
    const counts = { applied: 0, projected: 0, erased: 0, skipped: 0 };
    const neighbours = new Neighbours(tx);
    let index = from;
    const replayed = (source: Source) => replayOne(options, neighbours, { ...source, index, cursors });
    // What this process appended is still in memory. Most entries there only join their neighbours: nothing to wait for.
    for (let entry = options.recent?.(index); entry && index < to; entry = options.recent?.(index)) {
      const outcome = replayed({ entry });
      counts[outcome instanceof Promise ? await outcome : outcome] += 1;
      index += 1;
    }
    for await (const frame of log.scan(index, to)) {
      counts[await replayed({ frame })] += 1;
      index += 1;
    }
    await neighbours.flush();
    const end = to - 1;
    if (to > from) await writeCursors(tx, { applied: Math.max(cursors.applied, end), projected: Math.max(cursors.projected, end) });
    return { ...counts, done: to === size, through: end };
  });
}

interface Source {
  readonly entry?: Entry;
  readonly frame?: Frame;
}

type Outcome = "applied" | "projected" | "erased" | "skipped";

type ApplyMany = NonNullable<EntryDefinition["applyMany"]>;

/** Small enough that preparing them does not hold up the calls of this process. */
const neighboursMax = 512;

/** Gathers runtime entries that one function applies together. Whoever reads or writes other rows flushes first. */
class Neighbours {
  readonly tx: Transaction<Tables>;
  #apply: ApplyMany | undefined;
  #entries: LoggedEntry[] = [];

  constructor(tx: Transaction<Tables>) {
    this.tx = tx;
  }

  /** A promise only where others have to be flushed first. */
  add(apply: ApplyMany, entry: LoggedEntry): Promise<void> | undefined {
    const isFull = apply !== this.#apply || this.#entries.length >= neighboursMax;
    const flushed = isFull && this.#entries.length > 0 ? this.flush() : undefined;
    this.#apply = apply;
    this.#entries.push(entry);
    return flushed;
  }

  async flush(): Promise<void> {
    const [entries, apply] = [this.#entries, this.#apply];
    this.#entries = [];
    if (entries.length > 0) await apply?.(this.tx, entries);
  }
}

interface At extends Source {
  readonly index: number;
  readonly cursors: Cursors;
}

function replayOne(options: ReplayOptions, neighbours: Neighbours, at: At): Outcome | Promise<Outcome> {
  const { kind, version } = kindOf(at);
  const definition = options.registry.lookUp(kind, version);
  const governance = definition.mode === "governance";
  if (at.index <= (governance ? at.cursors.applied : at.cursors.projected)) return "skipped";
  const entry = openUnlessErased(options.keyring, at);
  if (!entry) return erased(neighbours, at, governance);
  const current = upcast(definition, entry);
  const logged = { ...current, index: at.index };
  if (!governance && definition.applyMany) {
    const added = neighbours.add(definition.applyMany, logged);
    return added === undefined ? "projected" : added.then(() => "projected");
  }
  return applied(definition, neighbours, logged);
}

async function erased({ tx }: Neighbours, { frame, index }: At, governance: boolean): Promise<Outcome> {
  if (governance && frame) await insertErasedEntry(tx, leafIn(frame), index);
  return "erased";
}

async function applied(definition: EntryDefinition, neighbours: Neighbours, logged: LoggedEntry): Promise<Outcome> {
  await neighbours.flush();
  if (definition.mode === "runtime") {
    await definition.apply(neighbours.tx, logged);
    return "projected";
  }
  await definition.apply(neighbours.tx, withoutIndex(logged));
  await insertEntry(neighbours.tx, logged);
  return "applied";
}

function kindOf({ entry, frame }: Source): { readonly kind: string; readonly version: number } {
  if (entry) return { kind: entry.kind, version: entry.v };
  if (!frame) throw new LicetError("internal");
  const leaf = leafIn(frame);
  return { kind: leaf.kind, version: leaf.kv };
}

/** What this process holds in memory is as erased as what lies on the disk. */
function openUnlessErased(keyring: Keyring, { entry, frame }: Source): Entry | undefined {
  if (entry) return entry.kid !== undefined && keyring.isDestroyed(entry.kid) ? undefined : entry;
  if (!frame) return undefined;
  try {
    return openEntry(keyring, frame);
  } catch (error) {
    if (error instanceof LicetError && error.code === "payload_erased") return undefined;
    throw error;
  }
}

/** The first time, a governance entry has no index yet: later times must not tell more. */
export function withoutIndex(entry: Entry): Entry {
  const { index: _, ...rest } = entry;
  return rest;
}

function behind(cursors: Cursors, size: number): LicetError {
  const newest = Math.max(cursors.applied, cursors.projected);
  return new LicetError("log_rolled_back", {
    message: `the database has applied entry ${newest}, and the log ends before entry ${size}`,
    at: { applied: cursors.applied, projected: cursors.projected, size },
  });
}

/** `licet db rebuild`: empties the record tables and applies the whole log again. A crash in it is continued at the next start. */
export async function rebuildDatabase(options: ReplayOptions): Promise<Replayed> {
  await options.database.write(async (tx) => {
    await readCursors(tx, options.now());
    await clearRecords(tx);
  });
  return replay(options);
}
