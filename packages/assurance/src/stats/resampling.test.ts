import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bca, bcaShape, percentile, quantile } from "./bootstrap.ts";
import { delongVariance, midranks, pairedDelong, pairedDelongP, placements } from "./delong.ts";
import { momentsOf, skewedMean, studentMean, welch } from "./moments.ts";
import { randomFrom } from "./random.ts";
import { resample, resampledBounds, summarise } from "./resample.ts";
import { runSequential, sequentialEvidence, sequentialStart, sequentialStep } from "./sequential.ts";

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const column = fc.array(finite, { minLength: 5, maxLength: 60 }).map((values) => Float64Array.from(values));

describe("bootstrap", () => {
  test("without bias and skewness BCa is the percentile interval", () => {
    const sorted = Float64Array.from({ length: 999 }, (_, index) => index);
    const shape = bcaShape(499, sorted, Float64Array.of(1, 2, 3));
    expect(shape).toEqual({ z0: 0, acceleration: 0 });
    expect(bca(shape, sorted, 0.05).lower).toBeCloseTo(percentile(sorted, 0.05).lower, 6);
    expect(bca(shape, sorted, 0.05).upper).toBeCloseTo(percentile(sorted, 0.05).upper, 6);
  });

  test("quantiles interpolate as numpy's default does", () => {
    const sorted = Float64Array.of(1, 2, 4, 8);
    expect([quantile(sorted, 0), quantile(sorted, 0.5), quantile(sorted, 0.9), quantile(sorted, 1)]).toEqual([1, 3, 6.800000000000001, 8]);
    expect(quantile(new Float64Array(), 0.5)).toBeNaN();
  });

  test("what is kept gives the bounds of all replicates", () => {
    fc.assert(
      fc.property(column, fc.array(finite, { minLength: 50, maxLength: 200 }), (jackknife, replicates) => {
        const values = Float64Array.from(replicates);
        const estimate = quantile(values.toSorted(), 0.4);
        const kept = summarise({ estimate, values, jackknife, alpha: 0.05 });
        if (kept === undefined) return;
        const whole = bca(bcaShape(estimate, values, jackknife), values.toSorted(), 0.05);
        const width = 1e-6 * (1 + Math.abs(whole.upper) + Math.abs(whole.lower) + Math.max(...values.map(Math.abs)));
        expect(Math.abs(resampledBounds(kept).lower - whole.lower)).toBeLessThan(width);
        expect(Math.abs(resampledBounds(kept).upper - whole.upper)).toBeLessThan(width);
      }),
    );
  });

  test("the same seed gives the same bytes, and a figure that is never defined gives none", () => {
    const values = Float64Array.from({ length: 60 }, (_, index) => Math.sin(index) ** 2);
    const mean = (rows: Uint32Array) => rows.reduce((sum, row) => sum + (values[row] ?? 0), 0) / rows.length;
    const run = (seed: string) => JSON.stringify(resample(60, mean, { random: randomFrom(seed), alpha: 0.05, replicates: 300 }));
    expect(run("a")).toBe(run("a"));
    expect(run("a")).not.toBe(run("b"));
    expect(resample(60, () => Number.NaN, { random: randomFrom("a"), alpha: 0.05, replicates: 10 })).toBeUndefined();
  });
});

describe("means", () => {
  test("without skewness the corrected bounds are Student's", () => {
    const moments = { n: 40, mean: 3, sd: 2, skewness: 0 };
    expect(skewedMean(moments, 0.05).lower).toBeCloseTo(studentMean(moments, 0.05).lower, 12);
    expect(skewedMean(moments, 0.05).upper).toBeCloseTo(studentMean(moments, 0.05).upper, 12);
  });

  test("a long right tail moves both bounds up, and mirrors", () => {
    const [right, left] = [{ n: 50, mean: 0, sd: 1, skewness: 2 }, { n: 50, mean: 0, sd: 1, skewness: -2 }].map((moments) => skewedMean(moments, 0.05));
    expect(right?.upper).toBeGreaterThan(studentMean({ n: 50, mean: 0, sd: 1, skewness: 0 }, 0.05).upper);
    expect(right?.lower).toBeCloseTo(-(left?.upper ?? 0), 12);
  });

  test("the corrected bounds are where Hall's polynomial meets Student's quantile", () => {
    const moments = { n: 35, mean: 7, sd: 3, skewness: 1.4 };
    const polynomial = (w: number) => w + (moments.skewness * w * w) / 3 + (moments.skewness ** 2 * w ** 3) / 27 + moments.skewness / (6 * moments.n);
    const quantile = (7 - studentMean({ ...moments, skewness: 0 }, 0.05).lower) / 3;
    const { lower, upper } = skewedMean(moments, 0.05);
    expect(polynomial((7 - lower) / 3)).toBeCloseTo(quantile, 12);
    expect(polynomial((7 - upper) / 3)).toBeCloseTo(-quantile, 12);
  });

  test("moments do not move with a constant", () => {
    fc.assert(fc.property(column, (values) => {
      const [plain, moved] = [momentsOf(values), momentsOf(values.map((value) => value + 1000))];
      expect(moved.mean - plain.mean).toBeCloseTo(1000, 6);
      expect(Math.abs(moved.sd - plain.sd)).toBeLessThanOrEqual(1e-6 * (1 + plain.sd));
    }));
  });

  test("Welch's interval turns around with the samples and has no width without spread", () => {
    const [a, b] = [momentsOf(Float64Array.of(1, 2, 3, 4)), momentsOf(Float64Array.of(2, 4, 9))];
    expect(welch(a, b, 0.05).lower).toBeCloseTo(-welch(b, a, 0.05).upper, 12);
    expect(welch({ n: 5, mean: 1, sd: 0, skewness: 0 }, { n: 5, mean: 0, sd: 0, skewness: 0 }, 0.05)).toEqual({ lower: 1, upper: 1 });
  });
});

