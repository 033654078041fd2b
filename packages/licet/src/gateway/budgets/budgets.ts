import type { BudgetReserved, Price, SettledCost } from "@licet/contract";
import type { Usage } from "../dialect.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { CredentialView, DeploymentView, ModelView, ProviderView } from "../snapshot.ts";
import { Account, type Amount, type OpenAmount } from "./account.ts";
import { bound, costsMore, type Bound } from "./bound.ts";
import { cedarBudget, type CedarBudget } from "./cedar-facts.ts";
import { costAtMost, costOf, priceOn } from "./cost.ts";
import { limitRefusal, limitSets, limitsSpending, shareRefusal, type LimitSet } from "./limits.ts";
import type { PriceBook } from "./price-tables.ts";
import { measuresOf, spentElsewhere, type Shares, type SpentElsewhere } from "./shares.ts";
import type { SpentDay } from "./spent.ts";
import { dayOf, dayText } from "./utc-day.ts";

/** One call that wants to leave, by the most that it can use. */
export interface BudgetAsk {
  readonly credential: Pick<CredentialView, "space" | "deployment">;
  readonly model: ModelView;
  readonly provider: ProviderView;
  /** See `promptTokensAtMost` in bound.ts; Infinity where only the model's own limit bounds it. */
  readonly promptTokensAtMost: number;
  /** Of all its answers together; undefined when the call does not say. */
  readonly answerTokensMax: number | undefined;
  /** How many answers it asks for where it does not say how long they may be; default 1. */
  readonly choices?: number;
  /** The dialect's; server tools have no bound. */
  readonly needs?: readonly { readonly permission: string }[];
  /** By the log's clock, which never goes back. */
  readonly now: number;
}

/**
 * What may be spent, kept in memory and exact: whoever reserves has it at once, and there is no step between looking
 * and taking. INVARIANT: for every limit, what is settled and what is reserved never pass it together, as long as
 * providers use no more than they were bounded to; what a provider uses beyond that is counted all the same.
 */
export interface Budgets {
  /** Takes all that the call can use, a place in flight and a place in the minute; or nothing, and says why. */
  reserve(ask: BudgetAsk): Reserving;
  /** Resolves when what was refused as `pending` may fit; false where that is not to be waited for. */
  changed(): Promise<boolean>;
  /** Why a call would not be admitted now; takes nothing, so only `reserve` says that it is. */
  peek(ask: BudgetAsk): Refusal | undefined;
  /** What policies are told, in steps coarse enough to be asked once; see `cedarBudget`. Undefined where nobody set a limit. */
  cedar(ask: BudgetAsk): CedarBudget | undefined;
  /** What the system has spent, or all systems of the space. */
  spending(space: string, system: string | null, now: number): Spending;
  /** What this process counts of them, rolled to `now`; nobody else changes it. */
  account(space: string, system: string | null, now: number): Account;
}

export type Reserving =
  | { readonly reservation: Reservation }
  | {
      readonly refusal: Refusal;
      /** It fits the limits, and what is left of them is at other gateways: more has been asked for. */
      readonly pending?: boolean;
    };

/** Of one call. Ended exactly once on every path: a second end changes nothing and answers the first. */
export interface Reservation {
  /** `BudgetReserved` of the contract, recorded with the decision. */
  readonly facts: BudgetReserved;
  /**
   * With the outcome. `usage` is the provider's count, null where there is none: then all that was reserved is spent.
   * `whole` is false for an answer that broke off: its prompt is what the provider said, its answer as reserved.
   * `silent` earlier sendings of the same call ended without a word; each may have cost all that was reserved for one.
   */
  settle(usage: Usage | null, at: number, whole?: boolean, silent?: number): SettledCost;
  /** Nothing was sent: nothing is spent. */
  release(): SettledCost;
}

export interface Spending {
  readonly day: SpendingWindow;
  readonly month: SpendingWindow;
  readonly inFlight: number;
  readonly callsThisMinute: number;
}

