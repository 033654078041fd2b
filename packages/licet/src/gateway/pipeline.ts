import type { ContentMode } from "@licet/contract";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import type { Outbound } from "../base/outbound.ts";
import { answerRefusal, type AnswerHeaders, type Caller, type Inbound } from "./answer.ts";
import { authenticate, bearer } from "./authenticate.ts";
import { answerWords, contentMode, isRecorded, promptBytesMax, promptWords } from "./content.ts";
import { adviceOf } from "./decide.ts";
import { detectors } from "./detect.ts";
import type { Flight, Inflight } from "./inflight.ts";
import { judge, type Judgement } from "./judge.ts";
import { messageDigests, parseChat, upstreamBody, type ModelCall } from "./openai.ts";
import { providerRequest, type ProviderLines } from "./provider.ts";
import { reasonOf, type DecisionFacts, type DecisionRecord, type GatewayLedger, type Recorded, type Recording } from "./record.ts";
import { refuse, shown, type Refusal } from "./refusal.ts";
import { relay, type RelayEnd } from "./relay.ts";
import { answered, outcomeBody } from "./outcome.ts";
import type { CredentialView, ModelView, ProviderView, Snapshot, SnapshotSource } from "./snapshot.ts";
import type { StrangerLimit } from "./stranger-limit.ts";

/** What every call needs; made once by serve.ts. */
export interface PipelineParts {
  readonly clock: Clock;
  readonly ledger: GatewayLedger;
  readonly snapshots: SnapshotSource;
  readonly record: DecisionRecord;
  readonly lines: ProviderLines;
  readonly inflight: Inflight;
  readonly strangers: StrangerLimit;
  /** The provider's key, from the vault. Rejects when there is none. */
  readonly providerKey: (space: string, provider: string) => Promise<string>;
}

/** Who asks, by which snapshot, at what time. */
export interface Admission {
  readonly now: number;
  readonly snapshot: Snapshot;
  readonly credential: CredentialView;
}

export type Admitted =
  | { readonly admission: Admission }
  | { readonly stranger: Stranger };

/** A refusal of a caller that no credential names, at the time and by the snapshot that refused. */
export interface Stranger {
  readonly refusal: Refusal;
  readonly now: number;
  readonly snapshot?: Snapshot | undefined;
  /** False when one record stands for this refusal already: nothing was done, and strangers may not fill the log. */
  readonly recorded: boolean;
  readonly headers: AnswerHeaders;
}

/** The first two steps of every journey: a time that can be trusted, a standing that is fresh, a caller that is known. */
export function admit(parts: PipelineParts, inbound: Inbound): Admitted {
  const now = trustedTime(parts);
  if (now === undefined) {
    return stranger(parts, inbound, { refusal: refuse("clock_regressed"), now: parts.clock.now() });
  }
  const snapshot = parts.snapshots.current();
  if (snapshot === undefined) {
    return stranger(parts, inbound, { refusal: refuse("snapshot_stale"), now });
  }
  const credential = authenticate(snapshot, bearer(inbound.authorization), now);
  return credential === undefined
    ? stranger(parts, inbound, { refusal: refuse("credential_invalid"), now, snapshot })
    : { admission: { now, snapshot, credential } };
}

/** What fails for everybody is said to everybody; the bound is a stranger's own. */
function stranger({ strangers }: PipelineParts, { address }: Inbound, found: Pick<Stranger, "refusal" | "now" | "snapshot">): Admitted {
  const { record, retryAfterSeconds } = strangers.take(address);
  const limited = record !== "each" && (record === "summary" || found.refusal.code === "credential_invalid");
  const refusal = limited ? refuse("caller_limited") : found.refusal;
  return { stranger: { ...found, refusal, recorded: record !== "silent", headers: limited ? { "retry-after": String(retryAfterSeconds) } : {} } };
}

