import type { BudgetLimits } from "@licet/contract";
import { refuse, type Refusal } from "../refusal.ts";
import type { DeploymentView } from "../snapshot.ts";
import type { Account, Amount, Window } from "./account.ts";
import type { Share } from "./shares.ts";

/** Limits that somebody set, and the account that they hold for. */
export interface LimitSet {
  readonly account: Account;
  readonly limits: BudgetLimits;
  readonly whose: string;
}

/** Every set that holds for a deployment: the release's own and the operator's, of the system and of the space. */
export function limitSets({ budgets }: Pick<DeploymentView, "budgets">, accounts: { readonly system: Account; readonly space: Account }): readonly LimitSet[] {
  const sets: readonly (readonly [BudgetLimits | undefined, Account, string])[] = [
    [budgets?.release, accounts.system, "the system's release"],
    [budgets?.system, accounts.system, "the operator's limit for the system"],
    [budgets?.space, accounts.space, "the operator's limit for the space"],
  ];
  return sets.flatMap(([limits, account, whose]) => (limits === undefined ? [] : [{ account, limits, whose }]));
}

/**
 * The same limits, as far as this gateway may use them up by itself. A window that the share does not name is not
 * leased yet: nothing of it may be spent.
 */
export function sharedSet(set: LimitSet, share: Share | undefined): LimitSet {
  const { account, limits } = set;
  const { money } = limits;
  const day = share?.day.index === account.day.index ? share.day : undefined;
  const month = share?.month.index === account.month.index ? share.month : undefined;
  return {
    ...set,
    limits: {
      tokensPerDay: least(limits.tokensPerDay, day?.tokens),
      tokensPerMonth: least(limits.tokensPerMonth, month?.tokens),
      requestsPerMinute: least(limits.requestsPerMinute, share?.requestsPerMinute),
      concurrency: least(limits.concurrency, share?.concurrency),
      money: money && { ...money, microsPerDay: least(money.microsPerDay, day?.micros), microsPerMonth: least(money.microsPerMonth, month?.micros) },
    },
  };
}

function least(limit: number | undefined, share: number | undefined): number | undefined {
  return limit === undefined ? undefined : Math.min(limit, share ?? 0);
}

/** Whether a call needs a bound in tokens or money at all. */
export function limitsSpending({ limits }: LimitSet): boolean {
  return limits.tokensPerDay !== undefined || limits.tokensPerMonth !== undefined || limits.money !== undefined;
}

/** Why an amount does not fit into a set of limits now; undefined when it does. The account has been rolled to `now`. */
export function limitRefusal(set: LimitSet, amount: Amount, now: number): Refusal | undefined {
  return concurrencyRefusal(set) ?? rateRefusal(set, now) ?? tokensRefusal(set, amount, now) ?? moneyRefusal(set, amount, now);
}

function concurrencyRefusal({ account, limits: { concurrency }, whose }: LimitSet): Refusal | undefined {
  if (concurrency === undefined || account.inFlight < concurrency) return undefined;
  const message = `${concurrency} calls are in flight, as many as ${whose} allows`;
  return refuse("concurrency_exceeded", { message, component: "budget:concurrency", retryAfterSeconds: 1 });
}

function rateRefusal({ account, limits: { requestsPerMinute }, whose }: LimitSet, now: number): Refusal | undefined {
  if (requestsPerMinute === undefined || account.minute.count(now) < requestsPerMinute) return undefined;
  const free = account.minute.freeAt(requestsPerMinute, now);
  const message = `${requestsPerMinute} calls were made within a minute, as many as ${whose} allows`;
  return refuse("rate_exceeded", { message, component: "budget:requestsPerMinute", retryAfterSeconds: free === undefined ? undefined : secondsUntil(free, now) });
}

interface Fit {
  readonly name: string;
  readonly unit: string;
  readonly whose: string;
  readonly limit: number | undefined;
  readonly need: number;
  readonly used: number;
  readonly open: number;
  readonly window: Window;
  readonly now: number;
}

function tokensRefusal({ account, limits, whose }: LimitSet, { tokens: need }: Amount, now: number): Refusal | undefined {
  const of = ({ tokens: used, openTokens: open }: Window) => ({ used, open, need, whose, now, unit: "tokens" });
  return (
    unfit({ ...of(account.day), window: account.day, name: "tokensPerDay", limit: limits.tokensPerDay }) ??
    unfit({ ...of(account.month), window: account.month, name: "tokensPerMonth", limit: limits.tokensPerMonth })
  );
}

function moneyRefusal({ account, limits: { money }, whose }: LimitSet, { micros: need, currency }: Amount, now: number): Refusal | undefined {
  if (money === undefined) return undefined;
  if (currency !== money.currency) return currencyRefusal(currency, money.currency);
  if (money.microsPerCall !== undefined && need > money.microsPerCall) {
    const message = `the call could cost ${need} millionths of ${currency}, and ${whose} allows ${money.microsPerCall} for one`;
    return refuse("budget_exceeded", { message, component: "budget:microsPerCall" });
  }
  const of = (window: Window) => ({ used: window.micros(currency), open: window.openMicros(currency), window, need, whose, now, unit: `millionths of ${currency}` });
  return unfit({ ...of(account.day), name: "microsPerDay", limit: money.microsPerDay }) ?? unfit({ ...of(account.month), name: "microsPerMonth", limit: money.microsPerMonth });
}

/** Nothing is converted: a rate of exchange that nobody recorded would be a guess. */
function currencyRefusal(priced: string | null, budgeted: string): Refusal {
  const message = priced === null ? `the price of this model is not known, and its budget is in ${budgeted}` : `the model is priced in ${priced}, and its budget is in ${budgeted}`;
  return refuse("price_unknown", { message, param: "model", component: "budget:money" });
}

function unfit({ name, unit, whose, limit, need, used, open, window, now }: Fit): Refusal | undefined {
  if (limit === undefined || used + need <= limit) return undefined;
  const left = Math.max(0, limit - used);
  const message = `the call could use ${need} ${unit}, and ${left} are left of \`${name}\` of ${whose}`;
  return refuse("budget_exceeded", { message, component: `budget:${name}`, retryAfterSeconds: retryAfter({ limit, need, settled: used - open, window, now }) });
}

/** At once, where only calls in flight stand in the way; never, where the call alone is too much. */
function retryAfter({ limit, need, settled, window, now }: Pick<Fit, "need" | "window" | "now"> & { readonly limit: number; readonly settled: number }): number | undefined {
  if (need > limit) return undefined;
  return settled + need <= limit ? 1 : secondsUntil(window.endsAt, now);
}

function secondsUntil(time: number, now: number): number {
  return Math.max(1, Math.ceil((time - now) / 1000));
}
