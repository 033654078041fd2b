import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kolmogorovSurvival } from "../stats/kolmogorov.ts";
import { randomFrom } from "../stats/random.ts";
import { kolmogorovMatrixCdf } from "./kolmogorov-matrix.ts";
import { kolmogorovSmirnovSurvival } from "./kolmogorov-smirnov.ts";
import { twoSampleExactP } from "./lattice-paths.ts";
import { pelzGoodCdf } from "./pelz-good.ts";
import { compareSorted, countAtMost, quantileSorted, runEnds, sortedFinite } from "./sorted-pair.ts";
import { comparedPoints, tiedLimitP } from "./tied-limit.ts";
import { effectiveSize, twoSampleP } from "./two-sample-p.ts";

const sample = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 7 });

/** Distance of the two distribution functions, taken at every value by counting. */
function distance(a: readonly number[], b: readonly number[]): number {
  const share = (values: readonly number[], x: number) => values.filter((value) => value <= x).length / values.length;
  return Math.max(...[...a, ...b].map((x) => Math.abs(share(a, x) - share(b, x))));
}

/** Every way to choose `n` of the pooled values as the first sample. */
function* dealings(pooled: readonly number[], n: number): Generator<readonly [readonly number[], readonly number[]]> {
  for (let mask = 0; mask < 2 ** pooled.length; mask += 1) {
    const first = pooled.filter((_, index) => (mask >> index) % 2 === 1);
    if (first.length === n) yield [first, pooled.filter((_, index) => (mask >> index) % 2 === 0)];
  }
}

describe("two sorted samples", () => {
  test("distances equal those of a definition written out, in either order", () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const [x, y] = [sortedFinite(Float64Array.from(a)), sortedFinite(Float64Array.from(b))];
        const there = compareSorted(x, y);
        const back = compareSorted(y, x);
        expect(there.d).toBeCloseTo(distance(a, b), 12);
        expect(back.d).toBeCloseTo(there.d, 12);
        expect(back.wasserstein1).toBeCloseTo(there.wasserstein1, 12);
        const pooled = [...a, ...b];
        expect(there.tiedShare).toBeCloseTo(pooled.filter((value) => pooled.filter((other) => other === value).length > 1).length / pooled.length, 12);
      }),
    );
  });

  test("samples of one size are as far apart as their sorted values on average (Wasserstein)", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double({ min: -9, max: 9, noNaN: true }), fc.double({ min: -9, max: 9, noNaN: true })), { minLength: 1, maxLength: 30 }), (pairs) => {
        const [x, y] = [sortedFinite(Float64Array.from(pairs, ([first]) => first)), sortedFinite(Float64Array.from(pairs, ([, second]) => second))];
        const mean = x.reduce((sum, value, index) => sum + Math.abs(value - (y[index] ?? 0)), 0) / x.length;
        expect(compareSorted(x, y).wasserstein1).toBeCloseTo(mean, 9);
      }),
    );
  });

  test("missing values and infinities are left out before sorting, and nothing is compared with nothing", () => {
    expect([...sortedFinite(Float64Array.of(3, Number.NaN, -1, Infinity, -Infinity, 0))]).toEqual([-1, 0, 3]);
    expect(compareSorted(new Float64Array(), Float64Array.of(1)).d).toBeNaN();
  });

  test("quantiles interpolate between order statistics", () => {
    const sorted = Float64Array.of(1, 2, 4, 8);
    expect([0, 0.25, 0.5, 1].map((q) => quantileSorted(sorted, q))).toEqual([1, 1.75, 3, 8]);
    expect(quantileSorted(new Float64Array(), 0.5)).toBeNaN();
    expect([0, 1, 3.9, 8].map((x) => countAtMost(sorted, x))).toEqual([0, 1, 2, 4]);
  });
});

describe("exact p-values", () => {
  test("they equal the share of all dealings with at least that distance, ties included", () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const [x, y] = [sortedFinite(Float64Array.from(a)), sortedFinite(Float64Array.from(b))];
        const { d } = compareSorted(x, y);
        let [all, reached] = [0, 0];
        for (const [first, second] of dealings([...a, ...b], a.length)) {
          all += 1;
          if (distance(first, second) >= d - 1e-9) reached += 1;
        }
        expect(twoSampleExactP(d, { n: x.length, m: y.length, ends: runEnds(x, y) })).toBeCloseTo(reached / all, 10);
      }),
      { numRuns: 30 },
    );
  });

  test("a p-value of 1e-53 keeps its digits", () => {
    let ways = 2;
    for (let k = 1; k <= 80; k += 1) ways *= k / (100 + k);
    expect(twoSampleExactP(1, { n: 100, m: 80 }) / ways).toBeCloseTo(1, 9);
  });

  test("ties never make a distance more surprising than the distribution for continuous values says", () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const [x, y] = [sortedFinite(Float64Array.from(a)), sortedFinite(Float64Array.from(b))];
        const { d } = compareSorted(x, y);
        expect(twoSampleExactP(d, { n: x.length, m: y.length, ends: runEnds(x, y) })).toBeLessThanOrEqual(twoSampleExactP(d, { n: x.length, m: y.length }) + 1e-12);
      }),
    );
  });
});

