import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";

const rows = (count: number, row: (at: number) => string) => Array.from({ length: count }, (_, at) => row(at)).join("\n");
const people = (count: number, repeated = 0) => `id,age,town\n${rows(count, (at) => `p${at},${20 + (at % 50)},${at % 3 === 0 ? "north" : "south"}`)}\n${rows(repeated, () => "p0,20,north")}`;

describe("facts about tables", () => {
  test("duplicates: a file of different rows passes, one with many repeated rows fails, twelve rows tell nothing", async () => {
    const verdictOf = async (table: string, more: object = {}) => checkResult({ check: "data.duplicates", dataset: "d", ...more }, { d: table });
    expect(await verdictOf(people(1000))).toMatchObject({ verdict: "pass", estimate: 0 });
    expect(await verdictOf(people(1000, 60))).toMatchObject({ verdict: "fail" });
    expect(await verdictOf(people(12))).toMatchObject({ verdict: "insufficient_evidence", requiredN: 299 });
    expect(await verdictOf(people(1000, 1), { key: ["id"] })).toMatchObject({ verdict: "fail" });
    expect(await verdictOf(people(1000), { key: ["id"] })).toMatchObject({ verdict: "pass" });
    expect(await verdictOf(people(400), { key: ["nobody"] })).toMatchObject({ verdict: "errored", error: { code: "table_column_missing" } });
  });

  test("leakage: shared rows, shared people, rows from before and a column that gives the answer away all fail", async () => {
    const table = (from: number, count: number) => `person,day,score,answer\n${rows(count, (at) => `p${from + at},${from + at},${(from + at) % 7},${(from + at) % 2}`)}`;
    const leak = (more: object, test_: string) => checkResult({ check: "data.leakage.overlap", dataset: "test", reference: "train", ...more }, { train: table(0, 300), test: test_ });
    expect(await leak({ entity: "person", time: "day" }, table(300, 100))).toMatchObject({ verdict: "pass", inputs: [{ role: "test" }, { role: "train" }] });
    expect((await leak({}, table(299, 100))).verdict).toBe("fail");
    expect((await leak({ columns: ["score", "day"], entity: "person" }, table(300, 100).replace("p300,", "p5,"))).verdict).toBe("fail");
    expect((await leak({ time: "day" }, table(300, 100).replace("p300,300,", "p300,12,"))).verdict).toBe("fail");
    const given = (from: number, count: number) => `a,answer\n${rows(count, (at) => `${(from + at) % 2 === 0 ? at + from : -at - from},${(from + at) % 2 === 0 ? "yes" : "no"}`)}`;
    const giving = { check: "data.leakage.overlap", dataset: "test", reference: "train", target: { column: "answer", positive: "yes" } };
    expect((await checkResult(giving, { train: given(1, 400), test: given(1000, 50) })).verdict).toBe("fail");
  });

  test("coverage: every group needs its rows, a group without any included, and it is never a failure of the model", async () => {
    const cover = (more: object) => checkResult({ check: "data.coverage", dataset: "d", columns: ["town"], ...more }, { d: people(90) });
    expect(await cover({ min: 30 })).toMatchObject({ verdict: "pass", estimate: 30 });
    expect(await cover({ min: 31 })).toMatchObject({ verdict: "insufficient_evidence", requiredN: 31 });
    expect(await cover({ min: 1, expected: ["west"] })).toMatchObject({ verdict: "insufficient_evidence", estimate: 0 });
  });

  test("k-anonymity: the smallest group decides", async () => {
    const known = (min: number) => checkResult({ check: "data.privacy.kanon", dataset: "d", quasiIdentifiers: ["town", "age"], sensitive: ["id"], min }, { d: people(600) });
    const { estimate } = await known(2);
    expect([(await known(Number(estimate))).verdict, (await known(Number(estimate) + 1)).verdict]).toEqual(["pass", "fail"]);
    expect((await checkResult({ check: "data.privacy.kanon", dataset: "d", quasiIdentifiers: ["a"] }, { d: "a" })).verdict).toBe("insufficient_evidence");
  });
});
