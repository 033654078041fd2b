import { requireEqual } from "../performance/scored.ts";
import { type Moments, welch } from "../stats/moments.ts";
import { normalQuantile } from "../stats/normal.ts";
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
  const residuals = rows.scores.map((score, row) => (score >= 0 && score <= 1 ? (rows.positive[row] ?? 0) - score : Number.NaN));
  return measureMeans("fair.calibration", residuals, { grouping: rows.grouping, scale: 1 });
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

/** Two passes: means first, so that a large mean does not eat the spread. */
function measureMeans(check: MeanParityStatistics["check"], values: Float64Array, options: { readonly grouping: Grouping; readonly scale: number }): MeanParityStatistics {
  const { grouping, scale } = options;
  requireEqual({ values, group: grouping.codes });
  const width = grouping.names.length;
  const [n, sums, squares] = [new Float64Array(width), new Float64Array(width), new Float64Array(width)];
  const each = (visit: (group: number, value: number) => void) => {
    for (let row = 0; row < values.length; row += 1) {
      const [group, value] = [grouping.codes[row] ?? -1, (values[row] ?? Number.NaN) / scale];
      if (group >= 0 && Number.isFinite(value)) visit(group, value);
    }
  };
  each((group, value) => {
    n[group] = (n[group] ?? 0) + 1;
    sums[group] = (sums[group] ?? 0) + value;
  });
  each((group, value) => {
    squares[group] = (squares[group] ?? 0) + (value - (sums[group] ?? 0) / (n[group] ?? 1)) ** 2;
  });
  const groups = grouping.names.map((name, group) => {
    const count = n[group] ?? 0;
    return { name, n: count, mean: count === 0 ? 0 : round12((sums[group] ?? 0) / count), sd: count < 2 ? 0 : round12(Math.sqrt((squares[group] ?? 0) / (count - 1))) };
  });
  const assessed = groups.reduce((sum, { n: count }) => sum + count, 0);
  return { check, attempted: values.length, assessed, degenerate: null, groups, notes: meanNotes(groups) };
}

/**
 * Differences of means between groups against a limit with op `<=`, by Welch's interval. Groups with fewer than 30 rows
 * cannot be compared, and leave a pass open.
 */
export function decideMeanParity(statistics: MeanParityStatistics, limit: Limit): Outcome {
  const bad = unusable(limit) ?? (limit.op === "<=" ? undefined : silent("inconsistent_import"));
  const { groups, assessed } = statistics;
  const possible = groups.length <= groupsMax ** 2 && groups.every(({ n, sd }) => Number.isSafeInteger(n) && n >= 0 && sd >= 0) && groups.reduce((sum, { n }) => sum + n, 0) === assessed;
  const refused = bad ?? contradicted(possible);
  if (refused !== undefined) return refused;
  const all = pairsOf(statistics.groups);
  const large = all.filter(([first, second]) => Math.min(first.n, second.n) >= intersectionRowsMin && first.sd + second.sd > 0);
  const pairs = large.map(([first, second]) => {
    const [a, b] = [momentsOfGroup(first), momentsOfGroup(second)];
    return {
      estimate: Math.abs(first.mean - second.mean),
      ends: absoluteEnds(first.mean - second.mean, (level) => welch(a, b, level)),
      factor: (alphas: { readonly pass: number; readonly fail: number }) => {
        const distance = Math.abs(first.mean - second.mean) - limit.value;
        const z = normalQuantile(1 - (distance < 0 ? alphas.pass : alphas.fail)) + normalQuantile(power);
        return distance === 0 ? undefined : Math.max(1, (z / distance) ** 2 * (first.sd ** 2 / first.n + second.sd ** 2 / second.n));
      },
    };
  });
  return settle(decidePairs({ method: "welch-1947-absolute", pairs, undefinedPairs: all.length - large.length, rows: statistics.assessed }, limit), statistics);
}

function momentsOfGroup({ n, mean, sd }: GroupMean): Moments {
  return { n, mean, sd, skewness: 0 };
}

function meanNotes(groups: readonly GroupMean[]): readonly string[] {
  const small = groups.filter(({ n }) => n < intersectionRowsMin).map(({ name, n }) => `the group \`${name}\` has only ${n} rows and cannot be compared`);
  const sorted = groups.filter(({ n }) => n > 0).toSorted((a, b) => a.mean - b.mean);
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined || sorted.length < 2) return small;
  return [...small, `furthest apart: \`${low.name}\` ${low.mean.toPrecision(3)} over ${low.n} rows, \`${high.name}\` ${high.mean.toPrecision(3)} over ${high.n}`];
}
