import { z } from "zod";
import { answerRefusal, refusalHeaders, type Caller, type Inbound } from "./answer.ts";
import { declaredModel } from "./conform.ts";
import { detect, findingCounts, outsideBoundary } from "./detect.ts";
import { classRefusal, concluded } from "./judge.ts";
import { collect, parseJson, wellFormed } from "./openai.ts";
import { admit, refusedStranger, type Admission, type PipelineParts } from "./pipeline.ts";
import { reasonOf, type DecisionFacts } from "./record.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { Snapshot } from "./snapshot.ts";
import { standingRefusal } from "./standing.ts";

const name = z.string().min(1).max(256);
const properties = z.record(z.string(), z.unknown()).optional();

/** OpenID AuthZEN Authorization API 1.0, section 6: one evaluation. Unknown members are allowed there and not used here. */
const Evaluation = z.object({
  subject: z.object({ type: name, id: name, properties }),
  action: z.object({ name, properties }),
  resource: z.object({ type: name, id: name, properties }),
  context: z.record(z.string(), z.unknown()).optional(),
});
type Evaluation = z.output<typeof Evaluation>;

/** POST /access/v1/evaluation: may this workload run its own model now? The decision is durable before the reply. */
export async function evaluate(parts: PipelineParts, inbound: Inbound, caller: Caller): Promise<void> {
  const echo = inbound.requestId === undefined ? {} : { "x-request-id": inbound.requestId };
  const admitted = admit(parts, inbound);
  if ("stranger" in admitted) {
    const { now, snapshot, headers } = admitted.stranger;
    const stranger = { ...admitted.stranger, headers: { ...echo, ...headers } };
    return refusedStranger(parts, caller, { stranger, kind: "access.decision", facts: bareFacts(now, snapshot) });
  }
  const { admission } = admitted;
  const known = { ...bareFacts(admission.now, admission.snapshot), credential: admission.credential };
  const read = await inbound.body();
  if ("refusal" in read) {
    return refused(parts, caller, { refusal: read.refusal, facts: known, echo });
  }
  const json = parseJson(read.bytes);
  const parsed = Evaluation.safeParse(json?.value);
  if (!parsed.success || !wellFormed(json?.value)) {
    const refusal = refuse("request_unreadable", { message: "the body is not an AuthZEN evaluation request" });
    return refused(parts, caller, { refusal, facts: known, echo });
  }
  const { facts, refusal } = await judged(admission, parsed.data);
  const written = await parts.record.decision({ kind: "access.decision", facts, refusal });
  if ("refusal" in written) {
    return answerRefusal(caller, written, echo);
  }
  caller.json(200, { ...echo, "x-licet-decision": written.id }, evaluationBody(written.id, refusal));
}

interface Refusing {
  readonly refusal: Refusal;
  readonly facts: DecisionFacts;
  readonly echo: Readonly<Record<string, string>>;
}

/** Not an evaluation that came out false, but none at all: the HTTP status says so (section 10.1.2 of the standard). */
async function refused(parts: PipelineParts, caller: Caller, { refusal, facts, echo }: Refusing): Promise<void> {
  const written = await parts.record.decision({
    kind: "access.decision",
    facts: { ...facts, reasons: [reasonOf(refusal)] },
    refusal,
  });
  const answer = "id" in written ? { refusal, decision: written.id } : { refusal: written.refusal };
  answerRefusal(caller, answer, { ...echo, ...refusalHeaders(answer) });
}

async function judged(admission: Admission, evaluation: Evaluation): Promise<{ facts: DecisionFacts; refusal?: Refusal }> {
  const { credential, now, snapshot } = admission;
  const { deployment } = credential;
  const { subject, action, resource } = evaluation;
  const model = resource.type === "model" ? declaredModel(deployment, resource.id) : undefined;
  const texts: string[] = [];
  collect(evaluation, texts);
  const found = detect(texts);
  const digest = resource.properties?.["digest"];
  const own = subject.type === "workload" && (subject.id === deployment.id || subject.id === deployment.system);
  const findings = findingCounts(found);
  const verdict = await concluded(admission, {
    action: "score",
    model: { name: resource.id, ...(model && { declared: model }) },
    dataClasses: findings.map(({ dataClass }) => dataClass),
    ownRefusals: [
      own ? undefined : refuse("subject_mismatch", { param: "subject" }),
      action.name === "score" && resource.type === "model" ? undefined : refuse("action_unsupported", { param: "action" }),
      standingRefusal(admission),
      model === undefined ? refuse("model_undeclared", { param: "resource.id" }) : digestRefusal(model.digest, digest),
      classRefusal(outsideBoundary(found, deployment.boundary.classes)),
    ],
  });
  const facts: DecisionFacts = {
    action: action.name,
    time: now,
    snapshot,
    credential,
    model: resource.id,
    policyBundle: verdict.policy.bundle,
    cedar: verdict.cedar,
    reasons: verdict.reasons,
    policyErrors: verdict.policy.decision.errors.map(({ policy }) => policy),
    findings,
    more: { digest: typeof digest === "string" ? digest.slice(0, 100).toWellFormed() : null },
  };
  return verdict.refusal === undefined ? { facts } : { facts, refusal: verdict.refusal };
}

function digestRefusal(declared: string | undefined, digest: unknown): Refusal | undefined {
  return declared !== undefined && digest === declared
    ? undefined
    : refuse("release_mismatch", {
        message: "the model's digest is not the one that the deployed release declares",
        param: "resource.properties.digest",
        component: "model",
      });
}

function bareFacts(time: number, snapshot: Snapshot | undefined): DecisionFacts {
  return { action: "score", time, snapshot, reasons: [], policyErrors: [], findings: [], more: { digest: null } };
}

function evaluationBody(id: string, refusal: Refusal | undefined): string {
  if (refusal === undefined) {
    return JSON.stringify({ decision: true, context: { id } });
  }
  const { code, message, policy, remedy, component } = refusal;
  const reason = { code, message, policy, remedy, ...(component !== undefined && { component }) };
  return JSON.stringify({ decision: false, context: { id, ...reason, reason_user: { en: `${message}; ${remedy}` } } });
}
