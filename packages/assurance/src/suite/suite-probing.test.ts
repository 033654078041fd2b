import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { linearModel, treesModel } from "../../../../test/unit/support/small-models.ts";

/** Rows of four features: three numbers, and an attribute that is 0 or 1. */
function rows(count: number): string {
  const lines = Array.from({ length: count }, (_, at) => [(at % 7) - 3, ((at * 3) % 11) - 5, ((at * 5) % 13) - 6, at % 2, Math.floor(at / 3) % 2].join(","));
  return ["a,b,c,sex,target", ...lines].join("\n");
}

const asked = (check: object, model: Uint8Array, table: string) => checkResult({ model: "model", dataset: "test", target: "target", positive: 1, ...check }, { model, test: table });
const blind = linearModel([0.5, -0.3, 0.2, 0], 0);
const biased = linearModel([0.1, -0.1, 0.1, 3], -1.5);
const flip = { name: "sex", features: { sex: [0, 1] } };

describe("explanations and flips", () => {
  test("an exact explanation adds up, below what it is asked for it fails, and rows with gaps show nothing", async () => {
    const check = { check: "explain.shapley", rows: 8, background: 10 };
    const result = await asked(check, blind, rows(60));
    expect(result).toMatchObject({ verdict: "pass", subject: { kind: "onnx" }, limit: { op: "<=", value: 1e-4 } });
    expect(result.notes[0]).toMatch(/^`[abc]` moves the score/u);
    expect((await asked({ ...check, max: 1e-300 }, biased, rows(60))).verdict).toBe("fail");
    const gaps = rows(60).split("\n").map((line, at) => (at > 0 && at % 3 > 0 ? line.replace(/^[^,]*/u, "") : line)).join("\n");
    expect((await asked({ ...check, rows: 60 }, blind, gaps)).verdict).toBe("insufficient_evidence");
    expect(await asked(check, blind, rows(6).replaceAll(/^-?\d+/gmu, ""))).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
  });

  test("an order of the features that changes between drawings fails where it is asked to hold, whatever the sum says", async () => {
    const close = linearModel([0.5, -0.31, 0.27, 0], 0);
    const explained = (more: object) => asked({ check: "explain.shapley", rows: 6, background: 4, ...more }, close, rows(60));
    const plain = await explained({});
    const found = plain.basis.kind === "statistics" ? Number(plain.basis.figures["stability"]) : Number.NaN;
    expect([plain.verdict, found < 1]).toEqual(["pass", true]);
    expect((await explained({ stability: Math.floor(found * 100) / 100 })).verdict).toBe("pass");
    expect(await explained({ stability: 1 })).toMatchObject({ verdict: "fail", estimate: plain.estimate });
  });

  test("drawn orders add up as well", async () => {
    const wide = treesModel([{ feature: 0, at: 0.5, low: 0, high: 0.6 }, { feature: 12, at: 0.5, low: 0, high: 0.4 }], 13);
    const names = Array.from({ length: 13 }, (_, index) => `x${index}`);
    const table = [[...names, "target"].join(","), ...Array.from({ length: 30 }, (_, at) => [...names.map((_, index) => (at * (index + 1)) % 2), at % 2].join(","))].join("\n");
    const result = await asked({ check: "explain.shapley", rows: 2, background: 6 }, wide, table);
    expect([result.verdict, result.basis]).toMatchObject(["pass", { figures: { method: "sampled" } }]);
  });

  test("flips: a model that does not see the attribute passes, one that goes by it fails, and forty rows decide nothing", async () => {
    expect(await asked({ check: "fair.counterfactual", flip }, blind, rows(600))).toMatchObject({ verdict: "pass", estimate: 0, scope: { group: "sex" } });
    expect(await asked({ check: "fair.counterfactual", flip }, biased, rows(600))).toMatchObject({ verdict: "fail" });
    expect((await asked({ check: "fair.counterfactual", flip }, blind, rows(40))).verdict).toBe("insufficient_evidence");
  });

  test("a feature that the model does not take cannot be flipped", async () => {
    expect(await asked({ check: "fair.counterfactual", flip: { name: "age", features: { age: [1] } } }, blind, rows(20))).toMatchObject({ verdict: "errored", error: { code: "table_column_missing" } });
    await expect(asked({ check: "fair.counterfactual", flip: { name: "both", features: { a: [1], b: [1, 2] } } }, blind, rows(20))).rejects.toThrow("same number of values");
  });
});