/** Records a stranger's refusal, unless one record stands for it already, and answers it. */
export async function refusedStranger(parts: PipelineParts, caller: Caller, refusing: { readonly stranger: Stranger; readonly kind: Recording["kind"]; readonly facts: DecisionFacts }): Promise<void> {
  const { stranger: { refusal, recorded, headers }, kind, facts } = refusing;
  if (!recorded) {
    return answerRefusal(caller, { refusal }, headers);
  }
  const written = await parts.record.decision({ kind, facts: { ...facts, reasons: [reasonOf(refusal)] }, refusal });
  answerRefusal(caller, "id" in written ? { refusal, decision: written.id } : { refusal: written.refusal }, headers);
}

function trustedTime({ ledger }: PipelineParts): number | undefined {
  try {
    return ledger.now();
  } catch (error) {
    if (error instanceof LicetError && error.code === "clock_regressed") {
      return undefined;
    }
    throw error;
  }
}

const endpoint = "/openai/v1/chat/completions";
const modelsEndpoint = "/openai/v1/models";

/** POST /openai/v1/chat/completions: the one place that branches. A refusal at any step is recorded like an allow. */
export async function chat(parts: PipelineParts, inbound: Inbound, caller: Caller): Promise<void> {
  const admitted = admit(parts, inbound);
  if ("stranger" in admitted) {
    const { now, snapshot } = admitted.stranger;
    return refusedStranger(parts, caller, { ...admitted, kind: "gateway.decision", facts: bareFacts(now, snapshot) });
  }
  const { admission } = admitted;
  const read = await inbound.body();
  const parsed = "refusal" in read ? read : parseChat(read.bytes);
  if ("refusal" in parsed) {
    return refused(parts, caller, { refusal: parsed.refusal, facts: { ...bareFacts(admission.now, admission.snapshot), credential: admission.credential } });
  }
  const judgement = await judge(admission, parsed.call);
  const mode = contentMode({ ...admission, findings: judgement.findings });
  const ready = judgement.refusal ?? unrecordable(parsed.call, mode) ?? (await prepare(parts, admission, judgement));
  const facts = callFacts(admission, parsed.call, { judgement, mode });
  if ("code" in ready) {
    return refused(parts, caller, { refusal: ready, facts });
  }
  return call(parts, caller, { admission, call: parsed.call, judgement, facts, mode, ...ready });
}

function unrecordable({ bytes }: ModelCall, mode: ContentMode): Refusal | undefined {
  const fits = !isRecorded(mode) || bytes <= promptBytesMax;
  return fits ? undefined : refuse("body_too_large", { message: `prompts are recorded here, up to ${promptBytesMax} bytes, and this one has ${bytes}` });
}

/** Any other endpoint: nothing passes. A known workload that tries is recorded, a stranger's guesses are not. */
export async function unsupported(parts: PipelineParts, inbound: Inbound, caller: Caller): Promise<void> {
  const refusal = refuse("endpoint_unsupported");
  const admitted = admit(parts, inbound);
  if ("stranger" in admitted) {
    return answerRefusal(caller, { refusal });
  }
  const { now, snapshot, credential } = admitted.admission;
  const bare = bareFacts(now, snapshot);
  const tried = `${inbound.method} ${inbound.path}`.slice(0, 300);
  const facts = { ...bare, action: "unknown", credential, more: { ...bare.more, endpoint: shown(tried) } };
  return refused(parts, caller, { refusal, facts });
}

/** GET /openai/v1/models: what the caller's release declares. */
export async function models(parts: PipelineParts, inbound: Inbound, caller: Caller): Promise<void> {
  const admitted = admit(parts, inbound);
  if ("stranger" in admitted) {
    const bare = bareFacts(admitted.stranger.now, admitted.stranger.snapshot);
    const facts = { ...bare, action: "listModels", more: { ...bare.more, endpoint: modelsEndpoint } };
    return refusedStranger(parts, caller, { ...admitted, kind: "gateway.decision", facts });
  }
  const declared = admitted.admission.credential.deployment.models;
  const data = declared.map(({ name, provider }) => ({ id: name, object: "model", created: 0, owned_by: provider }));
  caller.json(200, {}, JSON.stringify({ object: "list", data }));
}

interface Refusing {
  readonly refusal: Refusal;
  readonly facts: DecisionFacts;
}

