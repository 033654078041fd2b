import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Currency, ModelPrices, Price } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { LicetError } from "../../base/errors.ts";
import type { ModelView, ProviderView } from "../snapshot.ts";

const Day = Price.shape.from;
const TablePrice = Price.omit({ currency: true });

/** One file of `prices/`: what a vendor publishes, with where and when it was read. */
export const PriceTable = z.strictObject({
  v: z.literal(1),
  vendor: z.string(),
  names: z.array(z.string().regex(/^[^A-Z]+$/u)).min(1).describe("as operators write the vendor, in lower case"),
  currency: Currency,
  readAt: Day,
  sources: z.array(z.url()).min(1),
  note: z.string(),
  models: z.array(
    z.strictObject({
      model: z.string(),
      aliases: z.array(z.string()).optional(),
      promptTokensMax: ModelPrices.shape.promptTokensMax,
      answerTokensMax: ModelPrices.shape.answerTokensMax,
      prices: z.array(TablePrice).min(1),
    }),
  ),
});
export type PriceTable = z.output<typeof PriceTable>;

/** What is known of the cost of a provider's model; undefined for nothing. */
export type PriceBook = (provider: ProviderView, model: Pick<ModelView, "model">) => ModelPrices | undefined;

/** The organisation's own prices first, then the vendor's table. Names are compared exactly: a price is never guessed. */
export function priceBook(tables: readonly PriceTable[]): PriceBook {
  const vendors = new Map(tables.flatMap((table) => table.names.map((name) => [name, modelsOf(table)] as const)));
  const listed = new WeakMap<ProviderView, ReadonlyMap<string, ModelPrices>>();
  return (provider, { model }) => {
    const { prices } = provider;
    if (prices !== undefined && Object.hasOwn(prices, model)) return prices[model];
    const list = listed.get(provider) ?? vendors.get(provider.vendor.trim().toLowerCase()) ?? nothing;
    listed.set(provider, list);
    return list.get(model);
  };
}

const nothing: ReadonlyMap<string, ModelPrices> = new Map();

function modelsOf({ currency, models }: PriceTable): ReadonlyMap<string, ModelPrices> {
  return new Map(
    models.flatMap(({ model, aliases = [], prices, ...limits }) => {
      const known: ModelPrices = { ...limits, prices: prices.map((price) => ({ ...price, currency })) };
      return [model, ...aliases].map((name) => [name, known] as const);
    }),
  );
}

/** The tables that come with Licet. Throws `internal` for a file that cannot be read: prices are part of the program. */
export function packagedTables(folder: string = pricesFolder()): readonly PriceTable[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files.sort().map((name) => tableFrom(join(folder, name)));
}

function tableFrom(file: string): PriceTable {
  const read = PriceTable.safeParse(parseJson(readFileSync(file, "utf8")));
  if (read.success) return read.data;
  throw new LicetError("internal", { message: `the price table \`${file}\` is damaged: ${z.prettifyError(read.error)}` });
}

/** The source runs from packages/licet/src, the product from packages/licet/dist: both look upwards. */
function pricesFolder(): string {
  for (let at = import.meta.dirname; ; at = dirname(at)) {
    const folder = join(at, "prices");
    if (existsSync(join(folder, "openai.json"))) return folder;
    if (dirname(at) === at) throw new LicetError("internal", { message: "the price tables are missing from this installation" });
  }
}
