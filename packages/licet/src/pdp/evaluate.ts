import type { AnswerHeaders, Caller, Inbound, Refused } from "../gateway/answer.ts";
import { tellDecided } from "../gateway/observed-call.ts";
import { reasonOf, type DecisionFacts, type Recorded } from "../gateway/record.ts";
import { refuse, type Refusal } from "../gateway/refusal.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import type { Conclusion } from "./applications.ts";
import { asker, askerAgain, type Asker, type ClientAdmission } from "./asker.ts";
import { noteOf } from "./approvals.ts";
import { applicationsIn } from "./grants.ts";
import { readEvaluation } from "./known-bodies.ts";
import type { DecisionParts } from "./parts.ts";
import { Evaluation, Evaluations, wrongWith, type Semantic } from "./protocol.ts";
import { answerError, decisionObject, unasked, type Verdict } from "./verdict.ts";
import { askedOf, workloadVerdict } from "./workload.ts";

export type Known = Exclude<Asker, { readonly stranger: unknown }>;

/** Who asked what, read and in time; everything else is answered already. */
export interface Opened {
  readonly who: Known;
  readonly body: object;
  readonly echo: AnswerHeaders;
}

/** Admits the caller and reads the body; answers and records what is refused, then undefined. */
export async function opened(parts: DecisionParts, inbound: Inbound, caller: Caller): Promise<Opened | undefined> {
  const echo: AnswerHeaders = inbound.requestId === undefined ? {} : { "x-request-id": inbound.requestId };
  const who = asker(parts.pipeline, inbound);
  if ("stranger" in who) {
    await refusedStranger(parts, caller, { who, echo });
    return undefined;
  }
  const read = await inbound.body();
  if ("refusal" in read) {
    await refused(parts, caller, { refusal: read.refusal, who, echo });
    return undefined;
  }
  // A body may come slowly; what is decided on is what stands once it is here.
  const now = askerAgain(parts.pipeline, inbound, who);
  if ("stranger" in now) {
    await refusedStranger(parts, caller, { who: now, echo });
    return undefined;
  }
  return readBody(parts, caller, { bytes: read.bytes, who: now, echo });
}

async function readBody(parts: DecisionParts, caller: Caller, { bytes, who, echo }: { readonly bytes: Uint8Array; readonly who: Known; readonly echo: AnswerHeaders }): Promise<Opened | undefined> {
  const body = parts.bodies.read(bytes);
  if (body === undefined) {
    await refused(parts, caller, { refusal: refuse("query_invalid", { message: "the body is not a JSON object, nests too deep, or holds half a surrogate pair" }), who, echo });
    return undefined;
  }
  return { who, body, echo };
}

type StrangerAsks = Extract<Asker, { readonly stranger: unknown }>;

async function refusedStranger(parts: DecisionParts, caller: Caller, { who, echo }: { readonly who: StrangerAsks; readonly echo: AnswerHeaders }): Promise<void> {
  const { refused: answer, headers } = await strangerRefusal(parts, who);
  answerError(caller, answer, { ...echo, ...headers });
}

/** Records a stranger's refusal, unless one record stands for it already. */
export async function strangerRefusal({ pipeline }: DecisionParts, { stranger, watched, trace }: StrangerAsks): Promise<{ readonly refused: Refused; readonly headers: AnswerHeaders }> {
  const { refusal, now, snapshot, recorded: each, headers } = stranger;
  if (!each) return { refused: { refusal }, headers };
  const facts = { ...bareFacts(now, snapshot), reasons: [reasonOf(refusal)], trace };
  const writingAt = performance.now();
  const written = await pipeline.record.decision({ kind: "access.decision", facts, refusal });
  tellDecided(pipeline, { facts, watched, refusal: "id" in written ? refusal : written.refusal, id: "id" in written ? written.id : undefined, writingAt });
  return { refused: "id" in written ? { refusal, decision: written.id } : { refusal: written.refusal }, headers };
}

/** Not a decision that came out false, but none at all: the status says so. */
export async function refused(parts: DecisionParts, caller: Caller, { refusal, who, echo }: { readonly refusal: Refusal; readonly who: Known; readonly echo: AnswerHeaders }): Promise<void> {
  answerError(caller, await refusedWith(parts, { refusal, who }), echo);
}

