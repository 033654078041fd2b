import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { absoluteBounds } from "./absolute.ts";
import { clusteredClopperPearson, clusteredRate, clusteredWilson } from "./clustered.ts";
import { fisherExact, homogeneity, pooledZ } from "./contingency.ts";
import { newcombe } from "./difference.ts";
import { langReiczigel, roganGladen, youden } from "./judge.ts";
import { mcnemarExact, mcnemarMid } from "./mcnemar.ts";
import { benjaminiHochberg, benjaminiYekutieli, bonferroni, holm, hommel, sidak } from "./multiple.ts";
import { agrestiCoull, jeffreys, wald } from "./proportion-approximate.ts";
import { clopperPearson, wilson } from "./proportion.ts";
import { katz, koopman } from "./ratio.ts";
import { miettinenNurminen, tango } from "./score-interval.ts";

const rate = fc.integer({ min: 1, max: 300 }).chain((n) => fc.record({ events: fc.integer({ min: 0, max: n }), n: fc.constant(n) }));
const alphas = fc.constantFrom(0.001, 0.025, 0.05, 0.2);
const slack = 1e-9;

describe("one rate", () => {
  test("every interval contains the estimate, mirrors, and widens with confidence", () => {
    fc.assert(
      fc.property(rate, alphas, ({ events, n }, alpha) => {
        for (const interval of [agrestiCoull, wald, wilson, clopperPearson]) {
          const bounds = interval(events, n, alpha);
          const mirrored = interval(n - events, n, alpha);
          expect(bounds.lower).toBeLessThanOrEqual(events / n + slack);
          expect(bounds.upper).toBeGreaterThanOrEqual(events / n - slack);
          expect(mirrored.lower).toBeCloseTo(1 - bounds.upper, 9);
          expect(interval(events, n, alpha / 2).upper).toBeGreaterThanOrEqual(bounds.upper - slack);
        }
        const { lower, upper } = jeffreys(events, n, alpha);
        expect(lower).toBeLessThan(upper);
        expect(jeffreys(n - events, n, alpha).lower).toBeCloseTo(1 - upper, 9);
      }),
    );
  });
});

