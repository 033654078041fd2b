import { LicetError } from "@licet/contract";
import { onlyLayer, type Network } from "../onnx/network.ts";
import { outputsOf, rivalsOf, decidedClass } from "../onnx/rivals.ts";
import type { Structure } from "../onnx/structure.ts";
import { clopperPearson } from "../stats/proportion.ts";
import type { Rows, Scores } from "../subject/probe.ts";
import { rateTrials } from "../verdict/decide-rate.ts";
import { compared, type Limit, type Outcome } from "../verdict/outcome.ts";
import { figure, settle } from "../verdict/settle.ts";
import { type Distance, middle, nearest, type Norm } from "./distance.ts";
import { forestDistance } from "./forest-distance.ts";
import { networkDistance } from "./network-distance.ts";

export interface CertifyOptions {
  readonly norm: Norm;
  /** Size of one unit of distance per feature; 0 keeps a feature where it is. Default 1 each. */
  readonly scale?: ArrayLike<number>;
  readonly threshold?: number;
  readonly radiusMax?: number;
  /** Linear programs per row and rival, and boxes per decision: what runs out leaves a bracket. */
  readonly programsMax?: number;
  readonly boxesMax?: number;
}

/** `certificate` is `lower` less what 32-bit rounding of the row and the weights can take away. */
export interface Certified extends Distance {
  readonly certificate: number;
}

const bits32 = 2 ** -22;

/**
 * How far a row can be moved before the decision `decided` can change: exact for linear models (closed form), for tree
 * ensembles and small ReLU networks (branch and bound), a proven lower bound with an upper one otherwise.
 * Throws `model_unsupported` for a model that cannot be looked through.
 */
export function certify(structure: Structure, row: Float32Array, given: CertifyOptions & { decided: number }): Certified {
  if (structure.kind === "opaque") {
    throw new LicetError("model_unsupported", { message: `no certificate is possible: ${structure.reason}; use robust.evasion, which needs scores only` });
  }
  const scale = Float64Array.from(row, (_, feature) => given.scale?.[feature] ?? 1);
  const rule = { outputs: outputsOf(structure), link: structure.link, ...(given.threshold === undefined ? {} : { threshold: given.threshold }) };
  const radiusMax = given.radiusMax ?? 3;
  const rivals = rivalsOf(rule, given.decided);
  const distance = nearest(rivals.map((rival) => {
    if (structure.kind === "forest") {
      const found = forestDistance(structure.forest, rival, { row: Float64Array.from(row), scale, radiusMax, boxesMax: given.boxesMax ?? 20_000 });
      return given.norm === "linf" || found.upper === Infinity ? found : { ...found, upper: Infinity };
    }
    const stretched = stretchedNetwork(structure.network, row, scale);
    return networkDistance(stretched, rival, { row: new Float64Array(row.length), norm: given.norm, radiusMax, programsMax: given.programsMax ?? 2000 });
  }));
  return { ...distance, certificate: Math.max(0, distance.lower - slack(row, scale, distance.lower)) };
}

/** Steps in units instead of features: the row becomes zero. */
function stretchedNetwork(network: Network, row: Float32Array, scale: Float64Array): Network {
  const moved = (layer: Network["layers"][number]) => {
    const bias = Float64Array.from(layer.bias);
    const weights = layer.weights.map((weight, index) => {
      const [output, feature] = [Math.floor(index / layer.columns), index % layer.columns];
      bias[output] = (bias[output] ?? 0) + weight * (row[feature] ?? Number.NaN);
      return weight * (scale[feature] ?? 1);
    });
    return { ...layer, weights, bias };
  };
  const [first, ...rest] = network.layers;
  if (first !== undefined) return { ...network, layers: [moved(first), ...rest] };
  const only = onlyLayer(network);
  if (only === undefined) throw new LicetError("model_unsupported", { message: "no certificate is possible: the model takes too many features; use robust.evasion, which needs scores only" });
  return { ...network, last: moved(only) };
}

function slack(row: Float32Array, scale: Float64Array, lower: number): number {
  if (lower === Infinity) return 0;
  let most = 0;
  for (const [feature, value] of row.entries()) {
    const unit = scale[feature] ?? 0;
    if (unit > 0) most = Math.max(most, (Math.abs(value) + lower * unit) / unit);
  }
  return bits32 * Math.max(most, lower);
}

