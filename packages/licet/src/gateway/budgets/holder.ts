import type { Clock } from "../../base/clock.ts";
import type { Account } from "./account.ts";
import { shareLeaseMs, type Granted, type Hold, type ShareAsking, type Want } from "./share-terms.ts";
import { useOf, type Use } from "./share-use.ts";
import { counterKey, isWindowed, nobody, type Counter, type Share, type ShareOwner, type Shares, type Wanting } from "./shares.ts";

export interface HolderOptions {
  readonly clock: Clock;
  /** Milliseconds since whenever, which no clock's jump changes. A machine that sleeps may stop it: so the clock counts too. */
  readonly elapsed: () => number;
  /** What this process counts; rolled to now. */
  readonly account: (owner: ShareOwner) => Account;
  readonly space: string;
  /** Told when a call waits for more. */
  readonly onWant: () => void;
}

interface Held {
  readonly counter: Counter;
  amount: number;
  under: number;
  others: { readonly held: number; readonly settled: number };
  scarce: boolean;
  denied: boolean;
}

/** What calls of one system needed of one counter since the last look. */
interface Demand {
  readonly counter: Counter;
  limit: number;
  taken: number;
  unmet: number;
  least: number;
  /** Of one call. */
  largest: number;
  /** What a tick took lately; falls when nothing comes. */
  lately: number;
  at: number;
}

export const tickMs = 100;
/** So many ticks of demand are kept ready. */
const readyTicks = 5;
const fall = 0.7;
/** Kept ready for so long after the last call. */
const keepMs = 5000;
const renewMs = shareLeaseMs / 4;
/** A call waits so long for an answer; then it is refused, and may come again. */
const waitMs = 500;
const waitingMax = 10_000;

/**
 * What a gateway process may use of limits by itself, from memory. INVARIANT: it uses no more of a counter than it was
 * granted, and nothing once its lease is over; what it said that it keeps less of, it keeps less of from before it said so.
 */
export class ShareHolder implements Shares {
  readonly #options: HolderOptions;
  readonly #held = new Map<string, Held>();
  readonly #demand = new Map<string, Map<string, Demand>>();
  readonly #shares = new Map<string, Share>();
  #from = 0;
  #until = 0;
  #elapsedUntil = 0;
  #number = 0;
  #asked: { readonly number: number; readonly at: number; readonly elapsed: number } | undefined;
  /** What was said last may not have been heard. */
  #unheard = false;
  #waiting: ((worth: boolean) => void)[] = [];
  #tickedAt = 0;

  constructor(options: HolderOptions) {
    this.#options = options;
  }

  of({ system }: ShareOwner): Share {
    const key = system ?? "";
    const share = this.#shares.get(key) ?? this.#share();
    this.#shares.set(key, share);
    return share;
  }

