import { holm, newcombe, type Rate, type Table } from "../../packages/assurance/src/index.ts";
import { definedSpread, fairnessFigures, generalizedEntropy, impactRatios } from "../../packages/assurance/src/fairness/figures.ts";
import { countGroups, type GroupCounts, rateCounts, rates } from "../../packages/assurance/src/fairness/group-counts.ts";
import { groupingOf, intersect } from "../../packages/assurance/src/fairness/grouping.ts";
import { decideDifferences } from "../../packages/assurance/src/fairness/parity.ts";
import { pairsOf } from "../../packages/assurance/src/fairness/pairwise.ts";
import { fisherExact, homogeneity } from "../../packages/assurance/src/stats/contingency.ts";
import { compareFigures, type Figures, guarded, isFigures } from "./stats-figures.ts";
import { csv, json, type OracleOptions, type Tally } from "./tally.ts";

const rateNames = { selection_rate: "selection", tpr: "tpr", fpr: "fpr" } as const;
const alpha = 0.05;

/** Every figure of every split: counts and rates by group, differences, ratios, indices, tests and verdicts. */
export function compareFairness(tally: Tally, options: OracleOptions): void {
  const { cases, made_with: _, verdict_rule: __, ...unknown } = json(options, "fairness/expected.json") as Figures;
  for (const [section, value] of Object.entries(unknown)) tally.same(section, "not compared", value);
  for (const [name, splits] of Object.entries(isFigures(cases) ? cases : {})) {
    if (options.quick && name === "very_large_small_gap") continue;
    guarded(tally, name, () => {
      const table = csv(options, `fairness/${name}.csv`);
      for (const [split, row] of Object.entries(isFigures(splits) ? splits : {})) {
        guarded(tally, `${name} ${split}`, () => compareSplit(tally, `${name} ${split}`, { row: isFigures(row) ? row : {}, groups: groupsOf(table, split) }));
      }
    });
  }
}

/** `group`, or columns joined by `_x_`. */
function groupsOf(table: Table, split: string): readonly GroupCounts[] {
  const [first, ...others] = split.split("_x_").map((column) => groupingOf(table.cells(column)));
  if (first === undefined) throw new Error("a split without columns");
  const flags = (column: string) => Uint8Array.from(table.cells(column), (cell) => (cell === "1" ? 1 : 0));
  return countGroups({ positive: flags("y"), predicted: flags("yhat"), grouping: others.reduce(intersect, first) });
}

interface Split {
  readonly row: Figures;
  readonly groups: readonly GroupCounts[];
}

function compareSplit(tally: Tally, name: string, { row, groups }: Split): void {
  const fairlearn = fairnessFigures(groups, 0);
  const [tpr, fpr, selection] = [rates(groups, "tpr"), rates(groups, "fpr"), rates(groups, "selection")];
  const without = (values: readonly number[]) => groups.flatMap((group, index) => (Number.isNaN(values[index]) ? [group.name] : []));
  const entropies = Object.keys(row).flatMap((key) => /^generalized_entropy_alpha(.+)$/u.exec(key)?.[1] ?? []);
  const impact = impactRatios(groups);
  compareFigures(tally, name, {
    row,
    given: ["verdicts"],
    found: {
      groups: Object.fromEntries(groups.map((group) => [group.name, groupFigures(group, isFigures(row["groups"]) ? row["groups"][group.name] : undefined)])),
      fairlearn: {
        demographic_parity_difference: fairlearn.demographicParityDifference,
        demographic_parity_ratio: orZero(fairlearn.demographicParityRatio),
        equalized_odds_difference: fairlearn.equalizedOddsDifference,
        equalized_odds_difference_mean: fairlearn.equalizedOddsDifferenceMean,
        equalized_odds_ratio: orZero(fairlearn.equalizedOddsRatio),
        equal_opportunity_difference: fairlearn.equalOpportunityDifference,
        equal_opportunity_ratio: orZero(fairlearn.equalOpportunityRatio),
        demographic_parity_difference_to_overall: fairlearn.demographicParityDifferenceToOverall,
        accuracy_difference: fairlearn.accuracyDifference,
        accuracy_group_min: fairlearn.accuracyGroupMin,
      },
      fairlearn_caveat_zero_positive_group: groups.some(({ positives }) => positives === 0),
      equal_opportunity_difference_defined_groups: definedSpread(tpr),
      fpr_difference_defined_groups: definedSpread(fpr),
      undefined_groups: { tpr: without(tpr), fpr: without(fpr), selection_rate: without(selection) },
      selection_homogeneity: homogeneityFigures(groups),
      pairwise_selection_fisher: fisherFigures(groups),
      four_fifths: Object.fromEntries(groups.map((group, index) => [group.name, impact[index]])),
      aif360: isFigures(row["aif360"]) ? aif360(groups, String(row["aif360"]["privileged"])) : {},
      ...Object.fromEntries(entropies.map((order) => [`generalized_entropy_alpha${order}`, generalizedEntropy(groups, Number(order))])),
      theil_index_of_benefit: generalizedEntropy(groups, 1),
    },
  });
  for (const [key, wanted] of Object.entries(isFigures(row["verdicts"]) ? row["verdicts"] : {})) compareVerdict(tally, `${name} ${key}`, { key, wanted, groups });
}