/**
 * Sufficient statistics of robust.certified. `certified` rows are rightly decided and proven beyond `epsilon`; `broken`
 * are wrong, or have a change within it; the others are open.
 */
export interface CertifiedStatistics {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly attempted: number;
  readonly assessed: number;
  readonly correct: number;
  readonly certified: number;
  readonly broken: number;
  readonly medianLower: number | null;
  readonly medianUpper: number | null;
}

export interface CertifiedInput {
  readonly structure: Structure;
  readonly rows: Rows;
  readonly scores: Scores;
  /** Index of the true class per row; NaN leaves a row out. */
  readonly targets: ArrayLike<number>;
}

/** Certifies every row. Rows without a truth or a score are unassessed. */
export function measureCertified(input: CertifiedInput, options: CertifyOptions & { epsilon: number }): { statistics: CertifiedStatistics; notes: readonly string[] } {
  const { rows, scores } = input;
  const [lowers, uppers]: [number[], number[]] = [[], []];
  const counts = { assessed: 0, correct: 0, certified: 0, broken: 0, exact: 0 };
  for (let row = 0; row < rows.rows; row += 1) {
    const target = input.targets[row] ?? Number.NaN;
    const start = row * scores.columns;
    if (Number.isNaN(target) || scores.scores.subarray(start, start + scores.columns).some((value) => Number.isNaN(value))) continue;
    counts.assessed += 1;
    const decided = decidedClass(scores.scores, { start, columns: scores.columns, ...(options.threshold === undefined ? {} : { threshold: options.threshold }) });
    if (decided !== target) {
      counts.broken += 1;
      continue;
    }
    counts.correct += 1;
    const found = certify(input.structure, rows.data.subarray(row * rows.columns, (row + 1) * rows.columns), { ...options, decided });
    lowers.push(found.certificate);
    uppers.push(found.upper);
    if (found.certificate > options.epsilon) counts.certified += 1;
    else if (found.upper <= options.epsilon) counts.broken += 1;
  }
  const statistics: CertifiedStatistics = {
    norm: options.norm, epsilon: options.epsilon, attempted: rows.rows, assessed: counts.assessed, correct: counts.correct,
    certified: counts.certified, broken: counts.broken, medianLower: figure(middle(lowers)), medianUpper: figure(middle(uppers)),
  };
  return { statistics, notes: notesOf(statistics) };
}

function notesOf(s: CertifiedStatistics): readonly string[] {
  const open = s.assessed - s.certified - s.broken;
  return [
    `${s.certified} of ${s.assessed} rows are rightly decided and proven against every change within ${s.epsilon} (${s.norm})`,
    ...(open > 0 ? [`${open} rows are open: neither a proof nor a change was found within the limits of the search`] : []),
    ...(s.medianLower === null ? [] : [`half of the rightly decided rows are proven up to ${s.medianLower.toPrecision(3)}`]),
  ];
}

/**
 * Certified accuracy against a floor. Pass by the lower bound of the proven share; fail by the upper bound of the share
 * that is not broken, so that open rows never decide. Exact one-sided Clopper-Pearson bounds over the rows.
 */
export function decideCertified(statistics: CertifiedStatistics, limit: Limit): Outcome {
  const { assessed, certified, broken } = statistics;
  if (assessed === 0) return { estimate: null, interval: null, verdict: "insufficient_evidence", reason: "too_few" };
  const share = (value: number) => (limit.op === ">=" ? value : assessed - value);
  const [least, most] = [certified, assessed - broken];
  const low = clopperPearson(Math.min(share(least), share(most)), assessed, limit.alpha).lower;
  const high = clopperPearson(Math.max(share(least), share(most)), assessed, limit.alpha).upper;
  const estimate = share(certified) / assessed;
  const outcome = compared({ method: "clopper-pearson-bracket", estimate, bounds: { lower: low, upper: high }, limit }, () =>
    certified + broken < assessed ? undefined : rateTrials(estimate, limit),
  );
  return settle(outcome, statistics);
}
