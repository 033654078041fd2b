import type { ContentMode } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { LicetError } from "../../base/errors.ts";
import type { JsonObject } from "../../ledger/recorder.ts";
import { admit, admitAgain, refusedStranger, type Admission, type PipelineParts, type Stranger } from "../admission.ts";
import { answerRefusal, type AnswerHeaders, type Caller, type Inbound } from "../answer.ts";
import { refused } from "../attempt.ts";
import type { Reservation } from "../budgets/budgets.ts";
import { reserveShared } from "../budgets/shared-reserve.ts";
import { answerWords, contentMode, isRecorded, promptBytesMax, promptWords, redactedMessage, type Answered } from "../content.ts";
import { adviceOf } from "../decide.ts";
import { namesFor } from "../detect/redacted.ts";
import type { DetectionRules } from "../detect/rules.ts";
import { cutLatch, neverSent, type CutLatch } from "../exchange.ts";
import { bareFacts, renamed, unreadName } from "../facts.ts";
import { digestText } from "../json.ts";
import type { CallJudgement } from "../judge.ts";
import { observedFacts, observedHeader } from "../observe-mode.ts";
import { tellDecided, tellEnded, traced, watched, type Watched } from "../observed-call.ts";
import { answered, outcomeBody } from "../outcome.ts";
import type { DecisionFacts } from "../record.ts";
import { refuse, shown, type Refusal } from "../refusal.ts";
import type { RelayEnd } from "../relay.ts";
import { addMessage, Transcript } from "../transcript.ts";
import { readEnd, tensorJson, type ReadEnd } from "./answering.ts";
import { oipForm } from "./error-form.ts";
import { readInfer, type InferRequest } from "./infer-request.ts";
import { judgeScore, leavingRequest, type ScoreCall } from "./judge-score.ts";
import type { ModelMetadataCache, Serving } from "./metadata.ts";
import type { OipRoute } from "./paths.ts";
import { sent, type Attested } from "./sending.ts";
import { described } from "./tensor.ts";

export interface OipParts {
  readonly pipeline: PipelineParts;
  readonly metadata: ModelMetadataCache;
}

export type InferRoute = Extract<OipRoute, { readonly model: string }>;

const endpoint = "/oip/v2/models/infer";
const dialect = "oip.infer";

/** POST …/infer: as a call to a language model, step by step. A refusal at any step is recorded like an allow. */
export async function infer(oip: OipParts, route: InferRoute, inbound: Inbound, caller: Caller): Promise<void> {
  const { pipeline } = oip;
  const seen = watched(pipeline, inbound, dialect);
  const admitted = admit(pipeline, inbound);
  const turnedAway = ({ stranger }: { readonly stranger: Stranger }): Promise<void> => {
    const { now, snapshot } = stranger;
    return refusedStranger(pipeline, caller, { stranger, kind: "gateway.decision", facts: bareFacts({ action: "score", endpoint, time: now, snapshot }), form: oipForm, watched: seen });
  };
  if ("stranger" in admitted) return turnedAway(admitted);
  const read = await readCall(route, inbound);
  const again = admitAgain(pipeline, inbound, admitted.admission);
  if ("stranger" in again) return turnedAway(again);
  const { admission } = again;
  if ("refusal" in read) {
    const facts = { ...bareFacts({ action: "score", endpoint, time: admission.now, snapshot: admission.snapshot }), credential: admission.credential, model: unreadName(admission, route.model) };
    return answerRefusal(caller, await refused(pipeline, { refusal: read.refusal, facts, watched: seen }), {}, oipForm);
  }
  return score(oip, caller, { ...read, admission, seen });
}

interface ReadCall {
  readonly call: ScoreCall;
  readonly bytes: number;
}

async function readCall({ model, version }: InferRoute, inbound: Inbound): Promise<ReadCall | { readonly refusal: Refusal }> {
  if (inbound.header("inference-header-content-length") !== undefined) return { refusal: refuse("binary_data_unsupported", { param: "Inference-Header-Content-Length" }) };
  const read = await inbound.body();
  if ("refusal" in read) return read;
  const parsed = readInfer(read.bytes);
  return "refusal" in parsed ? parsed : { call: { model, version, request: parsed.request }, bytes: read.bytes.length };
}

interface Scoring extends ReadCall {
  readonly admission: Admission;
  readonly seen: Watched;
}