/** Records a refusal of a known caller; without the record the answer is that there is none. */
export async function refusedWith({ pipeline }: DecisionParts, { refusal, who }: { readonly refusal: Refusal; readonly who: Known }): Promise<Refused> {
  const written = await pipeline.record.decision({ kind: "access.decision", facts: { ...factsFor(who), reasons: [reasonOf(refusal)] }, refusal });
  return "id" in written ? { refusal, decision: written.id } : { refusal: written.refusal };
}

function bareFacts(time: number, snapshot: Snapshot | undefined): DecisionFacts {
  return { action: "unknown", time, snapshot, reasons: [], policyErrors: [], findings: [], more: unasked };
}

function factsFor(who: Known): DecisionFacts {
  const { trace } = who;
  if ("asking" in who) {
    const { now, snapshot, client } = who.asking;
    return { ...bareFacts(now, snapshot), trace, client, more: { ...unasked, client: client.id } };
  }
  const { now, snapshot, credential } = who.admission;
  return { ...bareFacts(now, snapshot), trace, credential };
}

/** Decides one question; nothing is recorded yet. */
export async function verdictOn(parts: DecisionParts, who: Known, evaluation: Evaluation): Promise<Verdict> {
  const verdict = "asking" in who ? applicationVerdict(parts, who.asking, evaluation) : await workloadVerdict(who.admission, evaluation);
  return { ...verdict, facts: { ...verdict.facts, trace: who.trace } };
}

function applicationVerdict(parts: DecisionParts, asking: ClientAdmission, evaluation: Evaluation): Verdict {
  const { now, snapshot, client } = asking;
  const applications = applicationsIn(snapshot.applications.get(client.space));
  const facts: DecisionFacts = { ...factsFor({ asking }), action: evaluation.action.name, policyBundle: applications?.parts.digest ?? null, more: { ...unasked, client: client.id, ...askedOf(evaluation) } };
  if (applications === undefined) {
    const refusal = refuse("subject_unknown", { message: "no application pack is published in this space" });
    return { facts: { ...facts, reasons: [reasonOf(refusal)] }, refusal, obligations: [] };
  }
  const approval = parts.approvals?.covering({ asking, evaluation });
  const conclusion = applications.conclude(evaluation, { now, approved: approval?.covers ?? false });
  const { refusal, obligations, approval: template } = conclusion;
  const requestable = template === undefined || parts.approvals === undefined ? {} : { requestable: { space: client.space, template, evaluation, now } };
  const noted = "requestable" in requestable ? { requestable: noteOf(requestable.requestable) } : {};
  return {
    facts: { ...facts, ...concludedFacts(conclusion), more: { ...facts.more, obligations: obligations.map(({ id, type }) => ({ id, type })), ...noted } },
    obligations,
    ...(refusal !== undefined && { refusal }),
    ...requestable,
    more: { ...approval?.told(refusal, "requestable" in requestable) },
  };
}

function concludedFacts({ cedar, reasons, refusal, policyErrors, advice }: Conclusion): Pick<DecisionFacts, "cedar" | "reasons" | "policyErrors" | "advice"> {
  return { cedar: cedar ?? undefined, reasons: refusal !== undefined && reasons.length === 0 ? [reasonOf(refusal)] : reasons, policyErrors, advice };
}

/** The decision as it is told; a denial that an approval lifts says how to ask for one. */
export function told({ approvals }: DecisionParts, id: string, verdict: Verdict): object {
  const { requestable } = verdict;
  if (requestable === undefined || approvals === undefined) return decisionObject(id, verdict);
  return decisionObject(id, { ...verdict, more: { ...approvals.requestable({ ...requestable, decision: id }), ...verdict.more } });
}

/** INVARIANT: the decision stands in the log before anybody hears of it. */
export async function recorded({ pipeline, scorings }: DecisionParts, { facts, refusal }: Verdict): Promise<Recorded> {
  const written = await pipeline.record.decision({ kind: "access.decision", facts, refusal });
  const { credential } = facts;
  if (facts.action === "score" && refusal === undefined && credential !== undefined && !("refusal" in written)) scorings.open(written.id, { credential, decidedAt: facts.time });
  return written;
}

