import { absoluteDifferenceMethod, boundedRate } from "../stats/difference.ts";
import { koopman } from "../stats/ratio.ts";
import { differenceFactor, ratioFactor } from "../stats/sample-size.ts";
import { endsOf } from "../verdict/decide-worst.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { contradicted, type Evidence, isRate, settle, unusable } from "../verdict/settle.ts";
import { countGroups, type Decided, type GroupCounts, type GroupRate, rateCounts, type RateCount } from "./group-counts.ts";
import { groupsMax, intersectionRowsMin } from "./grouping.ts";
import { decidePairs, pairsOf } from "./pairwise.ts";
import { differenceEnds } from "./rate-ends.ts";

export type ParityCheck = "fair.parity" | "fair.opportunity" | "fair.odds" | "fair.accuracy" | "fair.fourfifths";

const ratesCompared: Readonly<Record<ParityCheck, readonly GroupRate[]>> = {
  "fair.parity": ["selection"],
  "fair.opportunity": ["tpr"],
  "fair.odds": ["tpr", "fpr"],
  "fair.accuracy": ["accuracy"],
  "fair.fourfifths": ["selection"],
};

/** What the figure of a check is. */
export function parityUnit(check: ParityCheck): string {
  if (check === "fair.fourfifths") return "smallest ratio of selection rates between groups";
  return `largest difference in ${ratesCompared[check].map((rate) => rateWords[rate]).join(" and ")} between groups`;
}

const rateWords: Readonly<Record<GroupRate, string>> = {
  selection: "selection rate",
  tpr: "true positive rate",
  fpr: "false positive rate",
  accuracy: "accuracy",
  precision: "precision",
};

/** Counts of every group that is compared; the small intersections that are not. */
export interface ParityStatistics extends Evidence {
  readonly check: ParityCheck;
  readonly groups: readonly GroupCounts[];
  readonly leftOut: readonly { readonly name: string; readonly n: number }[];
  readonly notes: readonly string[];
}

export interface ParityOptions {
  readonly check: ParityCheck;
  /** The grouping is an intersection: its groups with fewer than 30 rows are named and left out. */
  readonly intersection?: boolean;
}

/**
 * Counts of every group for a fairness check. Rows without a group count as not assessed. One pass over the columns.
 * Definitions: Dwork et al. 2012, Hardt, Price & Srebro 2016, as in Fairlearn.
 */
export function measureParity(decided: Decided, { check, intersection = false }: ParityOptions): ParityStatistics {
  const all = countGroups(decided);
  const groups = intersection ? all.filter(({ n }) => n >= intersectionRowsMin) : all;
  const leftOut = intersection ? all.filter(({ n }) => n < intersectionRowsMin).map(({ name, n }) => ({ name, n })) : [];
  const assessed = all.reduce((sum, { n }) => sum + n, 0);
  const selected = all.reduce((sum, group) => sum + group.selected, 0);
  return {
    check,
    attempted: decided.grouping.codes.length,
    assessed,
    degenerate: assessed > 0 && (selected === 0 || selected === assessed) ? "constant_predictions" : null,
    groups,
    leftOut,
    notes: [...ratesCompared[check].flatMap((rate) => rateNotes(rateCounts(groups, rate), rate)), ...leftOut.map(({ name, n }) => `the group \`${name}\` has only ${n} rows and is not compared`)],
  };
}

/**
 * Differences of rates against a limit with op `<=`, each by the exact bounds of both rates (MOVER); for `fair.fourfifths` ratios of
 * selection rates, both ways round, against a limit with op `>=` by Koopman's score bounds.
 */
export function decideParity(statistics: ParityStatistics, limit: Limit): Outcome {
  const ratio = statistics.check === "fair.fourfifths";
  const bad = unusable(limit) ?? (limit.op === (ratio ? ">=" : "<=") ? undefined : silent("inconsistent_import"));
  return bad ?? contradicted(consistent(statistics)) ?? settle(ratio ? decideRatios(statistics, limit) : decideDifferences(familiesOf(statistics), rowsOf(statistics.groups), limit), statistics);
}

