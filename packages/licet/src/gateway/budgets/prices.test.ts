import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ModelPrices, Price } from "@licet/contract";
import { promptTokensAtMost } from "./bound.ts";
import { costAtMost, costOf, micros, priceOn } from "./cost.ts";
import { packagedTables, priceBook } from "./price-tables.ts";
import { dayEnd, dayFrom, dayOf, dayText, monthEnd, monthOf, monthStart } from "./utc-day.ts";

const tables = packagedTables();
const book = priceBook(tables);
const provider = (vendor: string, prices?: Readonly<Record<string, ModelPrices>>) => ({ id: "p", baseUrl: "", region: "eu", vendor, keyRef: "", ...(prices !== undefined && { prices }) });

describe("the tables that come with Licet", () => {
  test("name no model twice, begin each price on a day that has been, and say where they come from", () => {
    for (const { models, readAt, sources } of tables) {
      const names = models.flatMap(({ model, aliases = [] }) => [model, ...aliases]);
      expect(new Set(names).size).toBe(names.length);
      expect(sources.length).toBeGreaterThan(0);
      for (const { prices } of models) {
        const days = prices.map(({ from }) => from);
        expect(days).toEqual([...new Set(days)].sort());
        expect(days.every((day) => day <= readAt)).toBe(true);
      }
    }
  });

  test("price by the day of the call, and the organisation's own price goes before them", () => {
    const o3 = book(provider(" OpenAI "), { model: "o3-2025-04-16" });
    expect(o3 && priceOn(o3, dayFrom("2025-06-09"))?.input).toBe(10_000_000);
    expect(o3 && priceOn(o3, dayFrom("2025-06-10"))?.input).toBe(2_000_000);
    expect(o3 && priceOn(o3, dayFrom("2025-04-15"))).toBeUndefined();
    const own = { prices: [{ from: "2026-01-01", currency: "EUR", input: 1, output: 2 }] };
    expect(book(provider("openai", { o3: own }), { model: "o3" })).toBe(own);
  });

  test("guess nothing: another vendor, a model nearly of that name, a name of every object", () => {
    for (const [vendor, model] of [["openai-compatible", "o3"], ["openai", "o3-2099-01-01"], ["openai", "O3"], ["openai", "constructor"], ["anthropic", "o3"]] as const) {
      expect(book(provider(vendor, {}), { model })).toBeUndefined();
    }
  });
});

const price: Price = { from: "2026-01-01", currency: "USD", input: 3_000_000, output: 15_000_000, cachedInput: 300_000, inputAtMost: 6_000_000, above: { promptTokens: 200_000, input: 6_000_000, output: 22_500_000 } };

describe("the cost of a call", () => {
  test("is exact in integers, rounded up once, for any count and price", () => {
    const part = fc.tuple(fc.nat({ max: 1_000_000_000 }), fc.nat({ max: 1_000_000_000_000 }));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        const exact = parts.reduce((sum, [tokens, perMillion]) => sum + BigInt(tokens) * BigInt(perMillion), 0n);
        const rounded = (exact + 999_999n) / 1_000_000n;
        expect(BigInt(micros(parts))).toBe(rounded > BigInt(Number.MAX_SAFE_INTEGER) ? BigInt(Number.MAX_SAFE_INTEGER) : rounded);
      }),
    );
  });

  test("takes cached tokens at their price, written ones at the dearest, and all of a long call at its tier", () => {
    const usage = { prompt: 1000, completion: 100, total: 1100 };
    expect(costOf(price, usage)).toBe(3000 + 1500);
    expect(costOf(price, { ...usage, cached: 400, written: 100 })).toBe(500 * 3 + 120 + 600 + 1500);
    expect(costOf(price, { prompt: 200_001, completion: 0, total: 200_001 })).toBe(200_001 * 6);
  });

  test("is never more than what was reserved for as many tokens", () => {
    const counts = fc.record({ prompt: fc.nat({ max: 400_000 }), completion: fc.nat({ max: 100_000 }), cached: fc.nat({ max: 500_000 }), written: fc.nat({ max: 500_000 }), more: fc.nat({ max: 100_000 }) });
    fc.assert(
      fc.property(counts, fc.constantFrom(price, ...tables.flatMap(({ models, currency }) => models.flatMap(({ prices }) => prices.map((each) => ({ ...each, currency }))))), ({ more, ...usage }, at) => {
        expect(costOf(at, { ...usage, total: 0 })).toBeLessThanOrEqual(costAtMost(at, { prompt: usage.prompt + more, answer: usage.completion }));
      }),
    );
  });
});

test("a prompt's bound grows with its bytes and its pictures, and ends with what the provider adds itself", () => {
  const need = (...permissions: string[]) => permissions.map((permission) => ({ permission }));
  const plain = promptTokensAtMost({ bytes: 500, needs: need("store") });
  expect(plain).toBeGreaterThan(500);
  expect(promptTokensAtMost({ bytes: 500, needs: need("image", "image-url") })).toBe(plain + 100_000);
  expect(promptTokensAtMost({ bytes: 500, needs: need("file:abc") })).toBe(Infinity);
});

test("days and months of UTC are those of the calendar", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date("1990-01-01"), max: new Date("2100-12-31"), noInvalidDate: true }), (date) => {
      const day = dayOf(date.getTime());
      expect(dayText(day)).toBe(date.toISOString().slice(0, 10));
      expect(dayFrom(dayText(day))).toBe(day);
      expect(dayEnd(day)).toBe(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1));
      expect(monthEnd(monthOf(day))).toBe(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1));
      expect(dayText(monthStart(monthOf(day)))).toBe(`${date.toISOString().slice(0, 7)}-01`);
    }),
  );
});
