import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomFrom } from "../stats/random.ts";
import { encodeDictionary } from "../table/dictionary.ts";
import type { Limit } from "../verdict/outcome.ts";
import { categoricalDriftAlarms, decideCategoricalDrift, measureCategoricalDrift, totalVariationHalfWidth, variationLower } from "./categorical.ts";
import { countCategories } from "./categories.ts";
import { hellinger, jensenShannonBits, stabilityIndex, totalVariation } from "./divergence.ts";
import { driftAlarms } from "./family.ts";
import { testHomogeneity } from "./homogeneity.ts";
import { hypergeometric } from "./hypergeometric.ts";
import { decideMissingDrift, measureMissingDrift, missingDriftAlarms } from "./missing.ts";
import { decideNumericDrift, distanceLower, dkwHalfWidth, measureNumericDrift, numericDriftAlarms } from "./numeric.ts";

const limit = (value: number): Limit => ({ op: "<=", value, alpha: 0.05, source: "test" });
const normal = (seed: string, size: number, shift = 0) => {
  const random = randomFrom(seed);
  return Float64Array.from({ length: size }, () => random.normal() + shift);
};
const numeric = (reference: Float64Array, current: Float64Array) => measureNumericDrift([{ name: "x", reference, current }], { seed: "s" });
const counts = (reference: readonly number[], current: readonly number[]) => ({ name: "c", categories: reference.map((_, index) => `k${index}`), reference, current, missing: { reference: 0, current: 0 } });

describe("drift.numeric", () => {
  test("many rows of one distribution pass, a clear shift fails, few rows are insufficient and say how many it takes", () => {
    expect(decideNumericDrift(numeric(normal("a", 4000), normal("b", 4000)), limit(0.2)).verdict).toBe("pass");
    expect(decideNumericDrift(numeric(normal("a", 4000), normal("b", 4000, 2)), limit(0.2)).verdict).toBe("fail");
    const few = decideNumericDrift(numeric(normal("a", 60), normal("b", 60)), limit(0.2));
    expect(few).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
    expect(few.requiredN).toBeGreaterThan(120);
    expect(few.requiredN).toBeLessThan(20_000);
  });

  test("an empty side, only missing values and a column that is constant on both sides are never a pass", () => {
    const some = normal("a", 4000);
    const nothing = new Float64Array(4000).fill(Number.NaN);
    expect(decideNumericDrift(numeric(some, nothing), limit(0.2))).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator", estimate: null });
    expect(decideNumericDrift(numeric(new Float64Array(), new Float64Array()), limit(0.2)).verdict).toBe("insufficient_evidence");
    expect(decideNumericDrift(numeric(new Float64Array(4000).fill(3), new Float64Array(4000).fill(3)), limit(0.2))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
    expect(decideNumericDrift({ columns: [] }, limit(0.2)).verdict).toBe("insufficient_evidence");
  });

  test("a constant that becomes another constant fails, also beside an empty column", () => {
    const statistics = measureNumericDrift(
      [{ name: "x", reference: new Float64Array(900).fill(3), current: new Float64Array(900).fill(4) }, { name: "y", reference: normal("a", 9), current: new Float64Array(9).fill(Number.NaN) }],
      { seed: "s" },
    );
    expect(decideNumericDrift(statistics, limit(0.2)).verdict).toBe("fail");
  });

  test("a distance that just fails alone is no failure among ten columns, since one of ten is bound to look worst", () => {
    const column = (name: string, d: number) => ({ name, n: 1000, m: 1000, missing: { reference: 0, current: 0 }, d, p: 0.5, pMethod: "kstwo" as const, tiedShare: 0, wasserstein1: 0, wasserstein1OverIqr: 0, bins: { reference: [], current: [] }, psi: 0, psiNullMean: 0, psiP: 1, constant: false });
    const worst = column("x", 0.2 + dkwHalfWidth(1000, 1000, 0.05) + 0.001);
    expect(decideNumericDrift({ columns: [worst] }, limit(0.2)).verdict).toBe("fail");
    expect(decideNumericDrift({ columns: [worst, ...Array.from({ length: 9 }, (_, index) => column(`y${index}`, 0))] }, limit(0.2)).verdict).toBe("insufficient_evidence");
  });

  test("the verdict follows from the statistics as JSON, byte for byte, and a second run gives the same statistics", () => {
    const statistics = numeric(normal("a", 300), normal("b", 300, 0.3));
    const read = JSON.parse(JSON.stringify(statistics)) as typeof statistics;
    expect(JSON.stringify(decideNumericDrift(read, limit(0.2)))).toBe(JSON.stringify(decideNumericDrift(statistics, limit(0.2))));
    expect(JSON.stringify(numeric(normal("a", 300), normal("b", 300, 0.3)))).toBe(JSON.stringify(statistics));
  });

  test("a share that moves from 30 to 36 % raises an alarm at 5,000 rows; one outlier of a million does not hide it", () => {
    const share = (seed: string, p: number) => {
      const random = randomFrom(seed);
      return Float64Array.from({ length: 5000 }, () => (random.uniform() < p ? 1 : 0));
    };
    const found = Array.from({ length: 20 }, (_, index) => numericDriftAlarms(numeric(share(`r${index}`, 0.3), share(`c${index}`, 0.36))).length);
    expect(found.filter((alarms) => alarms === 1).length).toBeGreaterThanOrEqual(19);
    const moved = normal("b", 800, 0.8);
    moved[0] = 1e6;
    expect(numericDriftAlarms(numeric(normal("a", 800), moved))).toHaveLength(1);
  });

  test("a difference that is proven but tiny is no alarm", () => {
    const rare = (events: number) => Float64Array.from({ length: 400_000 }, (_, row) => (row < events ? 1 : 0));
    const statistics = numeric(rare(120_000), rare(123_000));
    expect(statistics.columns[0]?.p).toBeLessThan(1e-6);
    expect(numericDriftAlarms(statistics)).toEqual([]);
  });

  test("bounds enclose the distance, and more rows never widen the band", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 400 }), fc.string({ maxLength: 4 }), (n, m, seed) => {
        const [column] = numeric(normal(`${seed}a`, n), normal(`${seed}b`, m)).columns;
        if (column === undefined) throw new Error("no column was measured");
        expect(distanceLower(column, 0.05)).toBeLessThanOrEqual((column.d ?? 0) + 1e-9);
        expect(dkwHalfWidth(n + 1, m, 0.05)).toBeLessThan(dkwHalfWidth(n, m, 0.05));
      }),
      { numRuns: 25 },
    );
  });

  test("the stability index counts missing values as a bin of their own", () => {
    const gaps = normal("b", 500).map((value, row) => (row % 2 === 0 ? Number.NaN : value));
    const [column] = numeric(normal("a", 500), gaps).columns;
    expect(column?.missing).toEqual({ reference: 0, current: 250 });
    expect(column?.psi).toBeGreaterThan(1);
    expect(column?.psiP).toBeLessThan(0.01);
  });
});

