import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Database } from "./database.ts";
import { migrationFolder } from "./migrate.ts";
import { openSqliteLink } from "./sqlite-link.ts";
import { openSqlite } from "./sqlite.ts";

const code = (expected: string) => expect.objectContaining({ code: expected });
let directory = "";
let database: Database;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "licet-sqlite-"));
  database = await openSqlite({ file: join(directory, "a.db") });
});
afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

test("the file is opened for durable commits, with foreign keys enforced", async () => {
  const pragma = async (name: string) => Object.values((await sql<Record<string, unknown>>`${sql.raw(`pragma ${name}`)}`.execute(database.operational)).rows[0] ?? {})[0];
  expect(await pragma("journal_mode")).toBe("wal");
  expect(await pragma("synchronous")).toBe(2);
  expect(await pragma("foreign_keys")).toBe(1);
});

test("a backup is a complete, readable copy and overwrites nothing", async () => {
  await database.write(async (tx) => {
    await sql`create table kept (id text primary key)`.execute(tx);
    await sql`insert into kept values ('x')`.execute(tx);
  });
  const file = join(directory, "copy.db");
  await database.backup(file);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const copy = await openSqlite({ file });
  expect((await sql`select id from kept`.execute(copy.read)).rows).toEqual([{ id: "x" }]);
  await copy.close();
  await expect(database.backup(file)).rejects.toThrow(code("backup_refused"));
  await expect(database.backup(join(directory, "nowhere", "copy.db"))).rejects.toThrow(code("backup_refused"));
});

test("a backup runs beside a write and holds what was committed before it", async () => {
  await database.write((tx) => sql`create table kept (id text primary key)`.execute(tx));
  let copying: Promise<void> = Promise.resolve();
  await database.write(async (tx) => {
    await sql`insert into kept values ('uncommitted')`.execute(tx);
    copying = database.backup(join(directory, "copy.db"));
    await copying;
  });
  const copy = await openSqlite({ file: join(directory, "copy.db") });
  expect((await sql`select id from kept`.execute(copy.read)).rows).toEqual([]);
  await copy.close();
});

test("a file that is not a database is refused with a code", async () => {
  const file = join(directory, "not.db");
  await writeFile(file, "this is not a database, whatever its name says".repeat(100));
  await expect(openSqlite({ file })).rejects.toThrow(code("database_unavailable"));
});

test("when the thread ends, what waits for it and what comes later is refused", async () => {
  const link = await openSqliteLink({ file: join(directory, "b.db"), access: "write" });
  await link.run("begin immediate", []);
  // Long, not endless: a thread inside SQLite ends only when the statement does.
  const long = link.run("with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000) select max(i) from n", []);
  const ended = long.catch((error: unknown) => error);
  await link.terminate();
  expect(await ended).toEqual(code("database_unavailable"));
  await expect(link.run("select 1", [])).rejects.toThrow(code("database_unavailable"));
  await expect(link.ping()).rejects.toThrow(code("database_unavailable"));
});

test("a transaction that waits too long for another is refused instead of hanging", async () => {
  const impatient = await openSqlite({ file: join(directory, "c.db"), bounds: { waitingMax: 1, waitMillisecondsMax: 20 } });
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow = impatient.write(() => promise);
  const waiting = impatient.write(async () => 1).catch((error: unknown) => error);
  await expect(impatient.write(async () => 2)).rejects.toThrow(/1 writes are waiting/u);
  expect(await waiting).toEqual(expect.objectContaining({ code: "database_unavailable", message: expect.stringContaining("running for 20 ms") }));
  resolve();
  await slow;
  expect(await impatient.write(async () => 3)).toBe(3);
  await impatient.close();
});

test("the bundle finds its worker and its migrations beside it", { timeout: 60_000 }, async () => {
  const source = (name: string) => join(import.meta.dirname, name);
  const entry = join(directory, "entry.ts");
  await writeFile(
    entry,
    `import { openDatabase } from ${JSON.stringify(source("open.ts"))};
     const database = await openDatabase({ directory: ${JSON.stringify(directory)}, clock: { now: () => 7 } });
     const { rows } = await database.read.selectFrom("task").select((eb) => eb.fn.countAll().as("tasks")).execute().then((rows) => ({ rows }));
     process.stdout.write(JSON.stringify(rows));
     await database.close();`,
  );
  await build({
    entryPoints: { main: entry, "sqlite-worker": source("sqlite-worker.ts") },
    outdir: join(directory, "dist"),
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node24",
    conditions: ["source"],
    external: ["pg-native"],
    nodePaths: [join(import.meta.dirname, "../../../../node_modules")],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "silent",
  });
  await writeFile(join(directory, "package.json"), '{"type":"module"}');
  await cp(migrationFolder, join(directory, "migrations"), { recursive: true });
  const { stdout } = await promisify(execFile)(process.execPath, [join(directory, "dist/main.js")], { env: { PATH: process.env["PATH"] } });
  expect(JSON.parse(stdout)).toEqual([{ tasks: 0 }]);
});
