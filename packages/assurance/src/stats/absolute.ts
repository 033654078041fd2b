import { normalCdf, normalQuantile } from "./normal.ts";
import type { Bounds } from "./proportion.ts";

const stepsMax = 60;
/** Of alpha: what is left is on the safe side. */
const toleranceDefault = 1e-9;
/** The far tail is left out of the error rate when it is smaller than this share of it. */
const negligible = 1e-12;

/** How the bounds of theta follow from an error rate, and with which share of it the search may stop. */
export interface Signed {
  readonly bounds: (alpha: number) => Bounds;
  readonly tolerance?: number;
}

/** One-sided bounds of |theta| from those of theta, each with confidence 1 - alpha. */
export function absoluteBounds(estimate: number, signed: Signed, alpha: number): Bounds {
  return { lower: absoluteLower(estimate, signed, alpha), upper: absoluteUpper(signed.bounds(alpha)) };
}

/** Holds for either sign of theta. */
export function absoluteUpper({ lower, upper }: Bounds): number {
  return Math.max(upper, -lower);
}

/**
 * Shares alpha between both tails: with theta near 0 an estimate can lie beyond it on either side, and the plain
 * one-sided bound would be wrong twice as often. Far from 0 it is the one-sided bound.
 */
export function absoluteLower(estimate: number, { bounds, tolerance = toleranceDefault }: Signed, alpha: number): number {
  const size = Math.abs(estimate);
  const lowerAt = (level: number) => {
    const { lower, upper } = bounds(level);
    return estimate >= 0 ? lower : -upper;
  };
  const farFrom = (lower: number, level: number) => {
    const spread = (size - lower) / normalQuantile(1 - level);
    return spread > 0 ? normalCdf(-(size + Math.max(0, lower)) / spread) : 0;
  };
  const plain = lowerAt(alpha);
  if (plain <= 0) return 0;
  if (farFrom(plain, alpha) <= negligible * alpha) return plain;
  let [low, high] = [alpha / 2, alpha];
  for (let step = 0; step < stepsMax && high - low > tolerance * alpha; step += 1) {
    const middle = (low + high) / 2;
    if (middle + farFrom(lowerAt(middle), middle) > alpha) high = middle;
    else low = middle;
  }
  return Math.max(0, lowerAt(low));
}
