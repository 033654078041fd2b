import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeEngines } from "../../../../test/unit/support/databases.ts";
import { manualClock } from "../base/clock.ts";
import type { Database } from "./database.ts";
import { migrate, readMigrations } from "./migrate.ts";

const code = (expected: string) => expect.objectContaining({ code: expected });
const clock = manualClock(1_000);

describeEngines("migrations", ({ open }) => {
  let folder = "";
  let database: Database;
  const put = (name: string, text: string) => writeFile(join(folder, name), text);
  const applied = async () => (await sql<{ number: number }>`select number, name, applied_at from migration order by number`.execute(database.read)).rows;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "licet-migrations-"));
    database = await open();
    await put("0001-first.sql", "create table one (id text primary key);");
    await put("0002-second.sql", "create table two (id text primary key); insert into two values ('a;b');");
  });
  afterEach(async () => {
    for (const table of ["migration", "one", "two", "three"]) await sql`drop table if exists ${sql.table(table)}`.execute(database.operational);
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("what is missing is applied in order, once", async () => {
    expect(await migrate({ database, clock, folder })).toEqual([1, 2]);
    expect(await migrate({ database, clock, folder })).toEqual([]);
    expect(await applied()).toEqual([
      { number: 1, name: "first", applied_at: 1_000 },
      { number: 2, name: "second", applied_at: 1_000 },
    ]);
    expect((await sql`select id from two`.execute(database.read)).rows).toEqual([{ id: "a;b" }]);
  });

  test("two programs that start together apply each migration once", async () => {
    const other = await open();
    try {
      const runs = await Promise.all([migrate({ database, clock, folder }), migrate({ database: other, clock, folder })]);
      expect(runs.flat()).toEqual([1, 2]);
    } finally {
      await other.close();
    }
  });

  test("a migration that fails leaves nothing of this start behind", async () => {
    await put("0003-third.sql", "create table three (id text primary key); insert into nowhere values (1);");
    await expect(migrate({ database, clock, folder })).rejects.toThrow(code("internal"));
    await expect(sql`select * from one`.execute(database.read)).rejects.toThrow(code("internal"));
    await rm(join(folder, "0003-third.sql"));
    expect(await migrate({ database, clock, folder })).toEqual([1, 2]);
  });

  test("an applied migration whose text has changed is refused", async () => {
    await migrate({ database, clock, folder });
    await put("0001-first.sql", "create table one (id text primary key, extra text);");
    await expect(migrate({ database, clock, folder })).rejects.toThrow(code("migration_changed"));
  });

  test("other line ends do not count as a change", async () => {
    await put("0001-first.sql", "create table one\n(id text primary key);");
    await migrate({ database, clock, folder });
    await put("0001-first.sql", "create table one\r\n(id text primary key);");
    expect(await migrate({ database, clock, folder })).toEqual([]);
  });

  test("a database newer than the program is refused and left alone", async () => {
    const older = await mkdtemp(join(tmpdir(), "licet-migrations-"));
    await cp(join(folder, "0001-first.sql"), join(older, "0001-first.sql"));
    await migrate({ database, clock, folder });
    await expect(migrate({ database, clock, folder: older })).rejects.toThrow(code("data_too_new"));
    expect(await applied()).toHaveLength(2);
    await rm(older, { recursive: true });
  });

  test("a gap or a misnamed file in the folder is refused", async () => {
    await put("0004-later.sql", "select 1;");
    await expect(readMigrations(folder)).rejects.toThrow(/out of sequence/u);
    await rm(join(folder, "0004-later.sql"));
    await put("3-short.sql", "select 1;");
    await expect(readMigrations(folder)).rejects.toThrow(/NNNN-name/u);
  });
});
