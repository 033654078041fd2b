import type { Pool, PoolClient } from "pg";
import { LicetError } from "../base/errors.ts";
import type { Database } from "./database.ts";
import type { Link, LinkPool } from "./link.ts";
import { databaseOver } from "./port.ts";
import { postgresFailure } from "./postgres-failure.ts";
import { defaultTurnstileBounds, turnstile, type Turnstile, type TurnstileBounds } from "./turnstile.ts";

export interface PostgresOptions {
  /** A direct connection: a pooler that shares sessions between transactions would break the writers' lock. */
  readonly url: string;
  readonly connectionsMax?: number;
  readonly bounds?: TurnstileBounds;
}

/** Names the writers' lock inside this database: the bytes "licet". */
const writerLock = 0x6c_69_63_65_74;
const connectionsMaxDefault = 10;
const connectMillisecondsMax = 10_000;
const statementMillisecondsMax = 60_000;
/** Longer than any append to the log waits, short enough that a frozen writer gives up the lock. */
const idleInTransactionMillisecondsMax = 60_000;

interface Held extends Link {
  release(): void;
  discard(): void;
}

export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const { url, connectionsMax = connectionsMaxDefault, bounds = defaultTurnstileBounds } = options;
  const pool = await connectionPool(url, connectionsMax);
  const gate = turnstile(bounds);
  const read = plain(pool, "begin isolation level repeatable read read only");
  const ping = async () => {
    const link = await read.acquire();
    try {
      await link.run("select 1", []);
    } finally {
      await read.release(link);
    }
  };
  await ping().catch(async (error: unknown) => {
    await pool.end();
    throw error;
  });
  return databaseOver({
    engine: "postgres",
    read,
    operational: plain(pool, "begin isolation level read committed"),
    writer: locked(pool, gate, bounds),
    ping,
    backup: () => Promise.reject(new LicetError("backup_refused", { message: "a PostgreSQL database is backed up with pg_dump" })),
    scrub: async () => {
      const link = await take(pool);
      await link.run("vacuum (full)", []).finally(() => link.release());
    },
    close: async () => {
      await gate.close();
      await pool.end();
    },
  });
}

/** The driver is loaded only where PostgreSQL is used: it would cost every other start time and memory. */
async function connectionPool(url: string, connectionsMax: number): Promise<Pool> {
  const { Pool, types } = await import("pg");
  const { INT8, NUMERIC } = types.builtins;
  const pool = new Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: connectMillisecondsMax,
    statement_timeout: statementMillisecondsMax,
    idle_in_transaction_session_timeout: idleInTransactionMillisecondsMax,
    application_name: "licet",
    types: { getTypeParser: (id, format) => (id === INT8 || id === NUMERIC ? exactNumber : types.getTypeParser(id, format)) },
  });
  // A connection that breaks while idle is replaced by the pool; one that breaks in use rejects its query.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

function exactNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new LicetError("internal", { message: "a number in the database is too large to read exactly" });
  }
  return value;
}

function plain(pool: Pool, begin: string): LinkPool {
  const held = new WeakMap<Link, Held>();
  return {
    begin,
    acquire: async () => {
      const link = await take(pool);
      held.set(link, link);
      return link;
    },
    release: async (link) => held.get(link)?.release(),
  };
}

/**
 * The lock is taken before BEGIN because a serializable transaction reads as of its first statement: waiting
 * inside the transaction would leave it with a snapshot from before the write it waited for.
 */
function locked(pool: Pool, gate: Turnstile, { waitMillisecondsMax }: TurnstileBounds): LinkPool {
  const held = new WeakMap<Link, () => Promise<void>>();
  const lock = async (link: Held) => {
    await link.run("select set_config('lock_timeout', $1, false)", [String(waitMillisecondsMax)]);
    await link.run("select pg_advisory_lock($1)", [writerLock]);
  };
  return {
    begin: "begin isolation level serializable",
    acquire: async () => {
      const leave = await gate.enter();
      const link = await take(pool).catch((error: unknown) => {
        leave();
        throw error;
      });
      try {
        await lock(link);
      } catch (error) {
        link.discard();
        leave();
        throw error;
      }
      held.set(link, () => unlock(link).finally(leave));
      return link;
    },
    release: async (link) => {
      await held.get(link)?.();
    },
  };
}

async function unlock(link: Held): Promise<void> {
  try {
    await link.run("select pg_advisory_unlock($1)", [writerLock]);
    link.release();
  } catch {
    // Closing the connection gives up the lock for certain.
    link.discard();
  }
}

async function take(pool: Pool): Promise<Held> {
  const client = await pool.connect().catch((error: unknown) => {
    throw postgresFailure(error);
  });
  return linkOn(client);
}

function linkOn(client: PoolClient): Held {
  let broken = false;
  const run = async (sql: string, parameters: readonly unknown[]) => {
    try {
      const { command, rowCount, rows } = await client.query(sql, parameters.map(bound));
      if (sql === "commit" && command === "ROLLBACK") throw new LicetError("internal", { message: "a statement of the transaction had failed" });
      return { rows: rows ?? [], changes: rowCount ?? 0 };
    } catch (error) {
      const failure = postgresFailure(error);
      broken ||= failure.code === "database_unavailable";
      throw failure;
    }
  };
  return {
    run,
    rollback: async () => {
      await run("rollback", []).catch(() => {
        broken = true;
      });
    },
    release: () => client.release(broken),
    discard: () => client.release(true),
  };
}

/** As on SQLite: flags are 0 or 1, and what cannot be stored exactly is refused. */
function bound(value: unknown): unknown {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number" && (Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value)))) return value;
  if (value === null || typeof value === "string" || typeof value === "bigint" || value instanceof Uint8Array) return value;
  throw new LicetError("internal", { message: `a parameter of type ${typeof value} cannot be stored exactly` });
}