async function refused(parts: PipelineParts, caller: Caller, { refusal, facts }: Refusing): Promise<void> {
  const reasons = facts.reasons.length === 0 ? [reasonOf(refusal)] : facts.reasons;
  const written = await parts.record.decision({ kind: "gateway.decision", facts: { ...facts, reasons }, refusal });
  answerRefusal(caller, "id" in written ? { refusal, decision: written.id } : { refusal: written.refusal });
}

interface Prepared {
  readonly outbound: Outbound;
  readonly key: string;
  readonly model: ModelView;
  readonly provider: ProviderView;
}

/** What a call needs from outside before it can be allowed. Nothing of the call leaves here. */
async function prepare(parts: PipelineParts, { credential }: Admission, { model, provider }: Judgement): Promise<Prepared | Refusal> {
  if (model === undefined || provider === undefined) {
    return refuse("provider_unknown");
  }
  try {
    const outbound = await parts.lines.open(credential.space, provider);
    const key = await parts.providerKey(credential.space, provider.id);
    return { outbound, key, model, provider };
  } catch (error) {
    const dialled = error instanceof LicetError && (error.code === "outbound_refused" || error.code === "unreachable");
    return refuse(dialled ? error.code : "provider_unknown", dialled ? { message: error.message } : {});
  }
}

interface Allowed extends Prepared {
  readonly admission: Admission;
  readonly call: ModelCall;
  readonly judgement: Judgement;
  readonly facts: DecisionFacts;
  readonly mode: ContentMode;
}

/** INVARIANT: the decision is durable before the first byte goes to the provider. */
async function call(parts: PipelineParts, caller: Caller, allowed: Allowed): Promise<void> {
  const { credential } = allowed.admission;
  // A hold placed while the decision is being written must still reach this call, so it is in flight from here.
  const latch = cutLatch(credential);
  if (!parts.inflight.add(latch.flight)) {
    return refused(parts, caller, { refusal: refuse("gateway_busy"), facts: allowed.facts });
  }
  try {
    const words = isRecorded(allowed.mode) ? promptWords(allowed.call, allowed.mode) : undefined;
    const written = await parts.record.decision({ kind: "gateway.decision", facts: allowed.facts, words });
    if ("refusal" in written) {
      return await unsaid(parts, caller, { credential, written, receivedAt: allowed.admission.now });
    }
    const decidedAt = parts.clock.now();
    const headers = decisionHeaders(written.id, allowed.facts);
    const end = await exchanged(parts, { allowed, caller, latch, headers });
    const times = { receivedAt: allowed.admission.now, decidedAt, endedAt: parts.clock.now() };
    const body = outcomeBody({ credential, end, times });
    const said = isRecorded(allowed.mode) && end.said !== undefined ? answerWords(allowed.call, allowed.mode, end.said) : undefined;
    const recorded = await parts.record.outcome({ decision: written.id, credential, body, words: said });
    answered(caller, { end: recorded ? end : unrecorded(end), decision: written.id, headers });
  } finally {
    parts.inflight.remove(latch.flight);
  }
}

interface Unsaid {
  readonly credential: CredentialView;
  readonly written: Extract<Recorded, { readonly refusal: Refusal }>;
  readonly receivedAt: number;
}

/** Nothing was sent. Where the decision to allow stands in the log and its words do not, the outcome says so. */
async function unsaid(parts: PipelineParts, caller: Caller, { credential, written, receivedAt }: Unsaid): Promise<void> {
  const { refusal } = written;
  if (!("id" in written)) {
    return answerRefusal(caller, { refusal });
  }
  const times = { receivedAt, decidedAt: parts.clock.now(), endedAt: parts.clock.now() };
  const end: RelayEnd = { ...neverSent(undefined), refusal, abortedBy: "limit" };
  await parts.record.outcome({ decision: written.id, credential, body: outcomeBody({ credential, end, times }) });
  answerRefusal(caller, { refusal, decision: written.id });
}

function unrecorded(end: RelayEnd): RelayEnd {
  return { ...end, refusal: refuse("evidence_unavailable") };
}

