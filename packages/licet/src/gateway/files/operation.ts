import type { SettledCost } from "@licet/contract";
import { LicetError } from "../../base/errors.ts";
import type { Outbound, OutboundRequest } from "../../base/outbound.ts";
import { licetVersion } from "../../base/version.ts";
import type { JsonObject } from "../../ledger/recorder.ts";
import type { Admission, PipelineParts, Stranger } from "../admission.ts";
import { answerRefusal, refusalBody, refusalEvent, type AnswerHeaders, type Caller, type ErrorForm } from "../answer.ts";
import { refused } from "../attempt.ts";
import type { BudgetAsk, Reservation } from "../budgets/budgets.ts";
import { reserveShared } from "../budgets/shared-reserve.ts";
import { answerWords, contentMode, isRecorded, promptBytesMax, promptWords, type Answered } from "../content.ts";
import { adviceOf } from "../decide.ts";
import { namesFor } from "../detect/redacted.ts";
import { cutLatch, neverSent, type CutLatch } from "../exchange.ts";
import { bareFacts } from "../facts.ts";
import { concluded, providerRefusal, type Judgement } from "../judge.ts";
import { tellDecided, tellEnded, traced, type Watched } from "../observed-call.ts";
import { traceHeaders } from "../observe/trace-context.ts";
import { answered, outcomeBody } from "../outcome.ts";
import { keyHeaders } from "../provider.ts";
import type { DecisionFacts } from "../record.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { AbortedBy, RelayEnd } from "../relay.ts";
import type { CallScan, CallVerdict } from "../scan.ts";
import { standingRefusal, vendorRefusal } from "../standing.ts";
import { wholeExchange, type WholeEnd, type WholeExchange } from "../whole-exchange.ts";
import { boundJson, type BoundId, type IdPlace } from "./bound-id.ts";
import type { Served } from "./served.ts";

export const filesForm: ErrorForm = { errorBody: refusalBody, errorEvent: refusalEvent };

/** What is asked, before anything is known of it. */
export interface StoreAsk {
  readonly admission: Admission;
  readonly seen: Watched;
  readonly action: "useFile" | "useBatch";
  /** As `POST /openai/v1/files`; ids are left out of it. */
  readonly endpoint: string;
}

/** One operation on files or batches that may be carried out, if all allow it. */
export interface Operation extends StoreAsk {
  readonly served: Served;
  /** What the gateway demands beside the caller's standing, most important first. */
  readonly refusals: readonly (Refusal | undefined)[];
  /** What was found in what leaves; absent where nothing of the caller's leaves. */
  readonly verdict?: CallVerdict | undefined;
  /** Classes that policies are told, beside those that leave. */
  readonly classes?: readonly string[];
  /** By which answers are read. */
  readonly scan: CallScan;
  readonly requestBytes: number;
  readonly stored: JsonObject;
  readonly needs?: readonly string[];
  /** As they leave, to be recorded where words are. */
  readonly messages?: readonly JsonObject[];
}

/** What came of it. */
export interface Done {
  readonly end: RelayEnd;
  readonly bound?: readonly BoundId[];
  readonly unbound?: readonly IdPlace[];
  readonly headers?: AnswerHeaders;
}

export interface StoreRequest {
  readonly method: OutboundRequest["method"];
  readonly path: string;
  readonly body?: Uint8Array | string;
  readonly contentType?: string;
}

/** The way to the provider, once the decision is durable. */
export interface StoreLine {
  /** One request at a time. */
  send(request: StoreRequest): Promise<WholeEnd>;
}

/** Answers a caller that lost its standing while its body came. */
export type Turned = (stranger: Stranger) => Promise<void>;

/** A refusal before there is an operation; recorded like any. */
export async function refusedAsk(parts: PipelineParts, caller: Caller, { admission, seen, action, endpoint }: StoreAsk, refusal: Refusal): Promise<void> {
  const { now, snapshot, credential } = admission;
  const facts = { ...bareFacts({ action, endpoint, time: now, snapshot }), credential };
  return answerRefusal(caller, await refused(parts, { refusal: standingRefusal(admission) ?? refusal, facts, watched: seen }), {}, filesForm);
}

interface Ready {
  readonly outbound: Outbound;
  readonly key: string;
  readonly facts: DecisionFacts;
  readonly reservation: Reservation | undefined;
  readonly latch: CutLatch;
}

/** INVARIANT: the decision is durable before the first byte goes to the provider, and what an id means before the caller has it. */
export async function carryOut(parts: PipelineParts, caller: Caller, operation: Operation, act: (line: StoreLine) => Promise<Done>): Promise<void> {
  const { served, seen } = operation;
  const judged = await judgedOperation(parts, operation);
  const facts = factsOf(operation, judged);
  const line = judged.refusal ?? unrecordable(operation) ?? (await opened(parts, operation));
  const ready = "code" in line ? line : await readied(parts, operation, { ...line, facts });
  if ("code" in ready) return answerRefusal(caller, await refused(parts, { refusal: ready, facts, watched: seen, ...served }), {}, filesForm);
  try {
    await decided(parts, caller, operation, { ready, act });
  } finally {
    // Nothing changes where it was settled: on every other way out nothing was sent.
    ready.reservation?.release();
    parts.inflight.remove(ready.latch.flight);
  }
}

