import { spentSince, type Reader } from "../store.ts";
import { createBudgets, type Budgets } from "./budgets.ts";
import { packagedTables, priceBook } from "./price-tables.ts";
import { dayOf, monthOf, monthStart } from "./utc-day.ts";

export interface OpeningBudgets {
  /** Rows of the record, brought to the end of the log. */
  readonly read: Reader;
  readonly now: number;
}

/** Budgets with what the record says was spent this month; what was in flight when the last run ended is spent. */
export async function openBudgets({ read, now }: OpeningBudgets): Promise<Budgets> {
  const rows = await spentSince(read, monthStart(monthOf(dayOf(now))));
  const spent = rows.map(({ currency, ...row }) => ({ ...row, currency: currency === "" ? null : currency }));
  return createBudgets({ prices: priceBook(packagedTables()), spent, now });
}
