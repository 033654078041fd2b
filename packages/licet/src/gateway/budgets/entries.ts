import { BudgetChanged, PriceChanged } from "@licet/contract";
import type { EntryDefinition } from "../../ledger/recorder.ts";
import { removeBudgetLimit, removeModelPrice, saveBudgetLimit, saveModelPrice } from "../store.ts";
import { wholeSpace } from "./standing.ts";

const budgetChanged: EntryDefinition = {
  kind: "budget.changed",
  v: 1,
  mode: "governance",
  async apply(tx, { space, time, id, body }) {
    const { system, limits, reason, changedBy } = BudgetChanged.parse(body);
    const named = system ?? wholeSpace;
    if (limits === null) return removeBudgetLimit(tx, space, named);
    return saveBudgetLimit(tx, { space, system: named, limits: JSON.stringify(limits), reason, changed_by: changedBy, changed_at: time, entry: id });
  },
};

const priceChanged: EntryDefinition = {
  kind: "price.changed",
  v: 1,
  mode: "governance",
  async apply(tx, { space, time, id, body }) {
    const { provider, model, known, source, changedBy } = PriceChanged.parse(body);
    if (known === null) return removeModelPrice(tx, space, { provider, model });
    return saveModelPrice(tx, { space, provider, model, known: JSON.stringify(known), source, changed_by: changedBy, changed_at: time, entry: id });
  },
};

export const budgetEntryDefinitions: readonly EntryDefinition[] = [budgetChanged, priceChanged];
