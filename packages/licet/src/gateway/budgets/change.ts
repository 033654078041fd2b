import type { BudgetLimits, ModelPrices } from "@licet/contract";
import { LicetError } from "../../base/errors.ts";
import { findProvider, findSystem } from "../../inventory/store.ts";
import type { Recorder } from "../../ledger/recorder.ts";
import { declaredBudgets } from "./declared.ts";

export interface LimitChange {
  readonly space: string;
  /** Null for all systems of the space together. */
  readonly system: string | null;
  /** Null lifts the operator's limits: those of the release go on. */
  readonly limits: BudgetLimits | null;
  readonly reason: string;
  readonly by: string;
}

/** One entry, at once: a limit is a stop, and nobody should have to wait for one. Throws `system_unknown`, `budget_wider`. */
export async function changeLimits(recorder: Recorder, { space, system, limits, reason, by }: LimitChange): Promise<void> {
  await recorder.commit(async (tx) => {
    if (system !== null && (await findSystem(tx, space, system)) === undefined) throw new LicetError("system_unknown", { message: `there is no system \`${system}\` in this space` });
    const declared = system === null ? undefined : (await declaredBudgets(tx, space, system)).get(system);
    const wider = limits === null || declared === undefined ? undefined : widerThan(declared, limits);
    if (wider !== undefined) throw new LicetError("budget_wider", { message: wider });
    return {
      entry: { kind: "budget.changed", space, actor: by, ...(system !== null && { system }), subject: system === null ? "space" : `system:${system}`, class: "governance", body: { system, limits: limits === null ? null : plain(limits), reason, changedBy: by } },
      value: undefined,
    };
  });
}

/** What of a limit would have no effect, because the release declares less. Both hold in any case: the smaller one counts. */
function widerThan(declared: BudgetLimits, { money, ...limits }: BudgetLimits): string | undefined {
  const of = declared.money;
  if (money !== undefined && of !== undefined && money.currency !== of.currency) return `the release declares its budget in ${of.currency}, and a call has its price in one currency only: set the limit in ${of.currency}`;
  const pairs: readonly (readonly [string, number | undefined, number | undefined])[] = [
    ["tokensPerDay", limits.tokensPerDay, declared.tokensPerDay],
    ["tokensPerMonth", limits.tokensPerMonth, declared.tokensPerMonth],
    ["requestsPerMinute", limits.requestsPerMinute, declared.requestsPerMinute],
    ["concurrency", limits.concurrency, declared.concurrency],
    ["money.microsPerDay", money?.microsPerDay, of?.microsPerDay],
    ["money.microsPerMonth", money?.microsPerMonth, of?.microsPerMonth],
    ["money.microsPerCall", money?.microsPerCall, of?.microsPerCall],
  ];
  const wider = pairs.find(([, set, most]) => set !== undefined && most !== undefined && set > most);
  return wider === undefined ? undefined : `the release declares ${wider[2]} for \`${wider[0]}\`, and ${wider[1]} is more`;
}

export interface PriceChange {
  readonly space: string;
  readonly provider: string;
  readonly model: string;
  readonly known: ModelPrices | null;
  readonly source: string;
  readonly by: string;
}

/** Throws `not_found` for a provider that is not registered. */
export async function changePrice(recorder: Recorder, { space, provider, model, known, source, by }: PriceChange): Promise<void> {
  await recorder.commit(async (tx) => {
    if ((await findProvider(tx, space, provider)) === undefined) throw new LicetError("not_found", { message: `there is no provider \`${provider}\` in this space` });
    return { entry: { kind: "price.changed", space, actor: by, subject: "space", class: "governance", body: { provider, model, known: known === null ? null : plainPrices(known), source, changedBy: by } }, value: undefined };
  });
}

/** As JSON, where what is absent is not there. */
function plain({ money, ...limits }: BudgetLimits) {
  return { ...present(limits), ...(money !== undefined && { money: { ...present(money), currency: money.currency } }) };
}

function plainPrices({ prices, ...limits }: ModelPrices) {
  return { ...present(limits), prices: prices.map(({ above, from, currency, ...rates }) => ({ from, currency, ...present(rates), ...(above !== undefined && { above: present(above) }) })) };
}

function present(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (typeof value === "number" ? [[name, value] as const] : [])));
}
