import { logGamma } from "./gamma.ts";

const iterationsMax = 1_000_000;
const tiny = 1e-300;

/**
 * Regularised lower incomplete gamma function P(a, x), a > 0, x >= 0; NaN outside.
 * Source: series of DLMF 8.11.4 below a + 1, continued fraction of DLMF 8.9.2 (Lentz) above.
 */
export function gammaP(a: number, x: number): number {
  if (!(a > 0 && x >= 0)) return Number.NaN;
  if (x === 0) return 0;
  return x < a + 1 ? lowerSeries(a, x) : 1 - upperFraction(a, x);
}

/** Regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x). Relative accuracy holds in the tail. */
export function gammaQ(a: number, x: number): number {
  if (!(a > 0 && x >= 0)) return Number.NaN;
  if (x === 0) return 1;
  return x < a + 1 ? 1 - lowerSeries(a, x) : upperFraction(a, x);
}

/** P(X > x) for X chi-square with `dof` degrees of freedom; NaN when dof <= 0. A negative x gives 1. */
export function chiSquareSurvival(x: number, dof: number): number {
  if (x < 0) return dof > 0 ? 1 : Number.NaN;
  return gammaQ(dof / 2, x / 2);
}

/** The x with P(X <= x) = p for X chi-square with `dof` degrees of freedom, by bisection. NaN outside 0 <= p < 1. */
export function chiSquareQuantile(p: number, dof: number): number {
  if (!(dof > 0 && p >= 0 && p < 1)) return Number.NaN;
  let high = dof;
  while (gammaP(dof / 2, high / 2) < p) high *= 2;
  let low = 0;
  for (let step = 0; step < 200; step += 1) {
    const middle = (low + high) / 2;
    if (gammaP(dof / 2, middle / 2) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < iterationsMax; n += 1) {
    term *= x / (a + n);
    sum += term;
    if (term < sum * 1e-17) break;
  }
  return sum * front(a, x);
}

function upperFraction(a: number, x: number): number {
  if (x === Infinity) return 0;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let result = d;
  for (let n = 1; n < iterationsMax; n += 1) {
    const term = -n * (n - a);
    b += 2;
    d = 1 / away(term * d + b);
    c = away(b + term / c);
    const change = c * d;
    result *= change;
    if (Math.abs(change - 1) < 1e-16) break;
  }
  return result * front(a, x);
}

function front(a: number, x: number): number {
  return Math.exp(a * Math.log(x) - x - logGamma(a));
}

function away(value: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}