async function score(oip: OipParts, caller: Caller, scoring: Scoring): Promise<void> {
  const { pipeline, metadata } = oip;
  const { admission, call, bytes, seen } = scoring;
  const judgement = await judgeScore(admission, call, { known: (provider, model) => metadata.digest(provider, model), external: pipeline.external });
  const mode = contentMode({ ...admission, findings: judgement.findings });
  const facts = scoreFacts(scoring, judgement, mode);
  const ready = judgement.refusal ?? unrecordable(bytes, mode) ?? (await prepared(pipeline, admission, judgement));
  const refuses = async (refusal: Refusal): Promise<void> => answerRefusal(caller, await refused(pipeline, { ...judgement, refusal, facts, watched: seen }), {}, oipForm);
  if ("code" in ready) return refuses(ready);
  const { model, provider } = ready;
  const reserved = await reserveShared(pipeline.budgets, { credential: admission.credential, model, provider, promptTokensAtMost: 0, answerTokensMax: 0, now: admission.now });
  if (reserved !== undefined && "refusal" in reserved) return refuses(reserved.refusal);
  const reservation = reserved?.reservation;
  const latch = cutLatch(pipeline, admission.credential, provider.vendor);
  if (!pipeline.inflight.add(latch.flight)) {
    reservation?.release();
    return refuses(refuse("gateway_busy"));
  }
  const spending = reservation === undefined ? facts : { ...facts, more: { ...facts.more, budget: reservation.facts } };
  try {
    return await carriedOut(oip, caller, { ...scoring, judgement, mode, facts: spending, serving: ready, latch, reservation });
  } finally {
    // Nothing changes where it was settled: on every other way out nothing was sent.
    reservation?.release();
    pipeline.inflight.remove(latch.flight);
  }
}

function unrecordable(bytes: number, mode: ContentMode): Refusal | undefined {
  const fits = !isRecorded(mode) || bytes <= promptBytesMax;
  return fits ? undefined : refuse("body_too_large", { message: `prompts are recorded here, up to ${promptBytesMax} bytes, and this one has ${bytes}` });
}

async function prepared(parts: PipelineParts, { credential }: Admission, { model, provider }: CallJudgement): Promise<Serving | Refusal> {
  if (model === undefined || provider === undefined) return refuse("provider_unknown");
  try {
    return { outbound: await parts.lines.open(credential.space, provider), key: await parts.providerKey(credential.space, provider.id), model, provider };
  } catch (error) {
    const dialled = error instanceof LicetError && (error.code === "outbound_refused" || error.code === "unreachable");
    return refuse(dialled ? error.code : "provider_unknown", dialled ? { message: error.message } : {});
  }
}

interface Allowed extends Scoring {
  readonly judgement: CallJudgement;
  readonly mode: ContentMode;
  readonly facts: DecisionFacts;
  readonly serving: Serving;
  readonly latch: CutLatch;
  readonly reservation: Reservation | undefined;
}

/** INVARIANT: the decision is durable before the first byte goes to the provider. */
async function carriedOut(oip: OipParts, caller: Caller, allowed: Allowed): Promise<void> {
  const { pipeline } = oip;
  const { call, judgement, mode, facts, seen, serving } = allowed;
  const leaving = leavingRequest(call.request, judgement.scan.request);
  const words = isRecorded(mode) ? promptWords({ user: undefined, messages: [requestJson(leaving)] }, mode, judgement.scan.rules) : undefined;
  const writingAt = performance.now();
  const written = await pipeline.record.decision({ kind: "gateway.decision", facts: traced(facts, seen), words });
  const told = tellDecided(pipeline, { facts, watched: seen, ...("refusal" in written && written), ...serving, id: "id" in written ? written.id : undefined, writingAt });
  if (!("id" in written)) return answerRefusal(caller, written, {}, oipForm);
  const at = { decidedAt: pipeline.clock.now(), sentAt: performance.now() };
  const done = "refusal" in written ? unsent(written.refusal) : await exchanged(oip, caller, allowed, leaving);
  const end = await ended(oip, allowed, { ...at, decision: written.id, told, done });
  answered(caller, { end, decision: written.id, headers: headersOf(written.id, allowed), form: oipForm });
}

interface Ending {
  readonly decision: string;
  readonly told: ReturnType<typeof tellDecided>;
  readonly done: Done;
  readonly decidedAt: number;
  readonly sentAt: number;
}

/** Records the outcome; without that the answer is none. */
async function ended({ pipeline }: OipParts, { admission, judgement, mode, seen, reservation }: Allowed, { decision, told, done, decidedAt, sentAt }: Ending): Promise<RelayEnd> {
  const { credential, now: receivedAt } = admission;
  const { end, outputs, version, attested } = done;
  const { scan } = judgement;
  const endedAt = pipeline.clock.now();
  const named = namesFor(scan.rules, [...end.counting.found]);
  // A request counts whatever came of it; only one that was never sent does not.
  const cost = done.unsent ? reservation?.release() : reservation?.settle({ prompt: 0, completion: 0, total: 0 }, endedAt);
  const body = { ...outcomeBody({ credential, end, scan, sendings: [], cost, times: { receivedAt, decidedAt, endedAt } }), scoring: { outputs: outputs.map((each) => ({ ...each, name: named(each.name) })), version: version === null ? null : named(version), attested } };
  const words = isRecorded(mode) && end.body !== undefined ? answerWords({ user: undefined }, mode, spoken(mode === "redacted" ? redactedBody(end.body, scan.rules) : end.body, scan.rules)) : undefined;
  const recorded = await pipeline.record.outcome({ decision, credential, body, words });
  tellEnded(pipeline, { decision: told, watched: seen, end, scan, cost, recorded, sentAt, endedAt: performance.now() });
  return recorded ? end : { ...end, refusal: refuse("evidence_unavailable") };
}

