import { z } from "zod";
import { ModelPrices, UtcDay } from "../entries/budgets.ts";
import { BudgetLimits, Currency } from "../manifest/budgets.ts";
import { Label } from "../manifest/text.ts";
import { PageQuery, Slug, Time } from "../vocabulary.ts";
import type { Routes } from "./route.ts";

const inSpace = z.object({ space: Slug });

/** What was spent in a day or a month of UTC. */
export const SpentView = z
  .strictObject({
    tokens: z.int(),
    money: z.array(z.strictObject({ currency: Currency, micros: z.int() })),
    endsAt: Time,
  })
  .meta({ id: "SpentView", description: "calls in flight count with all that they reserved" });
export type SpentView = z.output<typeof SpentView>;

export const BudgetView = z
  .strictObject({
    system: Slug.nullable().describe("null for all systems of the space together"),
    declared: BudgetLimits.nullable().describe("by the releases that carry traffic, the tightest; else by the latest"),
    operator: z.strictObject({ limits: BudgetLimits, reason: z.string(), changedBy: z.string(), changedAt: Time }).nullable(),
    day: SpentView,
    month: SpentView,
  })
  .meta({ id: "BudgetView" });
export type BudgetView = z.output<typeof BudgetView>;

export const OwnPriceView = z
  .strictObject({ provider: Slug, model: Label, known: ModelPrices, source: z.string(), changedBy: z.string(), changedAt: Time })
  .meta({ id: "OwnPriceView" });
export type OwnPriceView = z.output<typeof OwnPriceView>;

export const PriceTableView = z
  .strictObject({ vendor: z.string(), names: z.array(z.string()), currency: Currency, readAt: UtcDay, sources: z.array(z.string()), models: z.array(z.string()) })
  .meta({ id: "PriceTableView" });
export type PriceTableView = z.output<typeof PriceTableView>;

export const budgetRoutes = {
  listBudgets: { method: "GET", path: "/api/spaces/:space/budgets", permission: "system.read", summary: "Limits and spending of every system, and of the space", params: inSpace, query: PageQuery.extend({ system: Slug.optional().describe("only this one") }), response: z.strictObject({ items: z.array(BudgetView).describe("the space comes first, then its systems by name"), next: z.string().nullable() }) },
  setBudget: {
    method: "POST",
    path: "/api/spaces/:space/budgets",
    permission: "budget.set",
    summary: "Sets the operator's limits of a system or of the space; they only tighten",
    params: inSpace,
    body: z.strictObject({
      system: Slug.nullable().describe("null for all systems of the space together"),
      limits: BudgetLimits.nullable().describe("all of them; null lifts them, and those of the release go on"),
      reason: z.string().min(1).max(1000),
    }),
    response: BudgetView,
  },
  listPrices: { method: "GET", path: "/api/spaces/:space/prices", permission: "provider.read", summary: "The organisation's own prices, and the tables that come with Licet", params: inSpace, response: z.strictObject({ own: z.array(OwnPriceView), tables: z.array(PriceTableView) }) },
  setPrice: {
    method: "POST",
    path: "/api/spaces/:space/prices",
    permission: "provider.register",
    summary: "Records the organisation's own prices of a model",
    params: inSpace,
    body: z.strictObject({ provider: Slug, model: Label, known: ModelPrices.nullable().describe("null for none: the tables hold again"), source: z.string().min(1).max(500) }),
    response: z.strictObject({ items: z.array(OwnPriceView) }),
  },
} as const satisfies Routes;
