import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";

const example = path.resolve(import.meta.dirname, "../../../../examples/tumour-classifier");
const read = (name: string) => readFileSync(path.join(example, name));
const tumour = { model: read("model/tumour.onnx"), test: read("data/test.csv"), train: read("data/train.csv") };
const on = { model: "model", dataset: "test", target: "target", positive: 1 };

/** A model that answers with the column `s`, and rows of it: the score, the truth, and a group. */
const echo = modelBytes({ input: "x", width: 1, output: "y", nodes: [nodeOf({ op: "Identity", in: ["x"], out: ["y"] })] });
const rows = (count: number, row: (at: number) => readonly (string | number)[]) => ["s,target,group", ...Array.from({ length: count }, (_, at) => row(at).join(","))].join("\n");
const echoed = (check: object, table: string) => checkResult({ ...on, features: ["s"], ...check }, { model: echo, test: table });
/** Of fifty rows with each score as many are true as the score says, in both groups. */
const calibrated = (count: number) =>
  rows(count, (at) => {
    const score = [0.1, 0.3, 0.5, 0.7, 0.9][at % 5] ?? 0;
    return [score, Math.floor(at / 5) % 10 < 10 * score ? 1 : 0, Math.floor(at / 50) % 2 === 0 ? "a" : "b"];
  });

