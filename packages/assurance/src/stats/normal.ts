const rootTwoPi = 2.506_628_274_631_000_7;
const seriesUntil = 3;

/**
 * Standard normal distribution function. Relative accuracy holds in the lower tail.
 * Source: Marsaglia 2004 (series) and Abramowitz & Stegun 26.2.14 (continued fraction of the tail).
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x > seriesUntil) return 1 - tail(x);
  return x < -seriesUntil ? tail(-x) : 0.5 + density(x) * oddSeries(x);
}

/**
 * The z with normalCdf(z) = p. -Infinity and Infinity at 0 and 1, NaN outside.
 * Bisection keeps the bracket, Newton steps inside it.
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  let low = -40;
  let high = 0;
  let x = 0;
  for (let step = 0; step < 200; step += 1) {
    const error = normalCdf(x) - p;
    if (error > 0) high = x;
    else low = x;
    const newton = x - error / density(x);
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 1e-16 * Math.abs(x)) return next;
    x = next;
  }
  return x;
}

function density(x: number): number {
  return Math.exp((-x * x) / 2) / rootTwoPi;
}

function oddSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > 1e-18 && odd < 400; odd += 2) {
    term *= (x * x) / odd;
    sum += term;
  }
  return sum;
}

function tail(x: number): number {
  let denominator = x;
  for (let k = 150; k >= 1; k -= 1) denominator = x + k / denominator;
  return density(x) / denominator;
}
