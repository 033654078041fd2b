import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BudgetLimits } from "@licet/contract";
import type { CredentialView, ModelView, ProviderView } from "../snapshot.ts";
import { createBudgets, type BudgetAsk, type Budgets, type Reservation } from "./budgets.ts";
import { priceBook } from "./price-tables.ts";
import type { SpentDay } from "./spent.ts";
import { dayOf } from "./utc-day.ts";

const noon = Date.parse("2026-11-21T12:00:00Z");
const price = { from: "2026-01-01", currency: "EUR", input: 1_000_000, output: 4_000_000 };

type DeploymentLike = Pick<CredentialView["deployment"], "space" | "system" | "budgets">;

function credential(budgets: CredentialView["deployment"]["budgets"], system = "helpdesk"): BudgetAsk["credential"] {
  const deployment: DeploymentLike = { space: "main", system, ...(budgets !== undefined && { budgets }) };
  return { space: "main", deployment: deployment as CredentialView["deployment"] };
}

const model: ModelView = { name: "chat", provider: "sim", model: "sim-1", bounds: {} };
const provider: ProviderView = { id: "sim", baseUrl: "http://127.0.0.1", region: "eu", vendor: "nobody", keyRef: "main/sim", prices: { "sim-1": { prices: [price] } } };

interface Asking {
  readonly limits?: BudgetLimits;
  readonly prompt?: number;
  readonly answer?: number | undefined;
  readonly now?: number;
}

function ask({ limits, prompt = 100, answer = 50, now = noon }: Asking): BudgetAsk {
  return { credential: credential(limits && { release: limits }), model, provider, promptTokensAtMost: prompt, answerTokensMax: answer, now };
}

function fresh(spent: readonly SpentDay[] = [], now = noon): Budgets {
  return createBudgets({ prices: priceBook([]), spent, now });
}

function taken(budgets: Budgets, call: BudgetAsk): Reservation {
  const answer = budgets.reserve(call);
  if ("refusal" in answer) throw new Error(`refused: ${answer.refusal.code} ${answer.refusal.message}`);
  return answer.reservation;
}

function refused(budgets: Budgets, call: BudgetAsk) {
  const answer = budgets.reserve(call);
  if ("reservation" in answer) throw new Error("admitted");
  return answer.refusal;
}

const usage = (prompt: number, completion: number) => ({ prompt, completion, total: prompt + completion });

