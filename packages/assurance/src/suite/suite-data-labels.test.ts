import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";

const labelled = ["amount,label", ...Array.from({ length: 1000 }, (_, at) => `${at},${at % 2}`)].join("\n");
/** Judged rows of each stratum, and how many of them are wrong. */
const sample = (strata: Readonly<Record<string, readonly [number, number]>>) =>
  ["stratum,wrong", ...Object.entries(strata).flatMap(([name, [judged, wrong]]) => Array.from({ length: judged }, (_, at) => `${name},${at < wrong ? "1" : "0"}`))].join("\n");
const asked = (check: object, table: string) => checkResult({ check: "data.labels.noise", dataset: "all", sample: "judged", ...check }, { all: labelled, judged: table });
const strata = { suspect: 100, rest: 900 };

describe("wrong labels, as people found them", () => {
  test("few wrong ones in a sample of both strata pass, many fail, and a handful of rows decides nothing", async () => {
    expect(await asked({ strata }, sample({ suspect: [80, 8], rest: [300, 0] }))).toMatchObject({ verdict: "pass", estimate: 0.01, inputs: [{ role: "test" }, { role: "judge_labels", rows: 380 }] });
    expect((await asked({ strata }, sample({ suspect: [80, 60], rest: [300, 6] }))).verdict).toBe("fail");
    expect((await asked({ strata }, sample({ suspect: [10, 0], rest: [20, 0] }))).verdict).toBe("insufficient_evidence");
    expect((await asked({}, sample({ all: [300, 1] }))).verdict).toBe("pass");
  });

  test("a stratum that nobody looked at is no pass, and neither are rows left unjudged", async () => {
    expect((await asked({ strata }, sample({ suspect: [100, 0] }))).verdict).toBe("insufficient_evidence");
    const open = sample({ suspect: [80, 0], rest: [300, 0] }) + "\nrest,".repeat(40);
    expect(await asked({ strata }, open)).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
  });

  test.each([
    ["sizes that do not add up to the data set", { strata: { suspect: 100, rest: 100 } }, sample({ suspect: [10, 0] }), "table_value_invalid"],
    ["a stratum that is not declared", { strata }, sample({ other: [10, 0] }), "table_value_invalid"],
    ["two strata without their sizes", {}, sample({ suspect: [10, 0], rest: [10, 0] }), "table_value_invalid"],
    ["an answer that is neither", { strata }, "stratum,wrong\nrest,perhaps", "table_value_invalid"],
    ["no column `wrong`", { strata }, "stratum,right\nrest,1", "table_column_missing"],
  ])("%s is an error", async (_, check, table, code) => {
    expect(await asked(check, table)).toMatchObject({ verdict: "errored", error: { code } });
  });
});
