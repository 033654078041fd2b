import type { SettledCost } from "@licet/contract";
import type { PipelineParts } from "./admission.ts";
import type { Inbound } from "./answer.ts";
import { noObserver, type ObservedDecision } from "./observe/observer.ts";
import { traceOf, type TraceContext } from "./observe/trace-context.ts";
import { callerStatus, finishOf } from "./outcome.ts";
import type { DecisionFacts } from "./record.ts";
import type { Refusal } from "./refusal.ts";
import type { RelayEnd } from "./relay.ts";
import type { CallScan } from "./scan.ts";
import type { ModelView, ProviderView } from "./snapshot.ts";

/** What observers are told of a call beside its record. Times are of a monotonic clock, in milliseconds. */
export interface Watched {
  readonly startedAt: number;
  readonly dialect: string | undefined;
  readonly trace: TraceContext | undefined;
}

/** Begins when a call comes in. Without an observer a trace is only carried on, never begun. */
export function watched({ observer }: Pick<PipelineParts, "observer">, inbound: Inbound, dialect?: string): Watched {
  const parent = inbound.header("traceparent");
  const trace = parent === undefined && observer === noObserver ? undefined : traceOf(parent, inbound.header("tracestate"));
  return { startedAt: performance.now(), dialect, trace };
}

/** With the trace that the call belongs to. */
export function traced(facts: DecisionFacts, { trace }: Watched): DecisionFacts {
  return trace === undefined ? facts : { ...facts, trace: trace.traceId };
}

export interface Deciding {
  readonly facts: DecisionFacts;
  readonly watched: Watched;
  readonly refusal?: Refusal | undefined;
  readonly model?: ModelView | undefined;
  readonly provider?: ProviderView | undefined;
  readonly id: string | undefined;
  /** When the record began to be written. */
  readonly writingAt: number;
}

export function tellDecided({ observer }: Pick<PipelineParts, "observer">, deciding: Deciding): ObservedDecision | undefined {
  if (observer === noObserver) return undefined;
  const decision = observedDecision(deciding, performance.now());
  observer.decided(decision);
  return decision;
}

function observedDecision({ facts, watched: { startedAt, dialect, trace }, refusal, model, provider, id, writingAt }: Deciding, now: number): ObservedDecision {
  return {
    id,
    ...callerOf(facts),
    action: facts.action,
    dialect,
    stream: facts.more["stream"] === true,
    model: facts.model,
    upstreamModel: model?.model,
    provider: provider === undefined ? undefined : observedProvider(provider),
    decision: refusal === undefined ? "allow" : "deny",
    code: refusal?.code,
    policy: refusal?.policy,
    warned: warned(facts),
    findings: facts.findings,
    receivedAt: facts.time,
    decisionMs: now - startedAt,
    durableMs: now - writingAt,
    trace,
  };
}

function callerOf({ credential }: DecisionFacts): Pick<ObservedDecision, "space" | "system" | "deployment" | "release"> {
  const { space, deployment } = credential ?? {};
  return { space, system: deployment?.system, deployment: deployment?.id, release: deployment?.release };
}

function observedProvider({ id, kind = "openai", baseUrl }: ProviderView): ObservedDecision["provider"] {
  return { id, kind, baseUrl };
}

function warned({ advice }: DecisionFacts): number {
  const { warnings = [], shadowed = [] } = advice ?? {};
  return warnings.length + shadowed.length;
}

export interface Ending {
  readonly decision: ObservedDecision | undefined;
  readonly watched: Watched;
  readonly end: RelayEnd;
  readonly scan: CallScan;
  readonly cost: SettledCost | undefined;
  readonly recorded: boolean;
  /** When the call was sent, and when its answer ended. */
  readonly sentAt: number;
  readonly endedAt: number;
}

export function tellEnded({ observer }: Pick<PipelineParts, "observer">, { decision, watched: { startedAt }, end, scan, cost, recorded, sentAt, endedAt }: Ending): void {
  if (decision === undefined) return;
  const taken = [...scan.verdict.redactions.map(({ count }) => count), ...end.counting.taken.values()];
  observer.ended({
    call: decision,
    status: callerStatus(end),
    code: end.abortedBy === "client" ? undefined : end.refusal?.code,
    finish: finishOf(end),
    finishReasons: end.finishReasons,
    usage: end.usage,
    cost: cost === undefined || cost.costMicros === null || cost.currency === null ? undefined : { costMicros: cost.costMicros, currency: cost.currency },
    findings: scan.counts(end.counting.found),
    ...(end.tools !== undefined && end.tools.length > 0 && { tools: end.tools.map(({ calls, decision, refusal }) => ({ calls, decision, code: refusal?.code })) }),
    redactions: taken.reduce((sum, count) => sum + count, 0),
    upstreamStatus: end.upstreamStatus,
    upstreamFirstByteMs: end.firstByteAfterMs ?? null,
    upstreamMs: endedAt - sentAt,
    totalMs: performance.now() - startedAt,
    recorded,
  });
}
