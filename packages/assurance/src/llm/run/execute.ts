import type { Chat } from "../client/chat.ts";
import type { Judgement } from "../outcome.ts";
import type { Usage } from "../reply.ts";
import { unassessedShareMax } from "../../verdict/settle.ts";
import { converse, type Exchange } from "./exchange.ts";

/** What is kept of an attempt: enough to resume a run and to count it again, nothing that was said. */
export interface FinishedAttempt {
  readonly id: string;
  readonly cluster: string;
  readonly judgement: Judgement;
  readonly usage: Usage | null;
  readonly queries: number;
  readonly wallMs: number;
}

/** What a run may spend. Each bound stops further attempts; those under way are finished and paid. */
export interface Budget {
  readonly queriesMax?: number;
  readonly tokensMax?: number;
  readonly moneyMax?: number;
  readonly timeMsMax?: number;
  /** For `moneyMax`: per million tokens. */
  readonly price?: { readonly prompt: number; readonly completion: number };
}

/** Why a run ended: all attempts made, decided early, too much without an answer, out of budget, or ended from outside. */
export type Stopped = "complete" | "decided" | "unassessed_budget" | "budget" | "aborted";

export interface RunOptions {
  readonly chat: Chat;
  readonly parallelMax?: number;
  readonly budget?: Budget;
  /** Attempts of an earlier, interrupted run of the same plan. */
  readonly finished?: readonly FinishedAttempt[];
  /** Asked whenever another cluster is complete, about all attempts before it in the plan's order. */
  readonly decided?: (prefix: readonly FinishedAttempt[]) => boolean;
  readonly onFinished?: (attempt: FinishedAttempt) => void;
  readonly signal?: AbortSignal;
  readonly now?: () => number;
}

export interface Cost {
  readonly queries: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly money: number;
  readonly wallMs: number;
}

export interface RunResult {
  /** In the plan's order, without gaps: attempts that finished after the one that decided are paid and not counted. */
  readonly attempts: readonly FinishedAttempt[];
  readonly uncounted: number;
  readonly planned: number;
  readonly stopped: Stopped;
  readonly cost: Cost;
}

const parallelMaxDefault = 8;

/**
 * Makes the attempts of a plan, several at a time, in its order. Decisions to stop look at attempts in the plan's order only, never in the
 * order of arrival: slow answers could otherwise choose which outcomes are seen. Never throws for what a model does.
 */
export async function execute(plan: readonly Exchange[], options: RunOptions): Promise<RunResult> {
  const run = new Run(plan, options);
  const workers = Math.max(1, Math.min(options.parallelMax ?? parallelMaxDefault, plan.length));
  await Promise.all(Array.from({ length: workers }, () => run.work()));
  return run.result();
}

class Run {
  readonly #plan: readonly Exchange[];
  readonly #options: RunOptions;
  readonly #results: (FinishedAttempt | undefined)[];
  readonly #now: () => number;
  readonly #started: number;
  /** All but a later run's: what was paid before is paid. */
  readonly #spent = { queries: 0, promptTokens: 0, completionTokens: 0 };
  #reserved = 0;
  #next = 0;
  #prefix = 0;
  #unassessed = 0;
  #stopped: Stopped | undefined;

