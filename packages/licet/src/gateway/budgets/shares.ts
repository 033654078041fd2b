import type { Account, Amount } from "./account.ts";
import type { LimitSet } from "./limits.ts";

/** Of whom: a system, or with null all systems of the space together. */
export interface ShareOwner {
  readonly space: string;
  readonly system: string | null;
}

/** What limits count: what is spent in a day or a month (UTC), calls of the last minute, and calls in flight. */
export const quantities = ["dayTokens", "monthTokens", "dayMicros", "monthMicros", "calls", "flights"] as const;
export type Quantity = (typeof quantities)[number];

/** One count that processes share, within one space. */
export interface Counter {
  readonly system: string | null;
  readonly of: Quantity;
  /** The window's number: days since the epoch, or months since the year 0; 0 where there is no window. */
  readonly index: number;
  /** Empty where it is not money. */
  readonly currency: string;
}

export function counterKey({ system, of, index, currency }: Counter): string {
  return `${of} ${index} ${currency} ${system ?? ""}`;
}

/** Whether it ends with a day or a month, so that what was granted of it is never granted anew within it. */
export function isWindowed({ of }: Pick<Counter, "of">): boolean {
  return of !== "calls" && of !== "flights";
}

/** One limit, what this process uses of it by itself, and what one call needs. */
export interface Measure extends Counter {
  readonly limit: number;
  readonly used: number;
  readonly need: number;
  readonly whose: string;
}

/** What other processes have of a counter, as far as it is known here. */
export interface Others {
  /** What they may use at most: spent, in flight, and kept ready. */
  readonly held: number;
  /** Of this, what is spent for good. */
  readonly settled: number;
}

export const nobody: Others = { held: 0, settled: 0 };

/** What one process knows of the limits of one owner that it does not count alone; from memory. */
export interface Share {
  others(counter: Counter): Others;
  /** Whether this process may admit the call by itself. */
  covers(measure: Measure): boolean;
  /** Whether whoever divides the limit has said that nothing more is left of it now. */
  isDenied(counter: Counter): boolean;
}

/** One call, as those who divide limits see it. */
export interface Wanting {
  readonly space: string;
  readonly system: string;
  readonly measures: readonly Measure[];
}

/** How a process that counts beside others knows its part. Absent where one counts alone. */
export interface Shares {
  /** Undefined where nobody else counts. */
  of(owner: ShareOwner): Share | undefined;
  /** Told of each admitted call, so that more is there before it is needed. */
  took(call: Wanting): void;
  /** Told what did not fit, so that more is asked for. */
  want(call: Wanting): void;
  /** Resolves when something has changed: true where it is worth to try again. */
  next(): Promise<boolean>;
}

const names = { dayTokens: "tokensPerDay", monthTokens: "tokensPerMonth", dayMicros: "microsPerDay", monthMicros: "microsPerMonth", calls: "requestsPerMinute", flights: "concurrency" } as const;

/** As the limit is called in a manifest. */
export function limitName(of: Quantity): (typeof names)[Quantity] {
  return names[of];
}

export interface Measuring {
  readonly set: LimitSet;
  readonly amount: Amount;
  readonly now: number;
}

/** Every limit of a set that is shared; the account has been rolled to `now`. What one call may cost is nobody else's matter. */
export function measuresOf({ set: { account, limits, system, whose }, amount, now }: Measuring): readonly Measure[] {
  const { day, month } = account;
  const found: Measure[] = [];
  const add = (of: Quantity, limit: number | undefined, at: Pick<Measure, "used" | "need"> & { readonly index?: number; readonly currency?: string }): void => {
    if (limit !== undefined) found.push({ system, of, index: 0, currency: "", ...at, limit, whose });
  };
  add("dayTokens", limits.tokensPerDay, { index: day.index, used: day.tokens, need: amount.tokens });
  add("monthTokens", limits.tokensPerMonth, { index: month.index, used: month.tokens, need: amount.tokens });
  const { money } = limits;
  if (money !== undefined && money.currency === amount.currency) {
    const { currency } = money;
    add("dayMicros", money.microsPerDay, { index: day.index, currency, used: day.micros(currency), need: amount.micros });
    add("monthMicros", money.microsPerMonth, { index: month.index, currency, used: month.micros(currency), need: amount.micros });
  }
  add("calls", limits.requestsPerMinute, { used: account.minute.count(now), need: 1 });
  add("flights", limits.concurrency, { used: account.inFlight, need: 1 });
  return found;
}

export interface Elsewhere {
  readonly share: Share | undefined;
  readonly system: string | null;
  readonly account: Account;
  readonly currency: string | null;
}

export type SpentElsewhere = Readonly<Record<"dayTokens" | "monthTokens" | "dayMicros" | "monthMicros", number>>;

const nothingElsewhere: SpentElsewhere = { dayTokens: 0, monthTokens: 0, dayMicros: 0, monthMicros: 0 };

/** What other processes have spent for good in the account's day and month, as far as they have said so. */
export function spentElsewhere({ share, system, account: { day, month }, currency }: Elsewhere): SpentElsewhere {
  if (share === undefined) return nothingElsewhere;
  const settled = (of: Quantity, index: number, money = ""): number => share.others({ system, of, index, currency: money }).settled;
  return {
    dayTokens: settled("dayTokens", day.index),
    monthTokens: settled("monthTokens", month.index),
    dayMicros: currency === null ? 0 : settled("dayMicros", day.index, currency),
    monthMicros: currency === null ? 0 : settled("monthMicros", month.index, currency),
  };
}