describe("a budget of tokens", () => {
  const limits = { tokensPerDay: 300 };

  test("admits a call that uses it up exactly, and not one token more", () => {
    const budgets = fresh();
    taken(budgets, ask({ limits }));
    taken(budgets, ask({ limits, prompt: 149, answer: 1 }));
    expect(refused(budgets, ask({ limits, prompt: 1, answer: 0 }))).toMatchObject({ code: "budget_exceeded", status: 429, component: "budget:tokensPerDay" });
  });

  test("gets back what a call did not use", () => {
    const budgets = fresh();
    const cost = taken(budgets, ask({ limits, prompt: 200, answer: 100 })).settle(usage(20, 10), noon);
    expect(cost).toEqual({ tokens: 30, costMicros: 60, currency: "EUR", day: "2026-11-21", priceDate: "2026-01-01", estimated: false, reserved: { tokens: 300, costMicros: 600 } });
    taken(budgets, ask({ limits, prompt: 200, answer: 70 }));
    refused(budgets, ask({ limits, prompt: 1, answer: 0 }));
  });

  test("stays spent where the provider said nothing, and comes back where nothing was sent", () => {
    const budgets = fresh();
    expect(taken(budgets, ask({ limits })).settle(null, noon)).toMatchObject({ tokens: 150, estimated: true });
    const unsent = taken(budgets, ask({ limits }));
    expect(unsent.release()).toMatchObject({ tokens: 0, costMicros: 0, reserved: { tokens: 150 } });
    expect(unsent.settle(null, noon)).toMatchObject({ tokens: 0 });
    expect(budgets.spending("main", "helpdesk", noon)).toMatchObject({ inFlight: 0, day: { tokens: 150, openTokens: 0, money: { EUR: 300 } } });
  });

  test("keeps the reserved answer of a stream that broke off, and the provider's count of its prompt", () => {
    expect(taken(fresh(), ask({ limits })).settle(usage(80, 1), noon, false)).toMatchObject({ tokens: 130, estimated: true });
  });

  test("keeps enough for every sending that the release allows, and spends one for each that ended without a word", () => {
    const budgets = fresh();
    const again = { ...ask({ limits }), model: { ...model, retries: 1 } };
    const open = taken(budgets, again);
    expect(open.facts.tokens).toBe(300);
    refused(budgets, ask({ limits, prompt: 1, answer: 0 }));
    expect(open.settle(usage(20, 10), noon, true, 1)).toMatchObject({ tokens: 180, estimated: true, reserved: { tokens: 300 } });
    expect(budgets.spending("main", "helpdesk", noon).day.tokens).toBe(180);
  });

  test("begins anew with the day of UTC, and a call that ends later is charged to the day it began", () => {
    const budgets = fresh();
    const late = Date.parse("2026-11-21T23:59:59.999Z");
    const open = taken(budgets, ask({ limits, prompt: 300, answer: 0, now: late }));
    expect(refused(budgets, ask({ limits, now: late })).retryAfterSeconds).toBe(1);
    const next = late + 1;
    taken(budgets, ask({ limits, prompt: 300, answer: 0, now: next }));
    open.settle(usage(10, 0), next);
    expect(budgets.spending("main", "helpdesk", next).day.tokens).toBe(300);
    refused(budgets, ask({ limits, prompt: 1, answer: 0, now: late }));
  });

  test("says how long to wait: until the day ends, a second where calls in flight stand in the way, nothing where no wait helps", () => {
    const budgets = fresh();
    expect(refused(budgets, ask({ limits, prompt: 301, answer: 0 })).retryAfterSeconds).toBeUndefined();
    const open = taken(budgets, ask({ limits, prompt: 300, answer: 0 }));
    expect(refused(budgets, ask({ limits })).retryAfterSeconds).toBe(1);
    open.settle(usage(300, 0), noon);
    expect(refused(budgets, ask({ limits })).retryAfterSeconds).toBe(12 * 3600);
  });

  test("of a month outlives the day", () => {
    const budgets = fresh();
    const monthly = { tokensPerMonth: 300 };
    taken(budgets, ask({ limits: monthly, prompt: 300, answer: 0 })).settle(usage(300, 0), noon);
    expect(refused(budgets, ask({ limits: monthly, now: noon + 86_400_000 }))).toMatchObject({ component: "budget:tokensPerMonth" });
    taken(budgets, ask({ limits: monthly, now: Date.parse("2026-12-01T00:00:00Z") }));
  });
});

describe("a budget of money", () => {
  const limits = { money: { currency: "EUR", microsPerDay: 1000, microsPerCall: 600 } };

  test("reserves by the dearest reading of the price, and settles by the provider's count", () => {
    const budgets = fresh();
    expect(taken(budgets, ask({ limits, prompt: 200, answer: 100 })).facts).toMatchObject({ costMicros: 600, currency: "EUR", priceDate: "2026-01-01", spent: { dayMicros: 0 } });
    expect(refused(budgets, ask({ limits, prompt: 201, answer: 100 }))).toMatchObject({ component: "budget:microsPerCall" });
    expect(refused(budgets, ask({ limits, prompt: 401, answer: 0 }))).toMatchObject({ component: "budget:microsPerDay" });
  });

  test.each<[string, Partial<BudgetAsk>]>([
    ["no price", { provider: { ...provider, prices: {} } }],
    ["a price in another currency", { provider: { ...provider, prices: { "sim-1": { prices: [{ ...price, currency: "USD" }] } } } }],
    ["a price that has not begun", { provider: { ...provider, prices: { "sim-1": { prices: [{ ...price, from: "2026-11-22" }] } } } }],
    ["a price that does not hold for the tier", { needs: [{ permission: "speed:fast" }] }],
  ])("refuses a call with %s", (_, change) => {
    expect(refused(fresh(), { ...ask({ limits }), ...change })).toMatchObject({ code: "price_unknown", status: 403 });
  });

  test("is nobody's matter where none is declared: the cost is unknown and the call goes on", () => {
    const { facts } = taken(fresh(), { ...ask({ limits: { tokensPerDay: 1000 } }), provider: { ...provider, prices: {} } });
    expect(facts).toMatchObject({ costMicros: null, currency: null, tokens: 150 });
  });
});

