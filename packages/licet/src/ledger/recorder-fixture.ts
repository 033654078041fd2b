import { existsSync, rmSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql, type Transaction } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Database } from "../db/database.ts";
import { migrate, migrationFolder } from "../db/migrate.ts";
import { openSqlite } from "../db/sqlite.ts";
import { tableColumns, type Tables } from "../db/tables.ts";
import { bodyText, type Draft, type Entry, type EntryDefinition, type JsonValue } from "./entry.ts";
import { openKeyring } from "./keyring.ts";
import { openKeys } from "./keys.ts";
import { type EvidenceLog, type LogOptions, openLog } from "./log.ts";
import { openRecorder, type Recorder } from "./recorder.ts";

/** Toy kinds over real tables: one that inserts, one that reads and updates, one at run time. */
export const toyKinds: readonly EntryDefinition[] = [
  {
    kind: "toy.hold",
    v: 1,
    mode: "governance",
    apply: async (tx, entry) => {
      const row = { scope: "system", reason: textOf(entry.body["reason"]), placed_by: entry.actor, placed_at: entry.time };
      await tx
        .insertInto("hold")
        .values({ space: entry.space, id: textOf(entry.body["hold"]), system: entry.system ?? null, ...row, lifted_by: null, lifted_at: null, entry: entry.id })
        .execute();
    },
  },
  {
    kind: "toy.lift",
    v: 1,
    mode: "governance",
    apply: async (tx, entry) => {
      const open = await tx.selectFrom("hold").select("id").where("space", "=", entry.space).where("lifted_at", "is", null).orderBy("placed_at").orderBy("id").limit(1).executeTakeFirst();
      if (!open) return;
      await tx.updateTable("hold").set({ lifted_by: entry.actor, lifted_at: entry.time }).where("space", "=", entry.space).where("id", "=", open.id).execute();
    },
  },
  { kind: "toy.decision", v: 1, mode: "runtime", apply: applyDecision, waiting: () => ({}) },
];

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function applyDecision(tx: Transaction<Tables>, entry: Entry): Promise<void> {
  const row = { kind: "model", deployment: null, release: null, action: "call", decision: "allow", code: null, model: null };
  await tx
    .insertInto("decision")
    .values({ space: entry.space, id: entry.id, log_index: entry.index ?? -1, gateway: entry.gateway ?? "", seq: entry.seq ?? 0, system: entry.system ?? null, ...row, detail: bodyText(entry), outcome: null, kid: entry.kid ?? "", outcome_kid: null, decided_at: entry.time })
    .execute();
}

export function holdDraft(hold: string, more: Partial<Draft> = {}): Draft {
  return { kind: "toy.hold", space: "main", actor: "per_ada", system: "tumour", subject: "system:tumour", class: "governance", body: { hold, reason: "drift" }, ...more };
}

export function liftDraft(): Draft {
  return { kind: "toy.lift", space: "main", actor: "per_bob", subject: "person:per_bob", class: "governance", body: {} };
}

export function decisionDraft(seq: number): Draft {
  return { kind: "toy.decision", space: "main", actor: "dep_1", system: "tumour", subject: "system:tumour", class: "runtime", gateway: "gw-1", seq, body: { n: seq, big: "x".repeat(50) } };
}

export interface Installation {
  readonly directory: string;
  readonly database: Database;
  readonly log: EvidenceLog;
  readonly keyring: Awaited<ReturnType<typeof openKeyring>>;
  readonly recorder: Recorder;
  readonly fatal: unknown[];
  /** As at an orderly end. */
  close(): Promise<void>;
  /** As after a crash: nothing is finished, files and locks are let go. */
  crash(): Promise<void>;
}

export interface InstallationOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log?: Partial<LogOptions>;
  readonly wrapLog?: (log: EvidenceLog) => EvidenceLog;
  readonly wrapDatabase?: (database: Database) => Database;
  readonly definitions?: readonly EntryDefinition[];
}

export function newDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "licet-recorder-"));
}

export function removeDirectory(directory: string): Promise<void> {
  return rm(directory, { recursive: true, force: true });
}

/** Owned by `databaseIn`: an empty database, migrated once in a process; most of what a first start takes is making it. */
let migrated: Promise<string> | undefined;

async function emptyDatabase(clock: Clock): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "licet-empty-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "licet.db");
  const database = await openSqlite({ file, readers: 0 });
  await migrate({ database, clock, folder: migrationFolder });
  await database.close();
  return file;
}

async function databaseIn(directory: string, clock: Clock): Promise<Database> {
  const file = join(directory, "licet.db");
  if (!existsSync(file)) await copyFile(await (migrated ??= emptyDatabase(clock)), file);
  const database = await openSqlite({ file, readers: 1 });
  await migrate({ database, clock, folder: migrationFolder });
  return database;
}

export async function install(options: InstallationOptions): Promise<Installation> {
  const { directory, clock } = options;
  const keysAt = join(directory, "keys");
  const keys = await openKeys({ directory: keysAt, fresh: true, now: clock.now() });
  const keyring = await openKeyring({ directory: keysAt, root: keys.root, clock });
  const opened = await databaseIn(directory, clock);
  const rawLog = await openLog({ folder: join(directory, "log"), signer: keys.log, memories: [keys.memory], publishEvery: 0, ...options.log });
  const [database, log] = [options.wrapDatabase?.(opened) ?? opened, options.wrapLog?.(rawLog) ?? rawLog];
  const fatal: unknown[] = [];
  const release = async () => {
    await rawLog.close().catch(() => {});
    await keyring.close();
    await opened.close();
  };
  try {
    const recorder = await openRecorder({ database, log, keyring, definitions: options.definitions ?? toyKinds, clock, fatal: (error) => fatal.push(error), projectEvery: 0 });
    const close = async () => {
      await recorder.close();
      await release();
    };
    return { directory, database, log, keyring, recorder, fatal, close, crash: release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Every record table, whole, in a stable order. */
export async function dump(database: Database): Promise<Readonly<Record<string, readonly string[]>>> {
  const tables: Record<string, readonly string[]> = {};
  for (const [table, { kind }] of Object.entries(tableColumns)) {
    if (kind !== "record") continue;
    const { rows } = await sql`select * from ${sql.table(table)}`.execute(database.read);
    tables[table] = rows.map((row) => JSON.stringify(row)).sort();
  }
  return tables;
}
