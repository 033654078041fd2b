import { refusalBody, refusalHeaders, type AnswerHeaders, type Caller, type Inbound } from "../gateway/answer.ts";
import { refuse, type Refusal } from "../gateway/refusal.ts";
import { asker } from "./asker.ts";
import { recorded, refusedWith, strangerRefusal, verdictOn, type Known } from "./evaluate.ts";
import type { DecisionParts } from "./parts.ts";
import type { Evaluation } from "./protocol.ts";

export const extAuthzPrefix = "/ext-authz/";

/** What a proxy asks: the credential is its caller's, everything else is the proxy's own configuration. */
export interface ProxyQuestion {
  readonly model: string | undefined;
  readonly action: string | undefined;
  readonly digest: string | undefined;
}

/** What the proxy does: pass the request on, or answer it with this. */
export interface ProxyAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: string;
  readonly refusal?: Refusal;
}

const nameCharactersMax = 256;

/** A proxy passes on or refuses, and carries out nothing: a decision with an obligation is a denial for it. */
const proxyContext = { supported_obligations: [] };

/** May the workload whose credential came along call this model, or score with it, now? Recorded before it is answered. */
export async function proxyAnswer(parts: DecisionParts, inbound: Inbound, question: ProxyQuestion): Promise<ProxyAnswer> {
  const who = asker(parts.pipeline, inbound);
  if ("stranger" in who) {
    const { refused, headers } = await strangerRefusal(parts, who);
    return denial(refused.refusal, refused.decision, headers);
  }
  const read = evaluationOf(who, question);
  if ("code" in read) {
    const { refusal, decision } = await refusedWith(parts, { refusal: read, who });
    return denial(refusal, decision);
  }
  const verdict = await verdictOn(parts, who, read.evaluation);
  const written = await recorded(parts, verdict);
  if ("refusal" in written) return denial(written.refusal, "id" in written ? written.id : undefined);
  if (verdict.refusal !== undefined) return denial({ ...verdict.refusal, status: 403 }, written.id);
  return { status: 200, headers: { "x-licet-decision": written.id }, body: JSON.stringify({ decision: true, context: { id: written.id } }) };
}

type Read = { readonly evaluation: Evaluation };

function evaluationOf(who: Known, { model, action = "callModel", digest }: ProxyQuestion): Read | Refusal {
  if (!("admission" in who)) return refuse("subject_mismatch", { message: "a proxy asks with the credential of a deployment" });
  if (model === undefined || model === "" || model.length > nameCharactersMax || !model.isWellFormed()) {
    return refuse("query_invalid", { message: "the proxy names no model: set `x-licet-model`, or `licet.model` of Envoy's context extensions", status: 403 });
  }
  if (action !== "callModel" && action !== "score") return refuse("action_unsupported", { message: "a proxy asks for `callModel` or `score`" });
  const { admission } = who;
  const resource = { type: "model", id: model, ...(digest !== undefined && { properties: { digest } }) };
  return { evaluation: { subject: { type: "workload", id: admission.credential.deployment.id }, action: { name: action }, resource, context: proxyContext } };
}

/** Every denial is one that proxies understand: 401 for a credential, 403 for everything decided, 5xx and 429 as they are. */
function denial(refusal: Refusal, decision: string | undefined, headers: AnswerHeaders = {}): ProxyAnswer {
  const refused = { refusal, decision };
  return { status: refusal.status, headers: { ...headers, ...refusalHeaders(refused), "x-licet-code": refusal.code }, body: refusalBody(refused), refusal };
}

/** Any method and any path below `/ext-authz/`: Envoy sends its client's, nginx a plain GET. */
export async function httpExtAuthz(parts: DecisionParts, inbound: Inbound, caller: Caller): Promise<void> {
  const answer = await proxyAnswer(parts, inbound, { model: inbound.header("x-licet-model"), action: inbound.header("x-licet-action"), digest: inbound.header("x-licet-model-digest") });
  caller.json(answer.status, answer.headers, answer.body);
}
