import { crossing } from "../stats/crossing.ts";
import { normalCdf, normalQuantile } from "../stats/normal.ts";
import { orderOf } from "../stats/order.ts";
import type { Bounds } from "../stats/proportion.ts";
import type { Random } from "../stats/random.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { type CalibrationBin, expectedCalibrationError, massBins } from "./calibration-bins.ts";
import { calibrationLine } from "./calibration-line.ts";
import { spiegelhalter } from "./losses.ts";
import { finiteRows, type Scored } from "./scored.ts";
import { contradicted, type Evidence, isRate, settle, unusable } from "../verdict/settle.ts";

export const calibrationBins = 15;
/** The bounds rest on means within half a bin being about normal. */
const binRowsMin = 20;

/** A bin and that half of it that chooses signs for the lower bound. */
export interface HalvedBin extends CalibrationBin {
  readonly first: CalibrationBin;
}

export interface CalibrationStatistics extends Evidence {
  readonly bins: readonly HalvedBin[];
  readonly notes: readonly string[];
}

/** `calib.ece`: counts of equal-mass bins, and of every other row in them. Rows whose score is no probability are not assessed. */
export function measureCalibration(all: Scored, bins: number = calibrationBins): CalibrationStatistics {
  const scored = probabilities(all);
  const counted = countCalibration(all, bins);
  return { ...counted, notes: counted.assessed === 0 ? [] : calibrationNotes(scored, counted.bins) };
}

/** The same without sentences for people. */
export function countCalibration(all: Scored, bins: number = calibrationBins): Omit<CalibrationStatistics, "notes"> {
  const scored = probabilities(all);
  const rate = scored.positive.reduce((sum, label) => sum + label, 0);
  return {
    attempted: all.scores.length,
    assessed: scored.scores.length,
    degenerate: scored.scores.length > 0 && (rate === 0 || rate === scored.scores.length) ? "one_class" : null,
    bins: halvedBins(scored, orderOf(scored.scores), bins),
  };
}

function probabilities({ positive, scores }: Scored): Scored {
  return finiteRows({ positive, scores: scores.map((score) => (score >= 0 && score <= 1 ? score : Number.NaN)) });
}

function halvedBins({ positive, scores }: Scored, order: Uint32Array, bins: number): readonly HalvedBin[] {
  const empty = () => ({ n: 0, events: 0, sum: 0, first: { n: 0, events: 0, sum: 0 } });
  const found = Array.from({ length: bins }, empty);
  for (const [place, row] of order.entries()) {
    const bin = found[Math.floor((place * bins) / order.length)];
    if (bin === undefined) continue;
    const [event, p] = [positive[row] ?? 0, scores[row] ?? 0];
    bin.n += 1;
    bin.events += event;
    bin.sum += p;
    if (place % 2 === 1) continue;
    bin.first = { n: bin.first.n + 1, events: bin.first.events + event, sum: bin.first.sum + p };
  }
  return found.filter(({ n }) => n > 0).map((bin) => ({ ...bin, sum: round12(bin.sum), first: { ...bin.first, sum: round12(bin.first.sum) } }));
}

function calibrationNotes(scored: Scored, bins: readonly HalvedBin[]): readonly string[] {
  const { z, p } = spiegelhalter(scored);
  const line = calibrationLine(scored);
  const worst = bins.reduce((a, b) => (Math.abs(b.events - b.sum) > Math.abs(a.events - a.sum) ? b : a));
  return [
    `the plain error over ${bins.length} bins is ${expectedCalibrationError(bins).toPrecision(3)}: it is above 0 for a perfect model too`,
    `Spiegelhalter's z is ${z.toPrecision(3)} (p ${p.toPrecision(2)})`,
    line === undefined ? "the calibration line is undefined: the classes are separated, or there is one" : `calibration slope ${line.slope.toPrecision(3)}, intercept ${line.intercept.toPrecision(3)}`,
    `furthest off: ${worst.events} of ${worst.n} rows were positive where ${worst.sum.toPrecision(4)} were predicted`,
  ];
}

/** Distance of one bin from its predictions, its weight and the spread of that distance. */
interface Gap {
  readonly weight: number;
  readonly distance: number;
  readonly se: number;
}

function gapsOf(bins: readonly CalibrationBin[]): readonly Gap[] {
  const total = bins.reduce((sum, { n }) => sum + n, 0);
  return bins.map(({ n, events, sum }) => {
    // Half an event and half a non-event, so that a bin of one class keeps a spread.
    const rate = (events + 0.5) / (n + 1);
    return { weight: n / total, distance: (events - sum) / n, se: Math.sqrt((rate * (1 - rate)) / n) };
  });
}

/** Mean of |X| for X normal. */
function foldedMean(distance: number, se: number): number {
  const z = distance / se;
  return se * Math.sqrt(2 / Math.PI) * Math.exp((-z * z) / 2) + distance * (1 - 2 * normalCdf(-z));
}

/**
 * Expected calibration error without the part that noise adds: each bin's |distance| minus what normal noise of its
 * spread around that distance adds on average, at least 0. Source: Kumar, Liang & Ma 2019, appendix on l1, in closed form.
 */