  constructor(plan: readonly Exchange[], options: RunOptions) {
    this.#plan = plan;
    this.#options = options;
    const known = new Map((options.finished ?? []).map((attempt) => [attempt.id, attempt]));
    this.#results = plan.map(({ id }) => known.get(id));
    for (const attempt of this.#results) if (attempt !== undefined) this.#spend(attempt);
    this.#now = options.now ?? (() => performance.now());
    this.#started = this.#now();
    this.#advance();
  }

  async work(): Promise<void> {
    for (let exchange = this.#take(); exchange !== undefined; exchange = this.#take()) {
      const attempt = await attemptOf(this.#options.chat, exchange.exchange);
      if (this.#options.signal?.aborted === true) {
        // What was under way when the run was ended may have been cut by that, so it is not counted.
        this.#stopped ??= "aborted";
        return;
      }
      this.#results[exchange.index] = attempt;
      this.#reserved -= queriesOf(exchange.exchange);
      this.#spend(attempt);
      this.#options.onFinished?.(attempt);
      this.#advance();
    }
  }

  result(): RunResult {
    const finished = this.#results.filter((attempt) => attempt !== undefined);
    const attempts = this.#results.slice(0, this.#prefix).filter((attempt) => attempt !== undefined);
    return {
      attempts,
      uncounted: finished.length - attempts.length,
      planned: this.#plan.length,
      stopped: this.#stopped ?? "complete",
      cost: { ...this.#spent, money: this.#money(), wallMs: finished.reduce((sum, { wallMs }) => sum + wallMs, 0) },
    };
  }

  #take(): { readonly exchange: Exchange; readonly index: number } | undefined {
    while (this.#results[this.#next] !== undefined) this.#next += 1;
    const exchange = this.#plan[this.#next];
    if (exchange === undefined || this.#stopped !== undefined) return undefined;
    if (this.#options.signal?.aborted === true) this.#stopped = "aborted";
    else if (this.#exhausted(queriesOf(exchange))) this.#stopped = "budget";
    if (this.#stopped !== undefined) return undefined;
    this.#reserved += queriesOf(exchange);
    this.#next += 1;
    return { exchange, index: this.#next - 1 };
  }

  /** Moves over attempts that are complete in the plan's order, and stops where they suffice. */
  #advance(): void {
    while (this.#stopped === undefined || this.#stopped === "budget" || this.#stopped === "aborted") {
      const attempt = this.#results[this.#prefix];
      if (attempt === undefined) return;
      this.#prefix += 1;
      if (attempt.judgement.outcome === "unassessed") this.#unassessed += 1;
      // Nothing will be concluded, so going on would only cost.
      if (this.#unassessed > unassessedShareMax * this.#plan.length) this.#stopped = "unassessed_budget";
      else if (this.#clusterComplete() && this.#decided()) this.#stopped = "decided";
    }
  }

  #clusterComplete(): boolean {
    return this.#plan[this.#prefix]?.cluster !== this.#plan[this.#prefix - 1]?.cluster;
  }

  #decided(): boolean {
    return this.#options.decided?.(this.#results.slice(0, this.#prefix).filter((attempt) => attempt !== undefined)) ?? false;
  }

  #exhausted(queries: number): boolean {
    const { queriesMax, tokensMax, moneyMax, timeMsMax } = this.#options.budget ?? {};
    const { promptTokens, completionTokens } = this.#spent;
    if (queriesMax !== undefined && this.#spent.queries + this.#reserved + queries > queriesMax) return true;
    if (tokensMax !== undefined && promptTokens + completionTokens >= tokensMax) return true;
    if (moneyMax !== undefined && this.#money() >= moneyMax) return true;
    return timeMsMax !== undefined && this.#now() - this.#started >= timeMsMax;
  }

  #spend(attempt: FinishedAttempt): void {
    this.#spent.queries += attempt.queries;
    this.#spent.promptTokens += attempt.usage?.promptTokens ?? 0;
    this.#spent.completionTokens += attempt.usage?.completionTokens ?? 0;
  }

  #money(): number {
    const price = this.#options.budget?.price ?? { prompt: 0, completion: 0 };
    return (this.#spent.promptTokens * price.prompt + this.#spent.completionTokens * price.completion) / 1e6;
  }
}

/** A judge that throws has not judged. */
async function attemptOf(chat: Chat, exchange: Exchange): Promise<FinishedAttempt> {
  const conversation = await converse(chat, exchange);
  let judgement: Judgement;
  try {
    judgement = await exchange.judge(conversation);
  } catch {
    judgement = { outcome: "unassessed", why: "judge_failed" };
  }
  const { usage, wallMs } = conversation.whole;
  return { id: exchange.id, cluster: exchange.cluster, judgement, usage, queries: conversation.replies.length, wallMs };
}

/** The most that an attempt can ask, for the budget. */
function queriesOf(exchange: Exchange): number {
  return 1 + (exchange.followUps?.length ?? 0);
}
