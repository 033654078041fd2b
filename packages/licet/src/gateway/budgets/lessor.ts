import type { Account } from "./account.ts";
import type { Granted, Hold, ShareAsking, Want } from "./share-terms.ts";
import { counted, countersOf, drop, emptySpace, forgetOver, heldMs, isCurrent, isOver, keep, ownShare, record, type Held, type Run, type RunName, type Space } from "./lessor-space.ts";
import { useOf } from "./share-use.ts";
import { counterKey, isWindowed, nobody, type Counter, type Others, type Share, type ShareOwner, type Shares } from "./shares.ts";
import { spentBy, type SpendingEntry, type SpentDay } from "./spent.ts";

export interface LessorOptions {
  /** What the process of the lessor counts by itself. */
  readonly own: (owner: ShareOwner, now: number) => Account;
  readonly now: () => number;
  /** Milliseconds since whenever, which no clock's jump changes: nothing is freed by a jump. */
  readonly elapsed: () => number;
}

export interface Leasing {
  readonly name: RunName;
  readonly asking: ShareAsking;
  /** The smallest limit of a counter that is in force; undefined where there is none. */
  readonly limitOf: (counter: Counter) => number | undefined;
}

export interface Leased {
  readonly granted: readonly Granted[];
  readonly changed: boolean;
}

/** One run, and the present. */
interface Found {
  readonly at: Space;
  readonly run: Run;
  readonly now: number;
}

/** For so long a counter that somebody lacked is scarce: others keep nothing ready of it. */
const shortMs = 1000;
/** A call waits here for others to give back; then it is refused, and may come again. */
const waitMs = 300;
const own = "";

/**
 * Divides limits among the processes of one space, its own among them. INVARIANT: for every counter, what all runs keep,
 * what the record says of runs that have ended, and what this process uses never pass the limit by a grant. So whatever
 * each uses of its own, in whatever order and with whatever news from the others, the sum does not pass it either.
 */
export class ShareLessor implements Shares {
  readonly #options: LessorOptions;
  readonly #spaces = new Map<string, Space>();
  #waiting: (() => void)[] = [];

  constructor(options: LessorOptions) {
    this.#options = options;
  }

  /** Undefined as long as no other process has spent anything. */
  of({ space, system }: ShareOwner): Share | undefined {
    const at = this.#spaces.get(space);
    if (at === undefined) return undefined;
    const key = system ?? "";
    const share = at.shares.get(key) ?? ownShare(at);
    at.shares.set(key, share);
    return share;
  }

  /** What this process takes is seen at the next grant. */
  took(): void {
    // Nothing to be told.
  }