/** A request and a place in flight; it uses no tokens by itself. */
function budgetAsk({ admission, served }: Operation): BudgetAsk {
  return { credential: admission.credential, ...served, promptTokensAtMost: 0, answerTokensMax: 0, now: admission.now };
}

async function readied(parts: PipelineParts, operation: Operation, { facts, ...line }: Pick<Ready, "outbound" | "key" | "facts">): Promise<Ready | Refusal> {
  const reserved = parts.budgets && (await reserveShared(parts.budgets, budgetAsk(operation)));
  if (reserved !== undefined && "refusal" in reserved) return reserved.refusal;
  const reservation = reserved?.reservation;
  const latch = cutLatch(parts, operation.admission.credential, operation.served.provider.vendor);
  if (parts.inflight.add(latch.flight)) return { ...line, facts: reservation === undefined ? facts : { ...facts, more: { ...facts.more, budget: reservation.facts } }, reservation, latch };
  reservation?.release();
  return refuse("gateway_busy");
}

async function judgedOperation({ budgets }: PipelineParts, operation: Operation): Promise<Omit<Judgement, "findings">> {
  const { admission, served, refusals, verdict, classes = [] } = operation;
  const { model, provider } = served;
  const ask = budgetAsk(operation);
  const dataClasses = [...new Set([...classes, ...(verdict?.leaving ?? [])])].sort();
  const ownRefusals = [standingRefusal(admission), vendorRefusal(admission, provider.vendor), providerRefusal(admission.credential.deployment, provider), ...refusals, budgets?.peek(ask)];
  return concluded(admission, { action: "callModel", model: { name: model.name, declared: model, provider }, dataClasses, ownRefusals, budget: budgets?.cedar(ask) });
}

function modeOf({ admission, verdict }: Operation): ReturnType<typeof contentMode> {
  return contentMode({ ...admission, findings: verdict?.findings ?? [] });
}

function unrecordable(operation: Operation): Refusal | undefined {
  const { requestBytes, messages } = operation;
  const fits = messages === undefined || !isRecorded(modeOf(operation)) || requestBytes <= promptBytesMax;
  return fits ? undefined : refuse("body_too_large", { message: `what is stored is recorded here, up to ${promptBytesMax} bytes, and this has ${requestBytes}` });
}

function factsOf({ admission, served, action, endpoint, verdict, scan, requestBytes, stored, needs = [] }: Operation, judged: Omit<Judgement, "findings">): DecisionFacts {
  const { now, snapshot, credential } = admission;
  const { model, provider } = served;
  const redactions = verdict?.redactions ?? [];
  const named = namesFor(scan.rules, verdict?.findings ?? []);
  return {
    action,
    time: now,
    snapshot,
    credential,
    model: model.name,
    policyBundle: judged.policy.bundle,
    cedar: judged.cedar,
    reasons: judged.reasons,
    policyErrors: judged.policy.decision.errors.map(({ policy }) => policy),
    advice: adviceOf(judged.policy.decision),
    findings: verdict?.findings ?? [],
    more: {
      endpoint,
      provider: provider.id,
      region: provider.region,
      upstreamModel: model.model,
      stream: false,
      requestBytes,
      messages: null,
      scanned: verdict === undefined ? "none" : "full",
      stored,
      ...(needs.length > 0 && { needs: needs.map(named) }),
      ...(redactions.length > 0 && { redactions: redactions.map(({ type, count }) => ({ type, count })) }),
    },
  };
}

async function opened(parts: PipelineParts, { admission, served: { provider } }: Operation): Promise<{ readonly outbound: Outbound; readonly key: string } | Refusal> {
  const { space } = admission.credential;
  try {
    return { outbound: await parts.lines.open(space, provider), key: await parts.providerKey(space, provider.id) };
  } catch (error) {
    const dialled = error instanceof LicetError && (error.code === "outbound_refused" || error.code === "unreachable");
    return refuse(dialled ? error.code : "provider_unknown", dialled ? { message: error.message } : {});
  }
}

interface Deciding {
  readonly ready: Ready;
  readonly act: (line: StoreLine) => Promise<Done>;
}

