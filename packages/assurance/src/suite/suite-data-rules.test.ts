import { AssuranceCheck } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";

const rows = (count: number, row: (at: number) => string) => Array.from({ length: count }, (_, at) => row(at)).join("\n");
const parsed = (check: object) => AssuranceCheck.safeParse({ id: "c", ...check }).success;

describe("rules of tables", () => {
  test("a pattern holds for the whole cell, and one that could take for ever is refused", async () => {
    const schema = (pattern: string, table: string) => checkResult({ check: "data.schema", dataset: "d", columns: { code: { type: "string", pattern } } }, { d: table });
    expect((await schema("[A-Z]{2}-\\d{4}", `code\n${rows(40, (at) => `DE-00${10 + at}`)}`)).verdict).toBe("pass");
    const wrong = await schema("[A-Z]{2}-\\d{4}", `code\n${rows(40, (at) => `DE-00${10 + at}${at === 6 ? "x" : ""}`)}`);
    expect(wrong).toMatchObject({ verdict: "fail", counts: { events: 1 } });
    expect(wrong.notes).toEqual(["column `code` is not of the declared pattern in row 7"]);
    expect(parsed({ check: "data.schema", dataset: "d", columns: { code: { type: "string", pattern: "(a+)+" } } })).toBe(false);
  });

  test("a share of rows may break the schema where one is declared: inferred with its bounds, and no census", async () => {
    const schema = (max: number, broken: number, count: number) => checkResult({ check: "data.schema", dataset: "d", columns: { n: { type: "integer" } }, max }, { d: `n\n${rows(count, (at) => (at < broken ? "x" : String(at)))}` });
    expect(await schema(0.05, 5, 1000)).toMatchObject({ verdict: "pass", estimate: 0.005, interval: { method: "clopper-pearson" } });
    expect((await schema(0.05, 200, 1000)).verdict).toBe("fail");
    expect(await schema(0.05, 0, 20)).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
    expect((await schema(0, 1, 1000)).verdict).toBe("fail");
  });

  test("what stands for nothing counts as missing, as a number or a word, and in no other column's way", async () => {
    const table = `n,t\n${rows(200, (at) => `${at % 4 === 0 ? (at % 8 === 0 ? "-999" : "-999.0") : at},${at % 5 === 0 ? "unknown" : "known"}`)}`;
    const missing = (more: object) => checkResult({ check: "data.missing", dataset: "d", max: 0.05, ...more }, { d: table });
    expect(await missing({})).toMatchObject({ verdict: "pass", estimate: 0 });
    expect(await missing({ sentinels: [-999] })).toMatchObject({ verdict: "fail", estimate: 0.25 });
    expect(await missing({ sentinels: ["unknown"] })).toMatchObject({ verdict: "fail", estimate: 0.2 });
    expect(await missing({ sentinels: [-999], columns: ["t"] })).toMatchObject({ verdict: "pass" });
  });

  test("k-anonymity also holds groups to different values and to the table's own distribution, where that is asked for", async () => {
    // Two towns of 50: in one everybody has the same illness.
    const table = `town,ill\n${rows(100, (at) => (at % 2 === 0 ? "north,flu" : `south,${at % 4 === 1 ? "flu" : "cold"}`))}`;
    const known = (more: object) => checkResult({ check: "data.privacy.kanon", dataset: "d", quasiIdentifiers: ["town"], sensitive: ["ill"], ...more }, { d: table });
    expect(await known({})).toMatchObject({ verdict: "pass", estimate: 50 });
    expect(await known({ diversity: 2 })).toMatchObject({ verdict: "fail", estimate: 50 });
    expect((await known({ closeness: 0.25 })).verdict).toBe("pass");
    expect((await known({ closeness: 0.2 })).verdict).toBe("fail");
    expect(parsed({ check: "data.privacy.kanon", dataset: "d", quasiIdentifiers: ["town"], diversity: 2 })).toBe(false);
  });

  test("labels that a model is confidently of another opinion about are named, and a sample of them and of the rest is drawn", async () => {
    // Every tenth label is turned; the model knows better.
    const truth = (at: number) => (at % 2 === 0 ? "a" : "b");
    const said = (at: number) => (at % 10 === 0 ? (truth(at) === "a" ? "b" : "a") : truth(at));
    const table = (count: number) => `y,pa,pb\n${rows(count, (at) => `${said(at)},${truth(at) === "a" ? "0.95,0.05" : "0.05,0.95"}`)}`;
    const check = { check: "data.labels.suspects", advisory: true, dataset: "d", label: "y", probabilities: { a: "pa", b: "pb" }, sample: 20 };
    const found = await checkResult(check, { d: table(400) });
    expect(found).toMatchObject({ verdict: "insufficient_evidence", reason: "advisory", estimate: 40, basis: { figures: { suspects: 40, rest: 360, noiseRate: expect.closeTo(0.1, 2) } } });
    const figures = found.basis.kind === "statistics" ? found.basis.figures : {};
    expect(figures["drawnSuspects"]).toSatisfy((drawn: number[]) => drawn.length === 10 && drawn.every((row) => row % 10 === 0));
    expect(figures["drawnRest"]).toSatisfy((drawn: number[]) => drawn.length === 10 && drawn.every((row) => row % 10 !== 0));
    expect(found.notes.join()).toContain("`strata: { suspect: 40, rest: 360 }`");
    expect(await checkResult({ ...check, probabilities: { a: "pa", c: "pb" } }, { d: table(40) })).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
    expect((await checkResult(check, { d: "y,pa,pb" })).verdict).toBe("insufficient_evidence");
    expect(parsed({ ...check, advisory: false })).toBe(false);
  });

  test("coverage asks for the rows that a later figure takes", async () => {
    const cover = (more: object) => checkResult({ check: "data.coverage", dataset: "d", columns: ["town"], ...more }, { d: `town\n${rows(400, (at) => (at % 2 === 0 ? "north" : "south"))}` });
    const [rate, difference] = [await cover({ enoughFor: [{ figure: "rate", limit: 0.1 }] }), await cover({ enoughFor: [{ figure: "rate", limit: 0.1 }, { figure: "difference", limit: 0.1, expected: 0.3 }] })];
    expect(rate).toMatchObject({ verdict: "pass", limit: { op: ">=", value: 34 } });
    expect(difference).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
    expect(difference.requiredN).toBeGreaterThan(300);
    expect(difference.notes.join()).toContain("`a difference against 0.1` needs");
    expect(parsed({ check: "data.coverage", dataset: "d", columns: ["town"] })).toBe(false);
  });
});
