import type { SettledCost } from "@licet/contract";
import type { JsonObject } from "../ledger/recorder.ts";
import { answerRefusal, linked, type AnswerHeaders, type Caller, type ErrorForm } from "./answer.ts";
import type { Sending } from "./exchange.ts";
import { observedAnswer } from "./observe-mode.ts";
import { findingJson } from "./record.ts";
import type { RelayEnd } from "./relay.ts";
import type { CallScan } from "./scan.ts";
import type { CredentialView } from "./snapshot.ts";
import { judgedJson } from "./tools/judged-tool.ts";

export interface Outcome {
  readonly credential: CredentialView;
  readonly end: RelayEnd;
  readonly scan: CallScan;
  readonly sendings: readonly Sending[];
  readonly cost: SettledCost | undefined;
  readonly times: { readonly receivedAt: number; readonly decidedAt: number; readonly endedAt: number };
}

/** Client Closed Request, as proxies write it: nobody was there to get a status. */
const statusNobodyGot = 499;

/** The body of `gateway.outcome` without its decision. */
export function outcomeBody(outcome: Outcome): JsonObject {
  const { credential, end, scan, times } = outcome;
  const { deployment } = credential;
  return {
    deployment: deployment.id,
    release: deployment.release,
    status: callerStatus(end),
    code: codeOf(end),
    finish: finishOf(end),
    finishReasons: end.finishReasons,
    abortedBy: end.abortedBy ?? null,
    usage: end.usage === null ? null : { ...end.usage },
    findings: scan.counts(end.counting.found).map(findingJson),
    scanned: scannedOf(end),
    answerBytes: end.bytes,
    timings: {
      decisionMs: span(times.receivedAt, times.decidedAt),
      ...(end.takenAfterMs !== undefined && { connectionMs: span(0, end.takenAfterMs) }),
      firstByteMs: end.firstByteAt === null ? null : span(times.receivedAt, end.firstByteAt),
      totalMs: span(times.receivedAt, times.endedAt),
    },
    upstreamStatus: end.upstreamStatus,
    ...whereSo(outcome),
    ...observedAnswer(deployment, { findings: scan.counts(end.counting.found), tools: end.observedTools }, times.receivedAt),
  };
}

/** What most calls have nothing of. */
function whereSo({ end, sendings, cost }: Outcome): JsonObject {
  const { taken } = end.counting;
  return {
    ...(end.started && end.refusal !== undefined && { partial: true }),
    ...(end.tools !== undefined && end.tools.length > 0 && { tools: end.tools.map(judgedJson) }),
    ...(end.events > 0 && { events: end.events }),
    ...(taken.size > 0 && { redactions: Array.from(taken, ([type, count]) => ({ type, count })) }),
    ...(sendings.length > 1 && { attempts: sendings.map((sending) => ({ ...sending })) }),
    ...(cost !== undefined && { cost: { ...cost } }),
  };
}

function codeOf({ abortedBy, refusal }: RelayEnd): string | null {
  return abortedBy === "client" ? null : (refusal?.code ?? null);
}

function scannedOf({ started, body }: RelayEnd): "full" | "window" | "none" {
  if (started) return "window";
  return body === undefined ? "none" : "full";
}

function span(from: number, to: number): number {
  return Math.max(0, Math.round(to - from));
}

export function callerStatus(end: RelayEnd): number {
  if (end.abortedBy === "client") {
    return statusNobodyGot;
  }
  return end.started ? 200 : (end.refusal?.status ?? 200);
}

export function finishOf(end: RelayEnd): "complete" | "aborted" | "refused" | "failed" {
  if (end.refusal === undefined) {
    return "complete";
  }
  if (end.abortedBy === "boundary" || end.abortedBy === "hold" || end.abortedBy === "snapshot") {
    return "refused";
  }
  return end.abortedBy === "client" ? "aborted" : "failed";
}

export interface Answering {
  readonly end: RelayEnd;
  readonly decision: string;
  readonly headers: AnswerHeaders;
  readonly form: ErrorForm;
}

/** Gives the caller the end of its answer: whole, or unmistakably not. */
export function answered(caller: Caller, { end, decision, headers, form }: Answering): void {
  const { refusal, upstream } = end;
  if (refusal === undefined) {
    complete(caller, end, headers);
  } else if (end.started) {
    caller.breakOff(form.errorEvent(linked(caller, { refusal, decision, upstream, number: end.nextNumber })));
  } else {
    answerRefusal(caller, { refusal, decision, upstream }, end.headers, form);
  }
}

function complete(caller: Caller, end: RelayEnd, headers: AnswerHeaders): void {
  if (end.body === undefined) {
    caller.write(end.last ?? "");
    caller.end();
  } else {
    caller.json(200, { ...end.headers, ...headers }, end.body);
  }
}

/** Whether another provider may still answer: nothing of the answer went out, and the failure was the provider's own. */
export function mayGoElsewhere(end: RelayEnd, caller: Caller): boolean {
  return !caller.gone && isPassing(end);
}

const passingStatuses: readonly number[] = [408, 409, 429];

/** A failure that says nothing of the call: no connection, no time, no room. */
export function isPassing({ refusal, started, abortedBy, upstreamStatus }: RelayEnd): boolean {
  if (refusal === undefined || started || (abortedBy !== undefined && abortedBy !== "upstream")) return false;
  if (refusal.code === "upstream_error") return upstreamStatus !== null && (upstreamStatus >= 500 || passingStatuses.includes(upstreamStatus));
  return upstreamStatus === null && (refusal.code === "upstream_unreachable" || refusal.code === "upstream_timeout");
}
