import { type Bounds, clopperPearson } from "./proportion.ts";
import { tango } from "./score-interval.ts";

/**
 * Bounds of the difference of two rates over the same rows, each with confidence 1 - alpha: Tango's, kept where they are
 * too narrow. Of few rows on which only one has an event the score interval errs up to 8 % of the time where 5 % are
 * allowed, when the other has none. The difference is at most the rate of the first alone and at least minus that of
 * the second: what their exact bounds say of it costs nothing elsewhere.
 */
export function pairedDifference(paired: { readonly onlyFirst: number; readonly onlySecond: number; readonly n: number }, alpha: number): Bounds {
  const { onlyFirst, onlySecond, n } = paired;
  const score = tango(paired, alpha);
  const [first, second] = [clopperPearson(onlyFirst, n, alpha), clopperPearson(onlySecond, n, alpha)];
  return {
    lower: Math.min(score.lower, first.lower, onlyFirst === 0 ? -second.upper : Infinity),
    upper: Math.max(score.upper, -second.lower, onlySecond === 0 ? first.upper : -Infinity),
  };
}