describe("AUC by placements", () => {
  const scored = fc.array(fc.record({ score: fc.integer({ min: 0, max: 8 }), label: fc.integer({ min: 0, max: 1 }) }), { minLength: 6, maxLength: 40 })
    .filter((rows) => [0, 1].every((label) => rows.filter((row) => row.label === label).length >= 2));

  test("is the share of pairs in order, and its variance that of all pairs' definition", () => {
    fc.assert(
      fc.property(scored, (rows) => {
        const found = placements(Float64Array.from(rows, ({ score }) => score), Uint8Array.from(rows, ({ label }) => label));
        const [positives, negatives] = [1, 0].map((label) => rows.filter((row) => row.label === label).map(({ score }) => score));
        const kernel = (x: number, y: number) => (x > y ? 1 : x === y ? 0.5 : 0);
        const v10 = (positives ?? []).map((x) => average((negatives ?? []).map((y) => kernel(x, y))));
        const v01 = (negatives ?? []).map((y) => average((positives ?? []).map((x) => kernel(x, y))));
        expect(found.auc).toBeCloseTo(average(v10), 12);
        expect(delongVariance(found)).toBeCloseTo(variance(v10) / v10.length + variance(v01) / v01.length, 12);
      }),
    );
  });

  test("two copies of one model differ by nothing, for certain", () => {
    const found = placements(Float64Array.of(1, 2, 3, 4, 5, 6), Uint8Array.of(0, 1, 0, 1, 0, 1));
    expect(pairedDelong(found, found)).toMatchObject({ difference: 0, se: 0 });
    expect(pairedDelongP(pairedDelong(found, found))).toBe(1);
  });

  test("equal values share their rank", () => {
    expect([...midranks(Float64Array.of(5, 1, 5, 2))]).toEqual([3.5, 1, 3.5, 2]);
  });
});

describe("sequential evidence", () => {
  test("does not depend on the order of the outcomes, and a decision stays", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (outcomes) => {
        const limit = { limit: 0.3, alpha: 1e-30 };
        const state = runSequential(outcomes, limit);
        const { logPass, logFail } = sequentialEvidence({ events: outcomes.filter(Boolean).length, n: outcomes.length }, 0.3);
        expect(state.logPass).toBeCloseTo(logPass, 9);
        expect(state.logFail).toBeCloseTo(logFail, 9);
      }),
    );
    const failed = runSequential([true, true, true, false, false], { limit: 0.05, alpha: 0.05 });
    expect(failed).toMatchObject({ verdict: "fail", outcomes: 3 });
    expect(sequentialStep(failed, false, { limit: 0.05, alpha: 0.05 })).toBe(failed);
  });

  test("no outcome is no evidence; a clean target passes after 78 prompts at 5 %", () => {
    expect(runSequential([], { limit: 0.05, alpha: 0.05 })).toEqual(sequentialStart);
    expect(runSequential(Array.from({ length: 100 }, () => false), { limit: 0.05, alpha: 0.05 })).toMatchObject({ verdict: "pass", outcomes: 78 });
  });

  test("exactly on the limit few runs pass however often one looks", () => {
    const random = randomFrom("peeking");
    let passed = 0;
    for (let run = 0; run < 400; run += 1) {
      const outcomes = Array.from({ length: 300 }, () => random.uniform() < 0.1);
      if (runSequential(outcomes, { limit: 0.1, alpha: 0.05 }).verdict === "pass") passed += 1;
    }
    expect(passed / 400).toBeLessThan(0.08);
  });
});

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + (value - average(values)) ** 2, 0) / (values.length - 1);
}
