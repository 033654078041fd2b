import { type Moments, momentsOf, skewedMean } from "../stats/moments.ts";
import { normalQuantile } from "../stats/normal.ts";
import { type Bounds, noEventsUpper, zeroEventTrials } from "../stats/proportion.ts";
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

/** A mean over rows: its moments, a bootstrap where there are few enough rows for it to matter, and what a row could be. */
export interface MeanFigure {
  readonly moments: Moments;
  readonly resampled: Resampled | null;
  /** null where a row can be anything. */
  readonly range: MeanRange | null;
}

/** The smallest and largest value that were seen, and those that an unseen row is reckoned with. */
export interface MeanRange {
  readonly floor: number;
  readonly smallest: number;
  readonly largest: number;
  readonly ceiling: number;
}

export interface Sampling {
  readonly seed: string;
  /** Error rate of each bound; must be that of the limit. */
  readonly alpha: number;
}

export interface MeanOptions extends Sampling {
  /** What a row that was not seen may be, where that is known. */
  readonly possible?: { readonly floor: number; readonly ceiling: number };
}

export function meanFigure(values: Float64Array, { seed, alpha, possible }: MeanOptions): MeanFigure {
  const raw = momentsOf(values);
  const moments = { n: raw.n, mean: round12(raw.mean), sd: round12(raw.sd), skewness: round12(raw.skewness) };
  const small = values.length >= meanRowsMin && values.length <= resampledRowsMax && raw.sd > 0;
  const range = possible === undefined || values.length === 0 ? null : rangeOf(values, possible);
  return { moments, resampled: small ? (bootstrapMean(values, { seed, alpha }) ?? null) : null, range };
}

export function rangeOf(values: Float64Array, { floor, ceiling }: { readonly floor: number; readonly ceiling: number }): MeanRange {
  let [smallest, largest] = [Infinity, -Infinity];
  for (const value of values) {
    smallest = Math.min(smallest, value);
    largest = Math.max(largest, value);
  }
  return { floor: round12(floor), smallest: round12(smallest), largest: round12(largest), ceiling: round12(ceiling) };
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

/** Stored extremes that no rows can have. */
export function isRange({ moments: { mean, n }, range }: MeanFigure): boolean {
  if (range === null || n === 0) return range === null;
  const slack = 1e-9 * Math.max(1, range.largest - range.smallest);
  return range.smallest <= mean + slack && mean <= range.largest + slack;
}

/**
 * The widest on each side of Hall's bounds with the skewness of the sample, with a larger one, of the bootstrap's, and of
 * what rows that were not seen could add; undefined with too few rows, with the bootstrap of another alpha, or without
 * spread.
 */
export function meanBounds(figure: MeanFigure, alpha: number): Bounds | undefined {
  const { moments, resampled } = figure;
  if (moments.n < meanRowsMin || !(moments.sd > 0)) return undefined;
  if (resampled !== null && resampled.alpha !== alpha) return undefined;
  return widestBounds(figure, alpha);
}

/** The same without asking whether there are rows and spread enough. */
export function widestBounds({ moments, resampled, range }: MeanFigure, alpha: number): Bounds {
  const { mean, sd } = moments;
  const found = sd > 0 ? [skewedMean(moments, alpha), skewedMean({ ...moments, skewness: likelySkewness(moments) }, alpha)] : [{ lower: mean, upper: mean }];
  if (resampled !== null) found.push(resampledBounds(resampled));
  if (range !== null) found.push(unseenBounds(moments, range, alpha));
  return { lower: Math.min(...found.map(({ lower }) => lower)), upper: Math.max(...found.map(({ upper }) => upper)) };
}

/**
 * Few rows show too little of their skewness, and the more there is the more is missing: by their own alone squared errors of 30 and 60
 * rows pass in 6 to 7 % of cases where 5 % are allowed. The factor is a fit to squared normal and exponential errors; it
 * falls with the square of the rows, so that from some hundred on nothing becomes wider.
 */
function likelySkewness({ n, skewness }: Moments): number {
  return skewness * (1 + (6 + (120 * skewness * skewness) / n) / n);
}

/**
 * A good model is confidently wrong so seldom that a few dozen rows may not show it once, and then all of them are equal
 * to almost nothing: their spread alone passed Brier scores at the limit in half of the cases. Losses beyond the largest
 * one seen have a share of at most 1 - alpha^(1 / n) ("rule of three"), and each is reckoned with the ceiling: 1 for Brier
 * scores, for log losses what a wrong answer costs on average.
 */
function unseenBounds({ n, mean }: Moments, { floor, smallest, largest, ceiling }: MeanRange, alpha: number): Bounds {
  const share = noEventsUpper(n, alpha);
  return { lower: mean - share * Math.max(0, smallest - floor), upper: mean + share * Math.max(0, ceiling - largest) };
}

/** How a record names these bounds. */
export function meanMethod({ resampled, range }: MeanFigure): string {
  return `hall-1992-t${resampled === null ? "" : "+bca"}${range === null ? "" : "+rule-of-three"}`;
}

/** Rows that decide at today's mean and spread with 80 % power. */
export function meanRowsNeeded({ moments, range }: MeanFigure, limit: Limit): number | undefined {
  const rows = rowsNeeded(moments.sd, moments.mean - limit.value, limit.alpha);
  const unseen = range === null ? 0 : range.ceiling - range.largest;
  const room = limit.value - moments.mean;
  if (rows === undefined || !(room > 0) || unseen <= room) return rows;
  return Math.max(rows, zeroEventTrials(room / unseen, limit.alpha));
}

/** The same for any figure whose standard error is `sd` over the root of the rows. */
export function rowsNeeded(sd: number, distance: number, alpha: number): number | undefined {
  const rows = (((normalQuantile(1 - alpha) + normalQuantile(power)) * sd) / distance) ** 2;
  return Number.isFinite(rows) && rows <= Number.MAX_SAFE_INTEGER ? Math.max(meanRowsMin, Math.ceil(rows)) : undefined;
}
