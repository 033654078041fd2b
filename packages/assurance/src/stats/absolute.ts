import { normalCdf, normalQuantile } from "./normal.ts";
import type { Bounds } from "./proportion.ts";

const stepsMax = 60;
/** The far tail is left out of the error rate when it is smaller than this share of it. */
const negligible = 1e-12;

/**
 * Bounds of |theta| from one-sided bounds of theta, each with confidence 1 - alpha. The upper one holds for either sign.
 * The lower one shares alpha between both tails: with theta near 0 an estimate can lie beyond it on either side, and the
 * plain one-sided bound would be wrong twice as often. Far from 0 it is the one-sided bound.
 */
export function absoluteBounds(estimate: number, signed: (alpha: number) => Bounds, alpha: number): Bounds {
  const plain = signed(alpha);
  const size = Math.abs(estimate);
  const lowerAt = (level: number) => {
    const { lower, upper } = level === alpha ? plain : signed(level);
    return estimate >= 0 ? lower : -upper;
  };
  const far = (level: number) => {
    const lower = lowerAt(level);
    const spread = (size - lower) / normalQuantile(1 - level);
    return spread > 0 ? normalCdf(-(size + Math.max(0, lower)) / spread) : 0;
  };
  const upper = Math.max(plain.upper, -plain.lower);
  if (lowerAt(alpha) <= 0) return { lower: 0, upper };
  if (far(alpha) <= negligible * alpha) return { lower: lowerAt(alpha), upper };
  let [low, high] = [alpha / 2, alpha];
  for (let step = 0; step < stepsMax && high - low > 1e-12 * alpha; step += 1) {
    const middle = (low + high) / 2;
    if (middle + far(middle) > alpha) high = middle;
    else low = middle;
  }
  return { lower: Math.max(0, lowerAt(low)), upper };
}
