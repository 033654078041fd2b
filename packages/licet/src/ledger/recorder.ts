import type { Transaction } from "kysely";
import type { Tables } from "../db/tables.ts";
import type { Committed, Draft, Entry, LoggedEntry, Work } from "./entry.ts";

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
  /** Opens the write transaction, runs `work`, applies its entry, makes it durable in the log, commits. */
  commit<T>(work: (tx: Transaction<Tables>, time: number) => Promise<Work<T>>): Promise<Committed<T>>;
  /** Runtime entries: durable in the log first, projected to the database later in batches. */
  append(draft: Draft): Promise<LoggedEntry>;
  /** Opens the payload. */
  read(space: string, id: string): Promise<Entry | undefined>;
  /** In-process change feed: called after the commit (governance) or after the append (runtime). */
  onCommitted(listener: (entry: LoggedEntry) => void): () => void;
  /** The later of wall clock and newest time in the log; throws `clock_regressed` when 5 s behind. */
  now(): number;
  healthy(): boolean;
}
