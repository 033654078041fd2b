import { afterAll, beforeAll, expect, test } from "vitest";
import { describeEngines } from "../../../../test/unit/support/databases.ts";
import { manualClock } from "../base/clock.ts";
import { authTableColumns } from "./auth-tables.ts";
import type { Database } from "./database.ts";
import { migrate } from "./migrate.ts";
import { tableColumns } from "./tables.ts";

const sorted = (columns: readonly string[]) => [...columns].sort();

describeEngines("the migrated schema", ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
    await migrate({ database, clock: manualClock(0) });
  });
  afterAll(() => database.close());

  test("has exactly the tables and columns that the code declares", async () => {
    const migrated = (await database.read.introspection.getTables())
      .filter(({ name }) => name !== "migration")
      .map(({ name, columns }) => [name, sorted(columns.map((column) => column.name))]);
    const declared = [
      ...Object.entries(tableColumns).map(([name, { columns }]) => [name, sorted(columns)]),
      ...Object.entries(authTableColumns).map(([name, columns]) => [name, sorted(columns)]),
    ];
    expect(Object.fromEntries(migrated)).toEqual(Object.fromEntries(declared));
  });

  test("leads every table of a space by its space", async () => {
    const tables = Object.entries(tableColumns).filter(([, { columns }]) => (columns as readonly string[]).includes("space"));
    expect(tables.length).toBeGreaterThan(10);
    for (const [, { columns }] of tables) expect(columns[0]).toBe("space");
  });
});
