import { clusteredClopperPearson, clusteredRate, type ClusteredRate } from "../stats/clustered.ts";
import { type Bounds, clopperPearson } from "../stats/proportion.ts";
import { sequentialEvidence } from "../stats/sequential.ts";
import { rateTrials } from "../verdict/decide-rate.ts";
import { compared, type Interval, type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { type Assessed, settle, withheld } from "../verdict/settle.ts";
import type { AttemptStatistics, ClusterCount } from "./statistics.ts";

/**
 * The verdict on a rate of attempts, from counts alone. Fixed plans: one-sided Clopper-Pearson bounds. The bound that a pass needs takes the
 * prompt as one observation, its share of events, however often it was tried: a rare kind of prompt that always succeeds, and is not in the
 * sample, would otherwise let repeats of harmless ones pass (false passes of 26 % where 5 % are allowed, 30 prompts tried 10 times). The bound
 * that a fail needs uses the effective number of attempts (Korn & Graubard 1998). Sequential plans: two e-processes (Ville), which may be
 * looked at after every prompt. No answers, too many attempts without an answer, and a plan that was broken off are never a pass.
 */
export function decideAttempts(statistics: AttemptStatistics, limit: Limit): Outcome {
  const problem = inconsistent(statistics);
  if (problem) return silent("inconsistent_import");
  if (statistics.attempted === 0) return silent("too_few");
  const rate = rateOf(statistics.clusters);
  const raw = rate.n === 0 ? silent("undefined_denominator") : outcomeOf(statistics, rate, limit);
  return finished(settle(raw, assessedOf(statistics)), statistics.complete);
}

/** A run that was broken off decides nothing. */
export function finished(outcome: Outcome, complete: boolean): Outcome {
  return complete || outcome.verdict === "insufficient_evidence" ? outcome : withheld(outcome, "aborted");
}

export function assessedOf({ attempted, unassessed }: { readonly attempted: number; readonly unassessed: number }): Assessed {
  return { attempted, assessed: attempted - unassessed };
}

/** Effective size and rate over clusters. */
export function rateOf(clusters: readonly ClusterCount[]): ClusteredRate {
  return clusteredRate(clusters.flatMap(({ events, n, count }) => Array.from({ length: count }, () => ({ events, n }))));
}

function outcomeOf(statistics: AttemptStatistics, rate: ClusteredRate, limit: Limit): Outcome {
  const { clusters } = statistics;
  if (statistics.design === "sequential") return decideSequential(clusters, rate, limit);
  const single = clusters.every(({ n }) => n === 1);
  const below = limit.op === "<=";
  const counted = below ? clusters : clusters.map(({ events, n, count }) => ({ events: n - events, n, count }));
  const bounds = mirrored(single ? clopperPearson(sharesOf(counted), rate.clusters, limit.alpha) : clusteredBounds(counted, limit.alpha), below);
  const estimate = sharesOf(clusters) / rate.clusters;
  const method = single ? "clopper-pearson" : "clopper-pearson-clustered";
  return compared({ method, estimate, bounds, limit }, () => rateTrials(estimate, limit));
}

/** Sum over prompts of their share of attempts with the event. */
function sharesOf(clusters: readonly ClusterCount[]): number {
  return clusters.reduce((sum, { events, n, count }) => sum + (count * events) / n, 0);
}

/** For a ceiling: above by prompts, below by effective attempts. */
function clusteredBounds(clusters: readonly ClusterCount[], alpha: number): Bounds {
  const rate = rateOfShares(clusters);
  const prompts = Math.min(rate.clusters, rate.nEffective);
  return {
    lower: clusteredClopperPearson(rate, alpha).lower,
    upper: clopperPearson(rate.rate * prompts, prompts, alpha).upper,
  };
}

/**
 * Every prompt with the same weight, however often it was tried: weighed by attempts, a few prompts that were tried often
 * and succeed would fail a model that is at its limit half of the time.
 */
export function rateOfShares(clusters: readonly ClusterCount[]): ClusteredRate {
  const prompts = clusters.reduce((sum, { count }) => sum + count, 0);
  const attempts = clusters.reduce((sum, { n, count }) => sum + n * count, 0);
  const each = attempts / prompts;
  return clusteredRate(clusters.flatMap(({ events, n, count }) => Array.from({ length: count }, () => ({ events: (each * events) / n, n: each }))));
}

/**
 * Each cluster counts as one outcome between 0 and 1, its share of events: the likelihood ratio of a share is at most the mean of the
 * ratios (convexity), so the process stays an e-process. Bounds are the limits that the same evidence would not reject.
 */
function decideSequential(clusters: readonly ClusterCount[], rate: ClusteredRate, limit: Limit): Outcome {
  const below = limit.op === "<=";
  const value = below ? limit.value : 1 - limit.value;
  if (!(value > 0 && value < 0.9)) return silent("degenerate");
  const shares = below ? sharesOf(clusters) : rate.clusters - sharesOf(clusters);
  const counts = { events: shares, n: rate.clusters };
  const { logPass, logFail } = sequentialEvidence(counts, value);
  const threshold = Math.log(1 / limit.alpha);
  const bounds = mirrored(sequentialBounds(counts, threshold), below);
  const interval: Interval = { method: "e-process", level: 1 - limit.alpha, sides: 1, ...bounds };
  const estimate = mirror(shares / rate.clusters, below);
  if (logFail >= threshold) return { estimate, interval, verdict: "fail" };
  if (logPass >= threshold) return { estimate, interval, verdict: "pass" };
  return { estimate, interval, verdict: "insufficient_evidence", reason: "too_few" };
}

function mirror(value: number, below: boolean): number {
  return below ? value : 1 - value;
}

function mirrored({ lower, upper }: Bounds, below: boolean): Bounds {
  return below ? { lower, upper } : { lower: 1 - upper, upper: 1 - lower };
}

function sequentialBounds(counts: { readonly events: number; readonly n: number }, threshold: number): Bounds {
  const rejectedAbove = (value: number) => sequentialEvidence(counts, value).logPass >= threshold;
  const rejectedBelow = (value: number) => sequentialEvidence(counts, value).logFail >= threshold;
  const share = counts.events / counts.n;
  return {
    upper: rejectedAbove(0.899) ? bisect(share, 0.899, (value) => !rejectedAbove(value)) : 1,
    lower: share > 0 && rejectedBelow(1e-9) ? bisect(1e-9, Math.min(share, 0.3), rejectedBelow) : 0,
  };
}

/** The place between `low` and `high` where `holds` stops to hold; it holds at `low`. */
function bisect(low: number, high: number, holds: (value: number) => boolean): number {
  let [from, to] = [low, high];
  for (let step = 0; step < 80; step += 1) {
    const middle = (from + to) / 2;
    if (holds(middle)) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}

/** A record is derived again by whoever reads it, so what it may ask to compute is bounded. */
const clustersMax = 1_000_000;

function inconsistent({ attempted, unassessed, clusters }: AttemptStatistics): boolean {
  const whole = (value: number) => Number.isInteger(value) && value >= 0;
  if (![attempted, unassessed].every(whole)) return true;
  if (!clusters.every(({ events, n, count }) => [events, n, count].every(whole) && n > 0 && count > 0 && events <= n)) return true;
  if (clusters.reduce((sum, { count }) => sum + count, 0) > clustersMax) return true;
  return attempted !== unassessed + clusters.reduce((sum, { n, count }) => sum + n * count, 0);
}
