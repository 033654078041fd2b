import { InvalidArgumentError, type Command } from "commander";
import { withServer } from "./server-option.ts";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

/** Money as people write it, `12.50`, in millionths. */
function money(text: string): number {
  const match = /^(\d{1,9})(?:\.(\d{1,6}))?$/u.exec(text);
  if (match === null) throw new InvalidArgumentError("not an amount such as 12.50, with six decimals at most");
  return Number(match[1]) * 1_000_000 + Number((match[2] ?? "").padEnd(6, "0"));
}

function currency(text: string): string {
  if (!/^[A-Z]{3}$/u.test(text)) throw new InvalidArgumentError("not a currency such as EUR");
  return text;
}

function day(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/u.test(text) || Number.isNaN(Date.parse(text))) throw new InvalidArgumentError("not a day such as 2026-11-01");
  return text;
}

const tokens = wholeNumber(0, 1_000_000_000_000);

function addLimits(budget: Command, terminal: Terminal): void {
  withServer(budget.command("show"))
    .description("limits, and what is spent of them today and this month (UTC)")
    .argument("[system]", "one system (default: all, and the space)")
    .option("--json", "as JSON")
    .action(async (system: string | undefined, options) => {
      const { runBudgetShow } = await import("./budget.ts");
      process.exitCode = await runBudgetShow(system, options, terminal);
    });
  withServer(budget.command("set"))
    .description("sets the operator's limits as a whole, at once; they only tighten what the release declares")
    .argument("[system]", "one system (default: all systems of the space together)")
    .option("--tokens-per-day <n>", "prompts and answers together", tokens)
    .option("--tokens-per-month <n>", "prompts and answers together", tokens)
    .option("--currency <code>", "of the money: ISO 4217, such as EUR", currency)
    .option("--money-per-day <amount>", "such as 25.00", money)
    .option("--money-per-month <amount>", "such as 500", money)
    .option("--money-per-call <amount>", "the most that one call can come to", money)
    .option("--requests-per-minute <n>", "admitted within any 60 seconds", wholeNumber(0, 10_000_000))
    .option("--concurrency <n>", "calls in flight at once", wholeNumber(0, 100_000))
    .option("--lift", "removes the operator's limits; those of the release go on")
    .requiredOption("--reason <text>", "why; it is kept in the log")
    .action(async (system: string | undefined, options) => {
      const { runBudgetSet } = await import("./budget.ts");
      process.exitCode = await runBudgetSet(system, options, terminal);
    });
}

function addPrices(budget: Command, terminal: Terminal): void {
  const price = budget.command("price").description("prices of models, which budgets of money need");
  withServer(price.command("list"))
    .description("your own prices, and the tables that come with Licet")
    .option("--json", "as JSON")
    .action(async (options) => {
      const { runPriceList } = await import("./budget-prices.ts");
      process.exitCode = await runPriceList(options, terminal);
    });
  withServer(price.command("set"))
    .description("records your own price of a model; it goes before the tables")
    .requiredOption("--provider <id>", "as registered with `licet provider add`")
    .requiredOption("--model <id>", "as it goes over the wire")
    .requiredOption("--source <text>", "where it comes from, such as a contract")
    .option("--file <path>", "JSON with `prices` in time and the model's limits, in place of the options below")
    .option("--from <day>", "the first UTC day on which it holds (default: today)", day)
    .option("--currency <code>", "ISO 4217, such as EUR", currency)
    .option("--input <amount>", "of a million prompt tokens", money)
    .option("--output <amount>", "of a million answer tokens", money)
    .option("--cached-input <amount>", "of a million prompt tokens that the provider had in its cache", money)
    .option("--input-at-most <amount>", "the dearest that a million prompt tokens can be, as when they are written to a cache", money)
    .option("--prompt-max <tokens>", "the longest prompt that the model takes", wholeNumber(1, 1_000_000_000))
    .option("--answer-max <tokens>", "the longest answer that the model gives", wholeNumber(1, 1_000_000_000))
    .action(async (options) => {
      const { runPriceSet } = await import("./budget-prices.ts");
      process.exitCode = await runPriceSet(options, terminal);
    });
  withServer(price.command("remove"))
    .description("removes your own prices of a model; the tables hold again")
    .requiredOption("--provider <id>", "as registered with `licet provider add`")
    .requiredOption("--model <id>", "as it goes over the wire")
    .requiredOption("--source <text>", "why; it is kept in the log")
    .action(async (options) => {
      const { runPriceRemove } = await import("./budget-prices.ts");
      process.exitCode = await runPriceRemove(options, terminal);
    });
}

export function addBudgetCommands(root: Command, terminal: Terminal): void {
  const budget = root.command("budget").description("limits of tokens, money, rate and concurrency, and what is spent");
  addLimits(budget, terminal);
  addPrices(budget, terminal);
}