async function decided(parts: PipelineParts, caller: Caller, operation: Operation, { ready, act }: Deciding): Promise<void> {
  const { seen, served, messages, scan } = operation;
  const { facts } = ready;
  const mode = modeOf(operation);
  const words = messages !== undefined && isRecorded(mode) ? promptWords({ user: undefined, messages }, mode, scan.rules) : undefined;
  const writingAt = performance.now();
  const written = await parts.record.decision({ kind: "gateway.decision", facts: traced(facts, seen), words });
  const told = tellDecided(parts, { facts, watched: seen, ...("refusal" in written && written), ...served, id: "id" in written ? written.id : undefined, writingAt });
  if (!("id" in written)) return answerRefusal(caller, written, {}, filesForm);
  const times = { decidedAt: parts.clock.now(), sentAt: performance.now() };
  const done = "refusal" in written ? { end: { ...neverSent(undefined), refusal: written.refusal, abortedBy: "limit" as const } } : await act(storeLine(parts, caller, operation, ready));
  const end = await ended(parts, operation, { ...times, ready, done, told, decision: written.id });
  answered(caller, { end, decision: written.id, headers: { ...headersOf(written.id, facts), ...done.headers }, form: filesForm });
}

function headersOf(decision: string, { advice }: DecisionFacts): AnswerHeaders {
  const warnings = advice?.warnings ?? [];
  return { "x-licet-decision": decision, ...(warnings.length > 0 && { "x-licet-warnings": warnings.join(", ") }) };
}

interface Ending {
  readonly ready: Ready;
  readonly done: Done;
  readonly told: ReturnType<typeof tellDecided>;
  readonly decision: string;
  readonly decidedAt: number;
  readonly sentAt: number;
}

/** Records the outcome with the ids that it binds; without that there is neither answer nor id. */
async function ended(parts: PipelineParts, operation: Operation, { ready, done, told, decision, decidedAt, sentAt }: Ending): Promise<RelayEnd> {
  const { admission, scan, seen } = operation;
  const { credential, now: receivedAt } = admission;
  const { end, bound = [], unbound = [] } = done;
  const endedAt = parts.clock.now();
  const cost = settledCost(ready.reservation, end, endedAt);
  const body = {
    ...outcomeBody({ credential, end, scan, sendings: [], cost, times: { receivedAt, decidedAt, endedAt } }),
    ...(bound.length > 0 && { bound: bound.map(boundJson) }),
    ...(unbound.length > 0 && { unbound: unbound.map(({ provider, id }) => ({ provider, id })) }),
  };
  const mode = modeOf(operation);
  const words = isRecorded(mode) && end.said !== undefined ? answerWords({ user: undefined }, mode, said(end.said, scan)) : undefined;
  const recorded = await parts.record.outcome({ decision, credential, body, words });
  tellEnded(parts, { decision: told, watched: seen, end, scan, cost, recorded, sentAt, endedAt: performance.now() });
  if (!recorded) return { ...end, refusal: refuse("evidence_unavailable") };
  for (const each of bound) parts.boundIds.add(each);
  for (const each of unbound) parts.boundIds.remove(each);
  return end;
}

function said({ texts, truncated }: Answered, { rules }: CallScan): Answered {
  return { texts, truncated, rules };
}

/** A request counts whatever came of it; only one that was never sent does not. */
function settledCost(reservation: Reservation | undefined, { upstreamStatus, refusal }: RelayEnd, at: number): SettledCost | undefined {
  const unsent = upstreamStatus === null && refusal !== undefined;
  return unsent ? reservation?.release() : reservation?.settle({ prompt: 0, completion: 0, total: 0 }, at);
}

/** Nothing of the caller's headers goes on. */
function storeLine(parts: PipelineParts, caller: Caller, { admission, served: { provider }, seen }: Operation, { outbound, key, latch }: Ready): StoreLine {
  let current: WholeExchange | undefined;
  const cut = (refusal: Refusal, by: AbortedBy): void => current?.cut(refusal, by);
  latch.onCut((refusal) => cut(refusal, refusal.code === "snapshot_stale" ? "snapshot" : "hold"));
  caller.onGone(() => cut(refuse("upstream_unreachable", { message: "the caller has left" }), "client"));
  return {
    send: async ({ method, path, body, contentType }) => {
      const early = latch.refusal();
      if (early !== undefined || caller.gone) return { kind: "ended", end: neverSent(early) };
      const request: OutboundRequest = {
        method,
        path: provider.apiVersion === undefined ? path : `${path}?api-version=${encodeURIComponent(provider.apiVersion)}`,
        headers: {
          ...(seen.trace !== undefined && traceHeaders(seen.trace)),
          ...keyHeaders(key, provider),
          ...(contentType !== undefined && { "content-type": contentType }),
          accept: "*/*",
          "accept-encoding": "identity",
          "user-agent": `licet/${licetVersion}`,
        },
        ...(body !== undefined && { body }),
      };
      current = wholeExchange({ outbound, request, now: () => parts.clock.now() });
      const end = await current.ended;
      if (end.end.refusal?.code === "upstream_unreachable") parts.lines.forget(admission.credential.space, provider);
      return end;
    },
  };
}