describe("a call without a bound of its own", () => {
  const limits = { tokensPerDay: 1_000_000 };
  const open = { ...ask({ limits }), answerTokensMax: undefined };

  test("takes the release's bound for each answer, else the model's, else it is refused", () => {
    const bounded = { ...model, bounds: { max_tokens: { max: 70 } } };
    expect(taken(fresh(), { ...open, model: bounded, choices: 3 }).facts.answer).toBe(210);
    const known = { ...provider, prices: { "sim-1": { prices: [price], answerTokensMax: 40 } } };
    expect(taken(fresh(), { ...open, provider: known }).facts.answer).toBe(40);
    expect(refused(fresh(), open)).toMatchObject({ code: "answer_unbounded", param: "max_tokens" });
  });

  test("is refused where the provider's own tools may call the model again and again", () => {
    expect(refused(fresh(), { ...ask({ limits }), needs: [{ permission: "server-tool:web_search" }] })).toMatchObject({ code: "answer_unbounded" });
  });

  test("goes on where no tokens and no money are limited", () => {
    expect(taken(fresh(), { ...open, credential: credential({ release: { concurrency: 5 } }) }).facts.answer).toBeNull();
  });
});

describe("rate and concurrency", () => {
  test("hold for every minute, wherever it begins", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 200 }), fc.integer({ min: 1, max: 20 }), (gaps, limit) => {
        const budgets = fresh();
        const admitted: number[] = [];
        const waits: number[] = [];
        let now = noon;
        for (const gap of gaps) {
          now += gap;
          const answer = budgets.reserve(ask({ limits: { requestsPerMinute: limit }, now }));
          if ("reservation" in answer) admitted.push(now);
          else waits.push(answer.refusal.code === "rate_exceeded" ? (answer.refusal.retryAfterSeconds ?? Infinity) : Infinity);
        }
        for (const wait of waits) expect(wait).toBeLessThanOrEqual(61);
        for (const start of admitted) expect(admitted.filter((time) => time >= start && time < start + 60_000).length).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test("count a call for the whole of its 60 seconds, and no longer than a quarter of a second more", () => {
    for (const offset of [0, 1, 125, 249]) {
      const limits = { requestsPerMinute: 1 };
      const budgets = fresh();
      const admitted = [0, 59_999, 60_250].map((after) => "reservation" in budgets.reserve(ask({ limits, now: noon + offset + after })));
      expect(admitted).toEqual([true, false, true]);
    }
  });

  test("a call is admitted after the time that `retry-after` names", () => {
    const budgets = fresh();
    const limits = { requestsPerMinute: 2 };
    taken(budgets, ask({ limits }));
    taken(budgets, ask({ limits, now: noon + 20_000 }));
    const seconds = refused(budgets, ask({ limits, now: noon + 30_000 })).retryAfterSeconds ?? 0;
    expect(seconds).toBeGreaterThanOrEqual(30);
    taken(budgets, ask({ limits, now: noon + 30_000 + seconds * 1000 }));
  });

  test("a place in flight comes back however the call ends, and only once", () => {
    const budgets = fresh();
    const limits = { concurrency: 1 };
    for (const end of [(open: Reservation) => open.release(), (open: Reservation) => open.settle(null, noon), (open: Reservation) => open.settle(usage(1, 1), noon)]) {
      const open = taken(budgets, ask({ limits }));
      expect(refused(budgets, ask({ limits }))).toMatchObject({ code: "concurrency_exceeded", retryAfterSeconds: 1 });
      end(open);
      open.settle(null, noon);
      open.release();
    }
    expect(budgets.spending("main", "helpdesk", noon).inFlight).toBe(0);
  });
});

describe("several limits", () => {
  test("all hold: the release's, the operator's for the system, and the operator's for all systems together", () => {
    const space = { tokensPerDay: 500 };
    const of = (system: string, own?: BudgetLimits) => ({ ...ask({ prompt: 100, answer: 100 }), credential: credential({ release: { tokensPerDay: 10_000 }, ...(own !== undefined && { system: own }), space }, system) });
    const budgets = fresh();
    taken(budgets, of("one", { tokensPerDay: 200 }));
    expect(refused(budgets, of("one", { tokensPerDay: 399 })).message).toContain("the operator's limit for the system");
    taken(budgets, of("two"));
    expect(refused(budgets, of("three")).message).toContain("the operator's limit for the space");
  });
});

