import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oracleJson, oraclesAbsent, oraclesPresent } from "../../../../test/unit/support/oracle-files.ts";
import { aucBounds, countPairs, auc } from "./auc.ts";
import { binomialCdf, incompleteBeta, inverseIncompleteBeta } from "./beta.ts";
import { absoluteDifference, newcombe } from "./difference.ts";
import { logGamma } from "./gamma.ts";
import { bonferroni, holm } from "./multiple.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { clopperPearson, exceedsP, wilson, zeroEventTrials } from "./proportion.ts";

interface Stats {
  readonly proportions: readonly {
    k: number; n: number; confidence: number; wilson: number[]; clopper_pearson: number[];
    clopper_pearson_one_sided_lower: number; clopper_pearson_one_sided_upper: number;
    wilson_one_sided_lower: number; wilson_one_sided_upper: number;
  }[];
  readonly two_proportions: readonly ({ k1: number; n1: number; k2: number; n2: number } & Record<"newcombe_0.9" | "newcombe_0.95", number[]>)[];
  readonly zero_failure_sample_size: readonly { max_rate: number; confidence: number; n: number }[];
  readonly multiple_testing: readonly { p: number[]; holm: { adjusted: number[] }; bonferroni: { adjusted: number[] } }[];
}

function near(actual: number, expected: number, relative: number): void {
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(relative * Math.max(Math.abs(expected), 1e-9) + 1e-13);
}

describe.skipIf(!oraclesPresent)(`against independent figures (skipped when ${oraclesAbsent})`, () => {
  const stats = oraclesPresent ? oracleJson("stats/expected.json", (value) => value as Stats) : undefined;

  test("Wilson and Clopper-Pearson bounds equal statsmodels and scipy", () => {
    for (const row of stats?.proportions ?? []) {
      const { k, n } = row;
      const alpha = 1 - row.confidence;
      const both = [clopperPearson(k, n, alpha / 2), wilson(k, n, alpha / 2)] as const;
      const one = [clopperPearson(k, n, alpha), wilson(k, n, alpha)] as const;
      near(both[0].lower, row.clopper_pearson[0] ?? Number.NaN, 1e-9);
      near(both[0].upper, row.clopper_pearson[1] ?? Number.NaN, 1e-9);
      near(both[1].lower, row.wilson[0] ?? Number.NaN, 1e-9);
      near(both[1].upper, row.wilson[1] ?? Number.NaN, 1e-9);
      near(one[0].lower, row.clopper_pearson_one_sided_lower, 1e-9);
      near(one[0].upper, row.clopper_pearson_one_sided_upper, 1e-9);
      near(one[1].lower, row.wilson_one_sided_lower, 1e-9);
      near(one[1].upper, row.wilson_one_sided_upper, 1e-9);
    }
    expect(stats?.proportions).toHaveLength(54);
  });

  test("Newcombe's difference equals the closed form", () => {
    for (const row of stats?.two_proportions ?? []) {
      for (const [key, alpha] of [["newcombe_0.9", 0.05], ["newcombe_0.95", 0.025]] as const) {
        const bounds = newcombe({ events: row.k1, n: row.n1 }, { events: row.k2, n: row.n2 }, alpha);
        near(bounds.lower, row[key][0] ?? Number.NaN, 1e-9);
        near(bounds.upper, row[key][1] ?? Number.NaN, 1e-9);
      }
    }
    expect(stats?.two_proportions).toHaveLength(7);
  });

  test("sample sizes without failure and adjusted p-values equal the references", () => {
    for (const row of stats?.zero_failure_sample_size ?? []) {
      expect(zeroEventTrials(row.max_rate, 1 - row.confidence)).toBe(row.n);
    }
    for (const row of stats?.multiple_testing ?? []) {
      for (const [index, value] of holm(row.p).entries()) near(value, row.holm.adjusted[index] ?? Number.NaN, 1e-9);
      for (const [index, value] of bonferroni(row.p).entries()) near(value, row.bonferroni.adjusted[index] ?? Number.NaN, 1e-9);
    }
  });
});

