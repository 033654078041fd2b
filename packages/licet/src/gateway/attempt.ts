import type { ContentMode } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import type { Outbound } from "../base/outbound.ts";
import type { Admission, PipelineParts } from "./admission.ts";
import type { AnswerHeaders, Caller } from "./answer.ts";
import type { Reservation } from "./budgets/budgets.ts";
import { settled } from "./budgets/settle.ts";
import { reserveShared } from "./budgets/shared-reserve.ts";
import { answerWords, contentMode, isRecorded, promptBytesMax, promptWords } from "./content.ts";
import type { ModelCall } from "./dialect.ts";
import { cutLatch, exchange, neverSent, type CutLatch } from "./exchange.ts";
import { callFacts } from "./facts.ts";
import { budgetAsk, judge, type CallJudgement } from "./judge.ts";
import { observedHeader } from "./observe-mode.ts";
import { tellDecided, tellEnded, traced, type Watched } from "./observed-call.ts";
import { outcomeBody } from "./outcome.ts";
import { reasonOf, type DecisionFacts, type Recorded } from "./record.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { RelayEnd } from "./relay.ts";
import type { ModelView, ProviderView } from "./snapshot.ts";
import { toolJudge } from "./tools/tool-judge.ts";

/** One way of carrying a call out: to the model that it names, or to one that the release declares in its place. */
export interface Attempt {
  readonly admission: Admission;
  readonly call: ModelCall;
  /** The declared model to go to; undefined for the one that the call names. */
  readonly target: ModelView | undefined;
  readonly watched: Watched;
  /** The decision whose provider failed. */
  readonly fallbackOf?: string | undefined;
}

/** How an attempt ended. Nothing is answered yet, but for what was streamed. */
export type Attempted =
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly decision?: string | undefined }
  | { readonly kind: "ended"; readonly end: RelayEnd; readonly decision: string; readonly headers: AnswerHeaders };

/** Judges, records, carries out, records. */
export async function attempt(parts: PipelineParts, caller: Caller, { admission, call, target, watched, fallbackOf }: Attempt): Promise<Attempted> {
  const judgement = await judge(admission, call, { target, budgets: parts.budgets, external: parts.external, boundIds: parts.boundIds });
  const mode = contentMode({ ...admission, findings: judgement.findings });
  const ready = judgement.refusal ?? unrecordable(call, mode) ?? (await prepare(parts, admission, judgement));
  const facts = callFacts(admission, call, { judgement, mode, fallbackOf });
  if ("code" in ready) {
    return refused(parts, { ...judgement, refusal: ready, facts, watched });
  }
  const asked = reserveShared(parts.budgets, budgetAsk(admission, { call, scan: judgement.scan, ...ready }));
  const reserved = asked instanceof Promise ? await asked : asked;
  if (reserved !== undefined && "refusal" in reserved) {
    return refused(parts, { ...ready, refusal: reserved.refusal, facts, watched });
  }
  const reservation = reserved?.reservation;
  const spending = reservation === undefined ? facts : { ...facts, more: { ...facts.more, budget: reservation.facts } };
  return carriedOut(parts, caller, { ...ready, admission, call, judgement, facts: spending, mode, watched, reservation });
}

function unrecordable({ bytes }: ModelCall, mode: ContentMode): Refusal | undefined {
  const fits = !isRecorded(mode) || bytes <= promptBytesMax;
  return fits ? undefined : refuse("body_too_large", { message: `prompts are recorded here, up to ${promptBytesMax} bytes, and this one has ${bytes}` });
}

export interface Refusing {
  readonly refusal: Refusal;
  readonly facts: DecisionFacts;
  readonly watched: Watched;
  readonly model?: ModelView | undefined;
  readonly provider?: ProviderView | undefined;
}

/** A refusal is recorded like an allow. */
export async function refused(parts: PipelineParts, { refusal, facts, watched, model, provider }: Refusing): Promise<Extract<Attempted, { readonly kind: "refused" }>> {
  const reasons = facts.reasons.length === 0 ? [reasonOf(refusal)] : facts.reasons;
  const writingAt = performance.now();
  const written = await parts.record.decision({ kind: "gateway.decision", facts: traced({ ...facts, reasons }, watched), refusal });
  const answer = "id" in written ? { refusal, decision: written.id } : { refusal: written.refusal };
  tellDecided(parts, { facts, watched, refusal: answer.refusal, id: answer.decision, writingAt, model, provider });
  return { kind: "refused", ...answer };
}

interface Prepared {
  readonly outbound: Outbound;
  readonly key: string;
  readonly model: ModelView;
  readonly provider: ProviderView;
}

/** What a call needs from outside before it can be allowed. Nothing of the call leaves here. */
async function prepare(parts: PipelineParts, { credential }: Admission, { model, provider }: CallJudgement): Promise<Prepared | Refusal> {
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
  readonly judgement: CallJudgement;
  readonly facts: DecisionFacts;
  readonly mode: ContentMode;
  readonly watched: Watched;
  readonly reservation: Reservation | undefined;
}

