import { parseJson } from "@licet/evidence";
import type { Envelope, Statement } from "@licet/evidence";
import type { Transaction } from "kysely";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Database } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { Committed, Draft, Entry, EntryDefinition, JsonObject, LoggedEntry, Work } from "./entry.ts";
import type { Keyring } from "./keyring.ts";
import type { EvidenceLog } from "./log.ts";
import { Projector } from "./projector.ts";
import { type Registry, registryOf } from "./registry.ts";
import { replay } from "./replay.ts";
import { leafIn, openEntry, sealEntry, type SealedEntry } from "./sealing.ts";
import { findIndex, insertEntry, writeCursors } from "./store.ts";

export { bodyText } from "./entry.ts";
export type {
  Committed,
  Draft,
  Entry,
  EntryDefinition,
  JsonObject,
  JsonValue,
  LoggedEntry,
  RetentionClass,
  Work,
} from "./entry.ts";

export interface Recorder {
  /**
   * Opens the write transaction, runs `work`, applies its entry, makes it durable in the log, commits. `work` reads
   * and validates; it writes nothing itself. Throws what `work` throws (rolled back), `log_poisoned`,
   * `log_backpressure`, `clock_regressed`.
   */
  commit<T>(work: (tx: Transaction<Tables>, time: number) => Promise<Work<T>>): Promise<Committed<T>>;
  /** Runtime entries: durable in the log when it resolves, projected to the database later in batches. */
  append(draft: Draft): Promise<LoggedEntry>;
  /** Opens the payload. Throws `payload_erased` once its key was destroyed. */
  read(space: string, id: string): Promise<Entry | undefined>;
  /** The same by place in the log; `undefined` for another space. */
  readAt(space: string, index: number): Promise<LoggedEntry | undefined>;
  /** In-process change feed: called after the commit (governance) or after the append (runtime). */
  onCommitted(listener: (entry: LoggedEntry) => void): () => void;
  /** The later of wall clock and newest time in the log; throws `clock_regressed` when 5 s behind. */
  now(): number;
  /** Every runtime entry appended so far has its rows when it resolves. */
  settle(): Promise<void>;
  healthy(): boolean;
  /** Finishes what runs, projects, and leaves log, keyring and database to their owners. */
  close(): Promise<void>;
}

export interface RecorderOptions {
  readonly database: Database;
  readonly log: EvidenceLog;
  readonly keyring: Keyring;
  readonly definitions: readonly EntryDefinition[];
  readonly clock: Clock;
  /** Called when the log holds an entry that the database could not commit: the process must stop. */
  readonly fatal: (error: unknown) => void;
  /** Signs what definitions say; without it their entries hold no statement. */
  readonly signStatement?: (statement: Statement) => Envelope;
  /** Milliseconds between projections; 0 projects only in `settle`. */
  readonly projectEvery?: number;
}

/** A clock may lag the log by so much before everything is refused. */
export const clockLagMillisecondsMax = 5000;
/** Times in the log are almost in order: the newest is among the last entries. */
const newestAmong = 256;

/** Brings the database to the end of the log, then takes commands. Throws `entry_unknown`, `log_rolled_back`. */
export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  const registry = registryOf(options.definitions);
  const newest = await newestTime(options.log);
  const { database, log, keyring, clock } = options;
  await replay({ database, log, keyring, registry, now: () => Math.max(newest, clock.now()) });
  return new LogRecorder(options, registry, newest);
}

async function newestTime(log: EvidenceLog): Promise<number> {
  let newest = 0;
  for await (const frame of log.scan(Math.max(0, log.size - newestAmong))) newest = Math.max(newest, leafIn(frame).time);
  return newest;
}

/** An entry with its place in the log's queue. */
interface Placed {
  readonly sealed: SealedEntry;
  readonly index: Promise<number>;
}

/**
 * Entries that wait for their seals, and those behind them. INVARIANT: entries take their places in the order in which they
 * came, so that a crash leaves of each gateway's numbers the first ones, and no gap that would read as a removal.
 */
class Line {
  readonly #place: (sealed: SealedEntry) => Placed;
  #last: Promise<unknown> = Promise.resolve();
  length = 0;

  constructor(place: (sealed: SealedEntry) => Placed) {
    this.#place = place;
  }

  place(sealing: SealedEntry | Promise<SealedEntry>): Promise<Placed> {
    const before = this.#last;
    this.length += 1;
    const sealed = Promise.resolve(sealing);
    // It is looked at only when its turn comes.
    sealed.catch(() => undefined);
    const placed = this.#after(before, sealed);
    this.#last = placed.catch(() => undefined);
    return placed;
  }

  /** Nothing is awaited between taking the place and leaving the line: nobody else can come between. */
  async #after(before: Promise<unknown>, sealing: Promise<SealedEntry>): Promise<Placed> {
    try {
      await before;
      return this.#place(await sealing);
    } finally {
      this.length -= 1;
    }
  }
}

class LogRecorder implements Recorder {
  readonly #options: RecorderOptions;
  readonly #registry: Registry;
  readonly #projector: Projector;
  readonly #listeners = new Set<(entry: LoggedEntry) => void>();
  readonly #line = new Line((sealed) => this.#placed(sealed));
  #newest: number;
  #stopped = false;

