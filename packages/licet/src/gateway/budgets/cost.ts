import type { ModelPrices, Price } from "@licet/contract";
import type { Usage } from "../dialect.ts";
import { dayFrom } from "./utc-day.ts";

const million = 1_000_000;

interface Known {
  readonly day: number;
  readonly price: Price | undefined;
}

/** Owned by `priceOn`, by prices, which never change in place. */
const known = new WeakMap<ModelPrices, Known>();

/** The price that holds on a day: of those that have begun, the newest. */
export function priceOn(model: ModelPrices, day: number): Price | undefined {
  const before = known.get(model);
  if (before?.day === day) return before.price;
  const price = newest(model.prices, day);
  known.set(model, { day, price });
  return price;
}

function newest(prices: readonly Price[], day: number): Price | undefined {
  return prices.reduce<Price | undefined>((best, price) => (dayFrom(price.from) <= day && (best === undefined || price.from >= best.from) ? price : best), undefined);
}

/** Micros of tokens at prices per million, rounded up once over all of them. Exact: no float holds a fraction. */
export function micros(parts: readonly (readonly [tokens: number, perMillion: number])[]): number {
  let sum = 0;
  for (const [tokens, perMillion] of parts) sum += tokens * perMillion;
  if (!Number.isSafeInteger(sum)) return exactMicros(parts);
  const rest = sum % million;
  return (sum - rest) / million + (rest > 0 ? 1 : 0);
}

function exactMicros(parts: readonly (readonly [number, number])[]): number {
  const sum = parts.reduce((total, [tokens, perMillion]) => total + BigInt(tokens) * BigInt(perMillion), 0n);
  const cost = (sum + BigInt(million) - 1n) / BigInt(million);
  return cost > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(cost);
}

type Rates = Pick<Price, "input" | "output" | "cachedInput" | "inputAtMost">;

function dearest({ input, cachedInput, inputAtMost }: Rates): number {
  return Math.max(input, cachedInput ?? 0, inputAtMost ?? 0);
}

/** The most that so many tokens can come to: no cache helps, every prompt token is written to one, and no tier is cheaper. */
export function costAtMost(price: Price, { prompt, answer }: { readonly prompt: number; readonly answer: number }): number {
  const { above } = price;
  const long = above !== undefined && prompt > above.promptTokens ? above : undefined;
  const input = Math.max(dearest(price), long === undefined ? 0 : dearest(long));
  return micros([[prompt, input], [answer, Math.max(price.output, long?.output ?? 0)]]);
}

/**
 * What a call came to by the provider's own count. Prompt tokens that it did not have in its cache are taken at `input`;
 * where writing to a cache costs more and the usage says how many were written, those at `inputAtMost`.
 */
export function costOf(price: Price, usage: Usage): number {
  const rates: Rates = price.above !== undefined && usage.prompt > price.above.promptTokens ? price.above : price;
  const cached = Math.min(usage.cached ?? 0, usage.prompt);
  const written = Math.min(usage.written ?? 0, usage.prompt - cached);
  return micros([
    [usage.prompt - cached - written, rates.input],
    [cached, rates.cachedInput ?? rates.input],
    [written, rates.inputAtMost ?? rates.input],
    [usage.completion, rates.output],
  ]);
}
