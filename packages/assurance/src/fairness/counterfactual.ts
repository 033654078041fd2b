import { LicetError } from "@licet/contract";
import { contradicted, type Evidence, isRate, settle, unusable } from "../verdict/settle.ts";
import { type Cluster, clusteredClopperPearson, clusteredRate } from "../stats/clustered.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { trialsNeeded } from "../stats/sample-size.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";

/** More answers per row than this are no flips of one attribute. */
const alternativesMax = 1000;

/** Answers of a model to rows as they are: one class per row. */
export type Answer = (rows: readonly Float32Array[]) => readonly number[];

export interface CounterfactualStatistics extends Evidence {
  /** Rows with at least one alternative answered: the clusters. */
  readonly clusters: number;
  /** Answers to alternatives, and how many of them differ from the answer to the row itself. */
  readonly n: number;
  readonly events: number;
  /** How many independent answers would know as much. */
  readonly nEffective: number;
  readonly notes: readonly string[];
}

export interface Flip {
  readonly name: string;
  /** Index of the feature, and every value that it is set to. */
  readonly features: readonly { readonly index: number; readonly values: readonly number[] }[];
}

/**
 * `fair.counterfactual`: asks again with the protected attribute (or its proxies, several features moved together) set
 * to its other values, and counts answers that change. Alternatives of one row are one cluster. An answer that is no
 * number is not counted. Source: Kusner et al. 2017, in the weaker form of a direct flip.
 */
export function measureCounterfactual(answer: Answer, rows: readonly Float32Array[], flip: Flip): CounterfactualStatistics {
  const asking = counterfactuals(rows, flip);
  let step = asking.next();
  while (step.done !== true) step = asking.next(answer(step.value));
  return step.value;
}

/** The same for something that answers later: yields rows and gets their answers back. */
export function* counterfactuals(rows: readonly Float32Array[], flip: Flip): Generator<readonly Float32Array[], CounterfactualStatistics, readonly number[]> {
  const count = choicesOf(flip);
  const before = yield rows;
  const clusters = rows.map(() => ({ events: 0, n: 0 }));
  for (let choice = 0; choice < count; choice += 1) {
    const moved = rows.map((row) => moveTo(row, flip, choice));
    const after = yield moved.map(({ row }) => row);
    const answered = (index: number) => moved[index]?.changed === true && Number.isFinite(before[index]) && Number.isFinite(after[index]);
    for (const [index, cluster] of clusters.entries()) {
      if (!answered(index)) continue;
      cluster.n += 1;
      if (before[index] !== after[index]) cluster.events += 1;
    }
  }
  return statisticsOf(clusters, { attempted: rows.length, answers: before, name: flip.name });
}

function choicesOf({ name, features }: Flip): number {
  const count = features[0]?.values.length ?? 0;
  if (count > 0 && count <= alternativesMax && features.every(({ values }) => values.length === count)) return count;
  throw new LicetError("table_value_invalid", { message: `the flip \`${name}\` must give every feature the same number of values, 1 to ${alternativesMax}` });
}

function moveTo(row: Float32Array, flip: Flip, choice: number): { readonly row: Float32Array; readonly changed: boolean } {
  const moved = Float32Array.from(row);
  let changed = false;
  for (const { index, values } of flip.features) {
    const value = Math.fround(values[choice] ?? Number.NaN);
    if (moved[index] !== value) changed = true;
    moved[index] = value;
  }
  return { row: moved, changed };
}

function statisticsOf(clusters: readonly Cluster[], { attempted, answers, name }: { readonly attempted: number; readonly answers: readonly number[]; readonly name: string }): CounterfactualStatistics {
  const rate = clusteredRate(clusters);
  const flipped = clusters.filter(({ events }) => events > 0).length;
  const numbers = answers.filter((value) => Number.isFinite(value));
  return {
    attempted,
    assessed: rate.clusters,
    degenerate: numbers.length > 0 && numbers.every((value) => value === numbers[0]) && rate.events === 0 ? "constant_predictions" : null,
    clusters: rate.clusters,
    n: rate.n,
    events: rate.events,
    nEffective: rate.n === 0 ? 0 : round12(rate.nEffective),
    notes: [`\`${name}\` changes the answer of ${flipped} of ${rate.clusters} rows`],
  };
}

/**
 * The share of changed answers against a limit with op `<=`. The bound that a fail needs is Clopper-Pearson's on the
 * effective number of answers. For the one that a pass needs a row is one observation, however many alternatives it has:
 * rare rows of which every alternative flips, and which the sample may lack, would otherwise let occasional flips of the
 * others pass (false passes of 8 % where 5 % are allowed, 60 rows with ten alternatives).
 */
export function decideCounterfactual(statistics: CounterfactualStatistics, limit: Limit): Outcome {
  const bad = unusable(limit) ?? (limit.op === "<=" ? undefined : silent("inconsistent_import"));
  const { events, n, nEffective } = statistics;
  const refused = bad ?? contradicted(isRate(events, n) && statistics.clusters === statistics.assessed && nEffective >= 0 && nEffective <= n);
  if (refused !== undefined) return refused;
  if (n === 0) return settle(silent("undefined_denominator"), statistics);
  const rate = events / n;
  const effective = clusteredClopperPearson({ ...statistics, rate, variance: 0, designEffect: n / nEffective, nEffective }, limit.alpha);
  const rows = Math.min(statistics.clusters, nEffective);
  const bounds = { lower: effective.lower, upper: clopperPearson(rate * rows, rows, limit.alpha).upper };
  const outcome = compared({ method: "clopper-pearson-clustered", estimate: rate, bounds, limit }, () => {
    const needed = trialsNeeded(rate, limit.value, limit.alpha);
    return needed === undefined ? undefined : Math.ceil((needed * statistics.clusters) / (rate < limit.value ? rows : nEffective));
  });
  return settle(outcome, statistics);
}
