import { BudgetLimits } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { budgetedReleases, budgetLimits, type Reader } from "../store.ts";
import type { Counter, Quantity } from "./shares.ts";
import { wholeSpace } from "./standing.ts";

const Declaring = z.object({ manifest: z.object({ budgets: BudgetLimits.optional() }) });

/**
 * What releases declare, by system: of those that carry traffic the tightest, else of the latest. Systems that declare
 * nothing are not in it.
 */
export async function declaredBudgets(db: Reader, space: string, system?: string): Promise<ReadonlyMap<string, BudgetLimits>> {
  const rows = await budgetedReleases(db, space, system);
  const carrying = new Set(rows.filter(({ active }) => active).map((row) => row.system));
  const declared = new Map<string, BudgetLimits>();
  for (const row of rows) {
    if (carrying.has(row.system) && !row.active) continue;
    const { budgets } = Declaring.parse(parseJson(row.bundle)).manifest;
    if (budgets !== undefined) declared.set(row.system, tightest(declared.get(row.system) ?? budgets, budgets));
  }
  return declared;
}

/** The smaller of each limit. Of two currencies the first is shown; the gateway holds a call to both. */
export function tightest(one: BudgetLimits, other: BudgetLimits): BudgetLimits {
  const money = one.money === undefined || other.money?.currency !== one.money.currency ? (one.money ?? other.money) : { currency: one.money.currency, ...smaller(one.money, other.money, ["microsPerDay", "microsPerMonth", "microsPerCall"]) };
  return { ...smaller(one, other, ["tokensPerDay", "tokensPerMonth", "requestsPerMinute", "concurrency"]), ...(money !== undefined && { money }) };
}

function smaller<K extends string>(one: Partial<Readonly<Record<K, number | undefined>>>, other: Partial<Readonly<Record<K, number | undefined>>>, names: readonly K[]): Partial<Record<K, number>> {
  const least: Partial<Record<K, number>> = {};
  for (const name of names) {
    const values = [one[name], other[name]].filter((value) => value !== undefined);
    if (values.length > 0) least[name] = Math.min(...values);
  }
  return least;
}

/** The smallest limit of a counter; undefined where nobody set one. */
export type LimitOf = (counter: Counter) => number | undefined;

/**
 * What is divided among processes: of all releases that carry traffic and of the operator the smallest limit. Where a
 * system has several releases at once, a gateway process so holds every call to the smallest.
 */
export async function dividedLimits(db: Reader, space: string): Promise<LimitOf> {
  const sets = new Map<string, BudgetLimits[]>();
  const add = (system: string, limits: BudgetLimits): void => void sets.set(system, [...(sets.get(system) ?? []), limits]);
  for (const { system, bundle, active } of await budgetedReleases(db, space)) {
    const { budgets } = active ? Declaring.parse(parseJson(bundle)).manifest : {};
    if (budgets !== undefined) add(system, budgets);
  }
  for (const { system, limits } of await budgetLimits(db, space)) add(system, BudgetLimits.parse(parseJson(limits)));
  return ({ system, of, currency }) => {
    const values = (sets.get(system ?? wholeSpace) ?? []).flatMap((limits) => limitIn(limits, of, currency) ?? []);
    return values.length === 0 ? undefined : Math.min(...values);
  };
}

function limitIn({ money, ...limits }: BudgetLimits, of: Quantity, currency: string): number | undefined {
  const paid = money?.currency === currency ? money : undefined;
  const all: Readonly<Record<Quantity, number | undefined>> = {
    dayTokens: limits.tokensPerDay,
    monthTokens: limits.tokensPerMonth,
    dayMicros: paid?.microsPerDay,
    monthMicros: paid?.microsPerMonth,
    calls: limits.requestsPerMinute,
    flights: limits.concurrency,
  };
  return all[of];
}
