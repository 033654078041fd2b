import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./tables.ts";

/**
 * The port to the database; sqlite.ts and postgres.ts implement it and one test suite runs on both.
 *
 * INVARIANT: `work` given to `write` runs at most once, so evidence that it appends is never appended twice.
 * A `write` that rejects has been rolled back, except with `commit_uncertain`: then the process must stop
 * and the next start re-applies the log.
 */
export interface Database {
  readonly engine: "sqlite" | "postgres";
  /** Autocommit reads, side by side with a write. Inside `write` they throw `nested_write`. */
  readonly read: Kysely<Tables>;
  /** Autocommit reads and writes of operational tables. Inside `write` they throw `nested_write`. */
  readonly operational: Kysely<Tables>;
  /**
   * One writer at a time, in the order of the calls. SQLite: BEGIN IMMEDIATE. PostgreSQL: SERIALIZABLE,
   * begun after an advisory lock, so that no other write can make COMMIT fail once evidence is appended.
   */
  write<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Resolves when the engine answers; rejects with `database_unavailable`. */
  ping(): Promise<void>;
  /** A consistent copy in a new file, durable when it resolves. PostgreSQL: `backup_refused`. */
  backup(file: string): Promise<void>;
  /**
   * Takes what was deleted out of the engine's own files as well: pages are written anew without it, and the write-ahead
   * log is emptied. Takes the writer's turn. PostgreSQL: tables only; its write-ahead log is its operator's.
   */
  scrub(): Promise<void>;
  /** Waits for the running write, refuses the waiting ones, and lets go of the engine. */
  close(): Promise<void>;
}
