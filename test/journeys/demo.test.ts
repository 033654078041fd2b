import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tableColumns } from "../../packages/licet/src/db/tables.ts";
import { buildProduct, licet, type Ran } from "./support/run.ts";
import { freePort, temporaryFolder } from "./support/server.ts";

const temporary = temporaryFolder();
const folder = join(temporary.path, "demo");
const data = join(folder, "data");
const keys = join(folder, "keys");
const recordTables = Object.entries(tableColumns).flatMap(([table, { kind }]) => (kind === "record" ? [table] : []));
let ran: Ran;

/** Every row of every record table, as it lies there. */
function dump(): Readonly<Record<string, readonly string[]>> {
  const database = new DatabaseSync(join(data, "licet.db"), { readOnly: true });
  try {
    return Object.fromEntries(recordTables.map((table) => [table, database.prepare(`select * from "${table}"`).all().map((row) => JSON.stringify(row)).toSorted()]));
  } finally {
    database.close();
  }
}

beforeAll(async () => {
  buildProduct();
  const ports = ["--port", String(await freePort()), "--data-port", String(await freePort())];
  ran = await licet(["demo", "--exit", "--dir", folder, ...ports], { timeoutMs: 120_000 });
});

afterAll(() => temporary.remove());

it("the demo tells the whole story on two pilots and ends by itself", () => {
  expect(ran).toMatchObject({ code: 0, err: "" });
  const [, cast = "", helpdesk = "", tumour = "", proof = "", look = ""] = ran.out.split(/^== /mu).slice(1);
  expect(cast).toContain("sole operator");

  expect(helpdesk).toContain("tier minimal");
  expect(helpdesk).toContain("nobody had to be waited for");
  for (const code of ["credential_invalid", "data_outside_boundary", "release_mismatch", "held"]) expect(helpdesk).toContain(`refused: ${code}`);
  expect(helpdesk).toMatch(/✓ decision: dec_\w+/u);

  expect(tumour).toContain("tier high");
  expect(tumour).toMatch(/texture-odds: insufficient evidence/u);
  expect(tumour).toMatch(/✓ texture-opportunity: pass/u);
  expect(tumour.match(/approved as risk owner/gu)).toHaveLength(2);
  expect(tumour.match(/approved as authorizing official: granted/gu)).toHaveLength(2);
  expect(tumour).toContain("refused to score");
  expect(tumour).toMatch(/production: \d+ of \d+ requirements unmet[\s\S]*this version of Licet/u);

  expect(proof).toMatch(/\bverified\n/u);
  expect(proof).toContain("NOT WITNESSED");
  expect(proof).toMatch(/✗ exit 1: FAIL +\w+\[\w+\]/u);

  // A server that has stopped is nothing to sign in to.
  expect(look).toBe("");
  expect(existsSync(join(data, "format.json"))).toBe(true);
  expect(ran.out).not.toContain("undefined");
});

describe("the database after the whole story", () => {
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
