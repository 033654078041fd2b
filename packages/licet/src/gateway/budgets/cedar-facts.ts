import { budgetMicrosMax, budgetTokensMax } from "@licet/contract";
import type { Account, Amount } from "./account.ts";
import type { LimitSet } from "./limits.ts";
import type { SpentElsewhere } from "./shares.ts";

/** The facts of `Licet::Workload` and `Licet::Call` that the pack `runtime-budgets` reads. */
export interface CedarBudget {
  readonly budget: { readonly day: CedarUsage; readonly callCostMicros: number; readonly callsPerMinute: number };
  readonly spent: CedarUsage;
  readonly estimate: CedarUsage;
  readonly callsThisMinute: number;
}

export type CedarUsage = { readonly tokens: number; readonly costMicros: number };

export interface CedarFacts {
  readonly system: Account;
  /** Of the system itself; the space's limits are the gateway's own matter. */
  readonly sets: readonly LimitSet[];
  readonly estimate: Amount;
  readonly now: number;
  /** What other processes have spent of the same. */
  readonly elsewhere: SpentElsewhere;
}

/** What stands for "no limit" in a policy's sums: the largest that the pack lets through. */
const unlimited = { tokens: budgetTokensMax, costMicros: budgetMicrosMax, callCostMicros: 1_000_000_000_000, callsPerMinute: 1_000_000_000 };
const estimateMax = { tokens: 1_000_000_000, costMicros: 1_000_000_000_000 };

/**
 * Policies decide on steps, so that calls alike within a second ask one question, which is evaluated and written once:
 * spending in hundredths of its limit, what a call can come to in quarters of a power of two, all rounded down. What the
 * steps say about the limits is exact: a call that fits is told as one that fits, one that does not as one that does
 * not. The numbers to the last token stand beside the question, in the decision's `budget`.
 */
export function cedarBudget({ system, sets, estimate, now, elsewhere }: CedarFacts): CedarBudget {
  const { currency } = estimate;
  const budget = {
    day: { tokens: least(sets, ({ tokensPerDay }) => tokensPerDay) ?? unlimited.tokens, costMicros: least(sets, inCurrency(currency, "microsPerDay")) ?? unlimited.costMicros },
    callCostMicros: least(sets, inCurrency(currency, "microsPerCall")) ?? unlimited.callCostMicros,
    callsPerMinute: least(sets, ({ requestsPerMinute }) => requestsPerMinute) ?? unlimited.callsPerMinute,
  };
  const told = {
    tokens: step(Math.min(estimate.tokens, estimateMax.tokens)),
    costMicros: within(Math.min(estimate.micros, estimateMax.costMicros), budget.callCostMicros),
  };
  return {
    budget,
    spent: {
      tokens: toldSpent({ spent: system.day.tokens + elsewhere.dayTokens, need: estimate.tokens, told: told.tokens, limit: budget.day.tokens, unlimited: unlimited.tokens }),
      costMicros: toldSpent({ spent: system.day.micros(currency) + elsewhere.dayMicros, need: estimate.micros, told: told.costMicros, limit: budget.day.costMicros, unlimited: unlimited.costMicros }),
    },
    estimate: told,
    callsThisMinute: toldCalls(system.minute.count(now), budget.callsPerMinute),
  };
}

type Limits = LimitSet["limits"];

function least(sets: readonly LimitSet[], limit: (limits: Limits) => number | undefined): number | undefined {
  const all = sets.flatMap(({ limits }) => limit(limits) ?? []);
  return all.length === 0 ? undefined : Math.min(...all);
}

function inCurrency(currency: string | null, name: "microsPerDay" | "microsPerCall") {
  return ({ money }: Limits): number | undefined => (money?.currency === currency ? money?.[name] : undefined);
}

/** Rounded down to a quarter of a power of two: 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, … */
function step(value: number): number {
  if (value < 8) return value;
  const unit = 2 ** (Math.floor(Math.log2(value)) - 2);
  return Math.floor(value / unit) * unit;
}

function within(value: number, limit: number): number {
  return value > limit ? limit + 1 : step(value);
}

interface Told {
  readonly spent: number;
  readonly need: number;
  readonly told: number;
  readonly limit: number;
  readonly unlimited: number;
}

function toldSpent({ spent, need, told, limit, unlimited: most }: Told): number {
  if (spent + need > limit) return Math.max(0, limit + 1 - told);
  return limit === most ? step(spent) : hundredth(spent, limit);
}

function toldCalls(count: number, limit: number): number {
  if (count >= limit) return limit;
  return limit === unlimited.callsPerMinute ? step(count) : hundredth(count, limit);
}

function hundredth(value: number, limit: number): number {
  const unit = Math.max(1, Math.floor(limit / 100));
  return Math.floor(value / unit) * unit;
}
