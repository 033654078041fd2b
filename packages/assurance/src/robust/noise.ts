import { lastLayer, type Network } from "../onnx/network.ts";
import { decidedClass, outputsOf, rivalsOf } from "../onnx/rivals.ts";
import type { Link } from "../onnx/structure.ts";
import { normalCdf } from "../stats/normal.ts";
import { randomFrom, type Random } from "../stats/random.ts";
import type { Probe, Rows, Scores } from "../subject/probe.ts";
import { round12 } from "../verdict/round.ts";
import { contracted, dualNorm, marginOnly } from "./network-bounds.ts";
import type { ScenarioStatistics } from "./paired.ts";

/** A change of one row in place, at `start` of the data. Draws come from its own generator. */
export interface Corruption {
  readonly name: string;
  readonly apply: (data: Float32Array, start: number, random: Random) => void;
}

export interface CorruptionOptions {
  readonly seed: string;
  readonly threshold?: number;
}

/**
 * Accuracy of the rows as they are against the same rows changed, one draw per row so that rows stay independent.
 * Targets are indices of classes; NaN, and rows without a score before or after, are unassessed.
 */
export function* measureCorruptions(rows: Rows, targets: ArrayLike<number>, given: CorruptionOptions & { corruptions: readonly Corruption[] }): Probe<{ statistics: ScenarioStatistics; notes: readonly string[] }> {
  const clean = decisions(yield rows, given.threshold);
  const scenarios = [];
  const assessed = Array.from(clean, (decided, row) => decided >= 0 && !Number.isNaN(targets[row] ?? Number.NaN));
  for (const corruption of given.corruptions) {
    const random = randomFrom(`${given.seed}/corruption/${corruption.name}`);
    const data = Float32Array.from(rows.data);
    for (let row = 0; row < rows.rows; row += 1) corruption.apply(data.subarray(row * rows.columns, (row + 1) * rows.columns), 0, random);
    const changed = decisions(yield { ...rows, data }, given.threshold);
    let [lost, gained] = [0, 0];
    for (const [row, decided] of clean.entries()) {
      if (changed[row] === -1) assessed[row] = false;
      if (assessed[row] !== true) continue;
      const [before, after] = [decided === targets[row], changed[row] === targets[row]];
      lost += Number(before && !after);
      gained += Number(!before && after);
    }
    scenarios.push({ name: corruption.name, n: assessed.filter(Boolean).length, lost, gained });
  }
  const statistics: ScenarioStatistics = { attempted: rows.rows, assessed: assessed.filter(Boolean).length, scenarios };
  return { statistics, notes: scenarios.map(({ name, n, lost, gained }) => `${name}: ${lost} of ${n} rows became wrong, ${gained} became right`) };
}

function decisions(scores: Scores, threshold: number | undefined): readonly number[] {
  return Array.from({ length: scores.rows }, (_, row) => {
    const start = row * scores.columns;
    if (scores.scores.subarray(start, start + scores.columns).some((value) => Number.isNaN(value))) return -1;
    return decidedClass(scores.scores, { start, columns: scores.columns, ...(threshold === undefined ? {} : { threshold }) });
  });
}

/** Gaussian noise of `sigma` units per feature. */
export function gaussianNoise(sigma: number, scale: ArrayLike<number>): Corruption {
  return {
    name: `gaussian noise of ${sigma} standard deviations`,
    apply: (data, start, random) => {
      for (let feature = 0; feature < scale.length; feature += 1) data[start + feature] = (data[start + feature] ?? 0) + sigma * (scale[feature] ?? 0) * random.normal();
    },
  };
}

/** A share of the cells goes missing and is filled as the system fills gaps: by a fixed value, or NaN. */
export function missingCells(share: number, fill: ArrayLike<number>): Corruption {
  return {
    name: `${round12(share * 100)} % of cells missing`,
    apply: (data, start, random) => {
      for (let feature = 0; feature < fill.length; feature += 1) if (random.uniform() < share) data[start + feature] = fill[feature] ?? Number.NaN;
    },
  };
}

/** One drawn feature arrives in another unit. */
export function wrongUnit(factor: number, features: number): Corruption {
  return {
    name: `one feature times ${factor}`,
    apply: (data, start, random) => {
      const feature = start + random.below(features);
      data[feature] = (data[feature] ?? 0) * factor;
    },
  };
}

/** Two drawn features change places. */
export function swappedFeatures(features: number): Corruption {
  return {
    name: "two features swapped",
    apply: (data, start, random) => {
      const [first, second] = [start + random.below(features), start + random.below(features)];
      const value = data[first] ?? 0;
      data[first] = data[second] ?? 0;
      data[second] = value;
    },
  };
}

/**
 * Expected accuracy and flip rate of a linear model of two classes under Gaussian noise, in closed form: the margin
 * moves by a normal variable with the norm of the weights as its spread. Undefined for other models.
 */
export function gaussianOfLinear(given: { network: Network; link: Link; rows: Rows; targets: ArrayLike<number> }, options: { sigma: number; scale?: ArrayLike<number> }): { accuracy: number; flipRate: number } | undefined {
  const { network, rows } = given;
  const layer = lastLayer(network);
  const rule = { outputs: outputsOf({ kind: "network", network, link: given.link }), link: given.link };
  if (layer === undefined || network.layers.length > 0 || rule.outputs > 2) return undefined;
  const [towardsOne] = rivalsOf(rule, 1);
  if (towardsOne === undefined) return undefined;
  const weights = contracted(layer, towardsOne).weights.map((weight, feature) => weight * (options.scale?.[feature] ?? 1));
  const spread = options.sigma * dualNorm(weights, "l2");
  let [right, flipped] = [0, 0];
  for (let row = 0; row < rows.rows; row += 1) {
    const margin = marginOnly(network, towardsOne, Float64Array.from(rows.data.subarray(row * rows.columns, (row + 1) * rows.columns)));
    const positive = spread === 0 ? Number(margin >= 0) : normalCdf(margin / spread);
    right += given.targets[row] === 1 ? positive : 1 - positive;
    flipped += margin >= 0 ? 1 - positive : positive;
  }
  return { accuracy: right / rows.rows, flipRate: flipped / rows.rows };
}
