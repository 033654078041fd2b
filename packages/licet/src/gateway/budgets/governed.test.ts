import type { BudgetLimits } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { deployment, messages, start, startGoverned, type Governed } from "../../../../../test/unit/support/governed.ts";
import { builtinBundle } from "../../policy/bundle.ts";
import { createDecider } from "../../policy/decide.ts";
import { createBudgets, type Budgets } from "./budgets.ts";
import { priceBook } from "./price-tables.ts";
import { spentBy, summed } from "./spent.ts";

const prices = { "sim-1": { prices: [{ from: "2026-01-01", currency: "EUR", input: 2_000_000, output: 6_000_000 }] } };
const decider = createDecider(builtinBundle());

async function limited(release: BudgetLimits, budgets: Budgets = createBudgets({ prices: priceBook([]), now: start })): Promise<Governed> {
  const governed = await startGoverned({ budgets });
  governed.stand({ deployment: deployment({ budgets: { release } }), provider: { prices }, decide: async (call) => decider.decide({ ...call }) });
  return governed;
}

const call = JSON.stringify({ model: "chat", messages, max_tokens: 100 });
const chat = (governed: Governed, body = call) => governed.post("/openai/v1/chat/completions", body);

/** What the first decision reserved. */
function reservedBy(governed: Governed): { readonly tokens: number; readonly prompt: number } {
  const [decision = {}] = governed.bodies("gateway.decision");
  return decision["budget"] as { tokens: number; prompt: number };
}

async function codeOf(answer: Response): Promise<string | undefined> {
  const body = (await answer.json()) as { error?: { code: string } };
  return body.error?.code;
}

describe("a call under a budget", () => {
  test("records what it reserved with the decision and what it came to with the outcome", async () => {
    await using governed = await limited({ tokensPerDay: 100_000, money: { currency: "EUR", microsPerDay: 1_000_000 } });
    expect((await chat(governed)).status).toBe(200);
    const [decision] = governed.bodies("gateway.decision");
    const [outcome] = governed.bodies("gateway.outcome");
    const budget = decision?.["budget"] as { tokens: number; prompt: number; costMicros: number };
    expect(budget).toMatchObject({ answer: 100, currency: "EUR", day: "2026-11-21", priceDate: "2026-01-01", inFlight: 0, spent: { dayTokens: 0 } });
    expect(budget.costMicros).toBe(budget.prompt * 2 + 100 * 6);
    const usage = outcome?.["usage"] as { prompt: number; completion: number };
    expect(outcome?.["cost"]).toMatchObject({ tokens: usage.prompt + usage.completion, costMicros: usage.prompt * 2 + usage.completion * 6, estimated: false, reserved: { tokens: budget.tokens, costMicros: budget.costMicros } });
  });

  test("tells policies its budget in steps, and one that does not fit is refused by the gateway and by the policy that is named", async () => {
    await using governed = await limited({ tokensPerDay: 3200 });
    expect((await chat(governed)).status).toBe(200);
    const { prompt } = reservedBy(governed);
    // One digit more than before: one byte more of a prompt, so that this call alone would fit exactly.
    const refused = await chat(governed, JSON.stringify({ model: "chat", messages, max_tokens: 3200 - prompt - 1 }));
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe(String(12 * 3600));
    expect(refused.headers.get("x-should-retry")).toBe("false");
    expect(await refused.json()).toMatchObject({ error: { code: "budget_exceeded", licet: { policy: "budget.tokens", component: "budget:tokensPerDay" } } });
    const [allowed, denied] = governed.bodies("gateway.decision") as { cedar: { context: object; entities: { attrs: Record<string, unknown> }[] } }[];
    expect(allowed?.cedar.entities[0]?.attrs["budget"]).toMatchObject({ day: { tokens: 3200 } });
    expect(allowed?.cedar.context).toMatchObject({ spent: { tokens: 0 }, callsThisMinute: 0 });
    expect(denied).toMatchObject({ decision: "deny", code: "budget_exceeded", policyErrors: [] });
  });

  test.each<[string, BudgetLimits, number]>([
    ["rate_exceeded", { requestsPerMinute: 1 }, 429],
    ["concurrency_exceeded", { concurrency: 0 }, 429],
    ["price_unknown", { money: { currency: "USD", microsPerDay: 1_000_000 } }, 403],
  ])("answers %s", async (code, limits, status) => {
    await using governed = await limited(limits);
    if (code === "rate_exceeded") await (await chat(governed)).text();
    const refused = await chat(governed);
    expect(refused.status).toBe(status);
    expect(await codeOf(refused)).toBe(code);
  });

  test("is refused without a bound where no model's limit is known", async () => {
    await using governed = await limited({ tokensPerDay: 100_000 });
    expect(await codeOf(await chat(governed, JSON.stringify({ model: "chat", messages })))).toBe("answer_unbounded");
  });

  test("costs nothing where the provider answers with an error, and its place in flight is free again", async () => {
    const budgets = createBudgets({ prices: priceBook([]), now: start });
    await using governed = await limited({ tokensPerDay: 100_000, concurrency: 1 }, budgets);
    await (await chat(governed, JSON.stringify({ model: "chat", messages: [...messages, { role: "user", content: "[[status=400]]" }], max_tokens: 10 }))).text();
    await (await chat(governed)).text();
    expect(budgets.spending("main", "helpdesk", start)).toMatchObject({ inFlight: 0, day: { openTokens: 0 } });
  });

  test("of a system without limits asks policies one question, whatever was spent", async () => {
    await using governed = await startGoverned({ budgets: createBudgets({ prices: priceBook([]), now: start }) });
    governed.stand({ decide: async (asked) => decider.decide({ ...asked }) });
    for (const size of [1, 100, 1000]) expect((await chat(governed, JSON.stringify({ model: "chat", messages, max_tokens: size }))).status).toBe(200);
    const questions = new Set(governed.bodies("gateway.decision").map(({ cedar }) => JSON.stringify(cedar)));
    expect(questions.size).toBe(1);
    expect([...questions][0]).toContain('"unlimited":true');
  });
});

