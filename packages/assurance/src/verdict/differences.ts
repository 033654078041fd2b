import type { CheckBasis } from "@licet/contract";
import { absoluteDifference } from "../stats/difference.ts";
import type { Bounds } from "../stats/proportion.ts";
import { differenceFactor } from "../stats/sample-size.ts";
import { compared, type Limit, type Outcome, silent } from "./outcome.ts";

type Differences = Extract<CheckBasis, { kind: "differences" }>;
type Family = Differences["families"][number];
type Group = Family["groups"][number];

/** Two groups and the bounds of their difference: `upper` serves a pass, `lower` (corrected for all pairs) a fail. */
export interface ComparedPair {
  readonly rate: Family["rate"];
  readonly first: Group;
  readonly second: Group;
  readonly estimate: number;
  readonly bounds: Bounds;
}

/**
 * Every pair of groups in every family of rates. One-sided Newcombe bounds of |difference|: the upper at `alpha`
 * (intersection-union test, no correction), the lower at `alpha` over the number of pairs (Bonferroni).
 */
export function comparePairs(families: readonly Family[], alpha: number): readonly ComparedPair[] {
  const pairs = families.flatMap(({ rate, groups }) =>
    groups.flatMap((first, index) => groups.slice(index + 1).map((second) => ({ rate, first, second }))),
  );
  return pairs.map(({ rate, first, second }) => ({
    rate,
    first,
    second,
    estimate: Math.abs(first.events / first.n - second.events / second.n),
    bounds: {
      lower: absoluteDifference(first, second, alpha / pairs.length).lower,
      upper: absoluteDifference(first, second, alpha).upper,
    },
  }));
}

/**
 * A group without denominator leaves its family undecided; a pair in another family can still fail.
 * No correction is taken off for undecided pairs, so that leaving a group empty never makes failing easier.
 */
export function decideDifferences(basis: Differences, limit: Limit): Outcome {
  const { families } = basis;
  if (families.length === 0 || families.some(({ groups }) => groups.length < 2)) return silent("degenerate");
  const undefinedRates = new Set(families.filter(({ groups }) => groups.some(({ n }) => n === 0)).map(({ rate }) => rate));
  const pairs = comparePairs(families, limit.alpha).filter(({ rate }) => !undefinedRates.has(rate));
  if (pairs.length === 0) return silent("undefined_denominator");
  const estimate = Math.max(...pairs.map((pair) => pair.estimate));
  const bounds = {
    lower: Math.max(...pairs.map((pair) => pair.bounds.lower)),
    upper: Math.max(...pairs.map((pair) => pair.bounds.upper)),
  };
  const outcome = compared({ method: "newcombe-1998-10-absolute", estimate, bounds, limit }, () => required(pairs, families, limit));
  if (undefinedRates.size === 0 || outcome.verdict === "fail") return outcome;
  return { estimate, interval: outcome.interval, verdict: "insufficient_evidence", reason: "undefined_denominator" };
}

/** Pairs further from the limit need fewer rows, so only the closest are projected. */
const projectedPairsMax = 20;

/** Rows that the rates are taken over, all groups together, in the proportions of today. */
function required(pairs: readonly ComparedPair[], families: readonly Family[], limit: Limit): number | undefined {
  const alphas = { limit: limit.value, alpha: limit.alpha, alphaFail: limit.alpha / pairs.length };
  const distance = ({ estimate }: ComparedPair) => Math.abs(estimate - limit.value);
  const open = pairs.filter((pair) => pair.bounds.upper > limit.value).toSorted((a, b) => distance(a) - distance(b));
  return largest(
    open.slice(0, projectedPairsMax).map((pair) => {
      const factor = differenceFactor(pair.first, pair.second, alphas);
      const rows = families.find(({ rate }) => rate === pair.rate)?.groups.reduce((sum, { n }) => sum + n, 0) ?? 0;
      return factor === undefined ? undefined : Math.ceil(factor * rows);
    }),
  );
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 || known.length < values.length ? undefined : Math.max(...known);
}