describe("two rates", () => {
  test("the score interval of a difference has its published values", () => {
    // Newcombe 1998, table II, method 5: 56/70 - 48/80.
    const { lower, upper } = miettinenNurminen({ events: 56, n: 70 }, { events: 48, n: 80 }, 0.025);
    expect([lower.toFixed(4), upper.toFixed(4)]).toEqual(["0.0528", "0.3382"]);
  });

  test("the score interval of a ratio has its published values", () => {
    // Koopman 1984: 36/40 against 16/80.
    const { lower, upper } = koopman({ events: 36, n: 40 }, { events: 16, n: 80 }, { alpha: 0.025 });
    expect([lower.toFixed(2), upper.toFixed(2)]).toEqual(["2.94", "7.15"]);
  });

  test("the paired score interval has its published values", () => {
    // Fagerland, Lydersen & Laake 2014: airway reactivity, 1 against 7 of 21.
    const { lower, upper } = tango({ onlyFirst: 1, onlySecond: 7, n: 21 }, 0.025);
    expect([lower.toFixed(3), upper.toFixed(3)]).toEqual(["-0.517", "-0.026"]);
  });

  test("bounds contain the estimate and turn around with the samples", () => {
    fc.assert(
      fc.property(rate, rate, alphas, (first, second, alpha) => {
        const estimate = first.events / first.n - second.events / second.n;
        const [there, back] = [miettinenNurminen(first, second, alpha), miettinenNurminen(second, first, alpha)];
        expect(there.lower).toBeLessThanOrEqual(estimate + slack);
        expect(there.upper).toBeGreaterThanOrEqual(estimate - slack);
        expect(back.lower).toBeCloseTo(-there.upper, 7);
      }),
      { numRuns: 60 },
    );
  });

  test("ratios contain the estimate and turn around with the samples", () => {
    const some = rate.filter(({ events }) => events > 0);
    fc.assert(
      fc.property(some, some, alphas, (first, second, alpha) => {
        const ratio = first.events / first.n / (second.events / second.n);
        const [over, under] = [koopman(first, second, { alpha }), koopman(second, first, { alpha })];
        expect(over.lower).toBeLessThanOrEqual(ratio * (1 + slack));
        expect(over.upper).toBeGreaterThanOrEqual(ratio * (1 - slack));
        expect(under.lower * over.upper).toBeCloseTo(1, 6);
        expect(katz(first, second, alpha).lower * katz(second, first, alpha).upper).toBeCloseTo(1, 9);
      }),
      { numRuns: 60 },
    );
    const [none, most] = [{ events: 0, n: 9 }, { events: 8, n: 9 }];
    expect(koopman(none, most, { alpha: 0.05 }).lower).toBe(0);
    expect(koopman(none, most, { alpha: 0.05 }).upper).toBeLessThan(1);
    expect(koopman(most, none, { alpha: 0.05 }).upper).toBe(Infinity);
    expect(koopman(none, none, { alpha: 0.05 })).toEqual({ lower: 0, upper: Infinity });
  });

  test("no discordant row still leaves room for a difference, which shrinks with rows", () => {
    const widths = [20, 200, 2000].map((n) => tango({ onlyFirst: 0, onlySecond: 0, n }, 0.05).upper);
    expect(widths[0]).toBeGreaterThan(0.1);
    expect(widths[2]).toBeLessThan(0.0015);
    expect(widths.toSorted((a, b) => b - a)).toEqual(widths);
  });

  test("exact and pooled tests agree with sums over all tables", () => {
    // Fisher's tea: 3 of 4 against 1 of 4 has p 0.4857.
    expect(fisherExact({ events: 3, n: 4 }, { events: 1, n: 4 })).toBeCloseTo(34 / 70, 12);
    expect(fisherExact({ events: 0, n: 9 }, { events: 0, n: 4 })).toBe(1);
    expect(pooledZ({ events: 0, n: 9 }, { events: 0, n: 4 })).toEqual({ z: 0, p: 1 });
    fc.assert(
      fc.property(rate, rate, (first, second) => {
        const test = homogeneity([[first.events, first.n - first.events], [second.events, second.n - second.events]]);
        const { z, p } = pooledZ(first, second);
        const agrees = Number.isNaN(test.p) ? p === 1 : Math.abs(test.statistic - z * z) < 1e-7;
        expect(agrees, `${test.statistic} and ${z * z}`).toBe(true);
      }),
    );
  });
});

describe("the size of a difference", () => {
  const signed = (first: { events: number; n: number }, second: { events: number; n: number }) => ({ bounds: (alpha: number) => newcombe(first, second, alpha) });

  test("near 0 its lower bound shares alpha between both tails", () => {
    // 1.645 < z < 1.96: beyond the one-sided bound, within the two-sided one.
    const [first, second] = [{ events: 45, n: 100 }, { events: 33, n: 100 }];
    expect(newcombe(first, second, 0.05).lower).toBeGreaterThan(0);
    expect(newcombe(first, second, 0.025).lower).toBeLessThan(0);
    expect(absoluteBounds(0.12, signed(first, second), 0.05).lower).toBe(0);
  });

  test("far from 0 it is the one-sided bound, on either side", () => {
    const [first, second] = [{ events: 400, n: 500 }, { events: 100, n: 500 }];
    expect(absoluteBounds(0.6, signed(first, second), 0.05).lower).toBe(newcombe(first, second, 0.05).lower);
    expect(absoluteBounds(-0.6, signed(second, first), 0.05).lower).toBeCloseTo(newcombe(first, second, 0.05).lower, 12);
  });

  test("its bounds contain it and do not depend on the order of the samples", () => {
    fc.assert(
      fc.property(rate, rate, alphas, (first, second, alpha) => {
        const estimate = first.events / first.n - second.events / second.n;
        const [there, back] = [absoluteBounds(estimate, signed(first, second), alpha), absoluteBounds(-estimate, signed(second, first), alpha)];
        expect(there.lower).toBeLessThanOrEqual(Math.abs(estimate) + slack);
        expect(there.upper).toBeGreaterThanOrEqual(Math.abs(estimate) - slack);
        expect(back.lower).toBeCloseTo(there.lower, 9);
        expect(back.upper).toBeCloseTo(there.upper, 9);
      }),
    );
  });
});

