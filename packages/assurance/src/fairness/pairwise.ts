import type { Bounds } from "../stats/proportion.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";

/** Two groups, their figure, and how its bounds and needs follow from an error rate. */
export interface Pair {
  readonly family: string;
  readonly first: string;
  readonly second: string;
  readonly estimate: number;
  readonly bounds: (alpha: number) => Bounds;
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
  const judged = pairs.map((pair) => {
    const [plain, corrected] = [pair.bounds(alphas.pass), pair.bounds(alphas.fail)];
    return { pair, estimate: pair.estimate, lower: below ? corrected.lower : plain.lower, upper: below ? plain.upper : corrected.upper };
  });
  const worst = below ? Math.max : Math.min;
  const of = (key: "estimate" | "lower" | "upper") => worst(...judged.map((each) => each[key]));
  const comparison = { method, estimate: of("estimate"), bounds: { lower: of("lower"), upper: of("upper") }, limit };
  const outcome = compared(comparison, () => {
    const open = judged.filter(({ lower, upper }) => (below ? upper > limit.value : lower < limit.value)).map(({ pair }) => pair);
    const factor = largestFactor(open, { alphas, limit });
    return factor === undefined ? undefined : Math.ceil(factor * rows);
  });
  if (undefinedPairs === 0 || outcome.verdict === "fail") return outcome;
  return { estimate: outcome.estimate, interval: outcome.interval, verdict: "insufficient_evidence", reason: "undefined_denominator" };
}

function largestFactor(open: readonly Pair[], { alphas, limit }: { readonly alphas: { readonly pass: number; readonly fail: number }; readonly limit: Limit }): number | undefined {
  const closest = open.toSorted((a, b) => Math.abs(a.estimate - limit.value) - Math.abs(b.estimate - limit.value)).slice(0, projectedPairsMax);
  const factors = closest.map((pair) => pair.factor?.(alphas));
  return factors.some((factor) => factor === undefined) ? undefined : Math.max(...factors.filter((factor) => factor !== undefined));
}

/** All pairs of a list. */
export function pairsOf<T>(values: readonly T[]): readonly (readonly [T, T])[] {
  return values.flatMap((first, index) => values.slice(index + 1).map((second) => [first, second] as const));
}
