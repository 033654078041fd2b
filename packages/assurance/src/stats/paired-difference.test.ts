import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binomialPmf } from "./binomial.ts";
import { pairedAucBounds } from "./delong.ts";
import { normalQuantile } from "./normal.ts";
import { pairedDifference } from "./paired-difference.ts";
import { clopperPearson } from "./proportion.ts";
import { tango } from "./score-interval.ts";

const paired = fc.integer({ min: 1, max: 400 }).chain((n) => fc.integer({ min: 0, max: n }).chain((onlyFirst) => fc.record({ n: fc.constant(n), onlyFirst: fc.constant(onlyFirst), onlySecond: fc.integer({ min: 0, max: n - onlyFirst }) })));

describe("the difference of two rates over the same rows", () => {
  test("encloses Tango's bounds and turns round with the two", () => {
    fc.assert(
      fc.property(paired, ({ n, onlyFirst, onlySecond }) => {
        const [found, score] = [pairedDifference({ n, onlyFirst, onlySecond }, 0.05), tango({ n, onlyFirst, onlySecond }, 0.05)];
        const back = pairedDifference({ n, onlyFirst: onlySecond, onlySecond: onlyFirst }, 0.05);
        expect(found.lower).toBeLessThanOrEqual(score.lower);
        expect(found.upper).toBeGreaterThanOrEqual(score.upper);
        expect(found.lower).toBeCloseTo(-back.upper, 9);
      }),
    );
  });

  test("is no more sure than the exact bounds where only one of the two has events, and Tango's with many of both", () => {
    const [alone, exact] = [pairedDifference({ onlyFirst: 11, onlySecond: 0, n: 300 }, 0.05), clopperPearson(11, 300, 0.05)];
    expect(alone.lower).toBeLessThanOrEqual(exact.lower);
    expect(alone.upper).toBeGreaterThanOrEqual(exact.upper);
    expect(tango({ onlyFirst: 11, onlySecond: 0, n: 300 }, 0.05).lower).toBeGreaterThan(exact.lower);
    expect(pairedDifference({ onlyFirst: 600, onlySecond: 500, n: 2000 }, 0.05)).toEqual(tango({ onlyFirst: 600, onlySecond: 500, n: 2000 }, 0.05));
  });

  // The whole distribution is summed: with exact ends alone 6.3 %, by Tango's interval alone 7.3 %.
  test.each([[100, 0.03, 0.02], [200, 0.03, 0.01], [200, 0.015, 0.005]])("of %i rows, %f and %f right alone, errs no more often than declared", (n, first, second) => {
    let [passes, fails] = [0, 0];
    for (let onlyFirst = 0; onlyFirst <= 30; onlyFirst += 1) {
      for (let onlySecond = 0; onlySecond <= 30; onlySecond += 1) {
        const chance = binomialPmf(onlyFirst, n, first) * binomialPmf(onlySecond, n - onlyFirst, second / (1 - first));
        if (chance < 1e-7) continue;
        const { lower, upper } = pairedDifference({ onlyFirst, onlySecond, n }, 0.05);
        if (upper <= first - second) passes += chance;
        if (lower > first - second) fails += chance;
      }
    }
    expect([passes < 0.0515, fails < 0.0515]).toEqual([true, true]);
  });
});

describe("the difference of two AUCs", () => {
  const sizes = { positives: 50, negatives: 50 };

  test("encloses DeLong's bounds, and is wider above a good model, whose AUC has further to fall than to rise", () => {
    const found = pairedAucBounds({ first: 0.97, second: 0.92, se: 0.02, correlation: 0.5 }, sizes, 0.05);
    const half = normalQuantile(0.95) * 0.02;
    expect(found.lower).toBeLessThanOrEqual(0.05 - half);
    expect(found.upper).toBeGreaterThan(0.05 + 1.2 * half);
  });

  test("keeps a width where both models put every row right", () => {
    const found = pairedAucBounds({ first: 1, second: 1, se: 0, correlation: 0 }, sizes, 0.05);
    expect([found.lower < -0.01, found.upper > 0.01]).toEqual([true, true]);
  });
});
