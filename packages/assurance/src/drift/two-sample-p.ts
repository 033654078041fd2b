import { randomFrom } from "../stats/random.ts";
import { kolmogorovSmirnovSurvival } from "./kolmogorov-smirnov.ts";
import { twoSampleExactP } from "./lattice-paths.ts";
import { runEnds } from "./sorted-pair.ts";
import { comparedPoints, tiedLimitP } from "./tied-limit.ts";

/** Up to this n times m the exact distribution is counted. */
const exactPairsMax = 1e4;
/** With ties, counting stays worth its time for longer, because the alternative is to draw. */
const exactTiedPairsMax = 4e6;
/** Above this share of tied values the distribution for continuous values is too cautious to be of use. */
const tiedShareMax = 0.2;

export type TwoSampleMethod = "exact" | "exact-ties" | "kstwo" | "bridge-ties";

export interface TwoSampleP {
  readonly p: number;
  readonly method: TwoSampleMethod;
}

/**
 * p-value of the two-sample Kolmogorov-Smirnov statistic `d` of two sorted samples: counted exactly where n m <= 10,000,
 * by the distribution for continuous values otherwise, and by the permutation distribution where more than a fifth of
 * the values are tied: counted up to n m = 4,000,000, drawn from its limit above.
 */
export function twoSampleP(a: Float64Array, b: Float64Array, options: { d: number; tiedShare: number; seed: string }): TwoSampleP {
  const { d, tiedShare, seed } = options;
  const [n, m] = [a.length, b.length];
  if (n === 0 || m === 0) return { p: Number.NaN, method: "exact" };
  if (tiedShare > tiedShareMax) {
    if (n * m <= exactTiedPairsMax) return { p: twoSampleExactP(d, { n, m, ends: runEnds(a, b) }), method: "exact-ties" };
    return largeTied(a, b, { d, seed });
  }
  if (n * m <= exactPairsMax) return { p: twoSampleExactP(d, { n, m }), method: "exact" };
  return { p: kolmogorovSmirnovSurvival(d, effectiveSize(n, m)), method: "kstwo" };
}

const pathsMin = 999;
const pathsMax = 9999;

/** The p-value for continuous values is never too small with ties, so it may decide alone when it is tiny. */
function largeTied(a: Float64Array, b: Float64Array, { d, seed }: { d: number; seed: string }): TwoSampleP {
  const [n, m] = [a.length, b.length];
  const cautious = kolmogorovSmirnovSurvival(d, effectiveSize(n, m));
  if (cautious < 1 / (1 + pathsMax)) return { p: cautious, method: "kstwo" };
  const points = comparedPoints(runEnds(a, b));
  const scaled = d * Math.sqrt((n * m) / (n + m));
  const random = randomFrom(`${seed}/ties`);
  const first = tiedLimitP(points, { scaled, random, paths: pathsMin });
  // A first look that is near no threshold ends here; its error is then irrelevant.
  const p = first > 0.05 ? first : tiedLimitP(points, { scaled, random, paths: pathsMax });
  return { p, method: "bridge-ties" };
}

/** n m / (n + m) to the nearest whole number, halves to the even one, as scipy does. */
export function effectiveSize(n: number, m: number): number {
  const size = (n * m) / (n + m);
  const below = Math.floor(size);
  if (size - below !== 0.5) return Math.max(1, Math.round(size));
  return Math.max(1, below % 2 === 0 ? below : below + 1);
}
