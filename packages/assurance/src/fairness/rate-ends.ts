import { newcombe, type Rate } from "../stats/difference.ts";
import { clopperPearson } from "../stats/proportion.ts";
import type { Ends } from "../verdict/decide-worst.ts";
import { absoluteEnds } from "./pairwise.ts";

/**
 * Bounds of the size of the difference of two rates: Newcombe's, kept where they are too narrow. With one rate near 0 or 1
 * they err up to 7 % of the time where 5 % are allowed. Two rates differ by at most the larger one, and by at most what
 * the smaller one lacks to 1: what the exact bounds of these say costs nothing elsewhere.
 */
export function differenceEnds(first: Rate, second: Rate): Ends {
  const { lower, upper } = absoluteEnds(first.events / first.n - second.events / second.n, (level) => newcombe(first, second, level));
  const [low, high] = first.events * second.n <= second.events * first.n ? [first, second] : [second, first];
  return {
    lower: (alpha) => {
      const plain = lower(alpha);
      return plain === 0 ? 0 : Math.min(plain, clopperPearson(high.events, high.n, alpha).lower, 1 - clopperPearson(low.events, low.n, alpha).upper);
    },
    upper: (alpha) => Math.max(upper(alpha), low.events === 0 ? clopperPearson(high.events, high.n, alpha).upper : 0, high.events === high.n ? 1 - clopperPearson(low.events, low.n, alpha).lower : 0),
  };
}
