import { auc, aucBoundsOfFew, type PairCounts } from "../stats/auc.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { aucFactor, trialsNeeded } from "../stats/sample-size.ts";
import { compared, type Limit, type Outcome, silent } from "./outcome.ts";
import { type Assessed, settle } from "./settle.ts";

/** Events among n; without rows the rate has no denominator. */
export interface RateCounts {
  readonly events: number;
  readonly n: number;
}

/** One rate against a limit of either direction, by exact Clopper-Pearson bounds. */
export function decideRate({ events, n }: RateCounts, limit: Limit): Outcome {
  if (n === 0) return silent("undefined_denominator");
  const estimate = events / n;
  return compared({ method: "clopper-pearson", estimate, bounds: clopperPearson(events, n, limit.alpha), limit }, () => rateTrials(estimate, limit));
}

/** Rows that would decide a rate at today's estimate. */
export function rateTrials(estimate: number, { op, value, alpha }: Limit): number | undefined {
  return op === "<=" ? trialsNeeded(estimate, value, alpha) : trialsNeeded(1 - estimate, 1 - value, alpha);
}

/** The same under the rules that hold for every verdict. */
export function decideShare(share: RateCounts, assessed: Assessed, limit: Limit): Outcome {
  return settle(decideRate(share, limit), assessed);
}

/** An area under the ROC curve against a limit of either direction, by Newcombe's method 5 with Student's quantile. */
export function decideAuc(pairs: PairCounts, limit: Limit): Outcome {
  if (pairs.positives === 0 || pairs.negatives === 0) return silent("undefined_denominator");
  const estimate = auc(pairs);
  return compared({ method: "newcombe-2006-5-t", estimate, bounds: aucBoundsOfFew(estimate, pairs, limit.alpha), limit }, () => aucRows(estimate, pairs, limit));
}

function aucRows(estimate: number, pairs: PairCounts, { value, alpha }: Limit): number | undefined {
  const factor = aucFactor(estimate, pairs, { limit: value, alpha });
  return factor === undefined ? undefined : Math.ceil(factor * (pairs.positives + pairs.negatives));
}

/** A count over everything there is against a limit: nothing is inferred, so nothing is uncertain. */
export function decideExact(found: { readonly value: number; readonly method: string }, assessed: Assessed, limit: Limit): Outcome {
  const { value, method } = found;
  if (Number.isNaN(value)) return silent("undefined_denominator");
  const holds = limit.op === "<=" ? value <= limit.value : value >= limit.value;
  return settle({ estimate: value, interval: { method, level: 1, sides: 2, lower: value, upper: value }, verdict: holds ? "pass" : "fail" }, assessed);
}
