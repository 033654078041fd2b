import { langReiczigel, roganGladen, youden, youdenMin } from "../stats/judge.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { settle, unassessedShareMax } from "../verdict/settle.ts";
import { assessedOf, rateOfShares } from "./decide-attempts.ts";
import type { Confusion } from "./judge/calibrate.ts";
import type { AttemptStatistics } from "./statistics.ts";

/** A rate that a judge saw, and how the judge errs on transcripts whose truth is known. */
export interface JudgedStatistics {
  readonly kind: "judged";
  readonly attempts: AttemptStatistics;
  /** null: nobody has established it. */
  readonly judge: Confusion | null;
}

/**
 * The verdict on a rate that only a judge could see: the rate corrected for the judge's errors (Rogan & Gladen 1978), with one-sided bounds
 * that carry the uncertainty of these errors, too (Lang & Reiczigel 2014), on the number of prompts. Without labelled transcripts
 * of both kinds, or with a judge hardly better than a coin (sensitivity + specificity - 1 below 0.2), nothing is concluded.
 * Assumes that the labelled transcripts are like those in question.
 */
export function decideJudged({ attempts, judge }: JudgedStatistics, limit: Limit): Outcome {
  if (attempts.attempted === 0) return silent("too_few");
  const rate = rateOfShares(attempts.clusters);
  if (rate.n === 0) return silent("undefined_denominator");
  if (attempts.unassessed > unassessedShareMax * attempts.attempted) return silent("unassessed_budget");
  if (!attempts.complete) return silent("aborted");
  // As in decideAttempts: a prompt is one observation, however often it was tried.
  const prompts = attempts.clusters.every(({ n }) => n === 1) ? rate.n : Math.min(rate.clusters, rate.nEffective);
  const counts = judge === null ? undefined : judgedCounts(rate.rate * prompts, prompts, judge);
  if (counts === undefined) return silent("undefined_denominator");
  if (!(youden(counts) >= youdenMin)) return silent("degenerate");
  const bounds = langReiczigel(counts, limit.alpha);
  const estimate = clipped(roganGladen(counts));
  const outcome = compared({ method: "rogan-gladen-lang-reiczigel", estimate, bounds: { lower: clipped(bounds.lower), upper: clipped(bounds.upper) }, limit }, () => undefined);
  return settle(outcome, assessedOf(attempts));
}

function judgedCounts(flagged: number, n: number, { truePositives, falseNegatives, trueNegatives, falsePositives }: Confusion) {
  const positives = truePositives + falseNegatives;
  const negatives = trueNegatives + falsePositives;
  if (positives === 0 || negatives === 0) return undefined;
  return { flagged, n, judge: { truePositives, positives, trueNegatives, negatives } };
}

function clipped(value: number): number {
  return Math.min(1, Math.max(0, value));
}