interface Exchange {
  readonly allowed: Allowed;
  readonly caller: Caller;
  readonly latch: CutLatch;
  readonly headers: AnswerHeaders;
}

/** What the caller of an allowed call learns: where it stands, and which policies will forbid it once they are enforced. */
function decisionHeaders(decision: string, { advice }: DecisionFacts): AnswerHeaders {
  const warnings = advice?.warnings ?? [];
  return { "x-licet-decision": decision, ...(warnings.length > 0 && { "x-licet-warnings": warnings.join(", ") }) };
}

function exchanged(parts: PipelineParts, { allowed, caller, latch, headers }: Exchange): Promise<RelayEnd> {
  const { call, key, model, provider, admission, outbound } = allowed;
  const { classes } = admission.credential.deployment.boundary;
  const blocks = new Set(detectors.filter(({ dataClass }) => !classes.includes(dataClass)).map(({ type }) => type));
  const early = latch.refusal();
  if (early !== undefined || caller.gone) {
    return Promise.resolve(neverSent(early));
  }
  const exchange = relay({
    outbound,
    request: providerRequest(key, upstreamBody(call, model.model), call.stream),
    caller,
    stream: call.stream,
    guard: { classes, blocks, wantsUsage: call.wantsUsage, keeps: isRecorded(allowed.mode) },
    headers,
    now: () => parts.clock.now(),
  });
  latch.onCut((refusal) => exchange.cut(refusal, refusal.code === "snapshot_stale" ? "snapshot" : "hold"));
  return exchange.ended.then((end) => {
    if (end.refusal?.code === "upstream_unreachable") {
      parts.lines.forget(admission.credential.space, provider);
    }
    return end;
  });
}

function neverSent(refusal: Refusal | undefined): RelayEnd {
  const why = refusal ?? refuse("upstream_unreachable", { message: "the caller has left" });
  return {
    refusal: why,
    abortedBy: refusal === undefined ? "client" : "hold",
    headers: {},
    started: false,
    found: new Map(),
    usage: null,
    finishReasons: [],
    bytes: 0,
    upstreamStatus: null,
    firstByteAt: null,
  };
}

/** Remembers a cut that comes before there is anything to cut. */
interface CutLatch {
  readonly flight: Flight;
  refusal(): Refusal | undefined;
  onCut(listener: (refusal: Refusal) => void): void;
}

function cutLatch(credential: CredentialView): CutLatch {
  let latched: Refusal | undefined;
  let listener: ((refusal: Refusal) => void) | undefined;
  const cut = (refusal: Refusal) => {
    latched ??= refusal;
    listener?.(latched);
  };
  return {
    flight: { credential, cut },
    refusal: () => latched,
    onCut: (next) => {
      listener = next;
    },
  };
}

function bareFacts(time: number, snapshot: Snapshot | undefined): DecisionFacts {
  return {
    action: "callModel",
    time,
    snapshot,
    reasons: [],
    policyErrors: [],
    findings: [],
    more: { endpoint, provider: null, region: null, upstreamModel: null, stream: false, requestBytes: 0, messages: null, scanned: "none" },
  };
}

function callFacts({ now, snapshot, credential }: Admission, call: ModelCall, { judgement, mode }: { readonly judgement: Judgement; readonly mode: ContentMode }): DecisionFacts {
  return {
    action: "callModel",
    time: now,
    snapshot,
    credential,
    model: call.model,
    policyBundle: judgement.policy.bundle,
    cedar: judgement.cedar,
    reasons: judgement.reasons,
    policyErrors: judgement.policy.decision.errors.map(({ policy }) => policy),
    advice: adviceOf(judgement.policy.decision),
    findings: judgement.findings,
    more: {
      endpoint,
      provider: judgement.model?.provider ?? null,
      region: judgement.provider?.region ?? null,
      upstreamModel: judgement.model?.model ?? null,
      stream: call.stream,
      requestBytes: call.bytes,
      messages: mode === "none" ? null : messageDigests(call.request),
      scanned: "full",
    },
  };
}
