import type { JsonObject } from "../ledger/recorder.ts";
import { answerRefusal, refusalEvent, type AnswerHeaders, type Caller } from "./answer.ts";
import { findingCounts } from "./detect.ts";
import type { RelayEnd } from "./relay.ts";
import type { CredentialView } from "./snapshot.ts";
import { doneEvent } from "./stream.ts";

export interface Outcome {
  readonly credential: CredentialView;
  readonly end: RelayEnd;
  readonly times: { readonly receivedAt: number; readonly decidedAt: number; readonly endedAt: number };
}

/** Client Closed Request, as proxies write it: nobody was there to get a status. */
const statusNobodyGot = 499;

/** The body of `gateway.outcome` without its decision. */
export function outcomeBody({ credential, end, times }: Outcome): JsonObject {
  const left = end.abortedBy === "client";
  const { deployment } = credential;
  return {
    deployment: deployment.id,
    release: deployment.release,
    status: callerStatus(end),
    code: left ? null : (end.refusal?.code ?? null),
    finish: finish(end),
    finishReasons: end.finishReasons,
    abortedBy: end.abortedBy ?? null,
    usage: end.usage === null ? null : { ...end.usage },
    findings: findingCounts(end.found).map((finding) => ({ ...finding })),
    scanned: end.body === undefined && !end.started ? "none" : end.started ? "window" : "full",
    answerBytes: end.bytes,
    timings: {
      decisionMs: span(times.receivedAt, times.decidedAt),
      firstByteMs: end.firstByteAt === null ? null : span(times.receivedAt, end.firstByteAt),
      totalMs: span(times.receivedAt, times.endedAt),
    },
    upstreamStatus: end.upstreamStatus,
  };
}

function span(from: number, to: number): number {
  return Math.max(0, Math.round(to - from));
}

function callerStatus(end: RelayEnd): number {
  if (end.abortedBy === "client") {
    return statusNobodyGot;
  }
  return end.started ? 200 : (end.refusal?.status ?? 200);
}

function finish(end: RelayEnd): "complete" | "aborted" | "refused" | "failed" {
  if (end.refusal === undefined) {
    return "complete";
  }
  if (end.abortedBy === "boundary" || end.abortedBy === "hold" || end.abortedBy === "snapshot") {
    return "refused";
  }
  return end.abortedBy === "client" ? "aborted" : "failed";
}

/** Gives the caller the end of its answer: whole, or unmistakably not. */
export function answered(caller: Caller, { end, decision, headers }: { readonly end: RelayEnd; readonly decision: string; readonly headers: AnswerHeaders }): void {
  const { refusal, upstream } = end;
  if (refusal === undefined) {
    complete(caller, end, headers);
  } else if (end.started) {
    caller.breakOff(refusalEvent({ refusal, decision, upstream }));
  } else {
    answerRefusal(caller, { refusal, decision, upstream }, end.headers);
  }
}

function complete(caller: Caller, end: RelayEnd, headers: AnswerHeaders): void {
  if (end.body === undefined) {
    caller.write(doneEvent);
    caller.end();
  } else {
    caller.json(200, { ...end.headers, ...headers }, end.body);
  }
}
