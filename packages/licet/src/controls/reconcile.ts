import type { UsageRow } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import type { BilledRow } from "./reconcile-usage.ts";

/**
 * `unlogged`: the provider billed what the log does not know. `unknown`: more tokens were billed than the log counts,
 * and the log has calls without counts. `unbilled`: the log has more than the bill. `agrees`: neither.
 */
export type Verdict = "agrees" | "unbilled" | "unknown" | "unlogged";

export interface Usage {
  readonly requests: number | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface Compared {
  /** 00:00 UTC, milliseconds since the Unix epoch. */
  readonly day: number;
  readonly model: string;
  readonly billed: Usage;
  readonly logged: Usage & { readonly requests: number; readonly tokensUnknown: number };
  readonly verdict: Verdict;
}

export interface Period {
  /** Milliseconds since the Unix epoch; the second is exclusive. */
  readonly from: number;
  readonly to: number;
}

const dayMilliseconds = 86_400_000;

/** The span that is compared: as asked, else all that the export covers. No bucket may lie across a bound or a midnight in UTC. */
export function periodOf(rows: readonly BilledRow[], asked: { readonly from?: number | undefined; readonly to?: number | undefined }): Period {
  const from = asked.from ?? rows.reduce((least, { start }) => Math.min(least, start), Infinity);
  const to = asked.to ?? rows.reduce((most, { end }) => Math.max(most, end), 0);
  if (from >= to) throw new LicetError("usage_period", { message: "the period ends before it begins" });
  for (const { start, end, place } of rows) {
    if (start >= end) throw new LicetError("usage_malformed", { message: `${place}: the bucket ends before it begins`, at: { place } });
    if (dayOf(start) !== dayOf(end - 1)) throw new LicetError("usage_period", { message: `${place}: the bucket lies across midnight UTC; export by day or by hour`, at: { place } });
    const across = (bound: number): boolean => start < bound && bound < end;
    if (across(from) || across(to)) throw new LicetError("usage_period", { message: `${place}: the bucket lies across a bound of the period`, at: { place } });
  }
  return { from, to };
}

function dayOf(time: number): number {
  return Math.floor(time / dayMilliseconds) * dayMilliseconds;
}

export interface Sides {
  readonly billed: readonly BilledRow[];
  readonly logged: readonly UsageRow[];
  readonly period: Period;
  /** The log's name for a model on the bill, where the provider bills it by another. */
  readonly names: ReadonlyMap<string, string>;
}

/** Bill and log, model by model and day by day. Throws `usage_provider_unnamed` where the log side mixes providers. */
export function reconcile({ billed, logged, period, names }: Sides): readonly Compared[] {
  const providers = new Set(logged.map(({ provider }) => provider));
  if (providers.size > 1) throw new LicetError("usage_provider_unnamed", { message: `the log holds calls to ${[...providers].map((provider) => `\`${provider ?? "none"}\``).join(", ")}` });
  const bill = new Map<string, Usage>();
  const key = (day: number, model: string): string => `${String(day).padStart(16, "0")} ${model}`;
  for (const { start, model, ...row } of billed.filter((each) => period.from <= each.start && each.end <= period.to)) {
    const at = key(dayOf(start), names.get(model) ?? model);
    bill.set(at, added(bill.get(at), row));
  }
  const log = new Map(logged.map((row) => [key(row.day, row.model), row]));
  return [...new Set([...bill.keys(), ...log.keys()])].sort().map((at) => compare({ day: Number(at.slice(0, 16)), model: at.slice(17) }, bill.get(at), log.get(at)));
}

function added(before: Usage | undefined, { requests, inputTokens, outputTokens }: Usage): Usage {
  if (before === undefined) return { requests, inputTokens, outputTokens };
  const sum = before.requests === null || requests === null ? null : before.requests + requests;
  return { requests: sum, inputTokens: before.inputTokens + inputTokens, outputTokens: before.outputTokens + outputTokens };
}

const nothing: Usage = { requests: 0, inputTokens: 0, outputTokens: 0 };

function compare(of: Pick<Compared, "day" | "model">, billed: Usage = nothing, row: UsageRow | undefined): Compared {
  const logged = { requests: row?.calls ?? 0, inputTokens: row?.inputTokens ?? 0, outputTokens: row?.outputTokens ?? 0, tokensUnknown: row?.tokensUnknown ?? 0 };
  return { ...of, billed, logged, verdict: verdictOf(billed, logged) };
}

function verdictOf(billed: Usage, logged: Compared["logged"]): Verdict {
  const moreTokens = billed.inputTokens > logged.inputTokens || billed.outputTokens > logged.outputTokens;
  if (billed.requests !== null && billed.requests > logged.requests) return "unlogged";
  if (moreTokens) return logged.tokensUnknown > 0 ? "unknown" : "unlogged";
  const fewer = billed.inputTokens < logged.inputTokens || billed.outputTokens < logged.outputTokens || (billed.requests ?? logged.requests) < logged.requests;
  return fewer ? "unbilled" : "agrees";
}