describe("checks of models", () => {
  test("loss: the example passes a wide limit, fails a narrow one, and eight rows tell nothing", async () => {
    const loss = (max: number) => checkResult({ ...on, check: "perf.loss", metric: "log_loss", max }, tumour);
    expect([(await loss(0.5)).verdict, (await loss(0.05)).verdict]).toEqual(["pass", "fail"]);
    expect(await echoed({ check: "perf.loss", metric: "brier", max: 0.3 }, calibrated(8))).toMatchObject({ verdict: "insufficient_evidence" });
  });

  test("non-inferiority: a model is no worse than itself where the rows can tell, and one that is turned round is worse", async () => {
    const beside = (champion: Uint8Array, max: number, metric: string) => checkResult({ ...on, check: "perf.noninferior", champion: "champion", metric, max }, { ...tumour, champion });
    expect(await beside(tumour.model, 0.05, "accuracy")).toMatchObject({ verdict: "pass", estimate: 0, inputs: [{ role: "test" }, { role: "reference", id: "champion" }] });
    const scores = calibrated(2000);
    const turned = modelBytes({ input: "x", width: 1, output: "y", nodes: [nodeOf({ op: "Neg", in: ["x"], out: ["y"] })] });
    const worse = await checkResult({ ...on, features: ["s"], check: "perf.noninferior", champion: "champion", metric: "auc", max: 0.01 }, { model: turned, champion: echo, test: scores });
    expect(worse.verdict).toBe("fail");
  });

  test.each(["log_loss", "brier"])("non-inferiority in %s: as good passes, much worse fails, a margin below what rows can tell is open", async (metric) => {
    const flat = modelBytes({ input: "x", width: 1, output: "y", nodes: [nodeOf({ op: "Neg", in: ["x"], out: ["n"] }), nodeOf({ op: "Sigmoid", in: ["n"], out: ["y"] })] });
    const beside = (models: { readonly model: Uint8Array; readonly champion: Uint8Array }, max: number) => checkResult({ ...on, features: ["s"], check: "perf.noninferior", champion: "champion", metric, max }, { ...models, test: calibrated(2000) });
    expect(await beside({ model: echo, champion: flat }, 0.01)).toMatchObject({ verdict: "pass", basis: { figures: { kind: "paired-mean", metric } } });
    expect((await beside({ model: flat, champion: echo }, 0.01)).verdict).toBe("fail");
    expect(await checkResult({ ...on, features: ["s"], check: "perf.noninferior", champion: "champion", metric, max: 0.01 }, { model: flat, champion: echo, test: calibrated(8) })).toMatchObject({ verdict: "insufficient_evidence" });
  });

  test("slices: every declared slice must reach the floor, and one without rows is no pass", async () => {
    const table = rows(1200, (at) => [at % 2, at % 3 === 0 && at % 2 === 0 ? 1 : at % 2, at % 3 === 0 ? "weak" : "good"]);
    const sliced = (group: string) => echoed({ check: "perf.slices", slices: [{ group }], floor: 0.8 }, table);
    expect([(await sliced("good")).verdict, (await sliced("weak")).verdict, (await sliced("nowhere")).verdict]).toEqual(["pass", "fail", "insufficient_evidence"]);
    expect((await echoed({ check: "perf.slices", slices: [{ group: "good" }], floor: 0.8 }, table)).notes.join()).toContain("weak");
  });

  test("calibration: probabilities that come true pass, overconfident ones fail", async () => {
    expect(await echoed({ check: "calib.ece" }, calibrated(8000))).toMatchObject({ verdict: "pass" });
    const sure = rows(2000, (at) => [at % 2 === 0 ? 0.95 : 0.05, Math.floor(at / 2) % 10 < (at % 2 === 0 ? 7 : 3) ? 1 : 0, "a"]);
    expect(await echoed({ check: "calib.ece" }, sure)).toMatchObject({ verdict: "fail" });
  });

  test.each(["fair.accuracy", "fair.fourfifths", "fair.calibration"])("%s passes on groups that are alike, fails on groups that are not, and is open on few rows", async (check) => {
    const by = { name: "g", column: "group" };
    expect((await echoed({ check, by }, calibrated(6000))).verdict).toBe("pass");
    const unlike = rows(3000, (at) => (at % 2 === 0 ? [0.9 - (at % 3) / 10, at % 7 === 0 ? 0 : 1, "a"] : [0.3 + (at % 3) / 100, at % 3 === 0 ? 0 : 1, "b"]));
    expect((await echoed({ check, by }, unlike)).verdict).toBe("fail");
    expect((await echoed({ check, by }, calibrated(40))).verdict).toBe("insufficient_evidence");
  });

  test("membership: rows that the loss does not tell apart pass, a model that knows its training rows fails", async () => {
    const member = (train: string, test_: string) => checkResult({ ...on, features: ["s"], check: "privacy.membership", members: "train" }, { model: echo, test: test_, train });
    expect((await member(calibrated(1500), calibrated(1500))).verdict).toBe("pass");
    const known = rows(600, (at) => [at % 2 === 0 ? 0.99 - (at % 7) / 1000 : 0.01 + (at % 7) / 1000, (at + 1) % 2, "a"]);
    expect((await member(known, calibrated(600))).verdict).toBe("fail");
  });

  test("privacy loss: an attack that tells nobody apart does not contradict the claim, one that knows its training rows does, and few rows say nothing", async () => {
    const audit = (train: string, test_: string, max: number) => checkResult({ ...on, features: ["s"], check: "privacy.epsilon", members: "train", max }, { model: echo, test: test_, train });
    const spread = (count: number, from: number) => rows(count, (at) => [((at + from) * 0.618034) % 1, ((at + from) * 0.754878) % 1 < ((at + from) * 0.618034) % 1 ? 1 : 0, "a"]);
    expect(await audit(spread(2000, 1), spread(2000, 5000), 2)).toMatchObject({ verdict: "pass", inputs: [{ role: "test" }, { role: "train" }] });
    const known = rows(600, (at) => [at % 2 === 0 ? 0.99 - (at % 7) / 1000 : 0.01 + (at % 7) / 1000, (at + 1) % 2, "a"]);
    expect((await audit(known, calibrated(600), 0.5)).verdict).toBe("fail");
    expect((await audit(spread(20, 1), spread(20, 5000), 0.5)).verdict).toBe("insufficient_evidence");
    // Every loss is one of a few, so that no threshold has a rate of false alarms at which e² could show.
    expect(await audit(calibrated(2000), calibrated(2000), 2)).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
    expect(await audit("s,other\n0.5,1", calibrated(20), 0.5)).toMatchObject({ verdict: "errored", error: { code: "table_column_missing" } });
  });
});
