import { isRange, type MeanRange, rangeOf, widestBounds } from "../performance/mean-figure.ts";
import { requireEqual } from "../performance/scored.ts";
import { momentsOf, welch } from "../stats/moments.ts";
import { normalQuantile } from "../stats/normal.ts";
import type { Bounds } from "../stats/proportion.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { contradicted, type Evidence, settle, unusable } from "../verdict/settle.ts";
import { type Grouping, groupsMax, intersectionRowsMin } from "./grouping.ts";
import { absoluteEnds, decidePairs, pairsOf } from "./pairwise.ts";

const power = 0.8;

/** Mean of one group's rows: of truth minus probability, or of a regression's errors. */
export interface GroupMean {
  readonly name: string;
  readonly n: number;
  readonly mean: number;
  readonly sd: number;
  readonly skewness: number;
  /** Of a calibration; null where a row can be anything. */
  readonly range: MeanRange | null;
}

export interface MeanParityStatistics extends Evidence {
  readonly check: "fair.calibration" | "fair.regression";
  readonly groups: readonly GroupMean[];
  readonly notes: readonly string[];
}

/**
 * `fair.calibration`: by group, how far the outcomes lie above the predicted probabilities on average. A model that is
 * right on average for one group and 10 points too low for another differs by 0.1.
 */
export function measureCalibrationParity(rows: { readonly positive: Uint8Array; readonly scores: Float64Array; readonly grouping: Grouping }): MeanParityStatistics {
  requireEqual({ positive: rows.positive, scores: rows.scores });
  const distances = rows.scores.map((score, row) => (score >= 0 && score <= 1 ? (rows.positive[row] ?? 0) - score : Number.NaN));
  return measureMeans("fair.calibration", distances, { grouping: rows.grouping, scale: 1 });
}

/**
 * `fair.regression`: by group, the mean error (truth minus prediction) or the mean absolute error, in standard deviations
 * of the truth, so that one limit serves every unit.
 */
export function measureRegressionParity(rows: { readonly truth: Float64Array; readonly predicted: Float64Array; readonly grouping: Grouping }, figure: "error" | "absolute_error"): MeanParityStatistics {
  requireEqual({ truth: rows.truth, predicted: rows.predicted });
  const errors = rows.truth.map((value, row) => value - (rows.predicted[row] ?? Number.NaN));
  const truth = rows.truth.filter((value) => Number.isFinite(value));
  const centre = truth.reduce((sum, value) => sum + value, 0) / truth.length;
  const scale = Math.sqrt(truth.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (truth.length - 1));
  return measureMeans("fair.regression", figure === "error" ? errors : errors.map(Math.abs), { grouping: rows.grouping, scale });
}

function measureMeans(check: MeanParityStatistics["check"], values: Float64Array, options: { readonly grouping: Grouping; readonly scale: number }): MeanParityStatistics {
  const { grouping, scale } = options;
  requireEqual({ values, group: grouping.codes });
  const counts = grouping.names.map(() => 0);
  const known = (row: number) => Number.isFinite(values[row]) && (grouping.codes[row] ?? -1) >= 0;
  for (let row = 0; row < values.length; row += 1) {
    const group = grouping.codes[row] ?? -1;
    if (known(row)) counts[group] = (counts[group] ?? 0) + 1;
  }
  const columns = counts.map((count) => new Float64Array(count));
  const next = counts.map(() => 0);
  for (let row = 0; row < values.length; row += 1) {
    const group = grouping.codes[row] ?? -1;
    const [column, place] = [columns[group], next[group] ?? 0];
    if (!known(row) || column === undefined) continue;
    column[place] = (values[row] ?? 0) / scale;
    next[group] = place + 1;
  }
  const groups = grouping.names.map((name, group) => groupMean(name, columns[group] ?? new Float64Array(), check));
  const assessed = groups.reduce((sum, { n }) => sum + n, 0);
  return { check, attempted: values.length, assessed, degenerate: null, groups, notes: meanNotes(groups) };
}

/** What happened lies within 1 of its probability. */
const residuals = { floor: -1, ceiling: 1 };

