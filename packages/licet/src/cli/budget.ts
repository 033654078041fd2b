import type { BudgetLimits, BudgetView, RouteAnswer, SpentView } from "@licet/contract";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { connect, type ServerOptions } from "./session.ts";
import { columns, timeText, type Terminal } from "./terminal.ts";

interface ShowOptions extends ServerOptions {
  readonly json?: boolean;
}

const whole = new Intl.NumberFormat("en");

/** `12.50 EUR` of millionths; the cents rounded up, so that no spending looks smaller than it is. */
export function moneyText(micros: number, currency: string): string {
  return `${(Math.ceil(micros / 10_000) / 100).toFixed(2)} ${currency}`;
}

type Line = readonly [what: string, spent: string, limits: readonly string[]];

function spentMoney({ money }: SpentView, currency: string): number {
  return money.find((each) => each.currency === currency)?.micros ?? 0;
}

function tokenLine(what: string, spent: SpentView, limits: readonly (number | undefined)[]): Line {
  return [what, whole.format(spent.tokens), limits.map((limit) => (limit === undefined ? "-" : whole.format(limit)))];
}

function moneyLine(what: string, spent: number | undefined, currency: string, limits: readonly (number | undefined)[]): Line {
  return [what, spent === undefined ? "" : moneyText(spent, currency), limits.map((limit) => (limit === undefined ? "-" : moneyText(limit, currency)))];
}

function currenciesOf({ day, month, declared, operator }: BudgetView): readonly string[] {
  const spent = [...day.money, ...month.money].map(({ currency }) => currency);
  const limited = [declared, operator?.limits].flatMap((limits) => limits?.money?.currency ?? []);
  return [...new Set([...spent, ...limited])].sort();
}

function lines(view: BudgetView): readonly Line[] {
  const both = (limit: (limits: BudgetLimits) => number | undefined) => [view.declared, view.operator?.limits].map((limits) => (limits === null || limits === undefined ? undefined : limit(limits)));
  const inMoney = (currency: string, name: "microsPerDay" | "microsPerMonth" | "microsPerCall") => both(({ money }) => (money?.currency === currency ? money[name] : undefined));
  const rates: readonly (readonly [string, readonly (number | undefined)[]])[] = [
    ["requests per minute", both(({ requestsPerMinute }) => requestsPerMinute)],
    ["calls at once", both(({ concurrency }) => concurrency)],
  ];
  return [
    tokenLine("tokens today", view.day, both(({ tokensPerDay }) => tokensPerDay)),
    tokenLine("tokens this month", view.month, both(({ tokensPerMonth }) => tokensPerMonth)),
    ...currenciesOf(view).flatMap((currency) => [
      moneyLine("money today", spentMoney(view.day, currency), currency, inMoney(currency, "microsPerDay")),
      moneyLine("money this month", spentMoney(view.month, currency), currency, inMoney(currency, "microsPerMonth")),
      moneyLine("money for a call", undefined, currency, inMoney(currency, "microsPerCall")),
    ]),
    ...rates.map(([what, limits]): Line => [what, "", limits.map((limit) => (limit === undefined ? "-" : whole.format(limit)))]),
  ];
}

function shown(view: BudgetView): string {
  const head = view.system === null ? "all systems of the space together" : view.system;
  const { operator } = view;
  const set = operator === null ? [] : [`operator's limits set by ${operator.changedBy} on ${timeText(operator.changedAt)}: ${operator.reason}`];
  return [head, columns([["", "SPENT", "RELEASE", "OPERATOR"], ...lines(view).map(([what, spent, limits]) => [what, spent, ...limits])]), ...set].join("\n");
}

export async function runBudgetShow(system: string | undefined, options: ShowOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const wanted: BudgetView[] = [];
  for (let cursor: string | undefined | null = undefined; cursor !== null; ) {
    const page: RouteAnswer<"listBudgets"> = await client("listBudgets", { params: { space }, query: { system, cursor, limit: 200 } });
    wanted.push(...page.items);
    cursor = page.next;
  }
  if (options.json === true) {
    terminal.out(JSON.stringify(wanted, null, 2));
    return exitCodes.fine;
  }
  terminal.out(wanted.map(shown).join("\n\n"));
  return exitCodes.fine;
}

interface SetOptions extends ServerOptions {
  readonly tokensPerDay?: number;
  readonly tokensPerMonth?: number;
  readonly currency?: string;
  readonly moneyPerDay?: number;
  readonly moneyPerMonth?: number;
  readonly moneyPerCall?: number;
  readonly requestsPerMinute?: number;
  readonly concurrency?: number;
  readonly lift?: boolean;
  readonly reason: string;
}

function moneyLimits({ currency, moneyPerDay, moneyPerMonth, moneyPerCall }: SetOptions): BudgetLimits["money"] {
  const given = [moneyPerDay, moneyPerMonth, moneyPerCall].some((amount) => amount !== undefined);
  if (given !== (currency !== undefined)) throw new UsageError("an amount of money and its --currency go together");
  return currency === undefined ? undefined : { currency, microsPerDay: moneyPerDay, microsPerMonth: moneyPerMonth, microsPerCall: moneyPerCall };
}

function limitsFrom(options: SetOptions): BudgetLimits | null {
  const { tokensPerDay, tokensPerMonth, requestsPerMinute, concurrency } = options;
  const limits = { tokensPerDay, tokensPerMonth, requestsPerMinute, concurrency, money: moneyLimits(options) };
  const given = Object.values(limits).some((limit) => limit !== undefined);
  if (given === (options.lift === true)) throw new UsageError("give limits, or --lift and none");
  return given ? limits : null;
}

export async function runBudgetSet(system: string | undefined, options: SetOptions, terminal: Terminal): Promise<ExitCode> {
  const limits = limitsFrom(options);
  const { client, space } = connect(options);
  const view = await client("setBudget", { params: { space }, body: { system: system ?? null, limits, reason: options.reason } });
  terminal.out(shown(view));
  return exitCodes.fine;
}
