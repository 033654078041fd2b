import { clopperPearson } from "../../stats/proportion.ts";
import { trialsNeeded } from "../../stats/sample-size.ts";
import { compared, type Limit, type Outcome, silent } from "../../verdict/outcome.ts";
import { round12 } from "../../verdict/round.ts";
import { settle } from "../../verdict/settle.ts";
import { assessedOf, finished } from "../decide-attempts.ts";
import type { RunResult } from "../run/execute.ts";

/**
 * Tokens of whole exchanges against a limit on a quantile. `over`: exchanges above the limit; `quantiles` are for reading.
 * `overMax`: exchanges with more completion tokens than were asked for at most.
 */
export interface TokenStatistics {
  readonly kind: "tokens";
  readonly complete: boolean;
  readonly attempted: number;
  readonly unassessed: number;
  /** The share of exchanges that must stay within the limit: 0.95 for the 95th percentile. */
  readonly quantile: number;
  readonly tokensMax: number;
  readonly over: number;
  readonly overMax: number;
  readonly quantiles: Readonly<Record<"p50" | "p95" | "p99" | "max", number | null>>;
}

export interface CostOptions {
  readonly quantile?: number;
  /** Largest number of tokens, question and answer together, that the quantile may reach. */
  readonly tokensMax: number;
  /** What every request asked for at most in its answers. */
  readonly completionMax: number;
}

/** Counts the tokens of a run. Attempts whose server reports no usage are unassessed: a guess would be cheaper than the truth. */
export function countTokens(run: Pick<RunResult, "attempts" | "stopped">, options: CostOptions): TokenStatistics {
  const known = run.attempts.flatMap(({ usage, queries }) => (usage === null ? [] : [{ total: usage.promptTokens + usage.completionTokens, completion: usage.completionTokens / queries }]));
  const totals = Float64Array.from(known, ({ total }) => total).sort();
  const at = (share: number) => (totals.length === 0 ? null : round12(totals[Math.min(totals.length - 1, Math.ceil(share * totals.length) - 1)] ?? 0));
  return {
    kind: "tokens",
    complete: run.stopped === "complete",
    attempted: run.attempts.length,
    unassessed: run.attempts.length - known.length,
    quantile: options.quantile ?? 0.95,
    tokensMax: options.tokensMax,
    over: known.filter(({ total }) => total > options.tokensMax).length,
    overMax: known.filter(({ completion }) => completion > options.completionMax).length,
    quantiles: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
  };
}

/**
 * The quantile stays within the limit exactly when the share of exchanges above it is at most 1 - quantile; the exact bound of that share is
 * the distribution-free bound of the quantile by order statistics (David & Nagaraja 2003, 7.1). An answer longer than it was allowed to be is
 * a fail: the bound on the answer is not honoured. `limit.value` is the share that may lie above, 1 - quantile.
 */
export function decideTokens(statistics: TokenStatistics, limit: Limit): Outcome {
  const { attempted, unassessed, over, overMax, complete } = statistics;
  const n = attempted - unassessed;
  if (![attempted, unassessed, over, overMax].every((value) => Number.isInteger(value) && value >= 0) || over > n || overMax > n) return silent("inconsistent_import");
  if (n === 0) return silent(attempted === 0 ? "too_few" : "undefined_denominator");
  const estimate = over / n;
  const outcome = settle(compared({ method: "order-statistics-binomial", estimate, bounds: clopperPearson(over, n, limit.alpha), limit }, () => trialsNeeded(estimate, limit.value, limit.alpha)), assessedOf(statistics));
  if (overMax > 0 && outcome.reason !== "unassessed_budget") return { estimate: outcome.estimate, interval: outcome.interval, verdict: "fail" };
  return finished(outcome, complete);
}
