import { absoluteBounds } from "./absolute.ts";
import { type Bounds, wilson } from "./proportion.ts";

/** Events among n; n may be fractional when sample sizes are projected. */
export interface Rate {
  readonly events: number;
  readonly n: number;
}

/**
 * One-sided bounds of p1 - p2, each with confidence 1 - alpha, from independent samples with n > 0.
 * Source: Newcombe 1998 (Stat Med 17:873), method 10: Wilson bounds combined by squares.
 */
export function newcombe(first: Rate, second: Rate, alpha: number): Bounds {
  const p1 = first.events / first.n;
  const p2 = second.events / second.n;
  const one = wilson(first.events, first.n, alpha);
  const two = wilson(second.events, second.n, alpha);
  return {
    lower: p1 - p2 - Math.hypot(p1 - one.lower, two.upper - p2),
    upper: p1 - p2 + Math.hypot(one.upper - p1, p2 - two.lower),
  };
}

/** One-sided bounds of |p1 - p2|, each with confidence 1 - alpha, also near 0. */
export function absoluteDifference(first: Rate, second: Rate, alpha: number): Bounds {
  return absoluteBounds(first.events / first.n - second.events / second.n, (level) => newcombe(first, second, level), alpha);
}
