import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { sql, type Transaction } from "kysely";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import type { Database } from "./database.ts";
import { statements } from "./statements.ts";
import type { Tables } from "./tables.ts";

export interface Migration {
  readonly number: number;
  readonly name: string;
  /** Over the text with LF line ends, so that a checkout's line ends do not matter. */
  readonly digest: string;
  readonly sql: string;
}

type Applied = Omit<Migration, "sql">;

interface Bookkeeping extends Tables {
  migration: { number: number; name: string; digest: string; applied_at: number };
}

/** The package's `migrations` folder, seen from the sources and from the flat folder of the bundle. */
export const migrationFolder: string = fileURLToPath(
  import.meta.url.endsWith(".ts") ? new URL("../../migrations/", import.meta.url) : new URL("../migrations/", import.meta.url),
);

export async function readMigrations(folder: string = migrationFolder): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  const migrations = await Promise.all(
    files.map(async (file) => {
      const parts = /^(?<number>\d{4})-(?<name>[a-z0-9-]+)\.sql$/u.exec(file)?.groups;
      if (parts === undefined) throw new LicetError("internal", { message: `\`${file}\` is not named NNNN-name.sql` });
      const text = (await readFile(`${folder}/${file}`, "utf8")).replaceAll("\r\n", "\n");
      const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
      return { number: Number(parts["number"]), name: parts["name"] ?? "", digest, sql: text };
    }),
  );
  const gap = migrations.find(({ number }, index) => number !== index + 1);
  if (gap !== undefined) throw new LicetError("internal", { message: `migration ${gap.number} is out of sequence` });
  return migrations;
}

export interface MigrateOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly folder?: string;
}

/**
 * Applies what is missing, all in one transaction under the writers' lock: a start that fails half-way leaves
 * nothing, and of two programs that start together one waits and finds nothing left to do.
 * Throws `data_too_new` and `migration_changed`. Returns the numbers it applied.
 */
export async function migrate({ database, clock, folder = migrationFolder }: MigrateOptions): Promise<readonly number[]> {
  const known = await readMigrations(folder);
  return await database.write(async (narrow) => {
    const tx = narrow.withTables<Pick<Bookkeeping, "migration">>();
    await sql`create table if not exists migration (number bigint primary key, name text not null, digest text not null, applied_at bigint not null)`.execute(tx);
    const applied = await tx.selectFrom("migration").select(["number", "name", "digest"]).orderBy("number").execute();
    compare(applied, known);
    const missing = known.slice(applied.length);
    for (const migration of missing) await apply(tx, migration, clock.now());
    return missing.map(({ number }) => number);
  });
}

function compare(applied: readonly Applied[], known: readonly Migration[]): void {
  const newest = applied.at(-1);
  if (newest !== undefined && newest.number > known.length) {
    throw new LicetError("data_too_new", {
      message: `the database is at migration ${newest.number}, this program knows ${known.length}; run a newer version`,
    });
  }
  for (const [index, { number, name, digest }] of applied.entries()) {
    if (known[index]?.digest === digest && number === index + 1) continue;
    throw new LicetError("migration_changed", {
      message: `migration ${number} (\`${name}\`) differs from the one that was applied; install an unmodified release`,
    });
  }
}

async function apply(tx: Transaction<Tables & Pick<Bookkeeping, "migration">>, migration: Migration, now: number): Promise<void> {
  for (const statement of statements(migration.sql)) await sql.raw(statement).execute(tx);
  const { number, name, digest } = migration;
  await tx.insertInto("migration").values({ number, name, digest, applied_at: now }).execute();
}