/** POST /access/v1/evaluation. */
export async function evaluation(parts: DecisionParts, inbound: Inbound, caller: Caller): Promise<void> {
  const open = await opened(parts, inbound, caller);
  if (open !== undefined) await single(parts, caller, open);
}

async function single(parts: DecisionParts, caller: Caller, open: Opened): Promise<void> {
  const parsed = readEvaluation(open.body);
  if (!parsed.success) return refused(parts, caller, { ...open, refusal: refuse("query_invalid", { message: wrongWith(parsed.error) }) });
  const verdict = await verdictOn(parts, open.who, parsed.data);
  const written = await recorded(parts, verdict);
  if ("refusal" in written) return answerError(caller, written, open.echo);
  return caller.json(200, { ...open.echo, "x-licet-decision": written.id }, JSON.stringify(told(parts, written.id, verdict)));
}

/** POST /access/v1/evaluations; without `evaluations` the same as one evaluation. */
export async function evaluations(parts: DecisionParts, inbound: Inbound, caller: Caller): Promise<void> {
  const open = await opened(parts, inbound, caller);
  if (open === undefined) return;
  const parsed = Evaluations.safeParse(open.body);
  if (!parsed.success) return refused(parts, caller, { ...open, refusal: refuse("query_invalid", { message: wrongWith(parsed.error) }) });
  if ((parsed.data.evaluations ?? []).length === 0) return single(parts, caller, open);
  const verdicts = await verdictsOn(parts, open.who, parsed.data);
  const written = await Promise.all(verdicts.map((verdict) => recorded(parts, verdict)));
  const failed = written.find((each) => "refusal" in each);
  if (failed !== undefined) return answerError(caller, failed, open.echo);
  const objects = written.flatMap((each, at) => {
    const verdict = verdicts[at];
    return "id" in each && verdict !== undefined ? [told(parts, each.id, verdict)] : [];
  });
  return caller.json(200, open.echo, JSON.stringify({ evaluations: objects }));
}

/** One after the other, so that what stops early decides no more than it answers. */
async function verdictsOn(parts: DecisionParts, who: Known, asked: Evaluations): Promise<readonly Verdict[]> {
  const { evaluations: items = [], options, ...defaults } = asked;
  const stops = stopsOn(options.evaluations_semantic);
  const verdicts: Verdict[] = [];
  for (const item of items) {
    const verdict = await itemVerdict(parts, who, withDefaults(defaults, item));
    verdicts.push(verdict);
    if (stops === (verdict.refusal === undefined)) break;
  }
  return verdicts;
}

/** The decisions that a mapped request asks for; a batch without any asks for none, which permits nothing. */
export async function itemVerdicts(parts: DecisionParts, who: Known, { kind, request }: { readonly kind: "evaluation" | "evaluations"; readonly request: object }): Promise<readonly Verdict[]> {
  if (kind === "evaluation") return [await itemVerdict(parts, who, request)];
  const parsed = Evaluations.safeParse(request);
  return parsed.success ? verdictsOn(parts, who, { ...parsed.data, options: { evaluations_semantic: "execute_all" } }) : [await itemVerdict(parts, who, request)];
}

function stopsOn(semantic: Semantic): boolean | undefined {
  if (semantic === "execute_all") return undefined;
  return semantic === "permit_on_first_permit";
}

/** A member that an evaluation has replaces the default whole (section 7.1.1). */
function withDefaults(defaults: object, item: unknown): unknown {
  return typeof item === "object" && item !== null && !Array.isArray(item) ? { ...defaults, ...item } : item;
}

/** One that cannot be read is denied with the error in its context; the others stand. */
async function itemVerdict(parts: DecisionParts, who: Known, item: unknown): Promise<Verdict> {
  const parsed = Evaluation.safeParse(item);
  if (parsed.success) return verdictOn(parts, who, parsed.data);
  const message = wrongWith(parsed.error);
  const refusal = refuse("query_invalid", { message });
  return { facts: { ...factsFor(who), reasons: [reasonOf(refusal)] }, refusal, obligations: [], more: { error: { status: 400, message } } };
}
