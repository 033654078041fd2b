import { expect, test } from "vitest";
import { createBudgets, type BudgetAsk } from "../gateway/budgets/budgets.ts";
import { priceBook } from "../gateway/budgets/price-tables.ts";
import { withoutLimits } from "./no-budgets.ts";

const now = Date.UTC(2026, 10, 21);
const view = { id: "dep_1", space: "main", system: "helpdesk", environment: "local", stage: "pilot", active: true, release: `sha256:${"a".repeat(64)}`, tier: "minimal", models: [], prompts: [], tools: [], boundary: { classes: [], regions: [] } };
const ask = (budgets?: NonNullable<BudgetAsk["credential"]["deployment"]["budgets"]>): BudgetAsk => ({
  credential: { space: "main", deployment: { ...view, ...(budgets === undefined ? {} : { budgets }) } },
  model: { name: "chat", provider: "simulator", model: "sim-1", bounds: {} },
  provider: { id: "simulator", baseUrl: "http://127.0.0.1:9/v1", region: "eu", vendor: "v", keyRef: "main/simulator" },
  promptTokensAtMost: 10,
  answerTokensMax: 10,
  now,
});

test("a gateway process refuses a call that has a budget, and prices every other", () => {
  const budgets = withoutLimits(createBudgets({ prices: priceBook([]), now }));
  const limited = ask({ system: { concurrency: 100 } });
  expect(budgets.peek(limited)?.code).toBe("budget_elsewhere");
  expect(budgets.reserve(limited)).toMatchObject({ refusal: { code: "budget_elsewhere" } });
  expect(budgets.spending("main", "helpdesk", now).inFlight).toBe(0);
  expect(budgets.peek(ask())).toBeUndefined();
  expect(budgets.reserve(ask())).toHaveProperty("reservation");
});
