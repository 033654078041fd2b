import { z } from "zod";
import { BudgetLimits, Currency } from "../manifest/budgets.ts";
import { Label } from "../manifest/text.ts";
import { Slug, Time } from "../vocabulary.ts";

const count = z.int().nonnegative();
/** A day of UTC, `2026-11-21`. */
export const UtcDay = z.string().regex(/^\d{4}-\d{2}-\d{2}$/u);

/** Tokens and money of one call. Money is null where no price is known and no money budget is declared. */
const amount = { tokens: count, costMicros: count.nullable(), currency: Currency.nullable() };

/** In `gateway.decision` v2 as `budget`: what an allowed call reserved, before anything left. Spent until an outcome says less. */
export const BudgetReserved = z
  .strictObject({
    ...amount,
    day: UtcDay.describe("whose budget, and whose month's, it counts in, whenever it ends"),
    priceDate: UtcDay.nullable().describe("since when the price holds that was taken"),
    prompt: count.describe("tokens of the prompt at most"),
    answer: count.nullable().describe("tokens of the answer at most; null where nothing bounds it and no budget is declared"),
    spent: z
      .strictObject({ dayTokens: count, monthTokens: count, dayMicros: count, monthMicros: count })
      .describe("by the system before this call, open reservations included; money in `currency`"),
    callsThisMinute: count,
    inFlight: count,
  })
  .meta({ id: "BudgetReserved" });
export type BudgetReserved = z.output<typeof BudgetReserved>;

/** In `gateway.outcome` v2 as `cost`. With the decision's reservation taken back, it is what the call came to. */
export const SettledCost = z
  .strictObject({
    ...amount,
    day: UtcDay,
    priceDate: UtcDay.nullable(),
    estimated: z.boolean().describe("true where the provider did not say all: the reservation stands for what it left out"),
    reserved: z.strictObject({ tokens: count, costMicros: count.nullable() }).describe("as the decision has it"),
  })
  .meta({ id: "SettledCost" });
export type SettledCost = z.output<typeof SettledCost>;

/** Body of `budget.changed`, version 1: the operator's limits as a whole; null lifts them. The release's own go on. */
export const BudgetChanged = z.strictObject({
  system: Slug.nullable().describe("null for all systems of the space together"),
  limits: BudgetLimits.nullable(),
  reason: z.string().min(1).max(1000),
  changedBy: z.string(),
});
export type BudgetChanged = z.output<typeof BudgetChanged>;

/** A price of one model, per million tokens, in millionths of the currency: 2500000 is 2.50 for a million tokens. */
const MicrosPerMillion = z.int().min(0).max(1_000_000_000_000);

export const Price = z
  .strictObject({
    from: UtcDay.describe("the first UTC day on which it holds"),
    currency: Currency,
    input: MicrosPerMillion,
    output: MicrosPerMillion.describe("reasoning included"),
    cachedInput: MicrosPerMillion.optional().describe("of prompt tokens that the provider had in its cache; `input` where absent"),
    inputAtMost: MicrosPerMillion.optional().describe("the dearest that a prompt token can be, as when it is written to a cache; `input` where absent"),
    above: z
      .strictObject({ promptTokens: z.int().min(0), input: MicrosPerMillion, output: MicrosPerMillion, cachedInput: MicrosPerMillion.optional(), inputAtMost: MicrosPerMillion.optional() })
      .optional()
      .describe("for the whole call, where its prompt has more tokens"),
  })
  .meta({ id: "Price" });
export type Price = z.output<typeof Price>;

/** What is known of a model's cost: its prices in time, and how much it takes and gives at most. */
export const ModelPrices = z
  .strictObject({
    prices: z.array(Price).max(100).describe("all of them, with the days from which they hold"),
    promptTokensMax: z.int().min(1).max(1_000_000_000).optional().describe("the provider refuses a longer prompt"),
    answerTokensMax: z.int().min(1).max(1_000_000_000).optional().describe("the provider ends a longer answer, reasoning included"),
  })
  .meta({ id: "ModelPrices" });
export type ModelPrices = z.output<typeof ModelPrices>;

/** Body of `price.changed`, version 1: the organisation's own prices of a provider's model, as a whole; they go before the tables. */
export const PriceChanged = z.strictObject({
  provider: Slug,
  model: Label.describe("the id that goes over the wire"),
  known: ModelPrices.nullable().describe("null for none: the tables hold again"),
  source: z.string().min(1).max(500).describe("where they come from, such as a contract"),
  changedBy: z.string(),
});
export type PriceChanged = z.output<typeof PriceChanged>;

export const ChangedAt = { changedBy: z.string(), changedAt: Time };

export const budgetEntries = {
  "budget.changed": { v: 1, body: BudgetChanged },
  "price.changed": { v: 1, body: PriceChanged },
} as const;
