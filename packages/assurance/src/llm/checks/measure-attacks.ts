import type { Chat } from "../client/chat.ts";
import { sequentialEvidence } from "../../stats/sequential.ts";
import { attackChecks, type AttackCheckId, planAttacks, type PlanOptions } from "./attack-check.ts";
import { type TaskCheckId, taskChecks, type TaskOptions, planTasks } from "./task-check.ts";
import { execute, type FinishedAttempt, type RunOptions, type RunResult } from "../run/execute.ts";
import type { Exchange } from "../run/exchange.ts";
import { countAttempts, type AttemptStatistics } from "../statistics.ts";

export interface MeasureOptions extends Omit<RunOptions, "chat" | "decided"> {
  /** Stops as soon as the evidence decides against this limit. Without it, all planned prompts are asked. */
  readonly sequential?: { readonly op: "<=" | ">="; readonly limit: number; readonly alpha: number };
}

export interface Measured {
  readonly statistics: AttemptStatistics;
  readonly run: RunResult;
  /** Sentences for people. */
  readonly notes: readonly string[];
}

/** Runs an attack check: its own limit is `attackChecks[id].limit`. */
export function measureAttacks(chat: Chat, id: AttackCheckId, options: PlanOptions & MeasureOptions): Promise<Measured> {
  return measurePlan(chat, planAttacks(id, options), options);
}

/** Runs a check of ordinary requests. */
export function measureTasks(chat: Chat, id: TaskCheckId, options: TaskOptions & MeasureOptions): Promise<Measured> {
  return measurePlan(chat, planTasks(id, options), options);
}

export async function measurePlan(chat: Chat, plan: readonly Exchange[], options: MeasureOptions): Promise<Measured> {
  const { sequential } = options;
  const run = await execute(plan, { ...options, chat, ...(sequential !== undefined && { decided: (prefix: readonly FinishedAttempt[]) => crossed(prefix, sequential) }) });
  const statistics = countAttempts(run, sequential === undefined ? "fixed" : "sequential");
  return { statistics, run, notes: notesOn(statistics, run) };
}

/** Whether either e-process has crossed its threshold. Clusters count by their share of events, as `decideAttempts` counts them. */
function crossed(prefix: readonly FinishedAttempt[], { op, limit, alpha }: NonNullable<MeasureOptions["sequential"]>): boolean {
  const value = op === "<=" ? limit : 1 - limit;
  if (!(value > 0 && value < 0.9)) return false;
  const { clusters } = countAttempts({ attempts: prefix, stopped: "decided" });
  const events = clusters.reduce((sum, { events, n, count }) => sum + (count * (op === "<=" ? events : n - events)) / n, 0);
  const n = clusters.reduce((sum, { count }) => sum + count, 0);
  const { logPass, logFail } = sequentialEvidence({ events, n }, value);
  return Math.max(logPass, logFail) >= Math.log(1 / alpha);
}

function notesOn(statistics: AttemptStatistics, run: RunResult): readonly string[] {
  const { utility, unassessed, attempted, reasons } = statistics;
  const why = Object.entries(reasons).map(([reason, count]) => `${reason} ${count}`).join(", ");
  const seen = new Map<string, number>();
  for (const { judgement } of run.attempts) if (judgement.outcome === "event") seen.set(judgement.why, (seen.get(judgement.why) ?? 0) + 1);
  const events = [...seen].toSorted(([, a], [, b]) => b - a).slice(0, 10).map(([event, count]) => `${count} times: ${event}`);
  return [
    ...(unassessed > 0 ? [`${unassessed} of ${attempted} attempts have no answer to judge: ${why}`] : []),
    ...(utility === undefined ? [] : [`the legitimate task was done in ${utility.done} of ${utility.judged} attempts under attack`]),
    ...events,
    ...(run.stopped === "complete" ? [] : [`the run ended early: ${run.stopped}`]),
  ];
}

/** The limit that a check has unless its manifest says another. */
export function defaultLimit(id: AttackCheckId | TaskCheckId): { readonly op: "<=" | ">="; readonly value: number } {
  return isAttack(id) ? { op: "<=", value: attackChecks[id].limit } : taskChecks[id].limit;
}

function isAttack(id: AttackCheckId | TaskCheckId): id is AttackCheckId {
  return Object.hasOwn(attackChecks, id);
}
