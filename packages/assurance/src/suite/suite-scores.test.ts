import { AssuranceCheck } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";

const echo = modelBytes({ input: "x", width: 1, output: "y", nodes: [nodeOf({ op: "Identity", in: ["x"], out: ["y"] })] });
const table = (header: string, count: number, row: (at: number) => string) => [header, ...Array.from({ length: count }, (_, at) => row(at))].join("\n");
const asked = (check: object, contents: Readonly<Record<string, string>>) => checkResult({ model: "model", dataset: "test", features: ["s"], ...check }, { model: echo, ...contents });

describe("figures that are no rates", () => {
  /** Nine of ten answers are right, in either class. */
  const scored = (count: number) => table("s,y", count, (at) => `${(at % 2 === 0) === (Math.floor(at / 2) % 10 !== 0) ? 0.8 : 0.2},${at % 2 === 0 ? 1 : 0}`);

  test.each([["f1", 0.9], ["balanced_accuracy", 0.9], ["mcc", 0.8], ["average_precision", 0.86]])("%s passes a low floor and fails a high one, and twenty rows tell nothing", async (metric, expected) => {
    const figure = (floor: number, count: number) => asked({ check: "perf.score", target: "y", positive: 1, metric, floor }, { test: scored(count) });
    expect(await figure(0.7, 600)).toMatchObject({ verdict: "pass", estimate: expect.closeTo(expected, 2), interval: { method: "bca" } });
    expect((await figure(0.99, 600)).verdict).toBe("fail");
    expect((await figure(0.7, 20)).verdict).toBe("insufficient_evidence");
    expect((await asked({ check: "perf.score", target: "y", positive: 1, metric, floor: 0.1 }, { test: table("s,y", 200, (at) => `0.9,${at % 2}`) })).verdict).not.toBe("pass");
  });

  test("the explained share of a target is one less its errors, and of a target that never changes nothing is explained", async () => {
    const off = (count: number, error: number) => table("s,y", count, (at) => `${(at * 37) % 100},${((at * 37) % 100) + (at % 2 === 0 ? error : -error)}`);
    const fit = (floor: number, test_: string) => asked({ check: "perf.fit", target: "y", floor }, { test: test_ });
    expect(await fit(0.8, off(600, 5))).toMatchObject({ verdict: "pass", estimate: expect.closeTo(1 - 25 / (833.25 + 25), 2) });
    expect((await fit(0.8, off(600, 40))).verdict).toBe("fail");
    expect((await fit(0.5, off(20, 5))).verdict).toBe("insufficient_evidence");
    expect(await fit(0.5, table("s,y", 200, (at) => `${at},7`))).toMatchObject({ verdict: "insufficient_evidence" });
    expect(await fit(0.5, "s,y\n1,words")).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
  });
});

describe("groups of two columns", () => {
  /** Each sex and each age is treated alike; young women and old men are not. */
  const crossed = (count: number) => table("s,sex,age,y", count, (at) => `${(at % 2 === 0) === (Math.floor(at / 2) % 2 === 0) ? 0.9 : 0.1},${at % 2 === 0 ? "f" : "m"},${Math.floor(at / 2) % 2 === 0 ? "young" : "old"},${Math.floor(at / 4) % 2}`);
  const group = { name: "sex", column: "sex", transform: { kind: "value" } };

  test("show what neither column shows alone", async () => {
    const parity = (more: object) => asked({ check: "fair.parity", target: "y", positive: 1, max: 0.1, group: { ...group, ...more } }, { test: crossed(4000) });
    expect((await parity({})).verdict).toBe("pass");
    const both = await parity({ and: { column: "age", transform: { kind: "value" } } });
    expect(both).toMatchObject({ verdict: "fail", estimate: 1, basis: { figures: { groups: [{ name: "f|old" }, { name: "f|young" }, { name: "m|old" }, { name: "m|young" }] } } });
    expect((await asked({ check: "fair.fourfifths", target: "y", positive: 1, by: { name: "sex and age", column: "sex", and: "age" } }, { test: crossed(4000) })).verdict).toBe("fail");
  });

  test("with fewer than 30 rows are named and not compared, and one group alone shows nothing", async () => {
    const few = table("s,sex,age,y", 400, (at) => `${at % 3 === 0 ? 0.9 : 0.1},${at < 10 ? "f" : "m"},old,${at % 2}`);
    const one = await asked({ check: "fair.parity", target: "y", positive: 1, max: 0.1, group: { ...group, and: { column: "age", transform: { kind: "value" } } } }, { test: few });
    expect(one.verdict).toBe("insufficient_evidence");
    expect(one.notes.join()).toContain("the group `f|old` has only 10 rows and is not compared");
  });

  test("are at most a hundred", async () => {
    const many = table("s,a,b,y", 6000, (at) => `${at % 3 === 0 ? 0.9 : 0.1},${at % 11},${Math.floor(at / 11) % 12},${at % 2}`);
    expect(await asked({ check: "fair.parity", target: "y", positive: 1, max: 0.1, group: { name: "g", column: "a", transform: { kind: "value" }, and: { column: "b", transform: { kind: "value" } } } }, { test: many })).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
  });
});

