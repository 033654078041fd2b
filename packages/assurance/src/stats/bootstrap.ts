import { normalCdf, normalQuantile } from "./normal.ts";
import type { Bounds } from "./proportion.ts";

/** What the bootstrap distribution says about its own bias and skewness. */
export interface BcaShape {
  /** Normal quantile of the share of replicates below the estimate, ties counted half. */
  readonly z0: number;
  readonly acceleration: number;
}

/** Replicates below and equal to the estimate give the bias, the leave-one-out estimates the acceleration. */
export function bcaShape(estimate: number, replicates: Float64Array, jackknife: Float64Array): BcaShape {
  let below = 0;
  let equal = 0;
  for (const value of replicates) {
    if (value < estimate) below += 1;
    else if (value === estimate) equal += 1;
  }
  return { z0: normalQuantile((below + equal / 2) / replicates.length), acceleration: acceleration(jackknife) };
}

/** Efron's acceleration from leave-one-out estimates; 0 when they do not vary. */
export function acceleration(jackknife: Float64Array): number {
  let mean = 0;
  for (const value of jackknife) mean += value / jackknife.length;
  let cubes = 0;
  let squares = 0;
  for (const value of jackknife) {
    const distance = mean - value;
    squares += distance * distance;
    cubes += distance * distance * distance;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/** The level of the bootstrap distribution that stands for the level `p`. Source: Efron 1987, 2.3. */
export function bcaLevel({ z0, acceleration: a }: BcaShape, p: number): number {
  const shifted = z0 + normalQuantile(p);
  return normalCdf(z0 + shifted / (1 - a * shifted));
}

/** BCa bounds, each with confidence 1 - alpha, and the levels they were read at. `sorted` are the replicates in order. */
export function bca(shape: BcaShape, sorted: Float64Array, alpha: number): Bounds & { readonly levels: readonly [number, number] } {
  const levels = [bcaLevel(shape, alpha), bcaLevel(shape, 1 - alpha)] as const;
  return { lower: quantile(sorted, levels[0]), upper: quantile(sorted, levels[1]), levels };
}

/** Percentile bounds, each at its own level. */
export function percentile(sorted: Float64Array, alpha: number): Bounds {
  return { lower: quantile(sorted, alpha), upper: quantile(sorted, 1 - alpha) };
}

/** Quantile of sorted values by linear interpolation (Hyndman & Fan 1996, type 7); NaN without values. */
export function quantile(sorted: Float64Array, p: number): number {
  const place = quantilePlace(sorted.length, p);
  const low = sorted[place.index] ?? Number.NaN;
  return place.fraction === 0 ? low : low + place.fraction * ((sorted[place.index + 1] ?? low) - low);
}

export function quantilePlace(length: number, p: number): { readonly index: number; readonly fraction: number } {
  const at = Math.min(Math.max(p, 0), 1) * (length - 1);
  const index = Math.floor(at);
  return { index, fraction: at - index };
}
