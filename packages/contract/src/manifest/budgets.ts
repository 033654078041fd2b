import { z } from "zod";

/** Well below 2^53, so that sums of counters and bounds stay exact. */
export const budgetTokensMax = 1_000_000_000_000;
/** A billion of any currency. */
export const budgetMicrosMax = 1_000_000_000_000_000;

const Tokens = z.int().min(0).max(budgetTokensMax);
const Micros = z.int().min(0).max(budgetMicrosMax);

export const Currency = z
  .string()
  .regex(/^[A-Z]{3}$/u, "an ISO 4217 code of three capital letters, such as `EUR`")
  .meta({ id: "Currency", title: "Currency", description: "ISO 4217 code, such as USD or EUR; prices must be known in it, nothing is converted" });

export const MoneyBudget = z
  .strictObject({
    currency: Currency,
    microsPerDay: Micros.optional().meta({ title: "Money per day", description: "in millionths of the currency, by UTC day" }),
    microsPerMonth: Micros.optional().meta({ title: "Money per month", description: "in millionths of the currency, by UTC month" }),
    microsPerCall: Micros.optional().meta({ title: "Money per call", description: "the most that one call can come to, in millionths of the currency" }),
  })
  .meta({ title: "Money", description: "limits of money in millionths: 2500000 is 2.50" });

/** What may be spent at most. What is left out is not limited here; days and months are those of UTC. */
export const BudgetLimits = z
  .strictObject({
    tokensPerDay: Tokens.optional().meta({ title: "Tokens per day", description: "of prompts and answers together, by UTC day" }),
    tokensPerMonth: Tokens.optional().meta({ title: "Tokens per month", description: "of prompts and answers together, by UTC month" }),
    money: MoneyBudget.optional(),
    requestsPerMinute: z.int().min(0).max(10_000_000).optional().meta({ title: "Requests per minute", description: "admitted within any 60 seconds" }),
    concurrency: z.int().min(0).max(100_000).optional().meta({ title: "Concurrency", description: "calls in flight at once" }),
  })
  .meta({
    title: "Budgets",
    description: "the most that the system may spend; every call reserves its own bound before it leaves. An operator can set tighter limits, never wider ones",
  });
export type BudgetLimits = z.output<typeof BudgetLimits>;