  took(call: Wanting): void {
    for (const [demand, need] of this.#demands(call)) demand.taken += need;
  }

  want(call: Wanting): void {
    for (const [demand, need] of this.#demands(call)) {
      demand.unmet += need;
      demand.least = Math.min(demand.least, need);
    }
    this.#options.onWant();
  }

  next(): Promise<boolean> {
    if (this.#waiting.length >= waitingMax) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), waitMs);
      this.#waiting.push((worth) => {
        clearTimeout(timer);
        resolve(worth);
      });
    });
  }

  /** Whether there is anything that a request could renew, bring or give back. */
  get isActive(): boolean {
    if (this.#demand.size > 0 || this.#unheard) return true;
    return [...this.#held.values()].some(({ counter, amount }) => amount > (isWindowed(counter) ? (this.#use(counter)?.used ?? 0) : 0));
  }

  /** What to ask now; undefined where nothing has to be. One request at a time. */
  request(always = false): ShareAsking | undefined {
    if (this.#asked !== undefined) return undefined;
    const now = this.#options.clock.now();
    this.#tick(now);
    const lapsed = !this.#isLeased(now);
    const groups = [...this.#demand.values()].map((group) => [...group.values()]);
    const waiting = new Set(groups.flatMap((group) => (group.some(({ unmet }) => unmet > 0) ? group.map(({ counter }) => counterKey(counter)) : [])));
    const ready = readyOf(groups);
    const lowered = this.#lower((key) => (lapsed || waiting.has(key) ? 0 : 2 * (ready.get(key) ?? 0)));
    const wants = groups.map((group) => group.map((demand) => this.#want(demand))).filter((group) => group.some(({ need, ahead }) => need > 0 || ahead > 0));
    const due = this.#unheard || (this.isActive && (lapsed || now >= this.#from + renewMs));
    if (!always && !due && !lowered && wants.length === 0) return undefined;
    for (const group of groups) for (const demand of group) [demand.unmet, demand.least] = [0, Infinity];
    this.#asked = { number: ++this.#number, at: now, elapsed: this.#options.elapsed() };
    return { number: this.#number, holds: this.#holds(), wants };
  }

  /** Gives everything back that no call in flight needs, for a process that ends. */
  release(): ShareAsking {
    this.#demand.clear();
    this.#lower(() => 0);
    this.#asked = { number: ++this.#number, at: this.#options.clock.now(), elapsed: this.#options.elapsed() };
    this.#until = 0;
    return { number: this.#number, holds: this.#holds(), wants: [] };
  }

  /** The answer to the request of this number; another one's changes nothing. */
  answered(number: number, granted: readonly Granted[]): void {
    if (this.#asked?.number !== number) return;
    this.#from = this.#asked.at;
    this.#until = this.#asked.at + shareLeaseMs;
    this.#elapsedUntil = this.#asked.elapsed + shareLeaseMs;
    this.#asked = undefined;
    this.#unheard = false;
    for (const { amount, under, held, settled, scarce, denied, system, of, index, currency } of granted) {
      const counter = { system, of, index, currency };
      this.#held.set(counterKey(counter), { counter, amount, under, others: { held, settled }, scarce, denied });
    }
    this.#wake(true);
  }

  /** No answer has come, and none can come any more. */
  failed(number: number): void {
    if (this.#asked?.number !== number) return;
    this.#asked = undefined;
    this.#unheard = true;
    this.#wake(false);
  }

  #share(): Share {
    const held = (counter: Counter): Held | undefined => this.#held.get(counterKey(counter));
    return {
      others: (counter) => held(counter)?.others ?? nobody,
      covers: (measure) => {
        const found = held(measure);
        return found !== undefined && found.under <= measure.limit && measure.used + measure.need <= found.amount && this.#isLeased(this.#options.clock.now());
      },
      isDenied: (counter) => held(counter)?.denied === true && this.#isLeased(this.#options.clock.now()),
    };
  }

  /** A clock that stands before the lease was set back, and says nothing about its end. */
  #isLeased(now: number): boolean {
    return now >= this.#from && now < this.#until && this.#options.elapsed() < this.#elapsedUntil;
  }

  #use(counter: Counter): Use | undefined {
    const { account, clock, space } = this.#options;
    return useOf(account({ space, system: counter.system }), counter, clock.now());
  }

  #demands({ system, measures }: Wanting): readonly (readonly [Demand, number])[] {
    const group = this.#demand.get(system) ?? new Map<string, Demand>();
    this.#demand.set(system, group);
    const needs = new Map<string, readonly [Demand, number]>();
    const now = this.#options.clock.now();
    for (const { of, index, currency, limit, need, ...measure } of measures) {
      const counter = { system: measure.system, of, index, currency };
      const key = counterKey(counter);
      const demand = group.get(key) ?? { counter, limit, taken: 0, unmet: 0, least: Infinity, largest: 0, lately: 0, at: 0 };
      demand.largest = Math.max(demand.largest, need);
      demand.at = now;
      // Of several limits of one counter the smallest holds.
      demand.limit = needs.has(key) ? Math.min(demand.limit, limit) : limit;
      group.set(key, demand);
      needs.set(key, [demand, need]);
    }
    return [...needs.values()];
  }

  #tick(now: number): void {
    const isTick = Math.abs(now - this.#tickedAt) >= tickMs;
    if (isTick) this.#tickedAt = now;
    for (const [system, group] of this.#demand) {
      for (const [key, demand] of group) {
        if (isTick) {
          demand.lately = Math.max(demand.taken + demand.unmet, demand.lately * fall);
          demand.taken = 0;
        }
        const isIdle = Math.abs(now - demand.at) >= keepMs && demand.unmet === 0;
        if (isIdle || this.#use(demand.counter) === undefined) group.delete(key);
      }
      if (group.size === 0) this.#demand.delete(system);
    }
  }

  /** Keeps of each counter what is used, and beside it at most what `ready` says. Answers whether anything was given back. */
  #lower(ready: (key: string) => number): boolean {
    let lowered = false;
    for (const [key, held] of this.#held) {
      const use = this.#use(held.counter);
      if (use === undefined) {
        this.#held.delete(key);
        continue;
      }
      const keeps = Math.max(use.used, Math.min(held.amount, use.used + (held.scarce || this.#isVoid(key, held) ? 0 : ready(key))));
      lowered ||= keeps < held.amount;
      held.amount = keeps;
    }
    return lowered;
  }

  /** Granted under a limit that holds no more. */
  #isVoid(key: string, { under }: Held): boolean {
    return [...this.#demand.values()].some((group) => (group.get(key)?.limit ?? Infinity) < under);
  }

  #want(demand: Demand): Want {
    const { counter, unmet, least } = demand;
    const { system, of, index, currency } = counter;
    const key = counterKey(counter);
    const used = this.#use(counter)?.used ?? 0;
    const held = this.#held.get(key);
    const free = Math.max(0, (held?.amount ?? 0) - used);
    const need = unmet > 0 ? Math.max(0, least - free) : 0;
    const ready = held?.scarce === true ? 0 : readyFor(demand);
    return { system, of, index, currency, need, unmet: Math.max(need, unmet > 0 ? unmet - free : 0), ahead: free + unmet < ready / 2 || unmet > 0 ? Math.max(0, ready - free) : 0 };
  }

  /** What is used at least, also where nothing was granted: of a limit that is new. */
  #holds(): readonly Hold[] {
    const counters = new Map<string, Counter>();
    for (const { counter } of this.#held.values()) counters.set(counterKey(counter), counter);
    for (const group of this.#demand.values()) for (const { counter } of group.values()) counters.set(counterKey(counter), counter);
    return [...counters].flatMap(([key, { system, of, index, currency }]) => {
      const use = this.#use({ system, of, index, currency });
      return use === undefined ? [] : [{ system, of, index, currency, amount: Math.max(use.used, this.#held.get(key)?.amount ?? 0), settled: use.settled }];
    });
  }

  #wake(worth: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(worth);
  }
}

/** What is wanted beside what is used, by counter. */
function readyOf(groups: readonly (readonly Demand[])[]): ReadonlyMap<string, number> {
  const ready = new Map<string, number>();
  for (const demand of groups.flat()) {
    const key = counterKey(demand.counter);
    ready.set(key, (ready.get(key) ?? 0) + readyFor(demand));
  }
  return ready;
}

function readyFor({ largest, lately }: Demand): number {
  return Math.max(2 * largest, Math.ceil(lately * readyTicks));
}