describe("dependent rows", () => {
  test("clusters of one row are independent rows, up to the factor m / (m - 1)", () => {
    const rows = Array.from({ length: 50 }, (_, row) => ({ events: row % 5 === 0 ? 1 : 0, n: 1 }));
    expect(clusteredRate(rows).designEffect).toBeCloseTo(50 / 49, 12);
  });

  test("copies of a row add no knowledge", () => {
    const once = Array.from({ length: 40 }, (_, row) => ({ events: row % 4 === 0 ? 1 : 0, n: 1 }));
    const copied = once.map(({ events }) => ({ events: 7 * events, n: 7 }));
    expect(clusteredRate(copied).nEffective).toBeCloseTo(clusteredRate(once).nEffective, 9);
    expect(clusteredWilson(clusteredRate(copied), 0.05).upper).toBeCloseTo(clusteredWilson(clusteredRate(once), 0.05).upper, 9);
  });

  test("without any event each cluster counts once", () => {
    const silent = clusteredRate(Array.from({ length: 30 }, () => ({ events: 0, n: 5 })));
    expect(silent.nEffective).toBe(30);
    expect(clusteredClopperPearson(silent, 0.05).upper).toBeCloseTo(1 - 0.05 ** (1 / 30), 12);
    expect(clusteredRate([{ events: 3, n: 5 }]).nEffective).toBe(1);
  });
});

describe("judges", () => {
  test("a perfect judge's rate is the rate", () => {
    const counts = { flagged: 30, n: 100, judge: { truePositives: 500, positives: 500, trueNegatives: 500, negatives: 500 } };
    expect(roganGladen(counts)).toBeCloseTo(0.3, 12);
    expect(youden(counts)).toBe(1);
    const { lower, upper } = langReiczigel(counts, 0.025);
    expect([lower < 0.3, upper > 0.3, upper - lower < 0.25]).toEqual([true, true, true]);
  });

  test("a judge known from fewer transcripts leaves a wider interval", () => {
    const width = (times: number) => {
      const { lower, upper } = langReiczigel({ flagged: 30, n: 200, judge: { truePositives: 9 * times, positives: 10 * times, trueNegatives: 9 * times, negatives: 10 * times } }, 0.025);
      return upper - lower;
    };
    expect(width(2)).toBeGreaterThan(width(20));
    expect(width(20)).toBeGreaterThan(width(200));
  });
});

describe("paired models", () => {
  test("McNemar's p-values are symmetric, 1 without evidence, and mid-p is the smaller", () => {
    expect(mcnemarExact({ onlyFirst: 0, onlySecond: 0 })).toBe(1);
    expect(mcnemarMid({ onlyFirst: 0, onlySecond: 0 })).toBeNaN();
    fc.assert(fc.property(fc.nat(80), fc.integer({ min: 1, max: 80 }), (onlyFirst, onlySecond) => {
      expect(mcnemarExact({ onlyFirst, onlySecond })).toBe(mcnemarExact({ onlyFirst: onlySecond, onlySecond: onlyFirst }));
      expect(mcnemarMid({ onlyFirst, onlySecond })).toBeLessThanOrEqual(mcnemarExact({ onlyFirst, onlySecond }));
    }));
  });
});

describe("many p-values", () => {
  test("adjustments are ordered by what they assume, and keep the order of the values", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 }), (p) => {
        const all = { bonferroni: bonferroni(p), holm: holm(p), hommel: hommel(p), sidak: sidak(p), bh: benjaminiHochberg(p), by: benjaminiYekutieli(p) };
        for (const [index, value] of p.entries()) {
          const at = (name: keyof typeof all) => all[name][index] ?? Number.NaN;
          expect(at("bh")).toBeLessThanOrEqual(at("hommel") + slack);
          expect(at("hommel")).toBeLessThanOrEqual(at("holm") + slack);
          expect(at("holm")).toBeLessThanOrEqual(at("bonferroni") + slack);
          expect(at("sidak")).toBeLessThanOrEqual(at("bonferroni") + slack);
          expect(at("bh")).toBeLessThanOrEqual(at("by") + slack);
          for (const adjusted of Object.values(all)) expect(adjusted[index]).toBeGreaterThanOrEqual(value - slack);
        }
      }),
    );
  });
});
