import { type Moments, momentsOf, skewedMean } from "../stats/moments.ts";
import { normalQuantile } from "../stats/normal.ts";
import type { Bounds } from "../stats/proportion.ts";
import { randomFrom } from "../stats/random.ts";
import { type Resampled, resampledBounds, summarise } from "../stats/resample.ts";
import type { Limit } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";

/** Fewer rows cannot show their own skewness. */
export const meanRowsMin = 30;
/** Above this many rows the skewness-corrected bounds and the bootstrap agree, and only the former are computed. */
const resampledRowsMax = 5000;
const replicates = 2000;
const power = 0.8;

/** A mean over rows: its moments, and a bootstrap where there are few enough rows for it to matter. */
export interface MeanFigure {
  readonly moments: Moments;
  readonly resampled: Resampled | null;
}

export interface Sampling {
  readonly seed: string;
  /** Error rate of each bound; must be that of the limit. */
  readonly alpha: number;
}

export function meanFigure(values: Float64Array, { seed, alpha }: Sampling): MeanFigure {
  const raw = momentsOf(values);
  const moments = { n: raw.n, mean: round12(raw.mean), sd: round12(raw.sd), skewness: round12(raw.skewness) };
  const small = values.length >= meanRowsMin && values.length <= resampledRowsMax && raw.sd > 0;
  return { moments, resampled: small ? (bootstrapMean(values, { seed, alpha }) ?? null) : null };
}

/** A mean needs no index array, and its leave-one-out estimates need no pass each. */
function bootstrapMean(values: Float64Array, { seed, alpha }: Sampling): Resampled | undefined {
  const random = randomFrom(seed);
  const n = values.length;
  let sum = 0;
  for (const value of values) sum += value;
  const means = new Float64Array(replicates);
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    let drawn = 0;
    for (let draw = 0; draw < n; draw += 1) drawn += values[random.below(n)] ?? 0;
    means[replicate] = drawn / n;
  }
  return summarise({ estimate: sum / n, values: means, jackknife: values.map((value) => (sum - value) / (n - 1)), alpha });
}

/** The wider of both on each side; undefined with too few rows, with the bootstrap of another alpha, or without spread. */
export function meanBounds({ moments, resampled }: MeanFigure, alpha: number): Bounds | undefined {
  if (moments.n < meanRowsMin || !(moments.sd > 0)) return undefined;
  if (resampled !== null && resampled.alpha !== alpha) return undefined;
  const corrected = skewedMean(moments, alpha);
  if (resampled === null) return corrected;
  const drawn = resampledBounds(resampled);
  return { lower: Math.min(corrected.lower, drawn.lower), upper: Math.max(corrected.upper, drawn.upper) };
}

export const meanMethod = "hall-1992-t+bca";

/** Rows that decide at today's mean and spread with 80 % power. */
export function meanRowsNeeded({ moments }: MeanFigure, limit: Limit): number | undefined {
  return rowsNeeded(moments.sd, moments.mean - limit.value, limit.alpha);
}

/** The same for any figure whose standard error is `sd` over the root of the rows. */
export function rowsNeeded(sd: number, distance: number, alpha: number): number | undefined {
  const rows = (((normalQuantile(1 - alpha) + normalQuantile(power)) * sd) / distance) ** 2;
  return Number.isFinite(rows) && rows <= Number.MAX_SAFE_INTEGER ? Math.max(meanRowsMin, Math.ceil(rows)) : undefined;
}