describe("special functions", () => {
  test("log-gamma equals known values and refuses what is not positive", () => {
    near(logGamma(0.5), Math.log(Math.PI) / 2, 1e-14);
    near(logGamma(1), 0, 1e-14);
    near(logGamma(101), 363.739_375_555_563_5, 1e-14);
    expect(logGamma(0)).toBeNaN();
    expect(logGamma(-1)).toBeNaN();
  });

  test("the normal distribution and its quantile are inverse to each other", () => {
    near(normalCdf(1.959_963_984_540_054), 0.975, 1e-14);
    near(normalCdf(-8), 6.220_960_574_271_785e-16, 1e-12);
    near(normalQuantile(0.95), 1.644_853_626_951_472_2, 1e-14);
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true }), (p) => {
        near(normalCdf(normalQuantile(p)), p, 1e-12);
      }),
    );
    expect([normalQuantile(0), normalQuantile(1), normalQuantile(2)]).toEqual([-Infinity, Infinity, Number.NaN]);
  });

  test("the incomplete beta function is a distribution, and its inverse goes back", () => {
    const shape = fc.double({ min: 1, max: 5000, noNaN: true });
    fc.assert(
      fc.property(shape, shape, fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), (a, b, p) => {
        near(incompleteBeta(inverseIncompleteBeta(p, a, b), a, b), p, 1e-9);
      }),
    );
    near(incompleteBeta(0.3, 2, 5), 0.579_825, 1e-12);
    expect([incompleteBeta(2, 1, 1), inverseIncompleteBeta(0.5, 0, 1)]).toEqual([Number.NaN, Number.NaN]);
  });

  test("the binomial distribution function equals the sum of its terms", () => {
    near(binomialCdf(2, 10, 0.3), 0.382_782_786_4, 1e-9);
    near(exceedsP(3, 10, 0.3), 1 - 0.382_782_786_4, 1e-9);
    expect([binomialCdf(-1, 5, 0.2), binomialCdf(5, 5, 0.2), exceedsP(0, 5, 0.2)]).toEqual([0, 1, 1]);
  });
});

describe("bounds", () => {
  test("no trials bound nothing", () => {
    expect(clopperPearson(0, 0, 0.05)).toEqual({ lower: 0, upper: 1 });
    expect(wilson(0, 0, 0.05)).toEqual({ lower: 0, upper: 1 });
  });

  test("an absolute difference does not depend on the order of the groups, and its bounds enclose it", () => {
    const rate = fc.integer({ min: 1, max: 300 }).chain((n) => fc.record({ n: fc.constant(n), events: fc.integer({ min: 0, max: n }) }));
    fc.assert(
      fc.property(rate, rate, (a, b) => {
        const there = absoluteDifference(a, b, 0.05);
        const back = absoluteDifference(b, a, 0.05);
        near(there.lower, back.lower, 1e-9);
        near(there.upper, back.upper, 1e-9);
        const difference = Math.abs(a.events / a.n - b.events / b.n);
        expect(there.lower).toBeLessThanOrEqual(difference + 1e-12);
        expect(there.upper).toBeGreaterThanOrEqual(difference - 1e-12);
      }),
    );
  });

  test("pairs counted by sorting equal pairs counted one by one", () => {
    const row = fc.record({ score: fc.integer({ min: 0, max: 8 }), positive: fc.boolean() });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        const counted = countPairs(rows.map((r) => r.score), rows.map((r) => r.positive));
        const negatives = rows.filter((r) => !r.positive);
        const pairs = rows.filter((r) => r.positive).flatMap((p) => negatives.map((n) => p.score - n.score));
        expect(counted.wins).toBe(pairs.filter((gap) => gap > 0).length);
        expect(counted.ties).toBe(pairs.filter((gap) => gap === 0).length);
      }),
    );
  });

  test("a perfect AUC on five rows still has a width (Newcombe 2006, method 5)", () => {
    const pairs = countPairs([0.1, 0.4, 0.9, 0.8, 0.2], [false, true, true, true, false]);
    expect(auc(pairs)).toBe(1);
    const bounds = aucBounds(1, pairs, 0.025);
    near(bounds.lower, 0.438_912_389_095_857_17, 1e-9);
    expect(bounds.upper).toBe(1);
  });
});
