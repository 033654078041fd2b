import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { tlogOracleAbsent, tlogOraclePresent } from "../../packages/licet/src/ledger/tlog-oracle.ts";

const folder = mkdtempSync(join(tmpdir(), "licet-oracle-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const script = join(import.meta.dirname, "..", "..", "scripts", "oracles-log.ts");

test("a log of several writers that were killed is accepted by an independent verifier before and after erasure and pruning", () => {
  const seed = String(Math.floor(Date.now() / 1000) % 1_000_000);
  const output = execFileSync(process.execPath, ["--conditions=source", script, "--out", folder, "--entries", "1500", "--seed", seed, "--quick"], { encoding: "utf8", timeout: 120_000 });
  const verdict: unknown = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "");
  expect(verdict, `seed ${seed}`).toMatchObject({ oracle: "log", dir: join(folder, "log"), areas: { writer: { total: expect.any(Number) } }, mismatches: [] });
}, 120_000);

test.skipIf(tlogOraclePresent)(`the test above did without the independent verifier: ${tlogOracleAbsent}`, () => {
  expect(tlogOraclePresent).toBe(false);
});
