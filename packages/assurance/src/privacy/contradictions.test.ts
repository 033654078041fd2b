import { describe, expect, test } from "vitest";
import { decideParity, measureParity } from "../fairness/parity.ts";
import { decideMeanParity, measureRegressionParity } from "../fairness/mean-parity.ts";
import { decideCalibration, measureCalibration } from "../performance/calibration-gate.ts";
import { decideMetric, measureMetric } from "../performance/metric.ts";
import { decideNoninferior, measurePairedRate } from "../performance/noninferior.ts";
import { decideSlices, measureSlices } from "../performance/slices.ts";
import { randomFrom } from "../stats/random.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { decideAttribute, measureAttribute } from "./attribute.ts";
import { decideEpsilon, measureOneRun } from "./epsilon-audit.ts";
import { decideMembership, measureMembership } from "./membership.ts";

const limit = (op: Limit["op"], value: number): Limit => ({ op, value, alpha: 0.05, source: "test" });
const random = randomFrom("contradictions");
const scores = Float64Array.from({ length: 1200 }, () => random.uniform());
const positive = Uint8Array.from(scores, (p) => (random.uniform() < p ? 1 : 0));
const grouping = { names: ["a", "b"], codes: Int32Array.from(scores, (_, row) => row % 2) };

const accuracy = measureMetric({ positive, scores }, { metric: "accuracy", seed: "s", alpha: 0.05 });
const auc = measureMetric({ positive, scores }, { metric: "auc", seed: "s", alpha: 0.05 });
const brier = measureMetric({ positive, scores }, { metric: "brier", seed: "s", alpha: 0.05 });
const paired = measurePairedRate(positive, positive, { metric: "accuracy" });
const calibration = measureCalibration({ positive, scores });
const slices = measureSlices({ right: positive, columns: [{ name: "g", values: ["a", "b"], codes: grouping.codes }] }, { seed: "s", declared: [[{ column: "g", value: "a" }]] });
const parity = measureParity({ positive, predicted: positive, grouping }, { check: "fair.parity" });
const means = measureRegressionParity({ truth: scores, predicted: scores.map((value) => value + 0.1 * random.normal()), grouping }, "error");
const membership = measureMembership({ members: scores.subarray(0, 600), nonmembers: scores.subarray(600) }, { attack: "loss", figure: "auc" });
const oneRun = measureOneRun(positive, positive.map((bit, row) => (row % 2 === 0 ? bit : 1 - bit)));
const rows = Array.from({ length: 600 }, (_, row) => Float32Array.of(row % 3 === 0 ? 1 : 0));
const attribute = measureAttribute((asked) => ({ classes: 1, scores: new Float64Array(asked.length).fill(0.5) }), rows, { feature: 0, values: [0, 1], truth: new Uint32Array(600) });

/** Each as measured, which passes, and with one number changed, which contradicts the others. */
const cases: readonly (readonly [string, () => Outcome, readonly (() => Outcome)[]])[] = [
  ["perf.metric", () => decideMetric(accuracy, limit(">=", 0.1)), [
    () => decideMetric({ ...accuracy, kind: "rate", events: 1300, n: 1200 }, limit(">=", 0.1)),
    () => decideMetric({ ...accuracy, kind: "rate", events: 1300, n: 1300 }, limit(">=", 0.1)),
    () => decideMetric({ ...accuracy, kind: "rate", events: 10.5, n: 11 }, limit(">=", 0.1)),
    () => decideMetric({ ...auc, assessed: 1199 }, limit(">=", 0.1)),
    () => decideMetric({ ...brier, assessed: 1199 }, limit("<=", 0.9)),
  ]],
  ["perf.noninferior", () => decideNoninferior(paired, limit("<=", 0.01)), [
    () => decideNoninferior({ ...paired, assessed: 1199 }, limit("<=", 0.01)),
    () => decideNoninferior({ ...paired, kind: "paired-rate", onlyChampion: 700, onlyChallenger: 700, n: 1200 }, limit("<=", 0.01)),
  ]],
  ["calib.ece", () => decideCalibration(calibration, limit("<=", 0.2)), [
    () => decideCalibration({ ...calibration, bins: calibration.bins.slice(1) }, limit("<=", 0.2)),
    () => decideCalibration({ ...calibration, bins: calibration.bins.map((bin) => ({ ...bin, events: -1 })) }, limit("<=", 0.2)),
    () => decideCalibration({ ...calibration, bins: calibration.bins.map((bin) => ({ ...bin, sum: Number.NaN })) }, limit("<=", 0.2)),
  ]],
  ["perf.slices", () => decideSlices(slices, limit(">=", 0.1)), [() => decideSlices({ ...slices, declared: [{ name: "a", events: 5000, n: 5000 }] }, limit(">=", 0.1))]],
  ["fair.parity", () => decideParity(parity, limit("<=", 0.2)), [
    () => decideParity({ ...parity, groups: parity.groups.map((group) => ({ ...group, n: 2 * group.n })) }, limit("<=", 0.2)),
    () => decideParity({ ...parity, groups: parity.groups.map((group) => ({ ...group, tp: group.selected + 1 })) }, limit("<=", 0.2)),
    () => decideParity({ ...parity, groups: parity.groups.map((group) => ({ ...group, name: "a" })) }, limit("<=", 0.2)),
  ]],
  ["fair.regression", () => decideMeanParity(means, limit("<=", 0.5)), [() => decideMeanParity({ ...means, groups: means.groups.map((group) => ({ ...group, n: 10 * group.n })) }, limit("<=", 0.5))]],
  ["privacy.membership", () => decideMembership(membership, limit("<=", 0.6)), [
    () => decideMembership({ ...membership, positives: 6000 }, limit("<=", 0.6)),
    () => decideMembership({ ...membership, ties: 1e9 }, limit("<=", 0.6)),
  ]],
  ["privacy.epsilon", () => decideEpsilon(oneRun, limit("<=", 1)), [() => decideEpsilon({ ...oneRun, kind: "one-run", guesses: 100, correct: 101 }, limit("<=", 1))]],
  ["privacy.attribute", () => decideAttribute(attribute, limit("<=", 0.05)), [() => decideAttribute({ ...attribute, onlyAttack: 0, onlyBase: 601 }, limit("<=", 0.05))]],
];

describe("stored counts that contradict each other support nothing", () => {
  test.each(cases)("%s", (_, measured, changed) => {
    expect(measured().verdict).toBe("pass");
    for (const outcome of changed) expect(outcome()).toMatchObject({ verdict: "insufficient_evidence", reason: "inconsistent_import" });
  });
});