function groupFigures(group: GroupCounts, expected: unknown): Figures {
  const rate = (name: Parameters<typeof rates>[1]) => rates([group], name)[0] ?? Number.NaN;
  const precision = rate("precision");
  return {
    n: group.n,
    positives: group.positives,
    selected: group.selected,
    selection_rate: rate("selection"),
    base_rate: group.positives / group.n,
    tp: group.tp,
    fp: group.selected - group.tp,
    tpr: rate("tpr"),
    fpr: rate("fpr"),
    accuracy: rate("accuracy"),
    precision: isFigures(expected) && expected["precision"] === 0 ? orZero(precision) : precision,
  };
}

function homogeneityFigures(groups: readonly GroupCounts[]): Figures {
  const test = homogeneity(groups.map(({ selected, n }) => [selected, n - selected]));
  return { chi2: test.statistic, dof: test.dof, p: test.p, min_expected: test.expectedMin };
}

function fisherFigures(groups: readonly GroupCounts[]): Figures {
  const pairs = rateCounts(groups, "selection").flatMap((first, index, all) => all.slice(index + 1).map((second) => ({ first, second })));
  const p = pairs.map(({ first, second }) => fisherExact(first, second));
  return { pairs: pairs.map(({ first, second }) => [first.name, second.name]), p, holm: holm(p) };
}

/** Fairlearn and AIF360 read a rate without denominator as 0, and a specificity too, which makes the false positive rate 1. */
function orZero(value: number, otherwise = 0): number {
  return Number.isNaN(value) ? otherwise : value;
}

/** Signed, the other group minus the privileged one. */
function aif360(groups: readonly GroupCounts[], privileged: string): Figures {
  const [at, other] = [groups.findIndex(({ name }) => name === privileged), groups.findIndex(({ name }) => name !== privileged)];
  const difference = (rate: "selection" | "tpr" | "fpr") => {
    const values = rates(groups, rate).map((value) => orZero(value, rate === "fpr" ? 1 : 0));
    return (values[other] ?? Number.NaN) - (values[at] ?? Number.NaN);
  };
  const selection = rates(groups, "selection");
  return {
    privileged,
    statistical_parity_difference: difference("selection"),
    disparate_impact_ratio: (selection[other] ?? Number.NaN) / (selection[at] ?? Number.NaN),
    equal_opportunity_difference: difference("tpr"),
    average_odds_difference: (difference("fpr") + difference("tpr")) / 2,
    average_odds_error: (Math.abs(difference("fpr")) + Math.abs(difference("tpr"))) / 2,
  };
}

interface Verdict {
  readonly key: string;
  readonly wanted: unknown;
  readonly groups: readonly GroupCounts[];
}

function compareVerdict(tally: Tally, name: string, { key, wanted, groups }: Verdict): void {
  const [, rateName, limit] = /^([a-z_]+)_difference<=(.*)$/u.exec(key) ?? [];
  const rate = Object.entries(rateNames).find(([each]) => each === rateName)?.[1];
  if (rate === undefined || !isFigures(wanted)) {
    tally.same(name, "not compared", wanted);
    return;
  }
  const counts = rateCounts(groups, rate);
  const rows = groups.reduce((sum, { n }) => sum + n, 0);
  const outcome = decideDifferences([counts], rows, { op: "<=", value: Number(limit), alpha, source: "oracle" });
  const pairs = counts.every(({ n }) => n > 0) ? pairsOf(counts) : [];
  const found = pairs.map(([first, second]) => ({
    pair: [first.name, second.name],
    diff: first.events / first.n - second.events / second.n,
    abs_upper_for_pass: signedBounds(first, second, alpha).upper,
    abs_lower_for_fail: signedBounds(first, second, alpha / pairs.length).lower,
  }));
  compareFigures(tally, name, { row: wanted, given: [], found: { verdict: outcome.verdict, pairs: found } });
}

/** The reference takes both ends of the signed interval; of ours the lower one shares its error rate between both tails near 0. */
function signedBounds(first: Rate, second: Rate, level: number): { readonly lower: number; readonly upper: number } {
  const { lower, upper } = newcombe(first, second, level);
  return { lower: Math.max(0, lower, -upper), upper: Math.max(upper, -lower) };
}
