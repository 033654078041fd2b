import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binomialPmf, binomialQuantile, binomialUpper, logFactorial } from "./binomial.ts";
import { chiSquareQuantile, chiSquareSurvival, gammaP, gammaQ } from "./incomplete-gamma.ts";
import { kolmogorovSurvival } from "./kolmogorov.ts";
import { fQuantile, fSurvival, studentQuantile, studentSurvival } from "./student.ts";

const shape = fc.double({ min: 0.05, max: 500, noNaN: true });
const share = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }).filter((p) => Math.abs(p - 0.5) > 1e-9);

describe("incomplete gamma", () => {
  test("has the tabled values of the chi-square distribution", () => {
    expect(chiSquareSurvival(3.841_458_820_694_124, 1)).toBeCloseTo(0.05, 12);
    expect(chiSquareSurvival(18.307_038_053_275_146, 10)).toBeCloseTo(0.05, 12);
    expect(chiSquareQuantile(0.99, 3)).toBeCloseTo(11.344_866_730_144_373, 9);
    // With two degrees of freedom it is exp(-x / 2), also far out.
    expect(chiSquareSurvival(200, 2) / Math.exp(-100)).toBeCloseTo(1, 12);
    expect([chiSquareSurvival(0, 4), chiSquareSurvival(-1, 4), chiSquareSurvival(Infinity, 4)]).toEqual([1, 1, 0]);
    expect([gammaP(-1, 1), gammaQ(1, -1), chiSquareQuantile(1, 3)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test("lower and upper part make one, and the upper one falls", () => {
    fc.assert(
      fc.property(shape, fc.double({ min: 0, max: 900, noNaN: true }), (a, x) => {
        expect(gammaP(a, x) + gammaQ(a, x)).toBeCloseTo(1, 12);
        expect(gammaQ(a, x + 0.5)).toBeLessThanOrEqual(gammaQ(a, x) + 1e-14);
      }),
    );
  });
});

describe("Student and F", () => {
  test("have the tabled quantiles", () => {
    expect(studentQuantile(0.975, 1)).toBeCloseTo(12.706_204_736_432_095, 8);
    // Ten degrees of freedom have a closed form: 1 - sin(1 + c/2 + 3c²/8 + 5c³/16 + 35c⁴/128), c the squared cosine of atan(t / √10).
    const angle = Math.atan(studentQuantile(0.975, 10) / Math.sqrt(10));
    const c = Math.cos(angle) ** 2;
    expect(1 - Math.sin(angle) * (1 + c / 2 + (3 * c * c) / 8 + (5 * c ** 3) / 16 + (35 * c ** 4) / 128)).toBeCloseTo(0.05, 14);
    expect(0.5 - studentSurvival(1e-9, 1)).toBeCloseTo(1e-9 / Math.PI, 16);
    expect(studentQuantile(0.95, 1e9)).toBeCloseTo(1.644_853_629, 6);
    expect(fQuantile(0.95, 3, 10)).toBeCloseTo(3.708_264_819_4, 7);
    // Cauchy: P(T > t) = 1 / 2 - atan(t) / pi.
    expect(studentSurvival(1e6, 1) / (Math.atan(1e-6) / Math.PI)).toBeCloseTo(1, 9);
  });

  test("quantile and survival are inverse, and the t distribution is symmetric", () => {
    fc.assert(
      fc.property(share, fc.double({ min: 0.6, max: 300, noNaN: true }), (p, dof) => {
        expect(studentSurvival(studentQuantile(p, dof), dof)).toBeCloseTo(1 - p, 9);
        expect(studentQuantile(1 - p, dof) / -studentQuantile(p, dof)).toBeCloseTo(1, 5);
        expect(fSurvival(fQuantile(p, dof, 7), dof, 7)).toBeCloseTo(1 - p, 9);
      }),
    );
  });

  test("t squared is F with one degree of freedom", () => {
    fc.assert(fc.property(fc.double({ min: 0.01, max: 50, noNaN: true }), fc.integer({ min: 1, max: 200 }), (t, dof) => {
      expect(2 * studentSurvival(t, dof)).toBeCloseTo(fSurvival(t * t, 1, dof), 11);
    }));
  });
});

describe("Kolmogorov's limit", () => {
  test("has the tabled values, and both series meet", () => {
    expect(kolmogorovSurvival(1.358_098_639_322_55)).toBeCloseTo(0.05, 10);
    expect(kolmogorovSurvival(0.5)).toBeCloseTo(0.963_945_243_664_875, 12);
    expect(kolmogorovSurvival(1 - 1e-12)).toBeCloseTo(kolmogorovSurvival(1), 10);
    expect([kolmogorovSurvival(0), kolmogorovSurvival(40)]).toEqual([1, 0]);
  });
});

describe("binomial", () => {
  test("probabilities add up, and the upper tail is their sum", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), share, fc.nat(60), (n, p, at) => {
        const k = Math.min(at, n);
        const masses = Array.from({ length: n + 1 }, (_, each) => binomialPmf(each, n, p));
        expect(masses.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(1, 11);
        expect(binomialUpper(k, n, p)).toBeCloseTo(masses.slice(k).reduce((sum, mass) => sum + mass, 0), 11);
        const middle = binomialQuantile(0.5, n, p);
        expect(masses.slice(0, middle).reduce((sum, mass) => sum + mass, 0)).toBeLessThan(0.5 + 1e-12);
        expect(masses.slice(0, middle + 1).reduce((sum, mass) => sum + mass, 0)).toBeGreaterThan(0.5 - 1e-12);
      }),
      { numRuns: 50 },
    );
    expect(Math.exp(logFactorial(10))).toBeCloseTo(3_628_800, 4);
  });
});