describe("signs of membership", () => {
  /** What the model says of a row, and what two models say that never saw it: of members the model says more. */
  const rows = (count: number, known: boolean) => table("s,y,r1,r2", count, (at) => {
    const own = 0.3 + ((at * 0.618034) % 1) * 0.4;
    const said = known ? Math.min(0.999, own + 0.25) : own;
    return `${at % 2 === 1 ? said : 1 - said},${at % 2},${own + ((at % 5) - 2) / 100},${own - ((at % 3) - 1) / 100}`;
  });
  const member = (check: object, train: string, test_: string) => asked({ check: "privacy.membership", target: "y", positive: 1, members: "train", ...check }, { train, test: test_, population: rows(300, false) });

  test.each([["loss", {}], ["confidence", {}], ["entropy", {}], ["gap", {}], ["lira", { references: ["r1", "r2"] }], ["rmia", { references: ["r1", "r2"], population: "population" }]])("%s: rows that are like others pass, rows that the model knows fail, and a dozen tell nothing", async (attack, more) => {
    expect(await member({ attack, ...more }, rows(600, false), rows(600, false))).toMatchObject({ verdict: "pass", estimate: expect.closeTo(0.5, 2), basis: { figures: { attack } } });
    expect((await member({ attack, ...more }, rows(600, true), rows(600, false))).verdict).toBe("fail");
    expect((await member({ attack, ...more }, rows(12, false), rows(12, false))).verdict).toBe("insufficient_evidence");
  });

  test("rows that a reference model says nothing of are no evidence, and what is no probability is an error", async () => {
    const holes = rows(600, false).split("\n").map((line, at) => (at > 0 && at % 10 === 0 ? line.replace(/,[^,]*$/u, ",") : line)).join("\n");
    expect(await member({ attack: "lira", references: ["r1", "r2"] }, holes, rows(600, false))).toMatchObject({ counts: { unassessed: 60 } });
    expect(await member({ attack: "lira", references: ["r1", "s"] }, rows(60, false), rows(60, false))).toMatchObject({ verdict: "errored", error: { code: "model_input_mismatch" } });
    expect(await member({ attack: "lira", references: ["r1", "r2"] }, rows(60, false).replace(/,[^,]*$/u, ",7"), rows(60, false))).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
  });

  test("an attack by reference models names them, and no other does", () => {
    const declared = (more: object) => AssuranceCheck.safeParse({ id: "c", check: "privacy.membership", model: "m", dataset: "d", target: "y", members: "t", ...more }).success;
    expect([declared({}), declared({ attack: "lira" }), declared({ attack: "lira", references: ["a"] }), declared({ attack: "lira", references: ["a", "b"] }), declared({ attack: "rmia", references: ["a"] }), declared({ attack: "rmia", references: ["a"], population: "p" }), declared({ references: ["a"] })]).toEqual([true, false, false, true, false, true, false]);
  });
});
