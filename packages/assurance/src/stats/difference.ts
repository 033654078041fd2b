import { absoluteBounds, type Signed } from "./absolute.ts";
import { type Bounds, clopperPearson, wilson } from "./proportion.ts";

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
  return combined(first, second, [wilson(first.events, first.n, alpha), wilson(second.events, second.n, alpha)]);
}

/** A rate with its exact bounds, computed once for each error rate: a group is compared with every other one. */
export interface BoundedRate extends Rate {
  readonly bounds: (alpha: number) => Bounds;
}

export function boundedRate({ events, n }: Rate): BoundedRate {
  const known = new Map<number, Bounds>();
  const bounds = (alpha: number) => {
    const found = known.get(alpha) ?? clopperPearson(events, n, alpha);
    known.set(alpha, found);
    return found;
  };
  return { events, n, bounds };
}

/**
 * The same with Clopper-Pearson's bounds in the place of Wilson's (MOVER). With samples of very different sizes the
 * smaller one decides alone, and Wilson's bound of its rate errs up to 8 % of the time where 5 % are allowed (12 % with
 * rates near 0); this one at most 5.3 %. In equal samples it is wider by about half a row of each.
 * Source: Zou & Donner 2008 (Stat Med 27:1693).
 */
export function exactMover(first: BoundedRate, second: BoundedRate, alpha: number): Bounds {
  return combined(first, second, [first.bounds(alpha), second.bounds(alpha)]);
}

function combined(first: Rate, second: Rate, [one, two]: readonly [Bounds, Bounds]): Bounds {
  const [p1, p2] = [first.events / first.n, second.events / second.n];
  return {
    lower: p1 - p2 - Math.hypot(p1 - one.lower, two.upper - p2),
    upper: p1 - p2 + Math.hypot(one.upper - p1, p2 - two.lower),
  };
}

/** One-sided bounds of |p1 - p2|, each with confidence 1 - alpha, also near 0. */
export function absoluteDifference(first: Rate, second: Rate, alpha: number): Bounds {
  return absoluteBounds(first.events / first.n - second.events / second.n, signedDifference(boundedRate(first), boundedRate(second)), alpha);
}

/** Exact bounds take a while: where alpha is shared between both tails, a ten-thousandth of it is left on the safe side. */
export function signedDifference(first: BoundedRate, second: BoundedRate): Signed {
  return { bounds: (level) => exactMover(first, second, level), tolerance: 1e-4 };
}

/** How a record names these bounds. */
export const absoluteDifferenceMethod = "mover-clopper-pearson-absolute";
