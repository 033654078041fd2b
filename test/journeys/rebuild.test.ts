import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tableColumns } from "../../packages/licet/src/db/tables.ts";
import { buildProduct, licet } from "./support/run.ts";
import { freePort, temporaryFolder } from "./support/server.ts";

const temporary = temporaryFolder();
const data = join(temporary.path, "demo", "data");
const keys = join(temporary.path, "demo", "keys");
const recordTables = Object.entries(tableColumns).flatMap(([table, { kind }]) => (kind === "record" ? [table] : []));

/** Every row of every record table, as it lies there. */
function dump(): Readonly<Record<string, readonly string[]>> {
  const database = new DatabaseSync(join(data, "licet.db"), { readOnly: true });
  try {
    return Object.fromEntries(recordTables.map((table) => [table, database.prepare(`select * from "${table}"`).all().map((row) => JSON.stringify(row)).toSorted()]));
  } finally {
    database.close();
  }
}

describe("the database after the whole story", () => {
  beforeAll(async () => {
    buildProduct();
    const ports = ["--port", String(await freePort()), "--data-port", String(await freePort())];
    const demo = await licet(["demo", "--exit", "--dir", join(temporary.path, "demo"), ...ports], { timeoutMs: 120_000 });
    if (demo.code !== 0) throw new Error(`the demo failed: ${demo.err}`);
  });
  afterAll(() => temporary.remove());

  it("is row by row what the log alone gives: no apply reads a clock, a random number, an index or another table", async () => {
    const live = dump();
    const filled = recordTables.filter((table) => live[table]?.length !== 0);
    expect(filled).toEqual(expect.arrayContaining(["entry", "person", "role_grant", "system", "release", "ticket", "check_result", "request", "approval", "ato", "deployment", "credential", "hold", "provider", "policy_bundle", "decision"]));
    expect(await licet(["db", "rebuild", "--dir", data, "--keys", keys])).toMatchObject({ code: 0 });
    expect(dump()).toEqual(live);
  });

  it("holds no password, session or provider key that the log would have to give", () => {
    expect(existsSync(join(data, "log"))).toBe(true);
    expect(readFileSync(join(data, "licet.db")).includes("simulator-key")).toBe(false);
  });
});
