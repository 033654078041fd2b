import type { CheckResult } from "@licet/contract";
import type { CheckBudget, RunBudget } from "./check-budget.ts";
import type { Answered } from "./check-endpoints.ts";
import type { Estimate } from "./check-estimate.ts";
import type { Terminal } from "./terminal.ts";

export interface ProgressOptions {
  readonly checks: readonly { readonly id: string }[];
  readonly estimates: readonly Estimate[];
  readonly budget: RunBudget;
  readonly now: () => number;
  readonly terminal: Terminal;
}

/** Says what is under way and what is left of questions, cost and time: a line for each finished check, and where a person watches one that lives. */
export class CheckProgress {
  readonly #options: ProgressOptions;
  readonly #started: number;
  readonly #running = new Set<string>();
  readonly #planned: ReadonlyMap<string, number>;
  readonly #asked = new Map<string, number>();
  #finished = 0;
  #tokens = 0;
  #money = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#started = options.now();
    this.#planned = new Map(options.estimates.map(({ check, queries }) => [check, queries]));
  }

  started(index: number): void {
    const check = this.#options.checks[index];
    if (check !== undefined) this.#running.add(check.id);
    this.#live();
  }

  answered(check: string, { tokens, money }: Answered): void {
    this.#asked.set(check, (this.#asked.get(check) ?? 0) + 1);
    this.#tokens += tokens;
    this.#money += money;
    this.#live();
  }

  finished({ id, verdict, reason }: CheckResult, remembered: boolean): void {
    const { terminal, checks } = this.#options;
    this.#finished += 1;
    this.#running.delete(id);
    terminal.live?.("");
    terminal.err(`  ${this.#finished}/${checks.length} ${id}: ${verdict.replaceAll("_", " ")}${reason === "aborted" ? " (aborted)" : ""}${remembered ? " (unchanged, measured before)" : ""}`);
    this.#live();
  }

  end(): void {
    this.#options.terminal.live?.("");
  }

  #live(): void {
    const { terminal } = this.#options;
    if (terminal.live === undefined) return;
    terminal.live(this.line().slice(0, Math.max(20, terminal.width - 1)));
  }

  /** Exported to tests: the line as it stands. */
  line(): string {
    const { checks, budget, now } = this.#options;
    const elapsedMs = now() - this.#started;
    const [asked, planned] = [this.#sum(this.#asked), this.#sum(this.#planned)];
    const questions = planned === 0 ? [] : [`${asked}/${planned} questions`, `${this.#tokens} tokens`, ...(this.#money > 0 ? [`cost ${this.#money.toFixed(2)}`] : [])];
    return [`${this.#finished}/${checks.length} checks`, [...this.#running].slice(0, runningMax).join(" "), ...questions, `left: ${leftOf(budget, { asked, planned, tokens: this.#tokens, money: this.#money, elapsedMs })}`].filter((part) => part !== "").join(" · ");
  }

  #sum(counts: ReadonlyMap<string, number>): number {
    return [...counts.values()].reduce((total, count) => total + count, 0);
  }
}

const runningMax = 3;

interface Spent {
  readonly asked: number;
  readonly planned: number;
  readonly tokens: number;
  readonly money: number;
  readonly elapsedMs: number;
}

function leftOf({ queries, tokens, money, timeMs }: RunBudget, spent: Spent): string {
  const parts = [
    ...(queries === undefined ? [] : [`${Math.max(0, queries - spent.asked)} questions`]),
    ...(tokens === undefined ? [] : [`${Math.max(0, tokens - spent.tokens)} tokens`]),
    ...(money === undefined ? [] : [`cost ${Math.max(0, money - spent.money).toFixed(2)}`]),
    ...(timeMs === undefined ? [] : [durationText(Math.max(0, timeMs - spent.elapsedMs))]),
  ];
  const paceMs = spent.asked === 0 || spent.planned <= spent.asked ? undefined : (spent.elapsedMs / spent.asked) * (spent.planned - spent.asked);
  if (paceMs !== undefined) parts.push(`about ${durationText(paceMs)} at this pace`);
  return parts.length === 0 ? "no bound" : parts.join(", ");
}

export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What `--dry-run` says. */
export function estimateLines(estimates: readonly Estimate[], shares: ReadonlyMap<string, CheckBudget>, others: number): readonly string[] {
  const lines = estimates.map((estimate) => {
    const share = shares.get(estimate.check) ?? {};
    const short = (share.queriesMax !== undefined && share.queriesMax < estimate.queries) || (share.moneyMax !== undefined && share.moneyMax < estimate.money);
    return `  ${estimate.check}: at most ${estimate.queries} questions, ${costText(estimate)}${short ? "; the budget does not reach for all of it" : ""}`;
  });
  const sum = (of: (estimate: Estimate) => number) => estimates.reduce((total, estimate) => total + of(estimate), 0);
  const unpriced = [...new Set(estimates.flatMap((estimate) => estimate.unpriced))];
  return [
    ...lines,
    ...(estimates.length === 0 ? [] : [`  together: at most ${sum(({ queries }) => queries)} questions, ${sum(({ promptTokens }) => promptTokens)} tokens asked and ${sum(({ answerTokens }) => answerTokens)} answered${sum(({ money }) => money) > 0 ? `, cost ${sum(({ money }) => money).toFixed(2)} ${estimates.find(({ currency }) => currency !== null)?.currency ?? ""}` : ""}`]),
    ...(unpriced.length === 0 ? [] : [`  no price is known for ${unpriced.join(", ")}: the tables hold list prices of vendors, by provider and model as declared`]),
    `  ${others} checks ask no model`,
  ];
}

function costText({ promptTokens, answerTokens, money, currency, unpriced }: Estimate): string {
  const tokens = `about ${promptTokens} tokens asked and at most ${answerTokens} answered`;
  return unpriced.length > 0 || currency === null ? tokens : `${tokens}, cost at most ${money.toFixed(2)} ${currency}`;
}
