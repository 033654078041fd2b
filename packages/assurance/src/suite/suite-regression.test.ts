import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";

const echo = modelBytes({ input: "x", width: 1, output: "y", nodes: [nodeOf({ op: "Identity", in: ["x"], out: ["y"] })] });
const pair = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "Identity", in: ["x"], out: ["y"] })] });

/** Predictions that are off by 1 or 2, up or down, and by `shift` more for the second group. */
function rows(count: number, shift = 0): string {
  const lines = Array.from({ length: count }, (_, at) => {
    const truth = (at * 37) % 100;
    const error = [1, -2, 2, -1][at % 4] ?? 0;
    const second = Math.floor(at / 4) % 2 === 1;
    return `${truth + error + (second ? shift : 0)},${truth},${second ? "b" : "a"}`;
  });
  return ["s,price,region", ...lines].join("\n");
}

const asked = (check: object, table: string) => checkResult({ model: "model", dataset: "test", target: "price", features: ["s"], ...check }, { model: echo, test: table });
const by = { name: "region", column: "region" };

describe("checks of models that answer with a number", () => {
  test("the mean absolute error is 1.5 and the root of the mean squared error 1.58, in the target's own unit", async () => {
    const [mae, rmse] = [await asked({ check: "perf.error", metric: "mae", max: 1.6 }, rows(800)), await asked({ check: "perf.error", metric: "rmse", max: 1.7 }, rows(800))];
    expect([mae, rmse]).toMatchObject([{ verdict: "pass", estimate: 1.5 }, { verdict: "pass", estimate: expect.closeTo(Math.sqrt(2.5), 9) }]);
    for (const { interval } of [mae, rmse]) expect(interval?.upper).toBeGreaterThan(1.5);
    expect(rmse.interval?.upper).toBeLessThan(1.7);
  });

  test.each([["mae", 1.4], ["rmse", 1.5]])("%s fails above its limit, and twenty rows tell nothing", async (metric, max) => {
    expect((await asked({ check: "perf.error", metric, max }, rows(800))).verdict).toBe("fail");
    expect((await asked({ check: "perf.error", metric, max: 10 }, rows(20))).verdict).toBe("insufficient_evidence");
  });

  test("errors that are alike in both groups pass, a model that is too high for one of them fails, and few rows tell nothing", async () => {
    expect((await asked({ check: "fair.regression", by }, rows(2000))).verdict).toBe("pass");
    expect(await asked({ check: "fair.regression", by }, rows(2000, 5))).toMatchObject({ verdict: "fail", scope: { group: "region" } });
    expect((await asked({ check: "fair.regression", by, figure: "absolute_error" }, rows(2000, 9))).verdict).toBe("fail");
    expect((await asked({ check: "fair.regression", by }, rows(40))).verdict).toBe("insufficient_evidence");
  });

  test("a model with two answers, and a target that is no number, are errors", async () => {
    const two = await checkResult({ check: "perf.error", metric: "mae", max: 1, model: "model", dataset: "test", target: "price" }, { model: pair, test: "a,b,price\n1,2,3" });
    expect(two).toMatchObject({ verdict: "errored", error: { code: "model_output_unclear" } });
    expect(await asked({ check: "perf.error", metric: "mae", max: 1, target: "region" }, rows(40))).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
    expect(await asked({ check: "fair.regression", by: { name: "g", column: "nowhere" } }, rows(40))).toMatchObject({ verdict: "errored", error: { code: "table_column_missing" } });
  });
});
