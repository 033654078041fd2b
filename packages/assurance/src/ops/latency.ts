import { binomialCdf } from "../stats/beta.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { compared } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { settle } from "../verdict/settle.ts";

/**
 * Sufficient statistics of ops.latency: order statistics around the quantile, as ranks from 1 and milliseconds.
 * Calls without an answer count as slower than everything, so that a system cannot gain by not answering.
 */
export interface LatencyStatistics {
  readonly quantile: number;
  readonly attempted: number;
  readonly assessed: number;
  readonly order: readonly (readonly [number, number])[];
  /** p50, p95 and p99 for people; null where they lie among calls without an answer. */
  readonly shown: Readonly<Record<"p50" | "p95" | "p99", number | null>>;
}

/** Ranks kept, so that the bounds can be read at the error levels of the first attempts. */
const ranksMax = 400;
/** No attempt's error level is smaller than this in practice; smaller ones read a wider bound, never a narrower one. */
const alphaMin = 1e-4;

/** `milliseconds`: one per call, NaN or Infinity for a call without an answer. */
export function measureLatency(milliseconds: ArrayLike<number>, options: { quantile: number }): { statistics: LatencyStatistics; notes: readonly string[] } {
  const known = Float64Array.from(milliseconds).filter((value) => value >= 0 && value < Infinity).sort();
  const attempted = milliseconds.length;
  const at = (rank: number) => known[rank - 1] ?? Infinity;
  const { quantile } = options;
  const [low, high] = [lowerRank(attempted, quantile, alphaMin), upperRank(attempted, quantile, alphaMin)];
  const step = Math.max(1, Math.ceil((high - low) / ranksMax));
  const ranks = new Set([centre(attempted, quantile)]);
  for (let rank = low; rank <= high + step; rank += step) ranks.add(Math.min(Math.max(rank, 1), Math.max(1, attempted)));
  const order = [...ranks].sort((a, b) => a - b).flatMap((rank) => (at(rank) < Infinity ? [[rank, round12(at(rank))] as const] : []));
  const shown = (p: number) => (at(centre(attempted, p)) < Infinity ? round12(at(centre(attempted, p))) : null);
  const statistics = { quantile, attempted, assessed: known.length, order, shown: { p50: shown(0.5), p95: shown(0.95), p99: shown(0.99) } };
  return { statistics, notes: [`p50 ${text(statistics.shown.p50)}, p95 ${text(statistics.shown.p95)}, p99 ${text(statistics.shown.p99)} over ${attempted} calls, ${attempted - known.length} without an answer`] };
}

function text(value: number | null): string {
  return value === null ? "no answer" : `${value.toPrecision(4)} ms`;
}

function centre(n: number, quantile: number): number {
  return Math.max(1, Math.ceil(n * quantile));
}

/**
 * Largest rank r with P(r-th smallest > quantile) <= alpha; 0 when no call says so. Distribution-free: the number of calls below a quantile is binomial.
 * Source: David & Nagaraja 2003, section 7.1.
 */
export function lowerRank(n: number, quantile: number, alpha: number): number {
  return searched(n, (rank) => binomialCdf(rank - 1, n, quantile) <= alpha);
}

/** Smallest rank r with P(r-th smallest < quantile) <= alpha; n + 1 when no call says so. */
export function upperRank(n: number, quantile: number, alpha: number): number {
  let [low, high] = [1, n + 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (binomialCdf(middle - 1, n, quantile) >= 1 - alpha) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The largest rank that holds; the condition is true up to it. */
function searched(n: number, holds: (rank: number) => boolean): number {
  let [low, high] = [0, n];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The quantile of the time to answer against the limit, by order statistics: pass when the upper bound is within it. */
export function decideLatency(statistics: LatencyStatistics, limit: Limit): Outcome {
  const { attempted: n, quantile, order } = statistics;
  if (n === 0) return { estimate: null, interval: null, verdict: "insufficient_evidence", reason: "too_few" };
  const upper = upperRank(n, quantile, limit.alpha);
  const lower = lowerRank(n, quantile, limit.alpha);
  const above = order.find(([rank]) => rank >= upper)?.[1] ?? Infinity;
  const below = lower > statistics.assessed ? Infinity : (order.findLast(([rank]) => rank <= lower)?.[1] ?? 0);
  const estimate = order.find(([rank]) => rank >= centre(n, quantile))?.[1] ?? Infinity;
  const outcome = compared({ method: "order-statistics", estimate, bounds: { lower: below, upper: above }, limit }, () => leastCalls(quantile, limit.alpha));
  // Calls without an answer are already counted as slowest, so they withhold nothing further.
  return settle(outcome, { attempted: n, assessed: statistics.assessed === 0 ? 0 : n });
}

/** Calls below which even the slowest one proves nothing about the quantile. */
function leastCalls(quantile: number, alpha: number): number {
  return Math.ceil(Math.log(alpha) / Math.log(quantile));
}
