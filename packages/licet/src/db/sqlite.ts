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

/** The embedded engine: one writing connection and some reading ones on a WAL file, each in a worker thread. */
export async function openSqlite({ file, readers = readersDefault, bounds = defaultTurnstileBounds }: SqliteOptions): Promise<Database> {
  const writing = await openSqliteLink({ file, access: "write" });
  const reading = await openReaders(file, readers).catch(async (error: unknown) => {
    await writing.close();
    throw error;
  });
  const gates = { writer: turnstile(bounds), readers: reading.map((link) => ({ link, gate: turnstile(bounds) })) };
  const writer = exclusive(writing, gates.writer, "begin immediate");
  const read = shared(gates.readers);
  return databaseOver({
    engine: "sqlite",
    read,
    operational: writer,
    writer,
    ping: async () => {
      await Promise.all([writing, ...reading].map((link) => link.ping()));
    },
    backup: (target) => backup(file, target),
    close: async () => {
      await Promise.all([gates.writer.close(), ...gates.readers.map(({ gate }) => gate.close())]);
      await Promise.all(reading.map((link) => link.close()));
      await writing.close();
    },
  });
}

async function openReaders(file: string, readers: number): Promise<readonly SqliteLink[]> {
  const opened = await Promise.allSettled(Array.from({ length: readers }, () => openSqliteLink({ file, access: "read" })));
  const failed = opened.find((result) => result.status === "rejected");
  const links = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (failed === undefined) return links;
  await Promise.all(links.map((link) => link.close()));
  throw failed.reason;
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

interface Reader {
  readonly link: SqliteLink;
  readonly gate: Turnstile;
}

/** Readers in turn: each query goes to the next one, and waits there if a read transaction holds it. */
function shared(readers: readonly Reader[]): LinkPool {
  const leaves = new Map<Link, () => void>();
  let turn = 0;
  return {
    begin: "begin",
    acquire: async () => {
      const reader = readers[turn++ % readers.length];
      if (reader === undefined) throw new LicetError("internal");
      leaves.set(reader.link, await reader.gate.enter());
      return reader.link;
    },
    release: async (link) => leaves.get(link)?.(),
  };
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
