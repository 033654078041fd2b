import { bca, bcaShape, quantile } from "../stats/bootstrap.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { bootstrapIndices, randomFrom } from "../stats/random.ts";
import type { Probe, Rows } from "../subject/probe.ts";
import { settle } from "../verdict/settle.ts";
import { compared, type Limit, type Outcome } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { meanOf, permutationIncreases, type PermutationOptions } from "./permutation.ts";

/** Sufficient statistics of explain.permutation: the share of importance that the named features have. */
export interface PermutationStatistics {
  readonly method: "exact" | "sampled";
  readonly attempted: number;
  readonly assessed: number;
  /** null where no feature has a positive importance. */
  readonly share: number | null;
  readonly z0: number;
  readonly acceleration: number;
  /** Quantiles of the bootstrap shares at equal steps from 0 to 1. */
  readonly quantiles: readonly number[];
  readonly importances: readonly { readonly name: string; readonly importance: number }[];
}

const replicates = 2000;
const quantileSteps = 400;
const rowsMin = 20;

/** Every (rows x features) figure that a replicate sums again: beyond, rows are drawn once. */
const rowsMax = 2000;

export interface ShareOptions extends PermutationOptions {
  readonly names: readonly string[];
  /** Names of the features whose share is limited: undeclared ones, or protected ones and their proxies. */
  readonly watched: readonly string[];
}

/**
 * Share of the watched features in the importance of all: sums of positive mean loss increases. BCa over the rows
 * (Efron 1987) with 2,000 replicates of the ratio itself. Rows without a score or truth are unassessed.
 */
export function* measurePermutation(rows: Rows, targets: ArrayLike<number>, options: ShareOptions): Probe<{ statistics: PermutationStatistics; notes: readonly string[] }> {
  const found = yield* permutationIncreases(rows, targets, options);
  const whole = Array.from({ length: rows.rows }, (_, row) => row).filter((row) => found.increases.every((each) => Number.isFinite(each[row] ?? Number.NaN)));
  const random = randomFrom(`${options.seed}/permutation-bootstrap`);
  const drawn = Uint32Array.from(whole);
  if (drawn.length > rowsMax) random.permute(drawn);
  const kept = drawn.subarray(0, rowsMax);
  const columns = found.increases.map((each) => Float64Array.from(kept, (row) => each[row] ?? 0));
  const watched = options.names.map((name) => options.watched.includes(name));
  const share = shareOf(columns.map(meanOf), watched);
  const shares = Float64Array.from({ length: replicates }, () => resampled(columns, watched, bootstrapIndices(random, new Uint32Array(kept.length)))).filter((value) => !Number.isNaN(value)).sort();
  const shape = bcaShape(share, shares, leaveOneOut(columns, watched));
  const importances = options.names.map((name, feature) => ({ name, importance: round12(meanOf(columns[feature] ?? new Float64Array(0))) })).toSorted((a, b) => b.importance - a.importance);
  const usable = !Number.isNaN(share) && shares.length === replicates && Number.isFinite(shape.z0);
  const statistics: PermutationStatistics = {
    method: found.method, attempted: rows.rows, assessed: whole.length, share: Number.isNaN(share) ? null : round12(share),
    z0: usable ? round12(shape.z0) : 0, acceleration: usable ? round12(shape.acceleration) : 0,
    quantiles: usable ? Array.from({ length: quantileSteps + 1 }, (_, step) => round12(quantile(shares, step / quantileSteps))) : [],
    importances: importances.slice(0, 200),
  };
  return { statistics, notes: importances.slice(0, 5).map(({ name, importance }) => `\`${name}\`: shuffling it costs ${importance.toPrecision(3)}${options.watched.includes(name) ? ", and it is watched" : ""}`) };
}

function shareOf(means: readonly number[], watched: readonly boolean[]): number {
  let [all, some] = [0, 0];
  for (const [feature, mean] of means.entries()) {
    if (mean <= 0) continue;
    all += mean;
    if (watched[feature] === true) some += mean;
  }
  return all === 0 ? Number.NaN : some / all;
}

function resampled(columns: readonly Float64Array[], watched: readonly boolean[], rows: Uint32Array): number {
  return shareOf(columns.map((column) => {
    let sum = 0;
    for (const row of rows) sum += column[row] ?? 0;
    return sum / rows.length;
  }), watched);
}

function leaveOneOut(columns: readonly Float64Array[], watched: readonly boolean[]): Float64Array {
  const n = columns[0]?.length ?? 0;
  const sums = columns.map((column) => meanOf(column) * n);
  return Float64Array.from({ length: n }, (_, row) => shareOf(sums.map((sum, feature) => (sum - (columns[feature]?.[row] ?? 0)) / Math.max(1, n - 1)), watched)).filter((value) => !Number.isNaN(value));
}

/** The share against its limit, by BCa bounds read from the kept quantiles. Too few rows, or no importance at all, decide nothing. */
export function decidePermutation(statistics: PermutationStatistics, limit: Limit): Outcome {
  const { share, assessed, quantiles, z0, acceleration } = statistics;
  const silent = (reason: string): Outcome => ({ estimate: share, interval: null, verdict: "insufficient_evidence", reason });
  if (assessed < rowsMin) return { ...silent("too_few"), requiredN: rowsMin };
  if (share === null) return silent("degenerate");
  const sorted = Float64Array.from(quantiles);
  if (sorted.length === 0) return silent("degenerate");
  const bounds = varied(sorted) ? bca({ z0, acceleration }, sorted, limit.alpha) : unvaried(share, assessed, limit.alpha);
  return settle(compared({ method: "bca", estimate: share, bounds: { lower: Math.min(bounds.lower, share), upper: Math.max(bounds.upper, share) }, limit }, () => undefined), statistics);
}

function varied(sorted: Float64Array): boolean {
  return sorted[0] !== sorted.at(-1);
}

/**
 * A bootstrap of rows that all say the same has no width, whatever their number. As wide as a rate that was never seen
 * in as many rows (Clopper-Pearson), so that few rows cannot pass by saying nothing.
 */
function unvaried(share: number, rows: number, alpha: number): { lower: number; upper: number } {
  const margin = clopperPearson(0, rows, alpha).upper;
  return { lower: Math.max(0, share - margin), upper: Math.min(1, share + margin) };
}
