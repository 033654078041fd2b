import { logGamma, stirlingCorrection, stirlingFrom } from "./gamma.ts";

const iterationsMax = 100_000;
const tiny = 1e-300;

/**
 * Regularised incomplete beta function I_x(a, b), a > 0, b > 0, 0 <= x <= 1; NaN outside.
 * Source: continued fraction of DLMF 8.17.22, evaluated by Lentz's method.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) return Number.NaN;
  if (x === 0 || x === 1) return x;
  return x <= (a + 1) / (a + b + 2) ? lowerTail(x, a, b) : 1 - lowerTail(1 - x, b, a);
}

/**
 * The x with I_x(a, b) = p. Bisection keeps the bracket, Newton steps inside it.
 * Returns NaN for p outside 0 to 1 or a, b <= 0.
 */
export function inverseIncompleteBeta(p: number, a: number, b: number): number {
  if (!(a > 0 && b > 0 && p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0 || p === 1) return p;
  const logBeta = logGamma(a) + logGamma(b) - logGamma(a + b);
  let low = 0;
  let high = 1;
  let x = a / (a + b);
  for (let step = 0; step < 400; step += 1) {
    const error = incompleteBeta(x, a, b) - p;
    if (error > 0) high = x;
    else low = x;
    const density = Math.exp((a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x) - logBeta);
    const newton = x - error / density;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 1e-15 * x) return next;
    x = next;
  }
  return x;
}

/** P(X <= k) for X binomial with n trials and probability p. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  return k >= n ? 1 : incompleteBeta(1 - p, n - k, k + 1);
}

function lowerTail(x: number, a: number, b: number): number {
  return (Math.exp(logFront(x, a, b)) / a) * fraction(x, a, b);
}

/**
 * log of x^a (1 - x)^b / B(a, b). With large parameters the logarithms of gamma functions are large and nearly cancel,
 * so Stirling's leading terms are combined by hand before anything is rounded.
 */
function logFront(x: number, a: number, b: number): number {
  if (a < stirlingFrom && b < stirlingFrom) return a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b);
  if (a < b) return logFrontLarge({ x: 1 - x, y: x, a: b, b: a });
  return logFrontLarge({ x, y: 1 - x, a, b });
}

/** `a` is the larger parameter; y = 1 - x. */
function logFrontLarge({ x, y, a, b }: { readonly x: number; readonly y: number; readonly a: number; readonly b: number }): number {
  if (b < stirlingFrom) {
    const ratio = (a - 0.5) * Math.log1p(b / a) + b * Math.log(a + b) - b + stirlingCorrection(a + b) - stirlingCorrection(a);
    return a * (x > 0.5 ? Math.log1p(-y) : Math.log(x)) + b * Math.log(y) + ratio - logGamma(b);
  }
  const distance = b * x - a * y;
  const corrections = stirlingCorrection(a + b) - stirlingCorrection(a) - stirlingCorrection(b);
  const powers = a * Math.log1p(Math.max(-1, distance / a)) + b * Math.log1p(Math.max(-1, -distance / b));
  return powers + 0.5 * Math.log((a / (a + b)) * (b / (2 * Math.PI))) + corrections;
}

function fraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m <= iterationsMax; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    const change = d * c;
    result *= change;
    if (Math.abs(change - 1) < 1e-16) break;
  }
  return result;
}

function away(value: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}
