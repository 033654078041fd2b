import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ModelView, ProviderView } from "../snapshot.ts";
import { createBudgets, type BudgetAsk, type Budgets, type Reservation } from "./budgets.ts";
import { priceBook } from "./price-tables.ts";
import { ShareLessor, type Share, type Shares, type WindowUse } from "./shares.ts";
import { dayOf, monthOf } from "./utc-day.ts";

const noon = Date.parse("2026-11-21T12:00:00Z");
const model: ModelView = { name: "chat", provider: "sim", model: "sim-1", bounds: {} };
const price = { from: "2026-01-01", currency: "EUR", input: 1_000_000, output: 1_000_000 };
const provider: ProviderView = { id: "sim", baseUrl: "", region: "eu", vendor: "v", keyRef: "", prices: { "sim-1": { prices: [price] } } };

interface Gateway {
  readonly budgets: Budgets;
  /** Asks the lessor for what did not fit last. */
  readonly renew: (now: number) => void;
}

function gatewayOf(lessor: ShareLessor, { id, limits, gateways }: { readonly id: string; readonly limits: Parameters<ShareLessor["lease"]>[1]; readonly gateways: number }): Gateway {
  let share: Share | undefined;
  let wanted = { tokens: 0, micros: 0 };
  const shares: Shares = { of: () => share, want: (_, { tokens, micros }) => void (wanted = { tokens, micros }) };
  const budgets = createBudgets({ prices: priceBook([]), shares, now: noon });
  return {
    budgets,
    renew: (now) => {
      const { day, month } = budgets.spending("main", "s", now);
      const use = (index: number, { tokens, money }: typeof day): WindowUse => ({ index, tokens, micros: money["EUR"] ?? 0 });
      share = lessor.lease({ gateway: id, owner: { space: "main", system: "s" }, day: use(dayOf(now), day), month: use(monthOf(dayOf(now)), month), more: wanted }, limits, gateways);
    },
  };
}

function ask(limits: object, tokens: number, now: number): BudgetAsk {
  const deployment = { space: "main", system: "s", budgets: { release: limits } };
  return { credential: { space: "main", deployment: deployment as BudgetAsk["credential"]["deployment"] }, model, provider, promptTokensAtMost: tokens, answerTokensMax: 0, now };
}

const step = fc.record({ gateway: fc.nat({ max: 3 }), tokens: fc.nat({ max: 400 }), what: fc.constantFrom("call", "call", "end", "renew"), used: fc.double({ min: 0, max: 1, noNaN: true }), gap: fc.nat({ max: 3_600_000 }) });

describe("gateways that lease shares of one limit", () => {
  test("never pass it together, whoever calls, ends and renews in whatever order, over days", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), fc.nat({ max: 5000 }), (steps, tokensPerDay) => {
        const limits = { tokensPerDay, money: { currency: "EUR", microsPerDay: tokensPerDay } };
        const lessor = new ShareLessor();
        const fleet = [0, 1, 2, 3].map((id) => gatewayOf(lessor, { id: `gw_${id}`, limits, gateways: 4 }));
        const open: { readonly reservation: Reservation; readonly tokens: number }[] = [];
        let now = noon;
        for (const { gateway, tokens, what, used, gap } of steps) {
          now += gap;
          const at = fleet[gateway];
          if (what === "renew") at?.renew(now);
          else if (what === "end") {
            const last = open.pop();
            last?.reservation.settle({ prompt: Math.floor(last.tokens * used), completion: 0, total: 0 }, now);
          } else {
            const answer = at?.budgets.reserve(ask(limits, tokens, now));
            if (answer !== undefined && "reservation" in answer) open.push({ reservation: answer.reservation, tokens });
          }
          const spent = fleet.map(({ budgets }) => budgets.spending("main", "s", now).day);
          expect(spent.reduce((sum, day) => sum + day.tokens, 0)).toBeLessThanOrEqual(tokensPerDay);
          expect(spent.reduce((sum, day) => sum + (day.money["EUR"] ?? 0), 0)).toBeLessThanOrEqual(tokensPerDay);
        }
      }),
      { numRuns: 25 },
    );
  });

  test("spend nothing without a share, and what one needs comes with the next renewal", () => {
    const limits = { tokensPerDay: 1000, concurrency: 8 };
    const { budgets, renew } = gatewayOf(new ShareLessor(), { id: "gw_1", limits, gateways: 2 });
    expect(budgets.reserve(ask(limits, 600, noon))).toMatchObject({ refusal: { code: "concurrency_exceeded", retryAfterSeconds: 1 } });
    renew(noon);
    expect(budgets.reserve(ask(limits, 600, noon))).toMatchObject({ reservation: { facts: { tokens: 600 } } });
    expect(budgets.reserve(ask(limits, 401, noon))).toMatchObject({ refusal: { code: "budget_exceeded" } });
  });

  test("can use again what one that has stopped did not spend", () => {
    const limits = { tokensPerDay: 1000 };
    const lessor = new ShareLessor();
    const owner = { space: "main", system: "s" };
    const use = { day: { index: 1, tokens: 0, micros: 0 }, month: { index: 1, tokens: 0, micros: 0 } };
    lessor.lease({ gateway: "gone", owner, ...use, more: { tokens: 900, micros: 0 } }, limits, 2);
    expect(lessor.lease({ gateway: "left", owner, ...use, more: { tokens: 500, micros: 0 } }, limits, 2).day.tokens).toBe(100);
    lessor.ended({ gateway: "gone", owner, day: { ...use.day, tokens: 200 }, month: use.month });
    expect(lessor.lease({ gateway: "left", owner, ...use, more: { tokens: 800, micros: 0 } }, limits, 1).day.tokens).toBe(800);
  });
});