export interface SpendingWindow {
  readonly endsAt: number;
  readonly tokens: number;
  /** Of these, reserved by calls in flight. */
  readonly openTokens: number;
  /** Millionths by currency. */
  readonly money: Readonly<Record<string, number>>;
}

export interface BudgetsOptions {
  readonly prices: PriceBook;
  /** From the record, of this month: what earlier runs spent or had in flight when they ended. */
  readonly spent?: readonly SpentDay[];
  /** Of the limits, where other gateways count beside this one. */
  readonly shares?: Shares;
  readonly now: number;
}

export function createBudgets(options: BudgetsOptions): Budgets {
  return new MemoryBudgets(options);
}

/** What a call can come to: every sending that its release allows, each as if it came to all that it can. */
interface Estimate extends Amount {
  readonly each: Amount;
  readonly bound: Bound;
  readonly price: Price | undefined;
}

interface Accounts {
  readonly system: Account;
  readonly space: Account;
  readonly sets: readonly LimitSet[];
}

class MemoryBudgets implements Budgets {
  readonly #prices: PriceBook;
  readonly #shares: Shares | undefined;
  readonly #accounts = new Map<string, Account>();
  /** Views never change in place, so what holds for one is worked out once. */
  readonly #of = new WeakMap<DeploymentView, Accounts>();
  #now: number;
  /** The call that was asked about last: what it can come to is worked out once. */
  #last: { readonly ask: BudgetAsk; readonly day: number; readonly estimate: Estimate } | undefined;

  constructor({ prices, spent = [], shares, now }: BudgetsOptions) {
    this.#prices = prices;
    this.#shares = shares;
    this.#now = now;
    for (const { space, system, day, ...amount } of spent) {
      this.#account(space, system).restore(day, amount);
      this.#account(space, null).restore(day, amount);
    }
  }

