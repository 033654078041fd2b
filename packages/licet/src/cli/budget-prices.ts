import { readFileSync } from "node:fs";
import { ModelPrices, type OwnPriceView, type Price } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { moneyText } from "./budget.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { connect, type ServerOptions } from "./session.ts";
import { columns, type Terminal } from "./terminal.ts";

interface Named extends ServerOptions {
  readonly provider: string;
  readonly model: string;
  readonly source: string;
}

interface PriceOptions extends Named {
  readonly file?: string;
  readonly from?: string;
  readonly currency?: string;
  readonly input?: number;
  readonly output?: number;
  readonly cachedInput?: number;
  readonly inputAtMost?: number;
  readonly promptMax?: number;
  readonly answerMax?: number;
}

/** Each price in time on a line of its own. */
function rows({ provider, model, known, source }: OwnPriceView): readonly (readonly string[])[] {
  const limits = [known.promptTokensMax, known.answerTokensMax].map((most) => (most === undefined ? "-" : String(most)));
  const dated = known.prices.map((price) => [price.from, moneyText(price.input, price.currency), moneyText(price.output, price.currency)]);
  return (dated.length === 0 ? [["-", "-", "-"]] : dated).map((price) => [provider, model, ...price, ...limits, source]);
}

export async function runPriceList(options: ServerOptions & { readonly json?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const prices = await client("listPrices", { params: { space } });
  if (options.json === true) {
    terminal.out(JSON.stringify(prices, null, 2));
    return exitCodes.fine;
  }
  const own = prices.own.flatMap(rows);
  terminal.out(own.length === 0 ? "no prices of your own: `licet budget price set`" : columns([["PROVIDER", "MODEL", "FROM", "INPUT", "OUTPUT", "PROMPT MAX", "ANSWER MAX", "SOURCE"], ...own]));
  terminal.out(columns([["VENDOR", "CURRENCY", "READ", "MODELS", "SOURCE"], ...prices.tables.map((table) => [table.vendor, table.currency, table.readAt, String(table.models.length), table.sources[0] ?? ""])]));
  return exitCodes.fine;
}

function jsonIn(file: string): unknown {
  const text = readFileSync(file, "utf8");
  try {
    return parseJson(text);
  } catch {
    throw new UsageError(`\`${file}\` is not JSON`);
  }
}

function fromFile(file: string): ModelPrices {
  const read = ModelPrices.safeParse(jsonIn(file));
  if (read.success) return read.data;
  throw new UsageError(`\`${file}\` does not hold prices: ${z.prettifyError(read.error)}`);
}

function priceFrom({ from, currency, input, output, cachedInput, inputAtMost }: PriceOptions): Price | undefined {
  if (input === undefined && output === undefined && currency === undefined) return undefined;
  if (input === undefined || output === undefined || currency === undefined) throw new UsageError("a price needs --currency, --input and --output, per million tokens");
  return { from: from ?? new Date().toISOString().slice(0, 10), currency, input, output, cachedInput, inputAtMost };
}

/** What was recorded before stays, but for a price of the same day. */
function merged(before: ModelPrices | undefined, options: PriceOptions): ModelPrices {
  const price = priceFrom(options);
  if (price === undefined && options.promptMax === undefined && options.answerMax === undefined) throw new UsageError("give a price, --prompt-max, --answer-max or --file");
  const kept = (before?.prices ?? []).filter(({ from }) => from !== price?.from);
  return {
    prices: [...kept, ...(price === undefined ? [] : [price])].sort((a, b) => (a.from < b.from ? -1 : 1)),
    promptTokensMax: options.promptMax ?? before?.promptTokensMax,
    answerTokensMax: options.answerMax ?? before?.answerTokensMax,
  };
}

export async function runPriceSet(options: PriceOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { provider, model, source, file } = options;
  const { own } = await client("listPrices", { params: { space } });
  const before = own.find((each) => each.provider === provider && each.model === model)?.known;
  const known = file === undefined ? merged(before, options) : fromFile(file);
  await client("setPrice", { params: { space }, body: { provider, model, known, source } });
  terminal.out(`recorded prices of ${provider}/${model}; the next call takes them`);
  return exitCodes.fine;
}

export async function runPriceRemove(options: Named, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { provider, model, source } = options;
  await client("setPrice", { params: { space }, body: { provider, model, known: null, source } });
  terminal.out(`removed your own prices of ${provider}/${model}`);
  return exitCodes.fine;
}
