import type { BudgetLimits } from "@licet/contract";
import { refuse, type Refusal } from "../refusal.ts";
import type { DeploymentView } from "../snapshot.ts";
import type { Account, Amount, Window } from "./account.ts";
import { limitName, nobody, type Measure, type Others, type Quantity, type Share } from "./shares.ts";

/** Limits that somebody set, and the account that they hold for. */
export interface LimitSet {
  readonly account: Account;
  /** Whose account: null for all systems of the space. */
  readonly system: string | null;
  readonly limits: BudgetLimits;
  readonly whose: string;
}

/** Every set that holds for a deployment: the release's own and the operator's, of the system and of the space. */
export function limitSets({ budgets, system: name }: Pick<DeploymentView, "budgets" | "system">, accounts: { readonly system: Account; readonly space: Account }): readonly LimitSet[] {
  const { system, space } = accounts;
  const sets: readonly (Omit<LimitSet, "limits"> & { readonly limits: BudgetLimits | undefined })[] = [
    { account: system, system: name, limits: budgets?.release, whose: "the system's release" },
    { account: system, system: name, limits: budgets?.system, whose: "the operator's limit for the system" },
    { account: space, system: null, limits: budgets?.space, whose: "the operator's limit for the space" },
  ];
  return sets.flatMap(({ limits, ...set }) => (limits === undefined ? [] : [{ ...set, limits }]));
}

/** Whether a call needs a bound in tokens or money at all. */
export function limitsSpending({ limits }: LimitSet): boolean {
  return limits.tokensPerDay !== undefined || limits.tokensPerMonth !== undefined || limits.money !== undefined;
}

/** One call before a set of limits; the account has been rolled to `now`. */
export interface Fitting {
  readonly set: LimitSet;
  readonly amount: Amount;
  readonly now: number;
  /** What other processes have of the same limits, where any count beside this one. */
  readonly share: Share | undefined;
}

/** Why a call does not fit by what is spent for good and in flight here; undefined when it does. What others keep ready may come back, so it is not looked at. */
export function limitRefusal(fitting: Fitting): Refusal | undefined {
  const { set, now } = fitting;
  return concurrencyRefusal(set) ?? rateRefusal(set, now) ?? tokensRefusal(fitting) ?? moneyRefusal(fitting);
}

/** Why a call that fits its limits may not be admitted by this process: what is left of them is not here. */
export function shareRefusal(share: Share, measure: Measure): Refusal {
  const { of, whose } = measure;
  const component = `budget:${limitName(of)}`;
  if (!share.isDenied(measure)) return refuse("budget_share_missing", { component, retryAfterSeconds: 1 });
  const message = `what is left of \`${limitName(of)}\` of ${whose} is kept for calls of other gateways`;
  return refuse(deniedCode(of), { message, component, retryAfterSeconds: 1 });
}

function deniedCode(of: Quantity): "concurrency_exceeded" | "rate_exceeded" | "budget_exceeded" {
  if (of === "flights") return "concurrency_exceeded";
  return of === "calls" ? "rate_exceeded" : "budget_exceeded";
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

function tokensRefusal({ set: { account, limits, system, whose }, amount: { tokens: need }, now, share }: Fitting): Refusal | undefined {
  const of = (window: Window, quantity: Quantity) => ({ ...known(window, { used: window.tokens, open: window.openTokens }, share?.others({ system, of: quantity, index: window.index, currency: "" })), need, whose, now, unit: "tokens" });
  return (
    unfit({ ...of(account.day, "dayTokens"), name: "tokensPerDay", limit: limits.tokensPerDay }) ??
    unfit({ ...of(account.month, "monthTokens"), name: "tokensPerMonth", limit: limits.tokensPerMonth })
  );
}

function moneyRefusal({ set: { account, limits: { money }, system, whose }, amount: { micros: need, currency }, now, share }: Fitting): Refusal | undefined {
  if (money === undefined) return undefined;
  if (currency !== money.currency) return currencyRefusal(currency, money.currency);
  if (money.microsPerCall !== undefined && need > money.microsPerCall) {
    const message = `the call could cost ${need} millionths of ${currency}, and ${whose} allows ${money.microsPerCall} for one`;
    return refuse("budget_exceeded", { message, component: "budget:microsPerCall" });
  }
  const of = (window: Window, quantity: Quantity) => ({ ...known(window, { used: window.micros(currency), open: window.openMicros(currency) }, share?.others({ system, of: quantity, index: window.index, currency })), need, whose, now, unit: `millionths of ${currency}` });
  return unfit({ ...of(account.day, "dayMicros"), name: "microsPerDay", limit: money.microsPerDay }) ?? unfit({ ...of(account.month, "monthMicros"), name: "microsPerMonth", limit: money.microsPerMonth });
}

function known(window: Window, { used, open }: Pick<Fit, "used" | "open">, others: Others = nobody): Pick<Fit, "window" | "used" | "open"> {
  return { window, used: used + others.settled, open };
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
