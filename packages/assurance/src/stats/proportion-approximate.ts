import { inverseIncompleteBeta } from "./beta.ts";
import { normalQuantile } from "./normal.ts";
import type { Bounds } from "./proportion.ts";

/** Agresti & Coull 1998: Wald's interval around Wilson's centre, cut to 0 to 1. Each bound has confidence 1 - alpha. */
export function agrestiCoull(events: number, n: number, alpha: number): Bounds {
  const z = normalQuantile(1 - alpha);
  const trials = n + z * z;
  const rate = (events + (z * z) / 2) / trials;
  return around(rate, z * Math.sqrt((rate * (1 - rate)) / trials));
}

/** Equal-tailed Bayesian interval under Jeffreys' prior Beta(1/2, 1/2). Source: Brown, Cai & DasGupta 2001. */
export function jeffreys(events: number, n: number, alpha: number): Bounds {
  return {
    lower: inverseIncompleteBeta(alpha, events + 0.5, n - events + 0.5),
    upper: 1 - inverseIncompleteBeta(alpha, n - events + 0.5, events + 0.5),
  };
}

/** The textbook interval, cut to 0 to 1. Has no width at 0 and n events: for comparison with other tools, never for a verdict. */
export function wald(events: number, n: number, alpha: number): Bounds {
  const rate = events / n;
  return around(rate, normalQuantile(1 - alpha) * Math.sqrt((rate * (1 - rate)) / n));
}

function around(centre: number, half: number): Bounds {
  return { lower: Math.max(0, centre - half), upper: Math.min(1, centre + half) };
}