  reserve(ask: BudgetAsk): Reserving {
    const now = this.#roll(ask.now);
    const { deployment } = ask.credential;
    const accounts = this.#accountsOf(deployment, now);
    const estimate = this.#estimate(ask, now);
    const refusal = this.#refusal(accounts, estimate, deployment) ?? this.#shared(accounts, estimate, deployment);
    return refusal ?? { reservation: reserved({ accounts, estimate, now, elsewhere: this.#elsewhere(deployment, accounts.system, estimate.currency) }) };
  }

  changed(): Promise<boolean> {
    return this.#shares?.next() ?? Promise.resolve(false);
  }

  peek(ask: BudgetAsk): Refusal | undefined {
    if (ask.credential.deployment.budgets === undefined) return undefined;
    const now = this.#roll(ask.now);
    const accounts = this.#accountsOf(ask.credential.deployment, now);
    return this.#refusal(accounts, this.#estimate(ask, now), ask.credential.deployment)?.refusal;
  }

  cedar(ask: BudgetAsk): CedarBudget | undefined {
    if (ask.credential.deployment.budgets === undefined) return undefined;
    const now = this.#roll(ask.now);
    const { deployment } = ask.credential;
    const { system, sets } = this.#accountsOf(deployment, now);
    const estimate = this.#estimate(ask, now);
    return cedarBudget({ system, sets: sets.filter(({ account }) => account === system), estimate, now, elsewhere: this.#elsewhere(deployment, system, estimate.currency) });
  }

  #refusal(accounts: Accounts, estimate: Estimate, { space }: DeploymentView): { readonly refusal: Refusal } | undefined {
    const refusal = unbounded(accounts, estimate) ?? this.#limitRefusal(accounts, estimate, space);
    return refusal && { refusal };
  }

  #limitRefusal({ sets }: Accounts, amount: Amount, space: string): Refusal | undefined {
    for (const set of sets) {
      const refusal = limitRefusal({ set, amount, now: this.#now, share: this.#shares?.of({ space, system: set.system }) });
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** What fits the limits must fit this process' part of them, too; what does not may soon. */
  #shared({ sets }: Accounts, amount: Amount, { space, system }: DeploymentView): Extract<Reserving, { readonly refusal: Refusal }> | undefined {
    const shares = this.#shares;
    if (shares === undefined || sets.length === 0) return undefined;
    const parts = sets.flatMap((set) => {
      const share = shares.of({ space, system: set.system });
      return share === undefined ? [] : [{ share, measures: measuresOf({ set, amount, now: this.#now }) }];
    });
    if (parts.length === 0) return undefined;
    const call = { space, system, measures: parts.flatMap(({ measures }) => measures) };
    for (const { share, measures } of parts) {
      const missing = measures.find((measure) => !share.covers(measure));
      if (missing === undefined) continue;
      shares.want(call);
      return { refusal: shareRefusal(share, missing), pending: true };
    }
    shares.took(call);
    return undefined;
  }

  #elsewhere({ space, system }: DeploymentView, account: Account, currency: string | null): SpentElsewhere {
    return spentElsewhere({ share: this.#shares?.of({ space, system }), system, account, currency });
  }

  account(space: string, system: string | null, time: number): Account {
    const account = this.#account(space, system);
    account.roll(this.#roll(time));
    return account;
  }

  spending(space: string, system: string | null, time: number): Spending {
    const { day, month, inFlight, minute } = this.account(space, system, time);
    return { day: view(day), month: view(month), inFlight, callsThisMinute: minute.count(this.#now) };
  }

  /** Never back: a day that has ended stays ended. */
  #roll(now: number): number {
    this.#now = Math.max(this.#now, now);
    return this.#now;
  }

  #account(space: string, system: string | null): Account {
    const key = JSON.stringify([space, system]);
    const before = this.#accounts.get(key);
    if (before !== undefined) return before;
    const made = new Account(this.#now);
    this.#accounts.set(key, made);
    return made;
  }

  #accountsOf(deployment: DeploymentView, now: number): Accounts {
    const known = this.#of.get(deployment) ?? this.#newAccounts(deployment);
    known.system.roll(now);
    known.space.roll(now);
    return known;
  }

  #newAccounts(deployment: DeploymentView): Accounts {
    const { space, system } = deployment;
    const accounts = { system: this.#account(space, system), space: this.#account(space, null) };
    const made = { ...accounts, sets: limitSets(deployment, accounts) };
    this.#of.set(deployment, made);
    return made;
  }

  #estimate(ask: BudgetAsk, now: number): Estimate {
    const day = dayOf(now);
    if (this.#last?.ask === ask && this.#last.day === day) return this.#last.estimate;
    const estimate = this.#newEstimate(ask, day);
    this.#last = { ask, day, estimate };
    return estimate;
  }

  #newEstimate(ask: BudgetAsk, day: number): Estimate {
    const { model, provider, promptTokensAtMost, answerTokensMax, choices = 1, needs } = ask;
    const known = this.#prices(provider, model);
    const price = known === undefined || costsMore(ask) ? undefined : priceOn(known, day);
    const most = bound({ model, known, promptTokensAtMost, answerTokensMax, choices, needs });
    const prompt = most.prompt ?? 0;
    const answer = most.answer ?? 0;
    const micros = price === undefined ? 0 : costAtMost(price, { prompt, answer });
    const each = { tokens: prompt + answer, micros, currency: price?.currency ?? null };
    const sendings = 1 + (model.retries ?? 0);
    return { each, bound: most, price, tokens: each.tokens * sendings, micros: micros * sendings, currency: each.currency };
  }
}

function view({ endsAt, tokens, openTokens, money }: Account["day"]): SpendingWindow {
  return { endsAt, tokens, openTokens, money: Object.fromEntries(money) };
}

/** Where tokens or money are limited, what nothing bounds cannot be reserved. */
function unbounded({ sets }: Accounts, { bound: { prompt, answer } }: Estimate): Refusal | undefined {
  if ((prompt !== undefined && answer !== undefined) || !sets.some(limitsSpending)) return undefined;
  const which = prompt === undefined ? "the prompt" : "the answer";
  return refuse("answer_unbounded", { message: `nothing bounds how many tokens ${which} can have, and a budget holds`, param: prompt === undefined ? "messages" : "max_tokens", component: "budget:bound" });
}

interface Reserved {
  readonly accounts: Accounts;
  readonly estimate: Estimate;
  readonly now: number;
  readonly elsewhere: SpentElsewhere;
}

function reserved({ accounts, estimate, now, elsewhere }: Reserved): Reservation {
  const { system, space } = accounts;
  const facts = factsOf({ accounts, estimate, now, elsewhere });
  const amount: Amount = { tokens: estimate.tokens, micros: estimate.micros, currency: estimate.currency };
  const open = [system.open(amount, now), space.open(amount, now)];
  return new OpenReservation({ facts, open, estimate, amount });
}

function factsOf({ accounts, estimate, now, elsewhere }: Reserved): BudgetReserved {
  const { day, month, minute, inFlight } = accounts.system;
  const { tokens, micros, currency, price, bound: { prompt, answer } } = estimate;
  return {
    tokens,
    costMicros: currency === null ? null : micros,
    currency,
    day: dayText(day.index),
    priceDate: price?.from ?? null,
    prompt: prompt ?? 0,
    answer: answer ?? null,
    spent: {
      dayTokens: day.tokens + elsewhere.dayTokens,
      monthTokens: month.tokens + elsewhere.monthTokens,
      dayMicros: day.micros(currency) + elsewhere.dayMicros,
      monthMicros: month.micros(currency) + elsewhere.monthMicros,
    },
    callsThisMinute: minute.count(now),
    inFlight,
  };
}

interface Opened {
  readonly facts: BudgetReserved;
  readonly open: readonly OpenAmount[];
  readonly estimate: Estimate;
  readonly amount: Amount;
}

class OpenReservation implements Reservation {
  readonly facts: BudgetReserved;
  readonly #opened: Opened;
  #ended: SettledCost | undefined;

  constructor(opened: Opened) {
    this.facts = opened.facts;
    this.#opened = opened;
  }

  settle(usage: Usage | null, _at: number, whole = true, silent = 0): SettledCost {
    const { each } = this.#opened.estimate;
    const last = usage === null ? each : this.#counted(whole ? usage : this.#broken(usage));
    const spent = { tokens: last.tokens + silent * each.tokens, micros: last.micros + silent * each.micros, currency: each.currency };
    return this.#end(spent, usage === null || !whole || silent > 0);
  }

  #broken(usage: Usage): Usage {
    return { ...usage, completion: Math.max(usage.completion, this.#opened.estimate.bound.answer ?? 0) };
  }

  #counted(usage: Usage): Amount {
    const { price, currency } = this.#opened.estimate;
    return { tokens: usage.prompt + usage.completion, micros: price === undefined ? 0 : costOf(price, usage), currency };
  }

  release(): SettledCost {
    return this.#end({ ...this.#opened.amount, tokens: 0, micros: 0 }, false);
  }

  #end(spent: Amount, estimated: boolean): SettledCost {
    if (this.#ended !== undefined) return this.#ended;
    const { open, amount, facts } = this.#opened;
    for (const each of open) each.account.close(each, amount, spent);
    this.#ended = {
      tokens: spent.tokens,
      costMicros: spent.currency === null ? null : spent.micros,
      currency: spent.currency,
      day: facts.day,
      priceDate: facts.priceDate,
      estimated,
      reserved: { tokens: facts.tokens, costMicros: facts.costMicros },
    };
    return this.#ended;
  }
}
