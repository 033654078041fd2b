import type { Project } from "../inventory/project.ts";
import { priceOn } from "../gateway/budgets/cost.ts";
import { packagedTables, priceBook } from "../gateway/budgets/price-tables.ts";
import { dayOf } from "../gateway/budgets/utc-day.ts";

/** What a million tokens of a model cost today by the price tables that come with Licet. */
export interface ModelPrice {
  readonly currency: string;
  readonly prompt: number;
  readonly completion: number;
}

const micros = 1_000_000;

/** Prices of the declared models by their names; a model whose price nobody knows is not in it. */
export function modelPrices({ manifest }: Pick<Project, "manifest">, now: number): Readonly<Record<string, ModelPrice>> {
  const book = priceBook(packagedTables());
  const today = dayOf(now);
  return Object.fromEntries(
    manifest.components.models.flatMap((model) => {
      if (model.file !== undefined) return [];
      const known = book({ id: model.provider, vendor: model.provider, baseUrl: "", region: "", keyRef: "" }, model);
      const price = known === undefined ? undefined : priceOn(known, today);
      return price === undefined ? [] : [[model.name, { currency: price.currency, prompt: price.input / micros, completion: price.output / micros }] as const];
    }),
  );
}
