import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectedCalibrationError, massBins, maximumCalibrationError, murphy, widthBins } from "./calibration-bins.ts";
import { calibrationLine } from "./calibration-line.ts";
import { confusionAt, confusionFigures } from "./confusion.ts";
import { brierLosses, logLosses, mean, spiegelhalter } from "./losses.ts";
import { answers, multiClassFigures, topLabelErrors } from "./multi-class.ts";
import { regressionFigures } from "./regression.ts";
import { averagePrecision, rocOf, separation, tprAtFpr } from "./roc.ts";
import { finiteRows, requireEqual } from "./scored.ts";

const rows = fc.array(fc.record({ p: fc.integer({ min: 0, max: 20 }).map((value) => value / 20), y: fc.integer({ min: 0, max: 1 }) }), { minLength: 1, maxLength: 60 });
const scoredOf = (list: readonly { p: number; y: number }[]) => ({ positive: Uint8Array.from(list, ({ y }) => y), scores: Float64Array.from(list, ({ p }) => p) });

describe("two classes", () => {
  test("counts every row once, and swapping classes swaps the rates", () => {
    fc.assert(
      fc.property(rows, (list) => {
        const { tp, fp, fn, tn } = confusionAt(scoredOf(list), 0.5);
        expect(tp + fp + fn + tn).toBe(list.length);
        const [here, there] = [confusionFigures({ tp, fp, fn, tn }), confusionFigures({ tp: tn, fp: fn, fn: fp, tn: tp })];
        expect(there.recall).toEqual(here.specificity);
        expect(there.mcc).toBeCloseTo(here.mcc, 12);
        expect(there.accuracy).toBe(here.accuracy);
      }),
    );
  });

  test("a rate without denominator is undefined, never 0 or 1", () => {
    const none = confusionFigures({ tp: 0, fp: 0, fn: 3, tn: 0 });
    expect([none.precision, none.specificity, none.recall, none.f1, none.mcc]).toEqual([Number.NaN, Number.NaN, 0, 0, 0]);
    expect(confusionFigures({ tp: 0, fp: 0, fn: 0, tn: 0 }).accuracy).toBeNaN();
  });

  test("a threshold takes in the scores that equal it", () => {
    expect(confusionAt(scoredOf([{ p: 0.5, y: 1 }, { p: 0.45, y: 1 }]), 0.5)).toEqual({ tp: 1, fp: 0, fn: 1, tn: 0 });
  });

  test("ties move along the curve together", () => {
    const roc = rocOf(scoredOf([{ p: 0.9, y: 1 }, { p: 0.5, y: 1 }, { p: 0.5, y: 0 }, { p: 0.1, y: 0 }]));
    expect(roc.points).toEqual([{ threshold: 0.9, tp: 1, fp: 0 }, { threshold: 0.5, tp: 2, fp: 1 }, { threshold: 0.1, tp: 2, fp: 2 }]);
    expect([separation(roc), tprAtFpr(roc, 0.4), tprAtFpr(roc, 0.5)]).toEqual([0.5, 0.5, 1]);
    expect(averagePrecision(roc)).toBeCloseTo(0.5 + 0.5 * (2 / 3), 12);
    expect([averagePrecision(rocOf(scoredOf([{ p: 0.4, y: 0 }]))), separation(rocOf(scoredOf([])))]).toEqual([Number.NaN, Number.NaN]);
  });

  test("losses are those of the true class, finite at 0 and 1", () => {
    const scored = scoredOf([{ p: 0.8, y: 1 }, { p: 0, y: 1 }, { p: 1, y: 0 }]);
    expect(logLosses(scored)[0]).toBeCloseTo(-Math.log(0.8), 12);
    expect([...logLosses(scored)].every((loss) => loss < 35)).toBe(true);
    expect(mean(brierLosses(scored))).toBeCloseTo((0.04 + 1 + 1) / 3, 12);
  });

  test("rows without a number are left out, and columns must fit", () => {
    expect([...finiteRows({ positive: Uint8Array.of(1, 0, 1), scores: Float64Array.of(0.1, Number.NaN, Infinity) }).scores]).toEqual([0.1]);
    expect(() => requireEqual({ a: [1], b: [1, 2] })).toThrow("`a` 1, `b` 2");
  });
});

