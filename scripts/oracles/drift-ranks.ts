import { logGamma } from "../../packages/assurance/src/stats/gamma.ts";
import { normalCdf } from "../../packages/assurance/src/stats/normal.ts";

/** Mean ranks of the pooled values, and the sum of t^3 - t over runs of t equal values. Both samples sorted. */
function ranks(a: Float64Array, b: Float64Array): { first: Float64Array; second: Float64Array; ties: number } {
  const [first, second] = [new Float64Array(a.length), new Float64Array(b.length)];
  let [i, j, ties] = [0, 0, 0];
  while (i < a.length || j < b.length) {
    const x = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    const [fromI, fromJ] = [i, j];
    while (a[i] === x) i += 1;
    while (b[j] === x) j += 1;
    const run = i + j - fromI - fromJ;
    const rank = fromI + fromJ + (run + 1) / 2;
    first.fill(rank, fromI, i);
    second.fill(rank, fromJ, j);
    ties += run ** 3 - run;
  }
  return { first, second, ties };
}

/** Mann-Whitney's U of the first sample; two-sided p with tie and continuity correction, as scipy's asymptotic method. */
export function mannWhitney(a: Float64Array, b: Float64Array): { readonly u: number; readonly p: number } {
  const [n, m] = [a.length, b.length];
  const { first, ties } = ranks(a, b);
  const u = first.reduce((sum, rank) => sum + rank, 0) - (n * (n + 1)) / 2;
  const all = n + m;
  const deviation = Math.sqrt(((n * m) / 12) * (all + 1 - ties / (all * (all - 1))));
  const z = (Math.max(u, n * m - u) - (n * m) / 2 - 0.5) / deviation;
  return { u, p: Math.min(1, 2 * normalCdf(-z)) };
}

/** Cramér-von Mises statistic of two samples; p by the limiting distribution (Anderson & Darling 1952), as scipy. */
export function cramerVonMises(a: Float64Array, b: Float64Array): { readonly statistic: number; readonly p: number } {
  const [n, m] = [a.length, b.length];
  const { first, second } = ranks(a, b);
  const off = (values: Float64Array) => values.reduce((sum, rank, index) => sum + (rank - index - 1) ** 2, 0);
  const [pairs, all] = [n * m, n + m];
  const statistic = (n * off(first) + m * off(second)) / (pairs * all) - (4 * pairs - 1) / (6 * all);
  const mean = (1 + 1 / all) / 6;
  const variance = ((all + 1) * (4 * pairs * all - 3 * (n * n + m * m) - 2 * pairs)) / (45 * all * all * 4 * pairs);
  const scaled = 1 / 6 + (statistic - mean) / Math.sqrt(45 * variance);
  return { statistic, p: scaled < 0.003 ? 1 : Math.max(0, 1 - limitCdf(scaled)) };
}

/** The series ends, as in scipy, at the first term below 1e-7: very small p-values are then only an order of magnitude. */
function limitCdf(x: number): number {
  let sum = 0;
  for (let k = 0; k < 10_000; k += 1) {
    const y = 4 * k + 1;
    const q = (y * y) / (16 * x);
    const term = (Math.exp(logGamma(k + 0.5) - logGamma(k + 1)) / (Math.PI ** 1.5 * Math.sqrt(x))) * Math.sqrt(y) * scaledBessel(q);
    sum += term;
    if (Math.abs(term) < 1e-7) break;
  }
  return sum;
}

/** exp(-q) K_(1/4)(q) by the trapezoidal rule on its integral over exp(-q cosh t) cosh(t / 4). */
function scaledBessel(q: number): number {
  const step = 1 / 32;
  let sum = Math.exp(-2 * q) / 2;
  for (let t = step; t < 60; t += step) {
    const exponent = q * (1 + Math.cosh(t));
    if (exponent > 745) break;
    sum += Math.exp(-exponent) * Math.cosh(t / 4);
  }
  return sum * step;
}