interface Done extends ReadEnd {
  readonly attested: Attested;
  readonly unsent: boolean;
}

function unsent(refusal: Refusal): Done {
  const end: RelayEnd = { ...neverSent(undefined), refusal, abortedBy: "limit" };
  return { end, outputs: [], texts: [], version: null, attested: "none", unsent: true };
}

async function exchanged({ pipeline, metadata }: OipParts, caller: Caller, { serving, latch, judgement, admission }: Allowed, leaving: InferRequest): Promise<Done> {
  const now = (): number => pipeline.clock.now();
  const answer = await sent({ serving, metadata, body: JSON.stringify(requestJson(leaving)), caller, latch, now });
  if (answer.end.refusal?.code === "upstream_unreachable") pipeline.lines.forget(admission.credential.space, serving.provider);
  if (answer.kind === "ended") return { end: answer.end, outputs: [], texts: [], version: null, attested: answer.attested, unsent: answer.end.upstreamStatus === null };
  const read = readEnd({ scan: judgement.scan, model: serving.model, bytes: answer.bytes, end: answer.end });
  return { ...read, end: await looked(judgement, read), attested: answer.attested, unsent: false };
}

/** The answer after external detectors have looked at its words, where there are any that do. */
async function looked({ check }: CallJudgement, { end, texts }: ReadEnd): Promise<RelayEnd> {
  if (check === undefined || end.refusal !== undefined) return end;
  const found = new Map(end.counting.found);
  const refusal = await check(texts, found);
  const { body: _, ...rest } = end;
  const counting = { ...end.counting, found };
  return refusal === undefined ? { ...end, counting } : { ...rest, counting, refusal, abortedBy: "boundary" };
}

function headersOf(decision: string, { facts, judgement }: Allowed): AnswerHeaders {
  const warnings = facts.advice?.warnings ?? [];
  return { "x-licet-decision": decision, ...(warnings.length > 0 && { "x-licet-warnings": warnings.join(", ") }), ...(judgement.observed !== undefined && observedHeader(judgement.observed)) };
}

/** As it goes on: of what was read, nothing else. */
function requestJson({ id, parameters, inputs, outputs }: InferRequest): JsonObject {
  return {
    ...(id !== undefined && { id }),
    ...(parameters !== undefined && { parameters }),
    inputs: inputs.map(tensorJson),
    ...(outputs !== undefined && { outputs: outputs.map(({ name, parameters: named }) => ({ name, ...(named !== undefined && { parameters: named }) })) }),
  };
}

/** Element by element, and what shows only in several: in the text of the whole body they stand apart. */
function redactedBody(body: string, rules: DetectionRules): string {
  return JSON.stringify(redactedMessage(rules, parseJson(body)));
}

/** The outputs as one text, bounded as any recorded answer is. */
function spoken(body: string, rules: DetectionRules): Answered {
  const transcript = new Transcript();
  addMessage(transcript, "outputs", body);
  return { texts: transcript.texts, truncated: transcript.truncated, rules };
}

function scoreFacts({ admission, call, bytes }: Scoring, judgement: CallJudgement, mode: ContentMode): DecisionFacts {
  const { now, snapshot, credential } = admission;
  const { policy, scan } = judgement;
  const named = namesFor(scan.rules, judgement.findings);
  return {
    action: "score",
    time: now,
    snapshot,
    credential,
    model: named(shown(call.model)),
    policyBundle: policy.bundle,
    cedar: renamed(judgement.cedar, call.model, named(call.model)),
    reasons: judgement.reasons,
    policyErrors: policy.decision.errors.map((error) => error.policy),
    advice: adviceOf(policy.decision),
    findings: judgement.findings,
    more: {
      endpoint,
      ...servedBy(judgement),
      stream: false,
      requestBytes: bytes,
      messages: mode === "none" ? null : requestDigest(call.request),
      scanned: "full",
      dialect,
      scoring: { ...declared(judgement), inputs: call.request.inputs.map((each) => ({ ...described(each), name: named(each.name) })) },
      ...(scan.verdict.redactions.length > 0 && { redactions: scan.verdict.redactions.map(({ type, count }) => ({ type, count })) }),
      ...(judgement.observed !== undefined && observedFacts(judgement.observed, named)),
    },
  };
}

function servedBy({ model, provider }: CallJudgement): JsonObject {
  return { provider: model?.provider ?? null, region: provider?.region ?? null, upstreamModel: model?.model ?? null };
}

function declared({ model }: CallJudgement): JsonObject {
  return { version: model?.version ?? null, digest: model?.digest ?? null };
}

function requestDigest(request: InferRequest): JsonObject {
  const digest = digestText(JSON.stringify(requestJson(request)));
  return { count: 1, digest: digestText(digest), newest: [digest] };
}