/** INVARIANT: the decision is durable before the first byte goes to the provider, and so is what it reserves. */
async function carriedOut(parts: PipelineParts, caller: Caller, allowed: Allowed): Promise<Attempted> {
  // A hold placed while the decision is being written must still reach this call, so it is in flight from here.
  const latch = cutLatch(parts, allowed.admission.credential, allowed.provider.vendor);
  const { call, judgement, mode, facts, watched, reservation } = allowed;
  if (!parts.inflight.add(latch.flight)) {
    reservation?.release();
    return refused(parts, { refusal: refuse("gateway_busy"), facts, watched });
  }
  try {
    const words = isRecorded(mode) ? promptWords({ user: call.user, messages: judgement.scan.messages(call.messages) }, mode, judgement.scan.rules) : undefined;
    const writingAt = performance.now();
    const written = await parts.record.decision({ kind: "gateway.decision", facts: traced(facts, watched), words });
    const told = tellDecided(parts, { ...allowed, ...("refusal" in written && written), id: "id" in written ? written.id : undefined, writingAt });
    return "refusal" in written ? await unsaid(parts, allowed, written) : await exchanged(parts, caller, { allowed, latch, decision: written.id, told });
  } finally {
    // Nothing changes where it was ended. On a way out that nobody foresaw something may have been sent.
    reservation?.settle(null, parts.clock.now());
    parts.inflight.remove(latch.flight);
  }
}

interface Exchange {
  readonly allowed: Allowed;
  readonly latch: CutLatch;
  readonly decision: string;
  readonly told: ReturnType<typeof tellDecided>;
}

async function exchanged(parts: PipelineParts, caller: Caller, { allowed, latch, decision, told }: Exchange): Promise<Attempted> {
  const { admission, call, judgement, mode, facts, reservation } = allowed;
  const { scan } = judgement;
  const decidedAt = parts.clock.now();
  const sentAt = performance.now();
  const headers = { ...decisionHeaders(decision, facts), ...(judgement.observed !== undefined && observedHeader(judgement.observed)) };
  const tools = toolJudge(parts, { admission, model: allowed.model, provider: allowed.provider, offered: call.offered, observed: judgement.observed });
  const { end, sendings } = await exchange(parts, caller, { ...allowed, tools, space: admission.credential.space, scan, check: judgement.check, trace: allowed.watched.trace, keeps: isRecorded(mode), latch, headers });
  const endedAt = parts.clock.now();
  const upstreamEndedAt = performance.now();
  const cost = settled(reservation, { end, stream: call.stream, sendings, at: endedAt });
  const body = outcomeBody({ credential: admission.credential, end, scan, sendings, cost, times: { receivedAt: admission.now, decidedAt, endedAt } });
  const words = isRecorded(mode) && end.said !== undefined ? answerWords(call, mode, { texts: end.said.texts, truncated: end.said.truncated, rules: scan.rules }) : undefined;
  const recorded = await parts.record.outcome({ decision, credential: admission.credential, body, words });
  tellEnded(parts, { decision: told, watched: allowed.watched, end, scan, cost, recorded, sentAt, endedAt: upstreamEndedAt });
  return { kind: "ended", end: recorded ? end : unrecorded(end), decision, headers };
}

/** Nothing was sent. Where the decision to allow stands in the log and its words do not, the outcome says so. */
async function unsaid(parts: PipelineParts, { admission, judgement, reservation }: Allowed, written: Extract<Recorded, { readonly refusal: Refusal }>): Promise<Attempted> {
  const { refusal } = written;
  const cost = reservation?.release();
  if (!("id" in written)) {
    return { kind: "refused", refusal };
  }
  const { credential, now } = admission;
  const times = { receivedAt: now, decidedAt: parts.clock.now(), endedAt: parts.clock.now() };
  const end: RelayEnd = { ...neverSent(undefined), refusal, abortedBy: "limit" };
  await parts.record.outcome({ decision: written.id, credential, body: outcomeBody({ credential, end, scan: judgement.scan, sendings: [], cost, times }) });
  return { kind: "refused", refusal, decision: written.id };
}

/** A second provider would not help: the log takes nothing. */
function unrecorded(end: RelayEnd): RelayEnd {
  return { ...end, refusal: refuse("evidence_unavailable") };
}

/** What the caller of an allowed call learns: where it stands, and which policies will forbid it once they are enforced. */
function decisionHeaders(decision: string, { advice }: DecisionFacts): AnswerHeaders {
  const warnings = advice?.warnings ?? [];
  return { "x-licet-decision": decision, ...(warnings.length > 0 && { "x-licet-warnings": warnings.join(", ") }) };
}
