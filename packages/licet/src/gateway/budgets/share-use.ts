import type { Account } from "./account.ts";
import type { Counter } from "./shares.ts";

export interface Use {
  readonly used: number;
  /** Of this, what is spent for good. */
  readonly settled: number;
}

const nothing: Use = { used: 0, settled: 0 };

/** What a process uses of a counter by its own count; undefined where its account is in another window. The account has been rolled. */
export function useOf(account: Account, { of, index, currency }: Counter, now: number): Use | undefined {
  if (of === "calls") return { ...nothing, used: account.minute.count(now) };
  if (of === "flights") return { ...nothing, used: account.inFlight };
  const window = of === "dayTokens" || of === "dayMicros" ? account.day : account.month;
  if (window.index !== index) return undefined;
  if (of === "dayTokens" || of === "monthTokens") return { used: window.tokens, settled: window.tokens - window.openTokens };
  const used = window.micros(currency);
  return { used, settled: used - window.openMicros(currency) };
}
