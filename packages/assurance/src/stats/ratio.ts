import { crossing } from "./crossing.ts";
import type { Rate } from "./difference.ts";
import { normalQuantile } from "./normal.ts";
import type { Bounds } from "./proportion.ts";

/** Ratios are looked for up to here; beyond it a ratio is as good as unbounded. */
const logRatioMax = 60;

/**
 * Bounds of p1 / p2 by the normal approximation of the log, each with confidence 1 - alpha. 0 to Infinity when either
 * count is 0. Source: Katz, Baptista, Azen & Pike 1978.
 */
export function katz(first: Rate, second: Rate, alpha: number): Bounds {
  if (first.events === 0 || second.events === 0) return { lower: 0, upper: Infinity };
  const se = Math.sqrt(1 / first.events - 1 / first.n + 1 / second.events - 1 / second.n);
  const centre = Math.log(first.events / first.n / (second.events / second.n));
  const half = normalQuantile(1 - alpha) * se;
  return { lower: Math.exp(centre - half), upper: Math.exp(centre + half) };
}

/**
 * Score bounds of p1 / p2, each with confidence 1 - alpha; defined at zero counts too: the ratio is at least 0 when
 * the first has no events, unbounded when the second has none. Source: Koopman 1984; with `corrected` the variance has
 * the factor N / (N - 1) of Miettinen & Nurminen 1985.
 */
export function koopman(first: Rate, second: Rate, options: { readonly alpha: number; readonly corrected?: boolean }): Bounds {
  const z = normalQuantile(1 - options.alpha);
  const total = first.n + second.n;
  const factor = options.corrected === true ? total / (total - 1) : 1;
  const p1 = first.events / first.n;
  const p2 = second.events / second.n;
  const beyond = (log: number) => {
    const ratio = Math.exp(log);
    return Math.abs(p1 - ratio * p2) > z * Math.sqrt(factor * scoreVariance(first, second, ratio));
  };
  const centre = Math.log(p1 / p2);
  const inner = Number.isFinite(centre) ? centre : 0;
  if (p1 === 0 && p2 === 0) return { lower: 0, upper: Infinity };
  return {
    lower: p1 === 0 ? 0 : Math.exp(crossing(beyond, -logRatioMax, p2 === 0 ? logRatioMax : inner)),
    upper: p2 === 0 ? Infinity : Math.exp(crossing(beyond, logRatioMax, p1 === 0 ? -logRatioMax : inner)),
  };
}

/** Variance of p1 - ratio p2 at the maximum-likelihood rates with that ratio. */
function scoreVariance(first: Rate, second: Rate, ratio: number): number {
  const events = first.events + second.events;
  const a = (first.n + second.n) * ratio;
  const b = first.n * ratio + first.events + second.n + second.events * ratio;
  // The small root, written so that nothing cancels.
  const q2 = (2 * events) / (b + Math.sqrt(Math.max(0, b * b - 4 * a * events)));
  const q1 = Math.min(1, ratio * q2);
  return (q1 * (1 - q1)) / first.n + (ratio * ratio * q2 * (1 - q2)) / second.n;
}
