import { logGamma } from "../stats/gamma.ts";
import type { Random } from "../stats/random.ts";

export interface Urn {
  readonly good: number;
  readonly bad: number;
  readonly draws: number;
}

/**
 * Number of good ones among `draws` taken without replacement. By inversion outwards from the mode: cost in proportion
 * to the standard deviation, so that counts of millions are drawn in about a thousand steps.
 */
export function hypergeometric({ good, bad, draws }: Urn, random: Random): number {
  const lowest = Math.max(0, draws - bad);
  const highest = Math.min(good, draws);
  if (lowest === highest) return lowest;
  const mode = Math.min(highest, Math.max(lowest, Math.floor(((draws + 1) * (good + 1)) / (good + bad + 2))));
  let left = random.uniform();
  const atMode = Math.exp(logChoose(good, mode) + logChoose(bad, draws - mode) - logChoose(good + bad, draws));
  left -= atMode;
  if (left < 0) return mode;
  let [up, down, above, below] = [mode, mode, atMode, atMode];
  while (up < highest || down > lowest) {
    if (up < highest) {
      above *= ((good - up) * (draws - up)) / ((up + 1) * (bad - draws + up + 1));
      up += 1;
      left -= above;
      if (left < 0) return up;
    }
    if (down > lowest) {
      below *= (down * (bad - draws + down)) / ((good - down + 1) * (draws - down + 1));
      down -= 1;
      left -= below;
      if (left < 0) return down;
    }
    // What is left is rounding: no further value has a probability.
    if (above < 1e-300 && below < 1e-300) return mode;
  }
  return mode;
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