export function debiasedError(bins: readonly CalibrationBin[]): number {
  const sum = gapsOf(bins).reduce((all, { weight, distance, se }) => all + weight * (2 * Math.abs(distance) - foldedMean(Math.abs(distance), se)), 0);
  return Math.max(0, sum);
}

/**
 * Bounds of the binned calibration error, each with confidence 1 - alpha.
 * Upper: the largest error that would still give a plain error as small as the one seen with probability alpha, in the
 * case that makes small ones likeliest (every bin equally many standard errors off). Lower: half of the rows choose each
 * bin's sign, the other half is summed with it, whose mean cannot exceed the true error.
 */
export function calibrationBounds(bins: readonly HalvedBin[], alpha: number): Bounds {
  const z = normalQuantile(1 - alpha);
  const gaps = gapsOf(bins);
  const plain = gaps.reduce((sum, { weight, distance }) => sum + weight * Math.abs(distance), 0);
  const scale = gaps.reduce((sum, { weight, se }) => sum + weight * se, 0);
  const spread = Math.sqrt(gaps.reduce((sum, { weight, se }) => sum + (weight * se) ** 2, 0));
  const critical = (error: number) => {
    const k = error / scale;
    const mean = foldedMean(k, 1);
    return scale * mean - z * spread * Math.sqrt(Math.max(0, 1 + k * k - mean * mean));
  };
  const upper = critical(1) <= plain ? 1 : crossing((error) => critical(error) > plain, 1, 0);
  return { lower: Math.max(0, signedSum(bins) - z * signedSpread(bins)), upper };
}

/** Sums are rounded to twelve digits, so that their difference can fall a hair below 0. */
const secondHalf = ({ n, events, sum, first }: HalvedBin): CalibrationBin => ({ n: n - first.n, events: events - first.events, sum: Math.min(n - first.n, Math.max(0, sum - first.sum)) });

function signedSum(bins: readonly HalvedBin[]): number {
  const halves = bins.map(secondHalf);
  const total = halves.reduce((sum, { n }) => sum + n, 0);
  return halves.reduce((sum, { events, sum: p }, index) => sum + (Math.sign((bins[index]?.first.events ?? 0) - (bins[index]?.first.sum ?? 0)) * (events - p)) / total, 0);
}

function signedSpread(bins: readonly HalvedBin[]): number {
  return Math.sqrt(gapsOf(bins.map(secondHalf)).reduce((sum, { weight, se }) => sum + (weight * se) ** 2, 0));
}

/** `calib.ece` against a limit with op `<=`; the estimate is the debiased error. */
export function decideCalibration(statistics: Omit<CalibrationStatistics, "notes">, limit: Limit): Outcome {
  const bad = unusable(limit) ?? (limit.op === "<=" ? undefined : silent("inconsistent_import"));
  return bad ?? contradicted(consistent(statistics)) ?? settle(outcomeOf(statistics.bins, limit), statistics);
}

function consistent({ bins, assessed }: Omit<CalibrationStatistics, "notes">): boolean {
  const possible = ({ n, events, sum }: CalibrationBin) => isRate(events, n) && sum >= 0 && sum <= n;
  return bins.every((bin) => possible(bin) && possible(bin.first) && possible(secondHalf(bin))) && bins.reduce((sum, { n }) => sum + n, 0) === assessed;
}

function outcomeOf(bins: readonly HalvedBin[], limit: Limit): Outcome {
  const n = bins.reduce((sum, bin) => sum + bin.n, 0);
  if (n === 0) return silent("too_few");
  const estimate = debiasedError(bins);
  const rowsMin = 2 * binRowsMin * calibrationBins;
  if (bins.some((bin) => bin.n < 2 * binRowsMin)) return { ...silent("too_few"), estimate, requiredN: rowsMin };
  const bounds = calibrationBounds(bins, limit.alpha);
  return compared({ method: "binned-l1-least-favourable", estimate, bounds, limit }, () => {
    const distance = Math.abs(estimate - limit.value);
    const reach = estimate <= limit.value ? bounds.upper - estimate : estimate - bounds.lower;
    return distance === 0 ? undefined : Math.max(rowsMin, Math.ceil(n * ((1.5 * reach) / distance) ** 2));
  });
}

/**
 * Consistency resampling: how often a perfectly calibrated model with these probabilities would show a plain error as
 * large. Source: Bröcker & Smith 2007. p = (1 + b) / (1 + B).
 */
export function consistencyP(scored: Scored, options: { readonly random: Random; readonly bins?: number; readonly replicates?: number }): number {
  const { random, bins = calibrationBins, replicates = 999 } = options;
  const seen = expectedCalibrationError(massBins(scored, bins));
  const sorted = scored.scores.toSorted();
  const drawn = new Float64Array(bins);
  let beyond = 0;
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    drawn.fill(0);
    for (let place = 0; place < sorted.length; place += 1) {
      const p = sorted[place] ?? 0;
      const bin = Math.floor((place * bins) / sorted.length);
      drawn[bin] = (drawn[bin] ?? 0) + (random.uniform() < p ? 1 : 0) - p;
    }
    const error = drawn.reduce((sum, gap) => sum + Math.abs(gap), 0) / sorted.length;
    if (error >= seen) beyond += 1;
  }
  return (1 + beyond) / (1 + replicates);
}