  constructor(options: RecorderOptions, registry: Registry, newest: number) {
    this.#options = options;
    this.#registry = registry;
    this.#newest = newest;
    this.#projector = new Projector({ ...options, registry, now: () => Math.max(this.#newest, options.clock.now()) });
  }

  async commit<T>(work: (tx: Transaction<Tables>, time: number) => Promise<Work<T>>): Promise<Committed<T>> {
    this.#refuseStopped();
    let logged: LoggedEntry | undefined;
    try {
      const value = await this.#options.database.write(async (tx) => {
        const time = this.now();
        const answer = await work(tx, time);
        if ("nothing" in answer) return answer.nothing;
        logged = await this.#log(tx, answer.entry, time);
        await insertEntry(tx, logged);
        await writeCursors(tx, { applied: logged.index });
        return answer.value;
      });
      if (!logged) return { value };
      this.#notify(logged);
      return { value, entry: logged };
    } catch (error) {
      if (logged) this.#stop(error);
      throw error;
    }
  }

  /** Steps 1 and 2 of the commit point: rows with their constraints, then the entry. */
  async #log(tx: Transaction<Tables>, draft: Draft, time: number): Promise<LoggedEntry> {
    const definition = this.#registry.require(draft.kind, "governance");
    const sealed = await sealEntry(this.#options.keyring, this.#stamp(draft, definition, time));
    const entry = asRead(sealed.entry);
    await definition.apply(tx, entry);
    const index = await this.#options.log.append(sealed.frame);
    return this.#remember({ ...entry, index }, definition);
  }

  async append(draft: Draft): Promise<LoggedEntry> {
    this.#refuseStopped();
    const definition = this.#registry.require(draft.kind, "runtime");
    const sealing = sealEntry(this.#options.keyring, this.#stamp(draft, definition, this.now()));
    const { sealed, index } = sealing instanceof Promise || this.#line.length > 0 ? await this.#line.place(sealing) : this.#placed(sealing);
    const logged = this.#remember({ ...sealed.entry, index: await index }, definition);
    this.#notify(logged);
    return logged;
  }

  #placed(sealed: SealedEntry): Placed {
    return { sealed, index: this.#options.log.append(sealed.frame) };
  }

  async read(space: string, id: string): Promise<Entry | undefined> {
    const recent = this.#projector.recentById(id);
    if (recent && recent.space !== space) return undefined;
    if (recent?.kid !== undefined && this.#options.keyring.isDestroyed(recent.kid)) throw new LicetError("payload_erased", { at: { id } });
    if (recent) return recent.text === undefined ? recent : asRead(recent);
    const index = await findIndex(this.#options.database.read, space, id);
    const found = index === undefined ? undefined : await this.readAt(space, index);
    return found?.id === id ? found : undefined;
  }

  async readAt(space: string, index: number): Promise<LoggedEntry | undefined> {
    const frame = await this.#options.log.read(index);
    if (!frame || leafIn(frame).space !== space) return undefined;
    return { ...openEntry(this.#options.keyring, frame), index };
  }

  onCommitted(listener: (entry: LoggedEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  now(): number {
    const wall = this.#options.clock.now();
    if (wall < this.#newest - clockLagMillisecondsMax) {
      throw new LicetError("clock_regressed", { at: { behindMilliseconds: this.#newest - wall } });
    }
    return Math.max(wall, this.#newest);
  }

  async settle(): Promise<void> {
    await this.#projector.settle();
  }

  healthy(): boolean {
    return !this.#stopped && this.#options.log.healthy() && this.#projector.healthy();
  }

  async close(): Promise<void> {
    await this.#projector.close();
    this.#stopped = true;
  }

  #stamp(draft: Draft, definition: EntryDefinition, time: number): Entry {
    const entry = { ...draft, id: newId("ent", time), v: definition.v, time };
    const { signStatement } = this.#options;
    if (definition.statement === undefined || signStatement === undefined) return entry;
    return { ...entry, body: { ...entry.body, statement: plainEnvelope(signStatement(definition.statement(entry))) } };
  }

  #remember(entry: LoggedEntry, { mode, waiting }: EntryDefinition): LoggedEntry {
    this.#newest = Math.max(this.#newest, entry.time);
    this.#projector.keep(waiting === undefined ? entry : { ...entry, body: waiting(entry.body) });
    if (mode === "runtime") this.#projector.schedule();
    return entry;
  }

  /** A listener's fault is not the caller's, whose entry is committed: it surfaces as an uncaught error. */
  #notify(entry: LoggedEntry): void {
    for (const listener of this.#listeners) {
      try {
        listener(entry);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #refuseStopped(): void {
    if (this.#stopped) throw new LicetError("log_unavailable", { message: "the recorder has stopped" });
  }

  /** The log says that something happened, and the database does not: only a fresh start can mend that. */
  #stop(error: unknown): void {
    this.#stopped = true;
    this.#projector.halt();
    this.#options.fatal(error);
  }
}

/** As JSON, which an entry's body is. */
function plainEnvelope({ payloadType, payload, signatures }: Envelope): JsonObject {
  return { payloadType, payload, signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig })) };
}

/** As everybody who opens the payload will see it, however it was made: rows of the first time and of a replay are the same. */
function asRead({ text = "{}", ...entry }: Entry): Entry {
  const body: JsonObject = parseJson(text);
  return { ...entry, body };
}
