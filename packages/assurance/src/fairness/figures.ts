import { type GroupCounts, rates } from "./group-counts.ts";

export interface FairnessFigures {
  readonly demographicParityDifference: number;
  readonly demographicParityRatio: number;
  readonly demographicParityDifferenceToOverall: number;
  readonly equalOpportunityDifference: number;
  readonly equalOpportunityRatio: number;
  readonly falsePositiveDifference: number;
  /** The larger of the differences in true and false positive rate. */
  readonly equalizedOddsDifference: number;
  readonly equalizedOddsDifferenceMean: number;
  readonly equalizedOddsRatio: number;
  readonly accuracyDifference: number;
  readonly accuracyGroupMin: number;
}

/**
 * Figures over all groups, with the names and definitions of Fairlearn, except that a group without denominator leaves
 * its rate undefined. `undefinedRate` puts a number there, to compare with tools that read such a group as 0.
 */
export function fairnessFigures(groups: readonly GroupCounts[], undefinedRate = Number.NaN): FairnessFigures {
  const defined = (rate: Parameters<typeof rates>[1]) => rates(groups, rate).map((value) => (Number.isNaN(value) ? undefinedRate : value));
  const [selection, tpr, fpr, accuracy] = [defined("selection"), defined("tpr"), defined("fpr"), defined("accuracy")];
  const overall = groups.reduce((sum, { selected }) => sum + selected, 0) / groups.reduce((sum, { n }) => sum + n, 0);
  return {
    demographicParityDifference: spread(selection),
    demographicParityRatio: ratio(selection),
    demographicParityDifferenceToOverall: Math.max(...selection.map((rate) => Math.abs(rate - overall))),
    equalOpportunityDifference: spread(tpr),
    equalOpportunityRatio: ratio(tpr),
    falsePositiveDifference: spread(fpr),
    equalizedOddsDifference: Math.max(spread(tpr), spread(fpr)),
    equalizedOddsDifferenceMean: (spread(tpr) + spread(fpr)) / 2,
    equalizedOddsRatio: Math.min(ratio(tpr), ratio(fpr)),
    accuracyDifference: spread(accuracy),
    accuracyGroupMin: Math.min(...accuracy),
  };
}

/** Largest difference of a rate among the groups that have it; NaN when fewer than two do. */
export function definedSpread(values: readonly number[]): number {
  const defined = values.filter((value) => !Number.isNaN(value));
  return defined.length < 2 ? Number.NaN : spread(defined);
}

/** Each group's selection rate over the highest one (EEOC's four-fifths rule reads 0.8); NaN when nobody is selected. */
export function impactRatios(groups: readonly GroupCounts[]): readonly number[] {
  const selection = rates(groups, "selection");
  const highest = Math.max(...selection);
  return selection.map((rate) => rate / highest);
}

/**
 * Generalised entropy of the benefits: 1 for a right decision, 2 for a false positive, 0 for a false negative. alpha 1 is
 * Theil's index, alpha 0 the mean log deviation (infinite with a false negative). Source: Speicher et al. 2018.
 */
export function generalizedEntropy(groups: readonly GroupCounts[], alpha: number): number {
  let [n, falsePositives, falseNegatives] = [0, 0, 0];
  for (const group of groups) {
    n += group.n;
    falsePositives += group.selected - group.tp;
    falseNegatives += group.positives - group.tp;
  }
  const mean = 1 + (falsePositives - falseNegatives) / n;
  const counts = [[2, falsePositives], [1, n - falsePositives - falseNegatives], [0, falseNegatives]] as const;
  const average = (term: (ratio: number) => number) => counts.reduce((sum, [benefit, count]) => (count === 0 ? sum : sum + (count * term(benefit / mean)) / n), 0);
  if (alpha === 1) return average((x) => (x === 0 ? 0 : x * Math.log(x)));
  if (alpha === 0) return average((x) => -Math.log(x));
  return average((x) => x ** alpha - 1) / (alpha * (alpha - 1));
}

function spread(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}

/** Smallest over largest; NaN when all are 0. */
function ratio(values: readonly number[]): number {
  return Math.min(...values) / Math.max(...values);
}
