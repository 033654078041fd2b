import { describe, expect, test } from "vitest";
import { fromColumns, type Matrix } from "../linear/matrix.ts";
import { auc } from "../stats/auc.ts";
import { type Random, randomFrom } from "../stats/random.ts";
import type { Limit } from "../verdict/outcome.ts";
import { decideLabelShift, estimateLabelShift, measureLabelShift } from "./label-shift.ts";
import { decideMultivariateDrift, measureMultivariateDrift } from "./multivariate.ts";
import { decidePerformanceEstimate, measurePerformanceEstimate } from "./performance-estimate.ts";
import { decidePredictionDrift, measurePredictionDrift, predictionDriftAlarms } from "./prediction.ts";

const limit = (value: number, op: "<=" | ">=" = "<="): Limit => ({ op, value, alpha: 0.05, source: "test" });

/** Two columns with a correlation. */
function rowsOf(random: Random, size: number, correlation: number): Matrix {
  const first = Float64Array.from({ length: size }, () => random.normal());
  const second = first.map((value) => correlation * value + Math.sqrt(1 - correlation ** 2) * random.normal());
  return fromColumns([first, second]);
}

describe("drift.multivariate", () => {
  const options = { seed: "s", permutations: 199, rowsMax: 200 };

  test("a changed correlation is seen although no column changes; the same data is stable", () => {
    const random = randomFrom("multivariate");
    const [reference, same, turned] = [rowsOf(random, 1500, 0.8), rowsOf(random, 1500, 0.8), rowsOf(random, 1500, -0.8)];
    const stable = measureMultivariateDrift(["a", "b"], { reference, current: same }, options);
    expect(decideMultivariateDrift(stable, limit(0.6)).verdict).toBe("pass");
    expect(stable.energy?.p).toBeGreaterThan(0.005);
    const moved = measureMultivariateDrift(["a", "b"], { reference, current: turned }, options);
    expect(decideMultivariateDrift(moved, limit(0.6)).verdict).toBe("fail");
    expect(moved.energy?.p).toBe(0.005);
    expect(moved.mmd2?.p).toBe(0.005);
  });

  test("rows with a missing value are left out and told; too few rows and constant rows are never a pass", () => {
    const random = randomFrom("missing");
    const reference = rowsOf(random, 300, 0);
    const holed = rowsOf(random, 300, 0);
    for (let row = 0; row < 290; row += 1) holed.values[2 * row] = Number.NaN;
    const few = measureMultivariateDrift(["a", "b"], { reference, current: holed }, options);
    expect(few.rows).toEqual({ reference: 300, current: 10 });
    expect(decideMultivariateDrift(few, limit(0.6))).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
    const constant = fromColumns([new Float64Array(600).fill(1)]);
    const still = measureMultivariateDrift(["a"], { reference: constant, current: constant }, options);
    expect(decideMultivariateDrift(still, limit(0.6))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
  });

  test("the same seed gives the same statistics", () => {
    const random = randomFrom("seed");
    const data = { reference: rowsOf(random, 100, 0), current: rowsOf(random, 100, 0.5) };
    const once = measureMultivariateDrift(["a", "b"], data, options);
    expect(JSON.stringify(measureMultivariateDrift(["a", "b"], data, options))).toBe(JSON.stringify(once));
    expect(once.classifier === null ? Number.NaN : auc(once.classifier)).toBeGreaterThan(0.5);
  });
});

/** Labels with a share of class 1, answered by a model that is right nine times out of ten. */
function answered(random: Random, size: number, share: number): { labels: Uint32Array; answers: Uint32Array } {
  const labels = Uint32Array.from({ length: size }, () => (random.uniform() < share ? 1 : 0));
  return { labels, answers: labels.map((label) => (random.uniform() < 0.9 ? label : 1 - label)) };
}

describe("drift.label", () => {
  const shifted = (seed: string, share: number, size = 6000) => {
    const random = randomFrom(seed);
    const reference = answered(random, size, 0.3);
    return measureLabelShift({ classes: ["no", "yes"], referenceLabels: reference.labels, referenceAnswers: reference.answers, currentAnswers: answered(random, size, share).answers });
  };

  test("shares behind unlabelled rows are found again, with an interval that covers them about as often as it says", () => {
    let covered = 0;
    for (let run = 0; run < 100; run += 1) {
      const [, yes] = estimateLabelShift(shifted(`run ${run}`, 0.45, 800), 0.05) ?? [];
      if (yes !== undefined && Math.abs(yes.now - yes.before - 0.15) <= yes.halfWidth) covered += 1;
    }
    expect(covered).toBeGreaterThan(80);
    expect(covered).toBeLessThan(99);
  });

  test("an unchanged mix passes, a changed one fails, answers that say nothing are insufficient", () => {
    expect(decideLabelShift(shifted("a", 0.3), limit(0.1)).verdict).toBe("pass");
    expect(decideLabelShift(shifted("b", 0.6), limit(0.1)).verdict).toBe("fail");
    expect(decideLabelShift({ confusion: [[50, 50], [50, 50]], answers: [10, 10] }, limit(0.1))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
    expect(decideLabelShift({ confusion: [[0, 0], [0, 0]], answers: [0, 0] }, limit(0.1))).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
  });
});

describe("drift.performance", () => {
  const scored = (seed: string, size: number, sharpen = 1) => {
    const random = randomFrom(seed);
    const scores = Float64Array.from({ length: size }, () => random.uniform());
    const labels = Uint8Array.from(scores, (score) => (random.uniform() < score ** sharpen ? 1 : 0));
    return { scores, labels };
  };

  test("calibrated scores give an estimate near the truth", () => {
    const reference = scored("reference", 4000);
    const current = scored("current", 4000);
    const found = measurePerformanceEstimate({ referenceScores: reference.scores, referenceLabels: reference.labels, currentScores: current.scores });
    expect(found.calibration.passes).toBe(true);
    const outcome = decidePerformanceEstimate(found, "accuracy", limit(0.7, ">="));
    const truth = current.scores.filter((score, row) => (score >= 0.5) === (current.labels[row] === 1)).length / 4000;
    expect(Math.abs((outcome.estimate ?? 0) - truth)).toBeLessThan(0.03);
    expect(outcome.verdict).toBe("pass");
  });

  test("scores that are not calibrated, or too few labels, give none", () => {
    const reference = scored("reference", 4000, 4);
    const few = scored("few", 50);
    for (const { scores, labels } of [reference, few]) {
      const found = measurePerformanceEstimate({ referenceScores: scores, referenceLabels: labels, currentScores: scores });
      expect(found.expected).toBeNull();
      expect(decidePerformanceEstimate(found, "accuracy", limit(0.1, ">=")).verdict).toBe("insufficient_evidence");
    }
  });
});

describe("drift.prediction", () => {
  test("scores and classes are judged by the methods for columns", () => {
    const random = randomFrom("scores");
    const column = (shift: number) => Float64Array.from({ length: 3000 }, () => random.uniform() + shift);
    const scores = measurePredictionDrift({ kind: "scores", scores: [{ name: "yes", reference: column(0), current: column(0.4) }] }, { seed: "s" });
    expect(decidePredictionDrift(scores, limit(0.2)).verdict).toBe("fail");
    expect(predictionDriftAlarms(scores)).toHaveLength(1);
    const classes = measurePredictionDrift({ kind: "classes", classes: { name: "answer", categories: ["no", "yes"], reference: [5000, 5000], current: [5000, 5000], missing: { reference: 0, current: 0 } } }, { seed: "s" });
    expect(decidePredictionDrift(classes, limit(0.1)).verdict).toBe("pass");
    expect(predictionDriftAlarms(classes)).toEqual([]);
  });
});