describe("500 callers at once, over HTTP", () => {
  test("spend a budget and not a token more, and what the log says is what was spent", async () => {
    const budgets = createBudgets({ prices: priceBook([]), now: start });
    const tokensPerDay = 6000;
    await using governed = await limited({ tokensPerDay }, budgets);
    const codes = await Promise.all(Array.from({ length: 500 }, async () => {
      const answer = await chat(governed);
      return answer.status === 200 ? (await answer.text(), "spent") : await codeOf(answer);
    }));
    expect(new Set(codes)).toEqual(new Set(["spent", "budget_exceeded"]));
    const { day, inFlight } = budgets.spending("main", "helpdesk", start);
    expect(inFlight).toBe(0);
    expect(day.tokens).toBeLessThanOrEqual(tokensPerDay);
    let running = 0;
    let most = 0;
    for (const { kind, space, system, body } of governed.ledger.entries) {
      for (const { tokens } of spentBy({ kind, space, system, body: { ...body } })) running += tokens;
      most = Math.max(most, running);
    }
    expect(most).toBeLessThanOrEqual(tokensPerDay);
    expect(running).toBe(day.tokens);
    const replayed = summed(governed.ledger.entries.flatMap(({ kind, space, system, body }) => spentBy({ kind, space, system, body: { ...body } })));
    expect(createBudgets({ prices: priceBook([]), spent: replayed, now: start }).spending("main", "helpdesk", start).day.tokens).toBe(day.tokens);
  }, 120_000);

  test("and what was in flight when the process died stays spent", async () => {
    await using governed = await limited({ tokensPerDay: 40_000 });
    await (await chat(governed)).text();
    const decisions = governed.ledger.entries.filter(({ kind }) => kind === "gateway.decision");
    const [unsettled] = summed(decisions.flatMap(({ kind, space, system, body }) => spentBy({ kind, space, system, body: { ...body } })));
    expect(unsettled?.tokens).toBe(reservedBy(governed).tokens);
  });
});
