import type { CheckResult } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";

const echo = modelBytes({ input: "x", width: 1, output: "y", nodes: [nodeOf({ op: "Identity", in: ["x"], out: ["y"] })] });
const three = modelBytes({ input: "x", width: 3, output: "y", nodes: [nodeOf({ op: "Identity", in: ["x"], out: ["y"] })] });

/** Of ten rows `positives` are of class 1, and the model is right about nine of ten rows of each class. */
function labelled(rows: number, positives: number): string {
  const lines = Array.from({ length: rows }, (_, at) => {
    const truth = at % 10 < positives ? 1 : 0;
    const right = Math.floor(at / 10) % 10 !== 0;
    return `${(right === (truth === 1) ? 0.7 : 0.1) + ((at * 7) % 20) / 100},${truth}`;
  });
  return ["s,t", ...lines].join("\n");
}
const unlabelled = (rows: number, positives: number) => labelled(rows, positives).split("\n").map((line) => line.split(",")[0]).join("\n");

const tables = (before: string, now: string) => ({ model: echo, before, now });
const asked = (check: object, contents: Readonly<Record<string, string | Uint8Array>>): Promise<CheckResult> => checkResult({ model: "model", dataset: "now", reference: "before", target: "t", ...check }, contents);

describe("drift of what a model says", () => {
  test.each(["scores", "classes"])("%s: the same rows pass without labels, moved ones fail, twenty decide nothing", async (of) => {
    const check = { check: "drift.prediction", of };
    expect(await asked(check, tables(labelled(8000, 3), unlabelled(8000, 3)))).toMatchObject({ verdict: "pass", subject: { kind: "onnx" }, cost: { queries: 16_000 }, limit: { value: of === "scores" ? 0.2 : 0.1 } });
    expect((await asked(check, tables(labelled(2000, 3), unlabelled(2000, 8)))).verdict).toBe("fail");
    expect((await asked(check, tables(labelled(20, 3), unlabelled(20, 3)))).verdict).toBe("insufficient_evidence");
  });

  test("label shift: the same mix behind the answers passes, another fails, and few rows decide nothing", async () => {
    const check = { check: "drift.label" };
    expect(await asked(check, tables(labelled(8000, 3), unlabelled(8000, 3)))).toMatchObject({ verdict: "pass", estimate: expect.closeTo(0, 9) });
    const moved = await asked(check, tables(labelled(4000, 3), unlabelled(4000, 6)));
    expect([moved.verdict, moved.estimate]).toEqual(["fail", expect.closeTo(0.3, 6)]);
    expect((await asked(check, tables(labelled(30, 3), unlabelled(30, 3)))).verdict).toBe("insufficient_evidence");
  });

  test("answers that say nothing about the class show nothing about its share", async () => {
    const blind = ["s,t", ...Array.from({ length: 2000 }, (_, at) => `${at % 2 === 0 ? 0.9 : 0.1},${Math.floor(at / 2) % 2}`)].join("\n");
    expect(await asked({ check: "drift.label" }, tables(blind, unlabelled(2000, 5)))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
  });

  test("a tenth of the rows without an answer is no evidence, on either side", async () => {
    const holes = (table: string) => table.split("\n").map((line, at) => (at > 0 && at % 10 === 0 ? line.replace(/^[^,]*/u, "") : line)).join("\n");
    for (const check of ["drift.prediction", "drift.label"]) {
      expect(await asked({ check }, tables(holes(labelled(8000, 3)), unlabelled(8000, 3)))).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
      expect(await asked({ check }, tables(labelled(8000, 3), holes(labelled(8000, 3))))).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
    }
  });

  test("several classes: every score is compared, and the columns of today may stand in another order", async () => {
    // Uneven, so that columns taken for one another show.
    const classOf = (at: number) => (at % 5 < 3 ? 0 : (at % 5) - 2);
    const rows = (names: readonly string[], favour: number) => [names.join(","), ...Array.from({ length: 3000 }, (_, at) => names.map((name) => (name === "t" ? classOf(at) : name === `c${at % 10 < favour ? 0 : classOf(at)}` ? 0.8 : 0.1)).join(","))].join("\n");
    const contents = { model: three, before: rows(["c0", "c1", "c2", "t"], 0), now: rows(["c2", "c1", "c0"], 0) };
    expect(await asked({ check: "drift.label" }, contents)).toMatchObject({ verdict: "pass", estimate: expect.closeTo(0, 2) });
    expect((await asked({ check: "drift.prediction" }, { ...contents, now: rows(["c2", "c1", "c0"], 10) })).verdict).toBe("fail");
  });

  describe("how good the model would be today", () => {
    /** Of the rows with each score, so many of a hundred are positive as the score says. */
    const calibrated = (rows: number) => ["s,t", ...Array.from({ length: rows }, (_, at) => `${(5 + 10 * (at % 10)) / 100},${Math.floor(at / 10) % 100 < 5 + 10 * (at % 10) ? 1 : 0}`)].join("\n");
    const bare = (table: string) => table.split("\n").map((line) => line.split(",")[0]).join("\n");
    const check = { check: "drift.performance", advisory: true, floor: 0.7, positive: 1 };

    test("is estimated from scores that are probabilities, and is advisory whichever way it looks", async () => {
      const found = await asked(check, tables(calibrated(4000), bare(calibrated(2000))));
      expect(found).toMatchObject({ verdict: "insufficient_evidence", reason: "advisory", estimate: expect.closeTo(0.75, 6), limit: { op: ">=", value: 0.7 }, cost: { queries: 6000 } });
      expect(found.interval?.lower).toBeGreaterThan(0.7);
      expect(found.notes.join()).toContain("assumes no concept drift");
      expect(await asked({ ...check, floor: 0.99 }, tables(calibrated(4000), bare(calibrated(2000))))).toMatchObject({ verdict: "insufficient_evidence", reason: "advisory" });
      expect((await asked({ ...check, metric: "recall" }, tables(calibrated(4000), bare(calibrated(2000))))).estimate).toBeCloseTo(0.75, 6);
    });

    test("is not estimated from scores that are none, nor from a few labels, nor from too few answers", async () => {
      expect(await asked(check, tables(labelled(4000, 3), unlabelled(2000, 3)))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate", estimate: null });
      expect((await asked(check, tables(calibrated(100), bare(calibrated(2000))))).estimate).toBeNull();
      const holes = bare(calibrated(2000)).split("\n").map((line, at) => (at > 0 && at % 10 === 0 ? "" : line)).map((line) => (line === "" ? "NaN" : line)).join("\n");
      expect(await asked(check, tables(calibrated(4000), holes))).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
      expect(await asked(check, { model: three, before: "c0,c1,c2,t\n1,2,3,1", now: "c0,c1,c2\n1,2,3" })).toMatchObject({ verdict: "errored", error: { code: "model_unsupported" } });
    });
  });

  test("a class that the model does not have is an error, and so is a target among the features", async () => {
    const strange = `${labelled(20, 3)}\n0.5,7`;
    expect(await asked({ check: "drift.label" }, tables(strange, unlabelled(20, 3)))).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
    expect(await asked({ check: "drift.prediction", features: ["t"] }, tables(labelled(20, 3), labelled(20, 3)))).toMatchObject({ verdict: "errored", error: { code: "model_input_mismatch" } });
  });
});
