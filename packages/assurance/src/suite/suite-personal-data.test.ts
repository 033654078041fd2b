import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { CheckResult } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { fileCache } from "./measurement-cache.ts";
import type { RunSuiteOptions } from "./run-suite.ts";

const personalData = (cell: string) => (cell.includes("@") ? ["email"] : []);
const table = ["note,contact,amount", ...Array.from({ length: 100 }, (_, at) => `${at % 10 === 0 ? "ask a@b.example" : "fine"},c${at}@d.example,${at}`)].join("\n");
const asked = (check: object, content: string = table, given: Partial<RunSuiteOptions> = { personalData }): Promise<CheckResult> => checkResult({ check: "data.pii", dataset: "all", ...check }, { all: content }, "s", given);

describe("personal data in columns", () => {
  test("what a column is declared to hold is no finding, everything else is, and nothing of a cell is in the record", async () => {
    expect(await asked({ allowed: { note: ["email"], contact: ["email"] } })).toMatchObject({ verdict: "pass", estimate: 0, counts: { attempted: 100 } });
    expect(await asked({ columns: ["amount"] })).toMatchObject({ verdict: "pass" });
    const found = await asked({ allowed: { contact: ["email"] } });
    expect([found.verdict, found.estimate, found.notes]).toEqual(["fail", expect.closeTo(10 / 300, 9), ["column `note` holds `email` in 10 of 100 cells and is not declared to"]]);
    expect(JSON.stringify(found)).not.toContain("b.example");
    expect((await asked({ allowed: { contact: ["phone"] } })).estimate).toBeCloseTo(110 / 300, 9);
  });

  test("a table without cells shows nothing", async () => {
    expect((await asked({}, "note\n")).verdict).toBe("insufficient_evidence");
  });

  test("a column that is not there is an error, and so is looking without detectors", async () => {
    expect(await asked({ allowed: { nots: ["email"] } })).toMatchObject({ verdict: "errored", error: { code: "table_column_missing" } });
    expect(await asked({}, table, {})).toMatchObject({ verdict: "errored", error: { code: "detectors_absent" } });
  });

  test("it is never remembered: other detectors look again", async () => {
    const cache = fileCache(mkdtempSync(path.join(tmpdir(), "licet-pii-")));
    expect((await asked({}, table, { cache, personalData: () => [] })).verdict).toBe("pass");
    expect((await asked({}, table, { cache, personalData })).verdict).toBe("fail");
  });
});