  want({ space, measures }: Parameters<Shares["want"]>[0]): void {
    const at = this.#space(space);
    const now = this.#options.now();
    // What time has freed may be all that is lacking.
    this.#sweep(at, now);
    const lacking = measures.filter((measure) => measure.used + (at.others.get(counterKey(measure))?.held ?? 0) + measure.need > measure.limit);
    for (const measure of lacking) at.short.set(counterKey(measure), { at: now, by: own });
    if (lacking.length === 0) setImmediate(() => this.#wake());
  }

  next(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), waitMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** What the record says of a run, told at the start and with every decision and outcome that comes over. */
  recorded({ gateway, ...entry }: SpendingEntry & { readonly gateway: string }): void {
    for (const spent of spentBy(entry)) this.spent(gateway, spent);
  }

  spent(run: string, { space, system, ...spent }: SpentDay): void {
    const at = this.#space(space);
    for (const owner of [system, null]) for (const [counter, amount] of countersOf(owner, spent)) record(at, { run, counter, amount });
  }

  /** A run as it was kept; what it has used since is not known before it says so. */
  restore({ number, holds, ...name }: RunName & { readonly number: number; readonly holds: readonly Held[] }): void {
    const at = this.#space(name.space);
    const run = this.#run(at, name);
    run.number = number;
    for (const hold of holds) keep(at, run, hold);
  }

  /** One request of a run. Undefined for one that a later one has overtaken. */
  lease({ name, asking, limitOf }: Leasing): Leased | undefined {
    const at = this.#space(name.space);
    const run = this.#run(at, name);
    if (asking.number <= run.number) return undefined;
    const now = this.#options.now();
    run.number = asking.number;
    run.seen = { at: now, elapsed: this.#options.elapsed() };
    this.#sweep(at, now);
    const before = written(run);
    this.#told({ at, run, now }, asking.holds);
    const wants = asking.wants.map((group) => ({ group, denied: !this.#granted({ at, run, now }, group, limitOf) }));
    const denied = new Set(wants.flatMap(({ group, denied: no }) => (no ? group.map(counterKey) : [])));
    const counters = new Map([...asking.holds, ...asking.wants.flat()].map((counter) => [counterKey(counter), counter]));
    const granted = [...counters].map(([key, counter]) => this.#answer({ at, run, now }, { key, counter, denied: denied.has(key), limit: limitOf(counter) }));
    this.#wake();
    return { granted, changed: before !== written(run) };
  }

  /** What a run keeps, to be written down before it is told. */
  state({ space, run }: RunName): { readonly number: number; readonly holds: readonly Held[] } {
    const found = this.#spaces.get(space)?.runs.get(run);
    return { number: found?.number ?? 0, holds: [...(found?.holds.values() ?? [])] };
  }

  /** Of a gateway, those that keep anything or may. */
  runsOf(space: string, gateway: string): readonly RunName[] {
    return [...(this.#spaces.get(space)?.runs.values() ?? [])].filter((run) => run.gateway === gateway).map(({ run }) => ({ space, gateway, run }));
  }

  /** The process of a run is gone, so none of its calls is in flight; how many it made within the last minute, and what it spent, is not known yet. */
  stopped({ space, run: id }: RunName): void {
    const at = this.#space(space);
    const run = at.runs.get(id);
    for (const [key, { of }] of run?.holds ?? []) if (run !== undefined && of === "flights") drop(at, run, key);
  }

  /** All that a run ever decided is in the record, and its process is gone: what it kept and did not spend is free. */
  ended({ space, run: id }: RunName): void {
    const at = this.#space(space);
    const run = at.runs.get(id);
    if (run === undefined) return;
    for (const [key, hold] of run.holds) if (isWindowed(hold)) drop(at, run, key);
    if (run.holds.size === 0) at.runs.delete(id);
    this.#wake();
  }

  /** Whether anything of a run still counts beside the record. */
  isOpen({ space, run }: RunName): boolean {
    return this.#spaces.get(space)?.runs.has(run) ?? false;
  }

  /** Frees what time frees; answers the runs of which nothing is left. */
  sweep(): readonly RunName[] {
    const now = this.#options.now();
    return [...this.#spaces.values()].flatMap((at) => this.#sweep(at, now));
  }

  #told(found: Found, holds: readonly Hold[]): void {
    const { at, run, now } = found;
    const named = new Set(holds.map(counterKey));
    for (const [key, hold] of run.holds) if (!isWindowed(hold) && !named.has(key)) drop(at, run, key);
    for (const hold of holds) if (isCurrent(hold, now)) keep(at, run, { ...hold, under: run.holds.get(counterKey(hold))?.under ?? 0 });
  }

  /** All that one group of calls needs, and of what is left then some more; or nothing. */
  #granted(found: Found, group: readonly Want[], limitOf: Leasing["limitOf"]): boolean {
    const { at, run, now } = found;
    const places = group.flatMap((want) => {
      const limit = limitOf(want);
      return limit === undefined ? [] : [{ want, limit, key: counterKey(want), free: isCurrent(want, now) ? limit - this.#total(found, want) : 0 }];
    });
    const lacking = places.filter(({ want, free }) => want.need > free);
    for (const { key } of lacking) at.short.set(key, { at: now, by: run.run });
    if (lacking.length > 0) return false;
    const parts = 2 * (1 + [...at.runs.values()].filter((each) => this.#silent(each, now) < shortMs).length);
    for (const { want, limit, key, free } of places) {
      if (free <= 0) continue;
      const waiting = Math.min(free, Math.max(want.need, want.unmet));
      const scarce = this.#isScarce(found, key);
      const more = waiting + (scarce ? 0 : Math.min(want.ahead, Math.floor((free - waiting) / parts)));
      if (more > 0) this.#raise(found, { want, limit, more });
    }
    return true;
  }

  /** What it had keeps the limit that it was granted under, as long as what is granted now would have fitted there. */
  #raise(found: Found, { want, limit, more }: { readonly want: Want; readonly limit: number; readonly more: number }): void {
    const { system, of, index, currency } = want;
    const before = found.run.holds.get(counterKey(want));
    const total = this.#total(found, want) + more;
    const under = before === undefined || before.under < total ? limit : Math.min(before.under, limit);
    keep(found.at, found.run, { system, of, index, currency, settled: 0, ...before, amount: (before?.amount ?? 0) + more, under });
  }

  #answer(found: Found, { key, counter, denied, limit }: { readonly key: string; readonly counter: Counter; readonly denied: boolean; readonly limit: number | undefined }): Granted {
    const { at, run } = found;
    const { system, of, index, currency } = counter;
    this.#tighten(found, counter, limit);
    const hold = run.holds.get(key);
    const all = at.others.get(key) ?? nobody;
    const mine = counted(at, run.run, key);
    const use = this.#own(found, counter);
    const others = { held: Math.max(0, all.held - mine.held) + use.used, settled: Math.max(0, all.settled - mine.settled) + use.settled };
    return { system, of, index, currency, amount: hold?.amount ?? 0, under: hold?.under ?? 0, ...others, scarce: this.#isScarce(found, key), denied };
  }

  /** What was granted under a larger limit holds under this one too, where all that is out fits it. */
  #tighten(found: Found, counter: Counter, limit: number | undefined): void {
    const hold = found.run.holds.get(counterKey(counter));
    if (hold === undefined || limit === undefined || limit >= hold.under || this.#total(found, counter) > limit) return;
    keep(found.at, found.run, { ...hold, under: limit });
  }

  #isScarce({ at, run, now }: Found, key: string): boolean {
    const short = at.short.get(key);
    return short !== undefined && short.by !== run.run && now - short.at < shortMs;
  }

  #total(found: Found, counter: Counter): number {
    return (found.at.others.get(counterKey(counter))?.held ?? 0) + this.#own(found, counter).used;
  }

  #own({ run, now }: Found, counter: Counter): Others & { readonly used: number } {
    const { used, settled } = useOf(this.#options.own({ space: run.space, system: counter.system }, now), counter, now) ?? { used: 0, settled: 0 };
    return { used, held: used, settled };
  }

  #sweep(at: Space, now: number): readonly RunName[] {
    const gone: RunName[] = [];
    for (const [id, run] of at.runs) {
      for (const [key, hold] of run.holds) if (isOver(hold, now) || this.#silent(run, now) >= heldMs(hold.of)) drop(at, run, key);
      if (run.holds.size > 0 || this.#silent(run, now) < heldMs("flights")) continue;
      at.runs.delete(id);
      gone.push({ space: run.space, gateway: run.gateway, run: id });
    }
    forgetOver(at, now);
    for (const [key, { at: since }] of at.short) if (now - since > shortMs) at.short.delete(key);
    return gone;
  }

  /** Since its last word, by whichever of both clocks went slower. */
  #silent({ seen }: Run, now: number): number {
    return Math.min(now - seen.at, this.#options.elapsed() - seen.elapsed);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #space(space: string): Space {
    const before = this.#spaces.get(space);
    if (before !== undefined) return before;
    const made = emptySpace();
    this.#spaces.set(space, made);
    return made;
  }

  #run(at: Space, name: RunName): Run {
    const before = at.runs.get(name.run);
    if (before !== undefined) return before;
    const made: Run = { ...name, number: 0, seen: { at: this.#options.now(), elapsed: this.#options.elapsed() }, holds: new Map() };
    at.runs.set(name.run, made);
    return made;
  }
}

/** What must be known after a restart. */
function written({ holds }: Run): string {
  return Array.from(holds, ([key, { amount, under }]) => `${key} ${amount} ${under}`).join("\n");
}
