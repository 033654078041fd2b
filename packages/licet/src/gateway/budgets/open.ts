import { spentByRuns, spentSince, type Reader } from "../store.ts";
import { createBudgets, type Budgets } from "./budgets.ts";
import { packagedTables, priceBook } from "./price-tables.ts";
import type { Shares } from "./shares.ts";
import { summed, type SpentDay } from "./spent.ts";
import { dayOf, monthOf, monthStart } from "./utc-day.ts";

export interface OpeningBudgets {
  /** Rows of the record, brought to the end of the log. */
  readonly read: Reader;
  readonly now: number;
  /** Where gateway processes count beside this one. */
  readonly shares?: Shares | undefined;
}

/** What this process has spent this month; what was in flight when its last run ended is spent. What gateway processes have spent is their shares' matter. */
export async function openBudgets({ read, now, shares }: OpeningBudgets): Promise<Budgets> {
  const month = monthStart(monthOf(dayOf(now)));
  const all = (await spentSince(read, month)).map(plain);
  const elsewhere = shares === undefined ? [] : (await spentByRuns(read, month)).map(plain);
  const spent = summed([...all, ...elsewhere.map((row) => ({ ...row, tokens: -row.tokens, micros: -row.micros }))]);
  return createBudgets({ prices: priceBook(packagedTables()), spent, now, ...(shares !== undefined && { shares }) });
}

/** Of a gateway process: it counts from nothing, because what its earlier runs spent is known where limits are divided. */
export function openSharedBudgets({ now, shares }: { readonly now: number; readonly shares: Shares }): Budgets {
  return createBudgets({ prices: priceBook(packagedTables()), shares, now });
}

function plain({ space, system, day, tokens, micros, currency }: Omit<SpentDay, "currency"> & { readonly currency: string }): SpentDay {
  return { space, system, day, tokens, micros, currency: currency === "" ? null : currency };
}
