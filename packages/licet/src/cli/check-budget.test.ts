import { describe, expect, test } from "vitest";
import { runBudget, sharesOf } from "./check-budget.ts";
import type { Estimate } from "./check-estimate.ts";
import { CheckProgress, durationText, estimateLines } from "./check-progress.ts";

const estimate = (check: string, queries: number, more: Partial<Estimate> = {}): Estimate => ({ check, queries, promptTokens: 10 * queries, answerTokens: 100 * queries, money: queries / 100, currency: "USD", unpriced: [], ...more });

describe("a budget of a run", () => {
  test("is written in one notation, and everything else is refused with an example", () => {
    expect(runBudget("queries=500,tokens=200000,money=2.50,time=10m")).toEqual({ queries: 500, tokens: 200_000, money: 2.5, timeMs: 600_000 });
    expect([runBudget(undefined), runBudget("time=90"), runBudget("time=1.5h")]).toEqual([{}, { timeMs: 90_000 }, { timeMs: 5_400_000 }]);
    for (const wrong of ["queries", "queries=0", "queries=-1", "queries=1.5", "queries=5m", "euros=3", "queries=1,queries=2", "money=NaN", "time=", "tokens=1e9"]) expect(() => runBudget(wrong)).toThrow(/budget|whole|twice/u);
  });

  test("is shared out by what each check plans, never above the whole, whoever runs first", () => {
    const shares = sharesOf({ queries: 100, money: 3 }, [estimate("a", 300), estimate("b", 100), estimate("c", 0)]);
    expect(Object.fromEntries(shares)).toEqual({ a: { queriesMax: 75, moneyMax: 2.25 }, b: { queriesMax: 25, moneyMax: 0.75 }, c: { queriesMax: 0, moneyMax: 0 } });
    const odd = sharesOf({ queries: 10 }, [estimate("a", 1), estimate("b", 1), estimate("c", 1)]);
    expect([...odd.values()].reduce((sum, { queriesMax = 0 }) => sum + queriesMax, 0)).toBeLessThanOrEqual(10);
  });

  test("is said before anything is asked, with what it does not reach for and what has no price", () => {
    const text = estimateLines([estimate("a", 30), estimate("b", 10, { unpriced: ["chat"], money: 0, currency: null })], new Map([["a", { queriesMax: 20 }]]), 3).join("\n");
    expect(text).toMatch(/a: at most 30 questions.*cost at most 0.30 USD; the budget does not reach/u);
    expect(text).toContain("together: at most 40 questions, 400 tokens asked and 4000 answered, cost 0.30 USD");
    expect(text).toContain("no price is known for chat");
    expect(text).toContain("3 checks ask no model");
  });
});

test("progress says what is left of questions, cost and time", () => {
  let time = 0;
  const said: string[] = [];
  const live: string[] = [];
  const progress = new CheckProgress({ checks: [{ id: "a" }, { id: "b" }], estimates: [estimate("a", 100)], budget: { queries: 80, money: 2, timeMs: 100_000 }, now: () => time, terminal: { out: () => undefined, err: (text) => said.push(text), live: (text) => live.push(text), colour: false, width: 200 } });
  progress.started(0);
  time = 10_000;
  for (let question = 0; question < 20; question += 1) progress.answered("a", { tokens: 10, money: 0.01 });
  expect(progress.line()).toBe("0/2 checks · a · 20/100 questions · 200 tokens · cost 0.20 · left: 60 questions, cost 1.80, 1 min 30 s, about 40 s at this pace");
  expect(live.at(-1)).toBe(progress.line());
  expect([durationText(4000), durationText(3_700_000)]).toEqual(["4 s", "1 h 1 min"]);
});
