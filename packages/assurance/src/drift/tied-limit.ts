import type { Random } from "../stats/random.ts";

/** Runs of equal values that are followed one by one; the rest of the range is a continuum between them. */
const pointsMax = 512;

export interface TiedLimitOptions {
  /** The largest distance seen, times sqrt(n m / (n + m)). */
  readonly scaled: number;
  readonly random: Random;
  /** Number of paths; the p-value is (1 + exceedances) / (1 + paths). */
  readonly paths: number;
}

/** Share of the pooled values up to each point at which both samples are compared, rising to 1. */
export interface ComparedPoints {
  readonly upTo: Float64Array;
  /** 1 where the step to this point is a continuum, in which the distance may be larger than at its ends. */
  readonly continuous: Uint8Array;
}

/**
 * Where two samples with many equal values can be compared: after each large run of equal values, and over the
 * continuum of small ones between, cut into at most 512 points.
 */
export function comparedPoints(ends: Uint8Array): ComparedPoints {
  const total = ends.length;
  const largeRun = Math.max(2, Math.floor(total / pointsMax));
  const upTo: number[] = [];
  const continuous: number[] = [];
  const cut = (at: number, isContinuum: boolean) => {
    if (at / total <= (upTo.at(-1) ?? 0)) return;
    upTo.push(at / total);
    continuous.push(isContinuum ? 1 : 0);
  };
  let runStart = 0;
  for (let index = 0; index < total; index += 1) {
    if (ends[index] !== 1) continue;
    if (index + 1 - runStart >= largeRun) {
      cut(runStart, true);
      cut(index + 1, false);
    } else if (index + 1 - (upTo.at(-1) ?? 0) * total >= largeRun) cut(index + 1, true);
    runStart = index + 1;
  }
  cut(total, true);
  return { upTo: Float64Array.from(upTo), continuous: Uint8Array.from(continuous) };
}

/**
 * Monte-Carlo p-value of the two-sample Kolmogorov-Smirnov statistic with ties, in its large-sample limit: a Brownian
 * bridge looked at only where values can differ. Within a continuum the largest excursion between two known ends is
 * drawn from its exact distribution. Source: Conover 1972; Wood & Altavela 1978; Asmussen, Glynn & Pitman 1995.
 */
export function tiedLimitP(points: ComparedPoints, { scaled, random, paths }: TiedLimitOptions): number {
  let reached = 0;
  for (let path = 0; path < paths; path += 1) if (bridgeReaches(points, scaled, random)) reached += 1;
  return (1 + reached) / (1 + paths);
}

function bridgeReaches({ upTo, continuous }: ComparedPoints, height: number, random: Random): boolean {
  let at = 0;
  let value = 0;
  for (let index = 0; index < upTo.length; index += 1) {
    const next = upTo[index] ?? 1;
    const left = 1 - at;
    const step = next - at;
    // Given its value here, the bridge goes to 0 at 1.
    const mean = (value * (1 - next)) / left;
    const arrived = mean + Math.sqrt(Math.max(0, (step * (1 - next)) / left)) * random.normal();
    if (Math.abs(arrived) >= height) return true;
    if (continuous[index] === 1 && excursion({ from: value, to: arrived, step }, random) >= height) return true;
    value = arrived;
    at = next;
  }
  return false;
}

/** Largest |value| between two ends. Up and down are drawn apart: both being extreme in one short step does not happen. */
function excursion({ from, to, step }: { from: number; to: number; step: number }, random: Random): number {
  const span = () => Math.sqrt((from - to) ** 2 - 2 * step * Math.log(1 - random.uniform()));
  return Math.max((from + to + span()) / 2, (span() - from - to) / 2);
}