function groupMean(name: string, values: Float64Array, check: MeanParityStatistics["check"]): GroupMean {
  const { n, mean, sd, skewness } = momentsOf(values);
  const range = check === "fair.calibration" && n > 0 ? rangeOf(values, residuals) : null;
  return { name, n, mean: n === 0 ? 0 : round12(mean), sd: n < 2 ? 0 : round12(sd), skewness: n === 0 ? 0 : round12(skewness), range };
}

/**
 * Differences of means between groups against a limit with op `<=`, by the wider of Welch's interval and of that which
 * follows from the bounds of each group's own mean (MOVER). Groups with fewer than 30 rows cannot be compared, and leave
 * a pass open.
 */
export function decideMeanParity(statistics: MeanParityStatistics, limit: Limit): Outcome {
  const bad = unusable(limit) ?? (limit.op === "<=" ? undefined : silent("inconsistent_import"));
  const { groups, assessed } = statistics;
  const possible = groups.length <= groupsMax ** 2 && groups.every(isGroup) && groups.reduce((sum, { n }) => sum + n, 0) === assessed;
  const refused = bad ?? contradicted(possible);
  if (refused !== undefined) return refused;
  const all = pairsOf(groups.map(boundedMean));
  const large = all.filter(([first, second]) => Math.min(first.n, second.n) >= intersectionRowsMin && first.sd + second.sd > 0);
  const pairs = large.map(([first, second]) => {
    return {
      estimate: Math.abs(first.mean - second.mean),
      ends: absoluteEnds(first.mean - second.mean, { bounds: (level) => meanDifference(first, second, level), tolerance: 1e-4 }),
      factor: (alphas: { readonly pass: number; readonly fail: number }) => {
        const distance = Math.abs(first.mean - second.mean) - limit.value;
        const z = normalQuantile(1 - (distance < 0 ? alphas.pass : alphas.fail)) + normalQuantile(power);
        return distance === 0 ? undefined : Math.max(1, (z / distance) ** 2 * (first.sd ** 2 / first.n + second.sd ** 2 / second.n));
      },
    };
  });
  return settle(decidePairs({ method: "welch-1947+mover-hall-absolute", pairs, undefinedPairs: all.length - large.length, rows: statistics.assessed }, limit), statistics);
}

function isGroup({ n, mean, sd, skewness, range }: GroupMean): boolean {
  return Number.isSafeInteger(n) && n >= 0 && sd >= 0 && isRange({ moments: { n, mean, sd, skewness }, resampled: null, range });
}

interface BoundedMean extends GroupMean {
  readonly bounds: (alpha: number) => Bounds;
}

/** A group is compared with every other one: its bounds are computed once for each error rate. */
function boundedMean(group: GroupMean): BoundedMean {
  const { n, mean, sd, skewness, range } = group;
  const known = new Map<number, Bounds>();
  const bounds = (alpha: number) => {
    const found = known.get(alpha) ?? widestBounds({ moments: { n, mean, sd, skewness }, resampled: null, range }, alpha);
    known.set(alpha, found);
    return found;
  };
  return { ...group, bounds };
}

/**
 * Welch's interval knows no skewness: with 40 rows beside 400 and exponential errors it failed 8.6 % of models at their
 * limit, and passed 13 % of calibrations where hardly a row of 30 was positive.
 */
function meanDifference(first: BoundedMean, second: BoundedMean, alpha: number): Bounds {
  const plain = welch(first, second, alpha);
  const [one, two] = [first.bounds(alpha), second.bounds(alpha)];
  const estimate = first.mean - second.mean;
  return {
    lower: Math.min(plain.lower, estimate - Math.hypot(first.mean - one.lower, two.upper - second.mean)),
    upper: Math.max(plain.upper, estimate + Math.hypot(one.upper - first.mean, second.mean - two.lower)),
  };
}

function meanNotes(groups: readonly GroupMean[]): readonly string[] {
  const small = groups.filter(({ n }) => n < intersectionRowsMin).map(({ name, n }) => `the group \`${name}\` has only ${n} rows and cannot be compared`);
  const sorted = groups.filter(({ n }) => n > 0).toSorted((a, b) => a.mean - b.mean);
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined || sorted.length < 2) return small;
  return [...small, `furthest apart: \`${low.name}\` ${low.mean.toPrecision(3)} over ${low.n} rows, \`${high.name}\` ${high.mean.toPrecision(3)} over ${high.n}`];
}