describe("after a restart", () => {
  test("what the record says is spent: of today, of the month, of each currency", () => {
    const today = dayOf(noon);
    const spent = [
      { space: "main", system: "helpdesk", day: today, tokens: 100, micros: 400, currency: "EUR" },
      { space: "main", system: "helpdesk", day: today - 20, tokens: 700, micros: 0, currency: null },
      { space: "main", system: "helpdesk", day: today - 21, tokens: 999, micros: 0, currency: null },
    ];
    const budgets = fresh(spent);
    expect(budgets.spending("main", "helpdesk", noon)).toMatchObject({ day: { tokens: 100, money: { EUR: 400 } }, month: { tokens: 800 } });
    expect(budgets.spending("main", null, noon).month.tokens).toBe(800);
    expect(refused(budgets, ask({ limits: { tokensPerMonth: 949 } }))).toMatchObject({ component: "budget:tokensPerMonth" });
  });
});

/** One step of one of many callers, chosen by fast-check. */
const step = fc.record({ caller: fc.nat({ max: 499 }), prompt: fc.nat({ max: 400 }), answer: fc.nat({ max: 200 }), used: fc.double({ min: 0, max: 1, noNaN: true }), end: fc.constantFrom("usage", "silence", "unsent", "partial"), gap: fc.nat({ max: 90_000 }) });

describe("500 callers at once", () => {
  test("never pass a limit, not by one, in whatever order they come and end", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 100, maxLength: 1000 }), fc.nat({ max: 20_000 }), fc.nat({ max: 30 }), (steps, tokens, concurrency) => {
        const limits = { tokensPerDay: tokens, money: { currency: "EUR", microsPerDay: tokens * 2 }, concurrency };
        const budgets = fresh();
        const open = new Map<number, { readonly reservation: Reservation; readonly call: (typeof steps)[number] }>();
        let now = noon;
        for (const call of steps) {
          now += call.gap;
          const before = open.get(call.caller);
          if (before === undefined) {
            const answer = budgets.reserve(ask({ limits, prompt: call.prompt, answer: call.answer, now }));
            if ("reservation" in answer) open.set(call.caller, { reservation: answer.reservation, call });
          } else {
            finish(before.reservation, before.call, now);
            open.delete(call.caller);
          }
          const { day, inFlight } = budgets.spending("main", "helpdesk", now);
          expect(day.tokens).toBeLessThanOrEqual(tokens);
          expect(day.money["EUR"] ?? 0).toBeLessThanOrEqual(tokens * 2);
          expect(inFlight).toBe(open.size);
          expect(inFlight).toBeLessThanOrEqual(concurrency);
        }
        for (const { reservation, call } of open.values()) finish(reservation, call, now);
        expect(budgets.spending("main", "helpdesk", now)).toMatchObject({ inFlight: 0, day: { openTokens: 0 } });
      }),
      { numRuns: 10 },
    );
  });

  test("spend all of a budget and no more where each asks at the same moment", async () => {
    const budgets = fresh();
    const limits = { tokensPerDay: 10_000 };
    let spent = 0;
    const answers = await Promise.all(
      Array.from({ length: 500 }, async (_, caller) => {
        await new Promise((resolve) => setTimeout(resolve, caller % 7));
        const answer = budgets.reserve(ask({ limits, prompt: 60, answer: 40 }));
        if ("refusal" in answer) return answer.refusal.code;
        await new Promise((resolve) => setTimeout(resolve, 20 + (caller % 5)));
        spent += answer.reservation.settle(usage(60, 40), noon).tokens;
        return "spent";
      }),
    );
    expect(spent).toBe(10_000);
    expect(answers.filter((answer) => answer === "spent")).toHaveLength(100);
    expect(answers.filter((answer) => answer === "budget_exceeded")).toHaveLength(400);
  });
});

function finish(reservation: Reservation, { prompt, answer, used, end }: { readonly prompt: number; readonly answer: number; readonly used: number; readonly end: string }, now: number): void {
  const counted = usage(Math.floor(prompt * used), Math.floor(answer * used));
  if (end === "unsent") reservation.release();
  else reservation.settle(end === "silence" ? null : counted, now, end !== "partial");
}
