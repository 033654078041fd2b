import { type BoundedRate, signedDifference } from "../stats/difference.ts";
import type { Ends } from "../verdict/decide-worst.ts";
import { absoluteEnds } from "./pairwise.ts";

/** Bounds of the size of the difference of two rates. */
export function differenceEnds(first: BoundedRate, second: BoundedRate): Ends {
  return absoluteEnds(first.events / first.n - second.events / second.n, signedDifference(first, second));
}
