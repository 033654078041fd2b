import { confidentJoint, confidentThresholds, type LabelledProbabilities } from "../../packages/assurance/src/data/confident-joint.ts";
import { findLabelIssues, type IssueRule } from "../../packages/assurance/src/data/label-issues.ts";
import { confidenceWeightedEntropy, normalisedMargin, selfConfidence } from "../../packages/assurance/src/data/label-quality.ts";
import { fromColumns } from "../../packages/assurance/src/linear/matrix.ts";
import { auc, countPairs } from "../../packages/assurance/src/stats/auc.ts";
import { numericColumn } from "../../packages/assurance/src/table/cast.ts";
import { csv, json, type OracleOptions, type Tally } from "./tally.ts";

interface Issues {
  readonly count: number;
  readonly recall: number | string;
  readonly precision: number | string;
  readonly indices: readonly number[];
}

interface Quality {
  readonly first5: readonly number[];
  readonly auc_flipped: number | string;
}

interface Case {
  readonly data: LabelledProbabilities;
  /** Rows whose given label is not the true one. */
  readonly flipped: ReadonlySet<number>;
}

const qualities: Readonly<Record<string, (data: LabelledProbabilities) => Float64Array>> = {
  quality_self_confidence: selfConfidence,
  quality_normalized_margin: normalisedMargin,
  quality_confidence_weighted_entropy: confidenceWeightedEntropy,
};

const rules: readonly IssueRule[] = ["prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given"];

export function compareLabels(tally: Tally, options: OracleOptions): void {
  const { cases } = json(options, "labels/expected.json") as { readonly cases: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  for (const [name, figures] of Object.entries(cases)) {
    try {
      const found = readCase(options, name);
      for (const [key, expected] of Object.entries(figures)) compareFigure(tally, found, { name, key, expected });
    } catch (error) {
      tally.same(`${name} runs`, error instanceof Error ? error.message : String(error), "no failure");
    }
  }
}

function readCase(options: OracleOptions, name: string): Case {
  const table = csv(options, `labels/${name}.csv`);
  const given = numericColumn(table, "given_label");
  const truth = numericColumn(table, "true_label");
  const columns = table.columns.filter((column) => /^p\d+$/u.test(column));
  return {
    data: { labels: Uint32Array.from(given), probabilities: fromColumns(columns.map((column) => numericColumn(table, column))) },
    flipped: new Set([...given.keys()].filter((row) => given[row] !== truth[row])),
  };
}

/** Figures that are one number or one table. */
const single: Readonly<Record<string, (found: Case) => unknown>> = {
  n: ({ data }) => data.labels.length,
  classes: ({ data }) => data.probabilities.columns,
  flipped: ({ flipped }) => flipped.size,
  confident_joint_calibrated: ({ data }) => confidentJoint(data).calibrated,
  confident_joint_uncalibrated: ({ data }) => confidentJoint(data).counted,
};

const rates: Readonly<Record<string, (found: Case) => number>> = {
  estimated_noise_rate: ({ data }) => confidentJoint(data).noiseRate,
  true_noise_rate: ({ data, flipped }) => flipped.size / data.labels.length,
};

function compareFigure(tally: Tally, found: Case, { name, key, expected }: { name: string; key: string; expected: unknown }): void {
  const at = `${name} ${key}`;
  const { data, flipped } = found;
  const rule = rules.find((each) => each === key);
  const quality = qualities[key];
  const rate = rates[key];
  if (rule !== undefined) compareIssues(tally, { at, found: findLabelIssues(data, rule), flipped }, expected as Issues);
  else if (quality !== undefined) compareQuality(tally, { at, scores: quality(data), flipped }, expected as Quality);
  else if (rate !== undefined) tally.near(at, rate(found), expected as number);
  else if (key === "thresholds") {
    const thresholds = confidentThresholds(data);
    for (const [index, value] of (expected as readonly number[]).entries()) tally.near(`${at} ${index}`, thresholds[index] ?? Number.NaN, value);
  } else tally.same(at, single[key]?.(found) ?? "not computed", expected);
}

function compareIssues(tally: Tally, { at, found, flipped }: { at: string; found: readonly number[]; flipped: ReadonlySet<number> }, expected: Issues): void {
  const hits = found.filter((row) => flipped.has(row)).length;
  tally.same(`${at} rows`, found, expected.indices);
  tally.same(`${at} count`, found.length, expected.count);
  tally.near(`${at} recall`, hits / flipped.size, expected.recall);
  tally.near(`${at} precision`, hits / found.length, expected.precision);
}

function compareQuality(tally: Tally, { at, scores, flipped }: { at: string; scores: Float64Array; flipped: ReadonlySet<number> }, expected: Quality): void {
  for (const [index, value] of expected.first5.entries()) tally.near(`${at} ${index}`, scores[index] ?? Number.NaN, value);
  const pairs = countPairs(Array.from(scores, (score) => -score), Array.from(scores, (_, row) => flipped.has(row)));
  tally.near(`${at} auc`, auc(pairs), expected.auc_flipped);
}
