import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
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