function familiesOf({ check, groups }: ParityStatistics): readonly (readonly RateCount[])[] {
  return ratesCompared[check].map((rate) => rateCounts(groups, rate));
}

function consistent({ groups, leftOut, assessed }: ParityStatistics): boolean {
  const possible = ({ n, positives, selected, tp }: GroupCounts) => isRate(positives, n) && isRate(selected, n) && isRate(tp, Math.min(positives, selected)) && positives + selected - tp <= n;
  const rows = rowsOf(groups) + leftOut.reduce((sum, { n }) => sum + n, 0);
  return groups.length <= groupsMax ** 2 && groups.every(possible) && new Set(groups.map(({ name }) => name)).size === groups.length && rows === assessed;
}

/** Every pair of groups in every family of rates; `rows` are those behind the figures today. */
export function decideDifferences(families: readonly (readonly RateCount[])[], rows: number, limit: Limit): Outcome {
  const all = families.flatMap((counts) => definedPairs(counts.map((rate) => ({ ...rate, bounded: boundedRate(rate) }))));
  const defined = all.filter(({ defined: is }) => is);
  const pairs = defined.map(({ first, second }) => ({
    estimate: Math.abs(first.events / first.n - second.events / second.n),
    ends: differenceEnds(first.bounded, second.bounded),
    factor: (alphas: { readonly pass: number; readonly fail: number }) => differenceFactor(first, second, { limit: limit.value, alpha: alphas.pass, alphaFail: alphas.fail }),
  }));
  return decidePairs({ method: absoluteDifferenceMethod, pairs, undefinedPairs: all.length - defined.length, rows }, limit);
}

/** Of each pair both ratios: the smaller one can only be known with its interval. */
function decideRatios({ groups }: ParityStatistics, limit: Limit): Outcome {
  const all = definedPairs(rateCounts(groups, "selection"));
  const defined = all.filter(({ defined: is, first, second }) => is && first.events + second.events > 0);
  const pairs = defined.flatMap(({ first, second }) =>
    [[first, second], [second, first]].flatMap(([one, other]) =>
      one === undefined || other === undefined
        ? []
        : [{
            estimate: one.events / one.n / (other.events / other.n),
            ends: endsOf((alpha) => koopman(one, other, { alpha })),
            factor: (alphas: { readonly pass: number; readonly fail: number }) => ratioFactor(one, other, { floor: limit.value, alpha: alphas.pass, alphaFail: alphas.fail }),
          }],
    ),
  );
  return decidePairs({ method: "koopman-1984", pairs, undefinedPairs: 2 * (all.length - defined.length), rows: rowsOf(groups) }, limit);
}

function definedPairs<Counts extends RateCount>(counts: readonly Counts[]): readonly { readonly first: Counts; readonly second: Counts; readonly defined: boolean }[] {
  return pairsOf(counts).map(([first, second]) => ({ first, second, defined: first.n > 0 && second.n > 0 }));
}

function rowsOf(groups: readonly GroupCounts[]): number {
  return groups.reduce((sum, { n }) => sum + n, 0);
}

/** Groups without denominator, and the two groups furthest apart. */
function rateNotes(counts: readonly RateCount[], rate: GroupRate): readonly string[] {
  const empty = counts.filter(({ n }) => n === 0).map(({ name }) => `the group \`${name}\` has no rows for the ${rateWords[rate]}`);
  const sorted = counts.filter(({ n }) => n > 0).toSorted((a, b) => a.events / a.n - b.events / b.n);
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined || sorted.length < 2) return empty;
  return [...empty, `widest in the ${rateWords[rate]}: \`${low.name}\` ${low.events} of ${low.n}, \`${high.name}\` ${high.events} of ${high.n}`];
}