describe("drift.categorical", () => {
  test("divergences are 0 for equal shares, symmetric, and at most 1 where they have a largest value", () => {
    const bins = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(bins, (pairs) => {
        const [reference, current] = [pairs.map(([r]) => r + 1), pairs.map(([, c]) => c)];
        fc.pre(current.some((count) => count > 0));
        for (const measure of [totalVariation, hellinger, jensenShannonBits]) {
          expect(measure({ reference, current })).toBeCloseTo(measure({ reference: current, current: reference }), 12);
          expect(measure({ reference, current })).toBeLessThanOrEqual(1 + 1e-12);
          expect(measure({ reference, current: reference.map((count) => 2 * count) })).toBeCloseTo(0, 7);
        }
        expect(stabilityIndex({ reference, current })).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("equal shares on many rows pass, a moved share fails, few rows are insufficient", () => {
    const verdict = (reference: readonly number[], current: readonly number[]) => decideCategoricalDrift(measureCategoricalDrift([counts(reference, current)], { seed: "s" }), limit(0.1));
    expect(verdict([5000, 5000, 2000], [5000, 5010, 1990]).verdict).toBe("pass");
    expect(verdict([5000, 5000], [2000, 8000]).verdict).toBe("fail");
    expect(verdict([30, 30], [30, 30])).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
    expect(verdict([9000], [9000])).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
    expect(verdict([9000], [0])).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator" });
  });

  test("new and lost categories are told with their bounds", () => {
    const { columns: [column] } = measureCategoricalDrift([counts([50, 50, 0], [60, 0, 5])], { seed: "s" });
    expect(column?.newCategories).toMatchObject([{ category: "k2", events: 5, n: 65 }]);
    expect(column?.lostCategories).toMatchObject([{ category: "k1", events: 50, n: 100 }]);
    expect(column?.newCategories[0]?.bounds.upper).toBeGreaterThan(5 / 65);
  });

  test("a share that moves from 30 to 36 % raises an alarm at 5,000 rows, and the lower bound stays below the distance", () => {
    const statistics = measureCategoricalDrift([counts([1500, 3500], [1800, 3200])], { seed: "s" });
    expect(categoricalDriftAlarms(statistics)).toHaveLength(1);
    const [column] = statistics.columns;
    if (column === undefined) throw new Error("no column was measured");
    expect(variationLower(column, 0.05)).toBeLessThan(0.06);
    expect(variationLower(column, 0.05)).toBeGreaterThan(0.03);
  });

  test("with rare categories the p-value is drawn, and near the exact one of a small table", () => {
    const { method, p } = testHomogeneity({ reference: [8, 2], current: [3, 7] }, "s");
    expect(method).toBe("monte-carlo");
    // Fisher's exact p-value of this table.
    expect(p).toBeGreaterThan(0.069_78 * 0.5);
    expect(p).toBeLessThan(0.069_78 * 2);
  });

  test("the record of ten thousand categories stays bounded and still sums to all rows", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => (index % 7) + 1);
    const { columns: [column] } = measureCategoricalDrift([counts(many, many)], { seed: "s" });
    expect(column?.reference).toHaveLength(201);
    expect(column?.reference.reduce((sum, count) => sum + count, 0)).toBe(many.reduce((sum, count) => sum + count, 0));
    expect(column?.merged).toBe(9800);
  });

  test("the band of the total variation covers: Weissman's for few categories, McDiarmid's for many", () => {
    const random = randomFrom("coverage");
    let outside = 0;
    for (let run = 0; run < 400; run += 1) {
      const found = [0, 0, 0];
      for (let row = 0; row < 100; row += 1) {
        const category = random.below(3);
        found[category] = (found[category] ?? 0) + 1;
      }
      if (totalVariation({ reference: [1, 1, 1], current: found }) > totalVariationHalfWidth(100, 3, 0.2)) outside += 1;
    }
    expect(outside).toBeLessThan(80);
    expect(totalVariationHalfWidth(1000, 500, 0.05)).toBeLessThan(Math.sqrt((500 * Math.LN2 - Math.log(0.05)) / 2000));
  });

  test("hypergeometric draws have the right mean and never leave their range", () => {
    const random = randomFrom("urn");
    let sum = 0;
    for (let run = 0; run < 4000; run += 1) {
      const drawn = hypergeometric({ good: 30, bad: 70, draws: 20 }, random);
      expect(drawn).toBeGreaterThanOrEqual(0);
      expect(drawn).toBeLessThanOrEqual(20);
      sum += drawn;
    }
    expect(sum / 4000).toBeCloseTo(6, 0);
    expect(hypergeometric({ good: 5, bad: 0, draws: 3 }, random)).toBe(3);
  });

  test("dictionary columns with different dictionaries are counted by text", () => {
    const found = countCategories("c", encodeDictionary(["b", "", "a", "b"]), encodeDictionary(["a", "c", "NaN"]));
    expect(found).toMatchObject({ categories: ["a", "b", "c"], reference: [1, 2, 0], current: [1, 0, 1], missing: { reference: 1, current: 1 } });
  });
});

describe("drift.missing", () => {
  const missing = (events: number, n: number, later: number, m: number) => measureMissingDrift([{ name: "x", reference: { events, n }, current: { events: later, n: m } }]);

  test("an unchanged share on many rows passes, a grown one fails, nothing is insufficient", () => {
    expect(decideMissingDrift(missing(100, 10_000, 110, 10_000), limit(0.02)).verdict).toBe("pass");
    expect(decideMissingDrift(missing(100, 10_000, 900, 10_000), limit(0.02)).verdict).toBe("fail");
    expect(decideMissingDrift(missing(0, 0, 0, 10), limit(0.02)).verdict).toBe("insufficient_evidence");
    expect(decideMissingDrift(missing(1, 100, 1, 100), limit(0.02))).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
  });

  test("an alarm needs proof and size", () => {
    expect(missingDriftAlarms(missing(10, 1000, 100, 1000))).toHaveLength(1);
    expect(missingDriftAlarms(missing(0, 30, 1, 30))).toEqual([]);
    expect(missingDriftAlarms(missing(10_000, 1_000_000, 12_000, 1_000_000))).toEqual([]);
  });
});

describe("alarms over columns", () => {
  test("the same p-value that alarms alone does not alarm among many columns", () => {
    const one = { name: "x", p: 0.004, effectLower: 0.1 };
    expect(driftAlarms([one])).toHaveLength(1);
    expect(driftAlarms([one, ...Array.from({ length: 9 }, (_, index) => ({ name: `y${index}`, p: 0.5, effectLower: 0 }))])).toEqual([]);
    expect(driftAlarms([{ ...one, p: Number.NaN }])).toEqual([]);
  });
});
