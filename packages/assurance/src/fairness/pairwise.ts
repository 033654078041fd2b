import { absoluteLower, absoluteUpper, type Signed } from "../stats/absolute.ts";
import { boundsOfMany, decideWorst, type Ends } from "../verdict/decide-worst.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";

/** The figure of two groups, and how its bounds and needs follow from an error rate. */
export interface Pair {
  readonly estimate: number;
  readonly ends: Ends;
  /** Factor by which all groups must grow to decide this pair. */
  readonly factor?: (alphas: { readonly pass: number; readonly fail: number }) => number | undefined;
}

export interface PairFamilies {
  readonly method: string;
  readonly pairs: readonly Pair[];
  /** Pairs that have no figure: counted in the correction, and no pass while there are any. */
  readonly undefinedPairs: number;
  /** Rows behind the figures today. */
  readonly rows: number;
}

/** Pairs further from the limit need fewer rows, so only the closest are projected. */
const projectedPairsMax = 20;

/**
 * Every pair must hold for a pass (intersection-union, no correction), one must break the limit after Bonferroni's
 * correction for a fail. Undefined pairs stay in the correction, so that an empty group never makes failing easier.
 */
export function decidePairs({ method, pairs, undefinedPairs, rows }: PairFamilies, limit: Limit): Outcome {
  if (pairs.length + undefinedPairs === 0) return silent("degenerate");
  if (pairs.length === 0) return silent("undefined_denominator");
  const alphas = { pass: limit.alpha, fail: limit.alpha / (pairs.length + undefinedPairs) };
  const below = limit.op === "<=";
  const judged = pairs.map((pair) => ({ pair, estimate: pair.estimate, ...boundsOfMany(pair.ends, limit, pairs.length + undefinedPairs) }));
  const required = () => {
    const open = judged.filter(({ lower, upper }) => (below ? upper > limit.value : lower < limit.value)).map(({ pair }) => pair);
    const factor = largestFactor(open, { alphas, limit });
    return factor === undefined ? undefined : Math.ceil(factor * rows);
  };
  return decideWorst(judged, limit, { method, open: undefinedPairs === 0 ? undefined : "undefined_denominator", required });
}

function largestFactor(open: readonly Pair[], { alphas, limit }: { readonly alphas: { readonly pass: number; readonly fail: number }; readonly limit: Limit }): number | undefined {
  const closest = open.toSorted((a, b) => Math.abs(a.estimate - limit.value) - Math.abs(b.estimate - limit.value)).slice(0, projectedPairsMax);
  const factors = closest.map((pair) => pair.factor?.(alphas));
  return factors.some((factor) => factor === undefined) ? undefined : Math.max(...factors.filter((factor) => factor !== undefined));
}

/** Of the size of a difference, whichever way round. */
export function absoluteEnds(estimate: number, signed: Signed): Ends {
  return { lower: (alpha) => absoluteLower(estimate, signed, alpha), upper: (alpha) => absoluteUpper(signed.bounds(alpha)) };
}

/** All pairs of a list. */
export function pairsOf<T>(values: readonly T[]): readonly (readonly [T, T])[] {
  return values.flatMap((first, index) => values.slice(index + 1).map((second) => [first, second] as const));
}
