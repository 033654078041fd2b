import { open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { LicetError } from "../base/errors.ts";
import type { Database } from "./database.ts";
import type { Link, LinkPool } from "./link.ts";
import { databaseOver } from "./port.ts";
import { openSqliteLink, type SqliteLink } from "./sqlite-link.ts";
import { defaultTurnstileBounds, turnstile, type Turnstile, type TurnstileBounds } from "./turnstile.ts";

export interface SqliteOptions {
  readonly file: string;
  /** Connections for reads side by side with the writer. */
  readonly readers?: number;
  readonly bounds?: TurnstileBounds;
}

export const readersDefault = 2;

/**
 * The embedded engine: one writing connection and some reading ones on a WAL file, each in a worker thread. A reading one
 * is opened when it is first needed: starting its thread takes longer than all else that opening the database does.
 */
export async function openSqlite({ file, readers = readersDefault, bounds = defaultTurnstileBounds }: SqliteOptions): Promise<Database> {
  const writing = await openSqliteLink({ file, access: "write" });
  const writerGate = turnstile(bounds);
  const reading = Array.from({ length: readers }, () => new Reader(file, turnstile(bounds)));
  const writer = exclusive(writing, writerGate, "begin immediate");
  const read = shared(reading);
  return databaseOver({
    engine: "sqlite",
    read,
    operational: writer,
    writer,
    ping: async () => {
      await Promise.all([writing.ping(), ...reading.map((reader) => reader.ping())]);
    },
    backup: (target) => backup(file, target),
    scrub: () => scrub(writer),
    close: async () => {
      await Promise.all([writerGate.close(), ...reading.map(({ gate }) => gate.close())]);
      await Promise.all(reading.map((reader) => reader.close()));
      await writing.close();
    },
  });
}

class Reader {
  readonly gate: Turnstile;
  /** Who holds it or waits for it. */
  callers = 0;
  readonly #file: string;
  #link: Promise<SqliteLink> | undefined;

  constructor(file: string, gate: Turnstile) {
    this.#file = file;
    this.gate = gate;
  }

  link(): Promise<SqliteLink> {
    this.#link ??= openSqliteLink({ file: this.#file, access: "read" }).catch((error: unknown) => {
      this.#link = undefined;
      throw error;
    });
    return this.#link;
  }

  async ping(): Promise<void> {
    await (await this.#link)?.ping();
  }

  /** Once its gate is closed. */
  async close(): Promise<void> {
    await (await this.#link)?.close();
  }
}

function exclusive(link: SqliteLink, gate: Turnstile, begin: string): LinkPool {
  let leave: () => void = () => undefined;
  return {
    begin,
    acquire: async () => {
      leave = await gate.enter();
      return link;
    },
    release: async () => leave(),
  };
}

/** Each query goes to the reader that the fewest wait for, and waits there if a read transaction holds it. */
function shared(readers: readonly Reader[]): LinkPool {
  const leaves = new Map<Link, () => void>();
  return {
    begin: "begin",
    acquire: async () => {
      const [reader] = readers.toSorted((one, other) => one.callers - other.callers);
      if (reader === undefined) throw new LicetError("internal");
      const { link, leave } = await entered(reader);
      leaves.set(link, leave);
      return link;
    },
    release: async (link) => {
      const leave = leaves.get(link);
      leaves.delete(link);
      leave?.();
    },
  };
}

async function entered(reader: Reader): Promise<{ readonly link: SqliteLink; readonly leave: () => void }> {
  let free: () => void = () => undefined;
  reader.callers += 1;
  const leave = (): void => {
    reader.callers -= 1;
    free();
  };
  try {
    free = await reader.gate.enter();
    return { link: await reader.link(), leave };
  } catch (error) {
    leave();
    throw error;
  }
}

const checkpointsMax = 20;

/** A reader that is still in a transaction keeps the write-ahead log from being emptied; each attempt waits for it. */
async function scrub(writer: LinkPool): Promise<void> {
  const link = await writer.acquire();
  try {
    await link.run("vacuum", []);
    for (let attempt = 0; attempt < checkpointsMax; attempt += 1) {
      const { rows } = await link.run("pragma wal_checkpoint(truncate)", []);
      const [row] = rows;
      if (typeof row === "object" && row !== null && "busy" in row && Number(row.busy) === 0) return;
    }
    throw new LicetError("database_unavailable", { message: "the database's write-ahead log cannot be emptied while it is read" });
  } finally {
    await writer.release(link);
  }
}

async function backup(file: string, target: string): Promise<void> {
  // VACUUM INTO takes an empty file; creating it here gives it its mode and refuses one that exists.
  const created = await open(target, "wx", 0o600).catch((cause: unknown) => {
    throw new LicetError("backup_refused", { message: `\`${target}\` exists or cannot be created; name a new file`, cause });
  });
  try {
    await copyInto(file, target);
    await created.sync();
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  } finally {
    await created.close();
  }
  const directory = await open(dirname(target), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function copyInto(file: string, target: string): Promise<void> {
  const link = await openSqliteLink({ file, access: "backup" });
  try {
    await link.run("vacuum into ?", [target]);
  } finally {
    await link.close();
  }
}
