import fc from "fast-check";
import { expect, test } from "vitest";
import { randomFrom } from "../stats/random.ts";
import { solveCholesky } from "./cholesky.ts";
import { invert } from "./inverse.ts";
import { kMeans, silhouette } from "./k-means.ts";
import { crossValidatedLogOdds, fitLogistic, logOdds } from "./logistic.ts";
import { fromColumns, matrix, scaled, scalingOf } from "./matrix.ts";
import { principal } from "./principal.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

const entries = (size: number) => fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: size, maxLength: size });

test("a solved system solves, and a matrix times its inverse is the identity", () => {
  fc.assert(
    fc.property(entries(9), entries(3), (raw, b) => {
      const spd = Float64Array.from({ length: 9 }, (_, at) => {
        const [i, j] = [Math.floor(at / 3), at % 3];
        return [0, 1, 2].reduce((sum, k) => sum + (raw[k * 3 + i] ?? 0) * (raw[k * 3 + j] ?? 0), i === j ? 1 : 0);
      });
      const x = Float64Array.from(b);
      expect(solveCholesky(spd.slice(), x)).toBe(true);
      for (let i = 0; i < 3; i += 1) expect([0, 1, 2].reduce((sum, k) => sum + (spd[i * 3 + k] ?? 0) * (x[k] ?? 0), 0)).toBeCloseTo(b[i] ?? 0, 6);
      const inverse = invert(spd, 3);
      for (let at = 0; at < 9; at += 1) expect([0, 1, 2].reduce((sum, k) => sum + (spd[Math.floor(at / 3) * 3 + k] ?? 0) * (inverse?.values[k * 3 + (at % 3)] ?? 0), 0)).toBeCloseTo(at % 4 === 0 ? 1 : 0, 6);
    }),
  );
  expect(solveCholesky(Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1))).toBe(false);
  expect(invert(Float64Array.of(1, 2, 2, 4), 2)).toBeUndefined();
});

test("eigenvectors are stretched by their eigenvalues", () => {
  fc.assert(
    fc.property(entries(16), (raw) => {
      const source = matrix(4, 4, Float64Array.from(raw, (_, at) => (raw[at] ?? 0) + (raw[(at % 4) * 4 + Math.floor(at / 4)] ?? 0)));
      const { values, vectors } = symmetricEigen(source);
      for (let k = 0; k < 4; k += 1) {
        const v = vectors.values.subarray(k * 4, k * 4 + 4);
        for (let i = 0; i < 4; i += 1) expect(v.reduce((sum, each, j) => sum + (source.values[i * 4 + j] ?? 0) * each, 0)).toBeCloseTo((values[k] ?? 0) * (v[i] ?? 0), 8);
      }
    }),
    { numRuns: 30 },
  );
});

test("singular values are the same whichever side is smaller", () => {
  const random = randomFrom("svd");
  const wide = matrix(4, 9, Float64Array.from({ length: 36 }, () => random.normal()));
  const doubled = matrix(4, 3, Float64Array.of(1, 0, 0, -1, 0, 0, 0, 2, 0, 0, -2, 0));
  expect([...principal(doubled, 2).singular].slice(0, 2).map((value) => Math.round(value * 1e9) / 1e9)).toEqual([Math.sqrt(8), Math.sqrt(2)].map((value) => Math.round(value * 1e9) / 1e9));
  const { singular, scores } = principal(wide, 4);
  const total = scores.values.reduce((sum, value) => sum + value * value, 0);
  expect(total).toBeCloseTo(singular.reduce((sum, value) => sum + value * value, 0), 6);
});

test("three separate clouds are found, and the silhouette falls when they touch", () => {
  const random = randomFrom("clouds");
  const clouds = (gap: number) => fromColumns([0, 1].map((column) => Float64Array.from({ length: 90 }, (_, row) => random.normal() + gap * (row % 3 === column ? 1 : 0))));
  const apart = kMeans(clouds(12), { clusters: 3, restarts: 5, random });
  expect(apart.sizes).toEqual([30, 30, 30]);
  const near = clouds(1);
  expect(silhouette(clouds(12), apart)).toBeGreaterThan(0.6);
  expect(silhouette(near, kMeans(near, { clusters: 3, restarts: 5, random }))).toBeLessThan(0.6);
});

test("logistic regression finds its coefficients again, and out-of-fold scores of noise say nothing", () => {
  const random = randomFrom("logistic");
  const x = fromColumns([0, 1].map(() => Float64Array.from({ length: 4000 }, () => random.normal())));
  const positive = Uint8Array.from({ length: 4000 }, (_, row) => (random.uniform() < 1 / (1 + Math.exp(-(1.5 * (x.values[2 * row] ?? 0) - 0.5))) ? 1 : 0));
  const [first = 0, second = 0, intercept = 0] = fitLogistic(x, positive, 1);
  expect([first, second, intercept].map((value, index) => Math.abs(value - ([1.5, 0, -0.5][index] ?? 0)) < 0.2)).toEqual([true, true, true]);
  expect(logOdds(x, Float64Array.of(first, second, intercept))).toHaveLength(4000);
  const noise = crossValidatedLogOdds(x, Uint8Array.from({ length: 4000 }, () => random.below(2)), { folds: 5, ridge: 1, random });
  expect(Math.max(...noise.map(Math.abs))).toBeLessThan(0.6);
});

test("separable classes do not make the fit diverge, and a constant column scales to zeros", () => {
  const x = fromColumns([Float64Array.of(-2, -1, 1, 2), Float64Array.of(3, 3, 3, 3)]);
  const model = fitLogistic(scaled(x, scalingOf(x)), Uint8Array.of(0, 0, 1, 1), 1);
  expect(model.every(Number.isFinite)).toBe(true);
  expect(model[0]).toBeGreaterThan(0.5);
  expect([...scaled(x, scalingOf(x)).values].filter((_, at) => at % 2 === 1)).toEqual([0, 0, 0, 0]);
});