describe("calibration", () => {
  test("bins cover every row, edges belong to the upper bin, and the decomposition gives the Brier score of binned scores", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), (list, count) => {
        const scored = scoredOf(list);
        for (const bins of [widthBins(scored, count), massBins(scored, count)]) {
          expect(bins.reduce((sum, { n }) => sum + n, 0)).toBe(list.length);
          expect(expectedCalibrationError(bins)).toBeLessThanOrEqual(maximumCalibrationError(bins) + 1e-12);
        }
      }),
    );
    fc.assert(
      fc.property(rows.filter((list) => list.every(({ p }) => p < 1)), (list) => {
        // With one bin per distinct probability, Murphy's parts are exact.
        const parts = murphy(widthBins(scoredOf(list), 20));
        expect(parts.reliability - parts.resolution + parts.uncertainty).toBeCloseTo(mean(brierLosses(scoredOf(list))), 9);
      }),
    );
    const edges = widthBins({ positive: Uint8Array.of(0, 0, 0), scores: Float64Array.of(0.3, 0.7, 1) }, 10);
    expect(edges.map(({ sum }) => sum)).toEqual([0.3, 0.7, 1]);
  });

  test("a line through outcomes that follow their logits has slope about 1, and turns with the classes", () => {
    const scores = Float64Array.from({ length: 2000 }, (_, row) => 0.02 + (0.96 * (row + 0.5)) / 2000);
    let carried = 0;
    const positive = Uint8Array.from(scores, (p) => {
      carried += p;
      const hit = carried >= 1;
      if (hit) carried -= 1;
      return hit ? 1 : 0;
    });
    const line = calibrationLine({ positive, scores });
    expect(line?.slope).toBeCloseTo(1, 1);
    expect(line?.intercept).toBeCloseTo(0, 1);
    const turned = calibrationLine({ positive: positive.map((label) => 1 - label), scores: scores.map((p) => 1 - p) });
    expect(turned?.slope).toBeCloseTo(line?.slope ?? 0, 6);
    expect(turned?.intercept).toBeCloseTo(-(line?.intercept ?? 0), 6);
  });

  test("separated classes and one class have no line; one probability has the flattest", () => {
    expect(calibrationLine(scoredOf([{ p: 0.1, y: 0 }, { p: 0.4, y: 0 }, { p: 0.6, y: 1 }]))).toBeUndefined();
    expect(calibrationLine(scoredOf([{ p: 0.1, y: 1 }, { p: 0.4, y: 1 }]))).toBeUndefined();
    expect(calibrationLine(scoredOf([]))).toBeUndefined();
    expect(calibrationLine(scoredOf([{ p: 0.5, y: 1 }, { p: 0.5, y: 0 }, { p: 0.5, y: 0 }]))).toMatchObject({ slope: 0 });
  });

  test("Spiegelhalter's z is 0 where nothing can tell, and infinite only against the impossible", () => {
    expect(spiegelhalter(scoredOf([{ p: 0.5, y: 1 }, { p: 0.5, y: 0 }]))).toEqual({ z: 0, p: 1 });
    expect(spiegelhalter(scoredOf([{ p: 1, y: 0 }])).p).toBe(0);
  });
});

describe("many classes", () => {
  const scored = { truth: Uint32Array.of(0, 1, 2, 2), classes: 3, scores: Float64Array.of(0.8, 0.1, 0.1, 0.2, 0.7, 0.1, 0.1, 0.2, 0.7, 0.4, 0.4, 0.2) };

  test("the answer is the largest score, the first of equals", () => {
    expect([...answers(scored)]).toEqual([0, 1, 2, 0]);
    const found = multiClassFigures(scored);
    expect(found.confusion).toEqual([[1, 0, 0], [0, 1, 0], [1, 0, 1]]);
    expect(found.accuracy).toBe(0.75);
    expect(found.balancedAccuracy).toBeCloseTo(2.5 / 3, 12);
  });

  test("two classes give the figures of two classes", () => {
    fc.assert(
      fc.property(rows, (list) => {
        const two = { truth: Uint32Array.from(list, ({ y }) => y), classes: 2, scores: Float64Array.from(list.flatMap(({ p }) => [1 - p, p])) };
        const found = multiClassFigures(two);
        const table = confusionFigures(confusionAt(scoredOf(list), 0.5 + 1e-9));
        expect(found.accuracy).toBeCloseTo(table.accuracy, 12);
        expect(found.mcc).toBeCloseTo(table.mcc, 9);
        expect(found.brierSum).toBeCloseTo(2 * mean(brierLosses(scoredOf(list))), 9);
      }),
    );
  });

  test("a class that never occurs leaves the mean AUC undefined", () => {
    expect(multiClassFigures({ ...scored, truth: Uint32Array.of(0, 1, 1, 0) }).macroOvrAuc).toBeNaN();
    expect(topLabelErrors(scored, 10).ece).toBeCloseTo((0.2 + 0.3 * 2 + 0.4) / 4, 12);
  });
});

describe("regression", () => {
  test("a perfect model has no error; a constant one explains nothing", () => {
    const truth = Float64Array.of(1, 2, 4, 8);
    expect(regressionFigures(truth, truth)).toMatchObject({ mae: 0, r2: 1, maxError: 0, pearson: 1, spearman: 1 });
    const flat = regressionFigures(truth, new Float64Array(4).fill(3.75));
    expect(flat.r2).toBeCloseTo(0, 12);
    expect(flat.pearson).toBeNaN();
    expect(regressionFigures(Float64Array.of(2, 2), Float64Array.of(1, 2)).r2).toBeNaN();
  });

  test("errors scale with the unit, R² and correlations do not", () => {
    // Thousandths: squares of numbers near the smallest double are 0, and a ratio of those says nothing.
    const column = fc.array(fc.integer({ min: -100_000, max: 100_000 }).map((value) => value / 1000), { minLength: 3, maxLength: 30 });
    fc.assert(
      fc.property(column, column, (first, second) => {
        const n = Math.min(first.length, second.length);
        const [truth, predicted] = [Float64Array.from(first.slice(0, n)), Float64Array.from(second.slice(0, n))];
        const [plain, scaled] = [regressionFigures(truth, predicted), regressionFigures(truth.map((value) => 4 * value), predicted.map((value) => 4 * value))];
        expect(scaled.mae).toBeCloseTo(4 * plain.mae, 9);
        expect(scaled.medianAbsoluteError).toBeCloseTo(4 * plain.medianAbsoluteError, 9);
        expect(Object.is(scaled.r2, plain.r2) || Math.abs(scaled.r2 - plain.r2) <= 1e-9 * (1 + Math.abs(plain.r2))).toBe(true);
        expect(plain.mae).toBeLessThanOrEqual(plain.rmse + 1e-9);
      }),
    );
  });
});
