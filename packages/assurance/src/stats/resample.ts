import { round12 } from "../verdict/round.ts";
import { acceleration, bcaLevel, quantile, quantilePlace } from "./bootstrap.ts";
import { normalQuantile } from "./normal.ts";
import type { Bounds } from "./proportion.ts";
import { bootstrapIndices, type Random } from "./random.ts";

export const replicatesDefault = 2000;
/** Leave-one-out estimates cost a pass each: above this many rows, blocks of rows are left out. */
const jackknifeBlocksMax = 200;

/**
 * What is kept of a bootstrap: enough to derive the BCa bounds at `alpha` again without the rows. `lower` and `upper`
 * are the two neighbouring replicates that each bound is interpolated between.
 */
export interface Resampled {
  readonly alpha: number;
  readonly replicates: number;
  readonly below: number;
  readonly equal: number;
  readonly acceleration: number;
  readonly lower: readonly [number, number];
  readonly upper: readonly [number, number];
}

export interface ResampleOptions {
  readonly random: Random;
  readonly alpha: number;
  readonly replicates?: number;
}

/** A figure computed from rows, named by index, with repetitions. */
export type Statistic = (rows: Uint32Array) => number;

/**
 * Bootstraps a figure over n rows. Replicates in which it is undefined are drawn again, at most as often as there are
 * replicates; undefined when that is not enough, or when a part of the rows leaves it undefined.
 */
export function resample(n: number, statistic: Statistic, options: ResampleOptions): Resampled | undefined {
  const { random, alpha, replicates = replicatesDefault } = options;
  const estimate = statistic(Uint32Array.from({ length: n }, (_, row) => row));
  const values = new Float64Array(replicates);
  const rows = new Uint32Array(n);
  for (let done = 0, tries = 0; done < replicates; tries += 1) {
    if (tries >= 2 * replicates) return undefined;
    values[done] = statistic(bootstrapIndices(random, rows));
    if (Number.isFinite(values[done])) done += 1;
  }
  return summarise({ estimate, values, jackknife: jackknife(n, statistic), alpha });
}

interface Replicated {
  readonly estimate: number;
  readonly values: Float64Array;
  readonly jackknife: Float64Array;
  readonly alpha: number;
}

export function summarise({ estimate, values, jackknife: left, alpha }: Replicated): Resampled | undefined {
  const a = round12(acceleration(left));
  if (!Number.isFinite(a) || !Number.isFinite(estimate)) return undefined;
  let [below, equal] = [0, 0];
  for (const value of values) {
    if (value < estimate) below += 1;
    else if (value === estimate) equal += 1;
  }
  const sorted = values.toSorted();
  const shape = { z0: biasOf({ below, equal, replicates: values.length }), acceleration: a };
  const pair = (p: number): readonly [number, number] => {
    const { index } = quantilePlace(sorted.length, bcaLevel(shape, p));
    return [round12(sorted[index] ?? Number.NaN), round12(sorted[index + 1] ?? sorted[index] ?? Number.NaN)];
  };
  return { alpha, replicates: values.length, below, equal, acceleration: a, lower: pair(alpha), upper: pair(1 - alpha) };
}

/** The BCa bounds, each with confidence 1 - alpha of the resampling. Source: Efron 1987. */
export function resampledBounds(kept: Resampled): Bounds {
  const shape = { z0: biasOf(kept), acceleration: kept.acceleration };
  const bound = (pair: readonly [number, number], p: number) => {
    const level = bcaLevel(shape, p);
    const { fraction } = quantilePlace(kept.replicates, level);
    return quantile(Float64Array.from(pair), fraction);
  };
  return { lower: bound(kept.lower, kept.alpha), upper: bound(kept.upper, 1 - kept.alpha) };
}

/** All replicates on one side say nothing finite about the bias: half a replicate is put on the other. */
function biasOf({ below, equal, replicates }: Pick<Resampled, "below" | "equal" | "replicates">): number {
  const share = (below + equal / 2) / replicates;
  const margin = 1 / (2 * replicates);
  return normalQuantile(Math.min(1 - margin, Math.max(margin, share)));
}

function jackknife(n: number, statistic: Statistic): Float64Array {
  const blocks = Math.min(n, jackknifeBlocksMax);
  return Float64Array.from({ length: blocks }, (_, block) => {
    const rows = new Uint32Array(n - Math.ceil((n - block) / blocks));
    let next = 0;
    for (let row = 0; row < n; row += 1) {
      if (row % blocks === block) continue;
      rows[next] = row;
      next += 1;
    }
    return statistic(rows);
  });
}
