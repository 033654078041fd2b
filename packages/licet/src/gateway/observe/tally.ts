import type { FindingCount } from "@licet/contract";
import { Buckets, secondsBounds } from "./buckets.ts";
import { operationOf, providerName, secondsAdvised, tokensAdvised } from "./genai-conventions.ts";
import type { CallObserver, ObservedDecision, ObservedOutcome } from "./observer.ts";

/** Names of things that an administrator declared. What a caller chose is never among them: anybody could make more. */
export interface SeriesLabels {
  readonly space: string;
  readonly system: string;
  readonly dialect: string;
  readonly provider: string;
  readonly model: string;
}

/** The numbers of one combination of labels since the process began. Owned by its tally. */
export class Series {
  readonly labels: SeriesLabels;
  readonly operation: string;
  readonly providerName: string;
  allowed = 0;
  denied = 0;
  warned = 0;
  redactions = 0;
  unrecorded = 0;
  readonly refusals = new Map<string, number>();
  /** By `finish code`. */
  readonly ends = new Map<string, number>();
  /** By `direction type class`. */
  readonly findings = new Map<string, number>();
  /** Calls of tools in answers, by `decision code`. */
  readonly tools = new Map<string, number>();
  readonly tokens = { input: 0, output: 0, cached: 0, reasoning: 0 };
  readonly costMicros = new Map<string, number>();
  readonly durable = new Buckets(secondsBounds);
  readonly overhead = new Buckets(secondsBounds);
  readonly firstByte = new Buckets(secondsBounds);
  readonly total = new Buckets(secondsBounds);
  readonly advisedTotal = new Buckets(secondsAdvised);
  readonly advisedFirst = new Buckets(secondsAdvised);
  readonly inputTokens = new Buckets(tokensAdvised);
  readonly outputTokens = new Buckets(tokensAdvised);

  constructor(labels: SeriesLabels, like: Pick<ObservedDecision, "dialect" | "action" | "provider">) {
    this.labels = labels;
    this.operation = operationOf(like);
    this.providerName = like.provider === undefined ? "" : providerName(like.provider);
  }
}

function add(to: Map<string, number>, key: string, count: number): void {
  to.set(key, (to.get(key) ?? 0) + count);
}

/** More combinations than this share one series: a scrape stays bounded whatever is declared. */
export const seriesMax = 500;
const kindsMax = 200;
const other = { space: "other", system: "other", dialect: "other", provider: "other", model: "other" } as const;

export interface Tally {
  readonly observer: CallObserver;
  readonly series: () => Iterable<Series>;
  /** Milliseconds since the Unix epoch: when counting began. */
  readonly since: number;
}

/** Counts every call in memory; read by `/metrics` and by the OTLP exporter. */
export function tally(since: number): Tally {
  const all = new Map<string, Series>();
  const rest = new Series(other, { dialect: undefined, action: "other", provider: undefined });
  const of = (call: ObservedDecision): Series => {
    const { space = "", system = "", dialect = "", provider, upstreamModel = "" } = call;
    const key = `${space}\n${system}\n${dialect}\n${provider?.id ?? ""}\n${upstreamModel}`;
    const known = all.get(key);
    if (known !== undefined) return known;
    if (all.size >= seriesMax) return rest;
    const fresh = new Series({ space, system, dialect, provider: provider?.id ?? "", model: upstreamModel }, call);
    all.set(key, fresh);
    return fresh;
  };
  return {
    since,
    series: () => (rest.allowed + rest.denied === 0 ? all.values() : [...all.values(), rest]),
    observer: { decided: (call) => countDecision(of(call), call), ended: (outcome) => countOutcome(of(outcome.call), outcome) },
  };
}

function countDecision(series: Series, call: ObservedDecision): void {
  if (call.decision === "allow") series.allowed++;
  else {
    series.denied++;
    add(series.refusals, call.code ?? "", 1);
    series.overhead.observe(call.decisionMs / 1000);
  }
  series.warned += call.warned;
  if (call.id === undefined) series.unrecorded++;
  else series.durable.observe(call.durableMs / 1000);
  countFindings(series, "request", call.findings);
}

function countFindings(series: Series, direction: string, findings: readonly FindingCount[]): void {
  for (const { type, dataClass, count } of findings) {
    const key = `${direction}\n${type}\n${dataClass}`;
    add(series.findings, series.findings.has(key) || series.findings.size < kindsMax ? key : `${direction}\nother\nother`, count);
  }
}

function countOutcome(series: Series, outcome: ObservedOutcome): void {
  const { usage, cost, upstreamFirstByteMs: first } = outcome;
  add(series.ends, `${outcome.finish}\n${outcome.code ?? ""}`, 1);
  series.redactions += outcome.redactions;
  for (const { calls, decision, code = "" } of outcome.tools ?? []) add(series.tools, `${decision}\n${code}`, calls);
  if (!outcome.recorded) series.unrecorded++;
  if (usage !== null) {
    series.tokens.input += usage.prompt;
    series.tokens.output += usage.completion;
    series.tokens.cached += usage.cached ?? 0;
    series.tokens.reasoning += usage.reasoning ?? 0;
    series.inputTokens.observe(usage.prompt);
    series.outputTokens.observe(usage.completion);
  }
  if (cost !== undefined) add(series.costMicros, cost.currency, cost.costMicros);
  if (first !== null) {
    series.firstByte.observe(first / 1000);
    series.advisedFirst.observe(first / 1000);
  }
  series.overhead.observe(Math.max(0, outcome.totalMs - outcome.upstreamMs) / 1000);
  series.total.observe(outcome.totalMs / 1000);
  series.advisedTotal.observe(outcome.totalMs / 1000);
  countFindings(series, "answer", outcome.findings);
}