describe("the distribution of the distance", () => {
  test("known values: Massey's table, and the closed form of one value", () => {
    expect(kolmogorovSmirnovSurvival(0.409_25, 10)).toBeCloseTo(0.05, 4);
    expect(kolmogorovSmirnovSurvival(0.241_7, 30)).toBeCloseTo(0.05, 3);
    expect(kolmogorovSmirnovSurvival(0.75, 1)).toBeCloseTo(0.5, 12);
    expect([kolmogorovSmirnovSurvival(1, 9), kolmogorovSmirnovSurvival(0, 9), kolmogorovSmirnovSurvival(0.1, 0)]).toEqual([0, 1, Number.NaN]);
  });

  test("it falls with the distance, across all the methods it is put together from", () => {
    for (const n of [1, 2, 7, 30, 140, 141, 500, 20_000, 2_000_000]) {
      let last = 1;
      for (let step = 0; step <= 400; step += 1) {
        const p = kolmogorovSmirnovSurvival((step / 400) * Math.min(1, 8 / Math.sqrt(n)), n);
        expect(p).toBeLessThanOrEqual(last * (1 + 1e-5) + 1e-12);
        last = p;
      }
    }
  });

  test("the expansion and the exact matrix agree where both are used, and the limit is near for many values", () => {
    for (const z of [0.5, 0.8, 1.1]) {
      const d = z / Math.sqrt(400);
      expect(pelzGoodCdf(d, 400)).toBeCloseTo(kolmogorovMatrixCdf(d, 400), 6);
      expect(kolmogorovSmirnovSurvival(z / 1000, 1_000_000)).toBeCloseTo(kolmogorovSurvival(z), 3);
    }
  });

  test("taking every k-th of millions of terms changes nothing that shows", () => {
    // At 39,999 every term is summed and at 40,000 every second one; the p-value itself moves by a few 1e-4 of itself.
    const p = (n: number) => kolmogorovSmirnovSurvival(3 / Math.sqrt(n), n);
    expect(p(40_000) / p(39_999)).toBeCloseTo(1, 5);
  });
});

describe("many ties in large samples", () => {
  const rounded = (seed: string, size: number) => {
    const random = randomFrom(seed);
    return Float64Array.from({ length: size }, () => Math.round(2 * random.normal())).sort();
  };

  test("the drawn limit agrees with the counted distribution", () => {
    const [a, b] = [rounded("a", 1500), rounded("b", 1500)];
    const ends = runEnds(a, b);
    for (const d of [0.02, 0.035, 0.045]) {
      const exact = twoSampleExactP(d, { n: 1500, m: 1500, ends });
      const drawn = tiedLimitP(comparedPoints(ends), { scaled: d * Math.sqrt(750), random: randomFrom(`limit ${d}`), paths: 4999 });
      expect(Math.abs(drawn - exact)).toBeLessThan(0.04);
    }
  });

  test("over a continuum the drawn limit is Kolmogorov's", () => {
    const points = comparedPoints(new Uint8Array(50_000).fill(1));
    for (const x of [0.7, 1, 1.3]) {
      const drawn = tiedLimitP(points, { scaled: x, random: randomFrom(`continuum ${x}`), paths: 4999 });
      expect(Math.abs(drawn - kolmogorovSurvival(x))).toBeLessThan(0.03);
    }
  });

  test("the method follows sizes and ties, and the same seed gives the same p", () => {
    const small = sortedFinite(Float64Array.from({ length: 50 }, (_, index) => index));
    const big = sortedFinite(Float64Array.from({ length: 500 }, (_, index) => index + 0.5));
    expect(twoSampleP(small, small.map((x) => x + 0.25), { d: 0.1, tiedShare: 0, seed: "s" }).method).toBe("exact");
    expect(twoSampleP(big, big.map((x) => x + 0.25), { d: 0.1, tiedShare: 0, seed: "s" }).method).toBe("kstwo");
    const [a, b] = [rounded("c", 3000), rounded("d", 3000)];
    const options = { ...compareSorted(a, b), seed: "s" };
    const once = twoSampleP(a, b, options);
    expect(once.method).toBe("bridge-ties");
    expect(twoSampleP(a, b, options)).toEqual(once);
    expect([effectiveSize(5, 5), effectiveSize(7, 7), effectiveSize(1, 1)]).toEqual([2, 4, 1]);
  });
});
