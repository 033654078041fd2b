import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { linearModel } from "../../../../test/unit/support/small-models.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";

const example = path.resolve(import.meta.dirname, "../../../../examples/tumour-classifier");
const read = (name: string) => readFileSync(path.join(example, name));
const tumour = { model: read("model/tumour.onnx"), test: read("data/test.csv"), train: read("data/train.csv") };
const on = { model: "model", dataset: "test", reference: "train", target: "target", positive: 1 };

/** A model that answers with the one feature `s`, cut off at 0 and 1. */
const echo = modelBytes({ input: "x", width: 1, output: "y", nodes: [nodeOf({ op: "Sigmoid", in: ["x"], out: ["y"] })] });
const rows = (count: number, score: (at: number) => number) => ["s,target", ...Array.from({ length: count }, (_, at) => `${score(at)},${at % 2}`)].join("\n");
/** Rows far from the boundary, and rows on it. */
const [sure, unsure] = [rows(300, (at) => (at % 2 === 0 ? -4 : 4) + (at % 7) / 100), rows(300, (at) => (at % 2 === 0 ? -0.01 : 0.01) * (1 + (at % 7)))];
const echoed = (check: object, table: string) => checkResult({ model: "model", dataset: "test", target: "target", positive: 1, features: ["s"], ...check }, { model: echo, test: table });

describe("robustness and what a decision rests on", () => {
  test("certificates: rows far from the boundary are proven, rows on it are not, and twelve rows tell nothing", async () => {
    const certified = (table: string, more: object = {}) => echoed({ check: "robust.certified", epsilon: 0.05, floor: 0.8, ...more }, table);
    expect((await certified(sure)).verdict).toBe("pass");
    expect((await certified(unsure, { epsilon: 2 })).verdict).toBe("fail");
    expect((await certified(sure, { rows: 12, floor: 0.9 })).verdict).toBe("insufficient_evidence");
  });

  test("an attack turns rows on the boundary and none far from it, by answers alone", async () => {
    const attacked = (table: string, epsilon: number) => echoed({ check: "robust.evasion", rows: 60, queries: 200, epsilon }, table);
    expect(await attacked(sure, 0.05)).toMatchObject({ verdict: "pass", estimate: 0 });
    expect(await attacked(unsure, 1.5)).toMatchObject({ verdict: "fail" });
  });

  test.each([
    ["robust.noise", { sigma: 0.01, max: 0.05 }, { sigma: 8, missing: 0.5, max: 0.05 }],
    ["robust.trigger", { max: 0.9 }, { max: 0.01 }],
    ["explain.permutation", { watched: ["mean_texture"], max: 0.5 }, { watched: ["worst_perimeter", "worst_area", "worst_radius", "worst_concave_points", "mean_concave_points"], max: 0.1 }],
  ])("%s passes a wide limit and fails a narrow one on the example", async (check, wide, narrow) => {
    const verdictOf = async (more: object) => (await checkResult({ ...on, check, ...more }, tumour)).verdict;
    expect([await verdictOf(wide), await verdictOf(narrow)]).toEqual(["pass", "fail"]);
  });

  test("the engine answers wrong inputs by refusing or by numbers, and the same rows always alike", async () => {
    expect(await checkResult({ ...on, check: "robust.determinism" }, tumour)).toMatchObject({ verdict: "pass", estimate: 0 });
    const result = await checkResult({ ...on, check: "robust.input" }, tumour);
    expect(result.verdict).toMatch(/^(?:pass|fail)$/u);
    expect(result.counts.attempted).toBeGreaterThan(10);
  });

  test("a feature that the model does not take cannot be watched", async () => {
    expect(await checkResult({ ...on, check: "explain.permutation", watched: ["nothing"] }, tumour)).toMatchObject({ verdict: "errored", error: { code: "table_column_missing" } });
  });
});

describe("inputs that arrive damaged", () => {
  const damaged = (damages: object, table: string, more: object = {}) => echoed({ check: "robust.corruption", damages, rows: 300, ...more }, table);

  test("rows far from the boundary lose nothing under a small noise, a foreign unit turns their answers, and twelve rows tell nothing", async () => {
    expect(await damaged({ sigma: 0.01 }, sure)).toMatchObject({ verdict: "pass", limit: { value: 0.02 } });
    expect(await damaged({ factors: [-1] }, sure)).toMatchObject({ verdict: "fail", estimate: 1, basis: { figures: { kind: "damages", scenarios: [{ name: "one feature times -1", lost: 300 }] } } });
    expect((await damaged({ sigma: 0.01, missing: 0.5 }, sure)).verdict).toBe("fail");
    expect((await damaged({ sigma: 0.01 }, sure, { rows: 12 })).verdict).toBe("insufficient_evidence");
  });

  test("cells that stay empty leave no answer to judge, and that is no evidence", async () => {
    expect(await damaged({ missing: 0.3, fill: "nothing" }, sure)).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
  });

  test("a relation that the score keeps passes, one that it breaks fails, and each is named as it was declared", async () => {
    const related = (score: string, more: object = {}) => echoed({ check: "robust.corruption", rows: 300, relations: [{ change: { s: { add: 1 } }, score }], ...more }, unsure);
    expect(await related("not-lower", { max: 0.02 })).toMatchObject({ verdict: "pass", estimate: 0 });
    expect((await related("not-lower", { rows: 298 })).limit.value).toBe(0.01);
    const broken = await related("same");
    expect(broken).toMatchObject({ verdict: "fail", estimate: 1 });
    expect(broken.notes).toEqual(["s + 1: the score stays: broken by 300 of 300 rows"]);
    expect((await related("not-lower", { rows: 12, max: 0.02 })).verdict).toBe("insufficient_evidence");
    expect((await related("same", { relations: [{ change: { s: { times: 1 } }, score: "same" }], max: 0.02 })).verdict).toBe("pass");
    expect(await related("same", { relations: [{ change: { t: { set: 1 } }, score: "same" }] })).toMatchObject({ verdict: "errored", error: { code: "table_column_missing" } });
  });
});

describe("what an attacker may do to a feature", () => {
  const pair = linearModel([1, 1], 0);
  const table = ["a,b,target", ...Array.from({ length: 120 }, (_, at) => `${(at % 2 === 0 ? -0.02 : 0.02) * (1 + (at % 5))},${(at % 3) / 100},${at % 2}`)].join("\n");
  const attacked = (rules?: object) => checkResult({ check: "robust.evasion", model: "model", dataset: "test", target: "target", positive: 1, rows: 60, queries: 200, epsilon: 2, ...(rules !== undefined && { rules }) }, { model: pair, test: table });

  test("rows that fall when everything may change stand when nothing may", async () => {
    expect((await attacked()).verdict).toBe("fail");
    expect(await attacked({ a: { fixed: true }, b: { fixed: true } })).toMatchObject({ verdict: "pass", estimate: 0 });
    expect((await attacked({ a: { fixed: true }, b: { direction: "up" } })).estimate).toBeLessThan(0.6);
  });

  test("a name that the model does not take, and a code of one feature, are errors", async () => {
    expect(await attacked({ c: { fixed: true } })).toMatchObject({ verdict: "errored", error: { code: "table_column_missing" } });
    expect(await attacked({ a: { oneHot: "colour" } })).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
  });
});
