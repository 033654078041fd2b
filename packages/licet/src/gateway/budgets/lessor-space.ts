import { outboundLimits } from "../../base/outbound.ts";
import { shareClockMsMax, shareLeaseMs, type Hold } from "./share-terms.ts";
import { counterKey, nobody, type Counter, type Measure, type Others, type Quantity, type Share } from "./shares.ts";
import type { SpentDay } from "./spent.ts";
import { dayOf, monthOf } from "./utc-day.ts";

/** One run of a gateway process: it counts from nothing, and its decisions carry its name. */
export interface RunName {
  readonly space: string;
  readonly gateway: string;
  readonly run: string;
}

/** What one run keeps of a counter, as it said last or as it was granted after that. */
export interface Held extends Hold {
  /** The limit that it was granted under. */
  readonly under: number;
}

export interface Run extends RunName {
  /** Of its newest request. */
  number: number;
  seen: { readonly at: number; readonly elapsed: number };
  readonly holds: Map<string, Held>;
}

/** What the record says that a run has spent. */
export type Recorded = Map<string, { readonly counter: Counter; readonly amount: number }>;

/** What the lessor knows of one space; changed by the functions here alone, so that `others` stays the sum. */
export interface Space {
  readonly runs: Map<string, Run>;
  readonly recorded: Map<string, Recorded>;
  /** Of all runs together, by counter. */
  readonly others: Map<string, Others>;
  readonly shares: Map<string, Share>;
  /** When somebody last lacked something of a counter, and who. */
  readonly short: Map<string, { readonly at: number; readonly by: string }>;
}

export function emptySpace(): Space {
  return { runs: new Map(), recorded: new Map(), others: new Map(), shares: new Map(), short: new Map() };
}

/** The lessor's own process may use all that nobody else has. */
export function ownShare({ others }: Pick<Space, "others">): Share {
  const of = (counter: Counter): Others => others.get(counterKey(counter)) ?? nobody;
  return {
    others: of,
    covers: (measure: Measure) => measure.used + of(measure).held + measure.need <= measure.limit,
    isDenied: () => true,
  };
}

/** What a run counts for: what it keeps, and before it has said that, what the record has of it. */
export function counted(at: Space, run: string, key: string): Others {
  const hold = at.runs.get(run)?.holds.get(key);
  if (hold !== undefined) return { held: hold.amount, settled: hold.settled };
  const amount = recordedOf(at, run, key);
  return { held: amount, settled: amount };
}

function recordedOf({ recorded }: Space, run: string, key: string): number {
  return recorded.get(run)?.get(key)?.amount ?? 0;
}

function changing(at: Space, { run, key }: { readonly run: string; readonly key: string }, change: () => void): void {
  const before = counted(at, run, key);
  change();
  const after = counted(at, run, key);
  const sum = at.others.get(key) ?? nobody;
  const next = { held: sum.held + after.held - before.held, settled: sum.settled + after.settled - before.settled };
  if (next.held === 0 && next.settled === 0) at.others.delete(key);
  else at.others.set(key, next);
}

export function keep(at: Space, { run, holds }: Run, hold: Held): void {
  const key = counterKey(hold);
  changing(at, { run, key }, () => holds.set(key, hold));
}

export function drop(at: Space, { run, holds }: Run, key: string): void {
  changing(at, { run, key }, () => holds.delete(key));
}

export function record(at: Space, { run, counter, amount }: { readonly run: string; readonly counter: Counter; readonly amount: number }): void {
  const key = counterKey(counter);
  const recorded: Recorded = at.recorded.get(run) ?? new Map();
  at.recorded.set(run, recorded);
  changing(at, { run, key }, () => recorded.set(key, { counter, amount: (recorded.get(key)?.amount ?? 0) + amount }));
}

/** What was recorded in windows that are over counts nowhere any more. */
export function forgetOver(at: Space, now: number): void {
  for (const [run, recorded] of at.recorded) {
    for (const [key, { counter }] of recorded) if (isOver(counter, now)) changing(at, { run, key }, () => recorded.delete(key));
    if (recorded.size === 0) at.recorded.delete(run);
  }
}

/** The counters that an amount of one day counts in. */
export function countersOf(system: string | null, { day, tokens, micros, currency }: Omit<SpentDay, "space" | "system">): readonly (readonly [Counter, number])[] {
  const month = monthOf(day);
  const of = (quantity: Quantity, index: number, money = ""): Counter => ({ system, of: quantity, index, currency: money });
  const money: readonly (readonly [Counter, number])[] = currency === null ? [] : [[of("dayMicros", day, currency), micros], [of("monthMicros", month, currency), micros]];
  return [[of("dayTokens", day), tokens], [of("monthTokens", month), tokens], ...money];
}

function windowAt(of: Quantity, now: number): number {
  if (of === "dayTokens" || of === "dayMicros") return dayOf(now);
  return of === "monthTokens" || of === "monthMicros" ? monthOf(dayOf(now)) : 0;
}

/** Of a window that has not ended, and that has begun or is about to by a clock that goes before. */
export function isCurrent({ of, index }: Pick<Counter, "of" | "index">, now: number): boolean {
  return index >= windowAt(of, now) && index <= windowAt(of, now + shareClockMsMax);
}

/** Of a window in which nobody can spend any more. */
export function isOver({ of, index }: Pick<Counter, "of" | "index">, now: number): boolean {
  return index < windowAt(of, now - shareClockMsMax);
}

/** A minute that slides, with the slot in which it began. */
const minuteMs = 60_250;

/**
 * For so long after its last word a run is taken to use what it keeps: of a day or month to its end, because what it had
 * spent and not told is not known; of the others until its lease is over, and then as long as what it began can count.
 */
export function heldMs(of: Quantity): number {
  const lapsed = shareLeaseMs + shareClockMsMax;
  if (of === "calls") return lapsed + minuteMs;
  return of === "flights" ? lapsed + outboundLimits.totalMs : Infinity;
}
