import type { BudgetLimits } from "@licet/contract";
import type { Budgets, Spending } from "../budgets/budgets.ts";
import type { DeploymentView, Snapshot } from "../snapshot.ts";
import type { BudgetUse } from "./prometheus.ts";

const placesMax = 500;

/** Used parts of every limit that a deployment in the snapshot has; of several limits of one kind, the one that is nearest to its end. */
export function budgetUse(budgets: Pick<Budgets, "spending">, snapshot: Snapshot | undefined, now: number): readonly BudgetUse[] {
  const limited = [...(snapshot?.byCredentialDigest.values() ?? [])].filter(({ deployment }) => deployment.budgets !== undefined);
  const uses = limited.slice(0, placesMax).flatMap(({ deployment }) => usesOf(budgets, deployment, now));
  const nearest = new Map<string, BudgetUse>();
  for (const use of uses) {
    const key = `${use.space}\n${use.system}\n${use.budget}`;
    if (use.used >= (nearest.get(key)?.used ?? 0)) nearest.set(key, use);
  }
  return [...nearest.values()];
}

function usesOf(budgets: Pick<Budgets, "spending">, { space, system, budgets: limits }: DeploymentView, now: number): readonly BudgetUse[] {
  const of = (place: string, each: BudgetLimits | undefined): readonly BudgetUse[] =>
    each === undefined ? [] : parts(each, budgets.spending(space, place === "" ? null : place, now)).map((use) => ({ space, system: place, ...use }));
  return [...of(system, limits?.release), ...of(system, limits?.system), ...of("", limits?.space)];
}

/** A limit of nothing is used up. */
function part(used: number, limit: number): number {
  return limit === 0 ? 1 : used / limit;
}

function parts({ tokensPerDay, tokensPerMonth, money, requestsPerMinute, concurrency }: BudgetLimits, { day, month, inFlight, callsThisMinute }: Spending): readonly Pick<BudgetUse, "budget" | "used">[] {
  const spent = (window: Spending["day"]): number => (money === undefined ? 0 : (window.money[money.currency] ?? 0));
  const all: readonly (readonly [string, number | undefined, number])[] = [
    ["tokens per day", tokensPerDay, day.tokens],
    ["tokens per month", tokensPerMonth, month.tokens],
    ["money per day", money?.microsPerDay, spent(day)],
    ["money per month", money?.microsPerMonth, spent(month)],
    ["requests per minute", requestsPerMinute, callsThisMinute],
    ["concurrency", concurrency, inFlight],
  ];
  return all.flatMap(([budget, limit, used]) => (limit === undefined ? [] : [{ budget, used: part(used, limit) }]));
}
