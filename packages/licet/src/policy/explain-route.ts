import { allows, Digest, LicetError, PolicyQuestion, type ExplainAsked, type PolicyExplanation, type Role, type TrafficStage } from "@licet/contract";
import { isRecord, parseJson } from "@licet/evidence";
import type { Bundle } from "./bundle-form.ts";
import { createDecider, type PolicyReason } from "./decide.ts";
import { candidateOf, type PublicationDeps } from "./publication.ts";
import { bundleByDigest, bundleOf } from "./publish.ts";
import type { PolicyRequest } from "./request.ts";
import { decisionDetail, type Reader } from "./store.ts";

export interface ExplainDeps extends PublicationDeps {
  /** The gate's question about a system's move as things stand; throws `not_found`. */
  readonly gateQuestion: (space: string, asked: { readonly system: string; readonly to: TrafficStage; readonly environment?: string | undefined }) => Promise<GateQuestion>;
  /** The gateway's question about a model call; throws `not_found`. */
  readonly callQuestion: (space: string, asked: CallAsked) => PolicyRequest;
}

export interface GateQuestion {
  readonly request: PolicyRequest;
  /** What the gate says to do by the bundle of this digest, by policy: it knows the record, and a policy's own text does not. */
  readonly remedies: ReadonlyMap<string, string>;
  readonly digest: string;
}

/** What a system's deployment would ask if it called a model now. */
export interface CallAsked {
  readonly system: string;
  /** As the manifest names it, or the provider's own name of a declared one. */
  readonly model: string;
  /** Of the deployment; the first one that may call where absent. */
  readonly environment?: string | undefined;
  readonly dataClasses?: readonly string[] | undefined;
}

interface Explaining {
  readonly asked: ExplainAsked;
  readonly roles: readonly Role[];
}

/** Decides without recording: the playground moves nothing, so its answers are no evidence. */
export async function explained(deps: ExplainDeps, space: string, { asked, roles }: Explaining): Promise<PolicyExplanation> {
  const { request, source, ...gate } = await questionOf(deps, space, { asked, roles });
  const bundle = await bundleAsked(deps, space, asked);
  const decider = createDecider(bundle);
  const { decision, reasons, warnings, shadowed, errors } = decider.decide(request);
  const residual = decider.explain(request, { unknown: asked.unknown ?? [] });
  return {
    digest: Digest.parse(bundle.digest),
    request: PolicyQuestion.parse(parseJson(JSON.stringify(request))),
    source,
    decision,
    reasons: reasons.map((each) => reasonView(gate.digest === bundle.digest ? { ...each, ...remedyFor(each.policy, gate.remedies) } : each)),
    warnings: warnings.map(reasonView),
    shadowed: shadowed.map(reasonView),
    errors: errors.map(({ policy, message }) => ({ policy, message })),
    residual: residual === undefined ? null : parseJson(JSON.stringify(residual)),
  };
}

function reasonView({ policy, requirement, title, remedy, turn, severity, controls }: PolicyReason): PolicyExplanation["reasons"][number] {
  return { policy, requirement: requirement ?? null, title: title ?? null, remedy: remedy ?? null, turn: turn ?? null, severity: severity ?? null, controls: [...controls] };
}

type Question = Pick<PolicyExplanation, "source"> & Partial<GateQuestion> & { readonly request: PolicyRequest };

function remedyFor(policy: string, remedies: GateQuestion["remedies"] | undefined): { readonly remedy?: string } {
  const remedy = remedies?.get(policy) ?? "";
  return remedy === "" ? {} : { remedy };
}

async function questionOf(deps: ExplainDeps, space: string, { asked, roles }: Explaining): Promise<Question> {
  const { request, decision, system, to, call, environment } = asked;
  const given = [request, decision, system].filter((each) => each !== undefined).length;
  const about = [to, call].filter((each) => each !== undefined).length;
  if (given !== 1 || about !== (system === undefined ? 0 : 1)) throw new LicetError("explain_question");
  if (request !== undefined) return { request: requestOf(request), source: "given" };
  if (system !== undefined && to !== undefined) return { ...(await deps.gateQuestion(space, { system, to, environment })), source: "gate" };
  if (system !== undefined && call !== undefined) return { request: deps.callQuestion(space, { system, environment, ...call }), source: "call" };
  if (!allows(roles, "decision.read")) throw new LicetError("permission_denied", { message: "recorded decisions are read with the permission `decision.read`" });
  return { request: await recordedRequest(deps.read, space, decision ?? ""), source: "decision" };
}

async function recordedRequest(read: Reader, space: string, id: string): Promise<PolicyRequest> {
  const json = await decisionDetail(read, space, id);
  if (json === undefined) throw new LicetError("not_found", { message: `there is no decision \`${id}\` in this space` });
  const detail: unknown = parseJson(json);
  const parsed = PolicyQuestion.safeParse(isRecord(detail) ? detail["cedar"] : undefined);
  if (!parsed.success) throw new LicetError("explain_question", { message: `the decision \`${id}\` was made before the policies were asked` });
  return requestOf(parsed.data);
}

function requestOf({ entities, ...question }: PolicyQuestion): PolicyRequest {
  return { ...question, entities: entities.map(({ uid, attrs, parents, tags }) => ({ uid, attrs, parents, ...(tags !== undefined && { tags }) })) };
}

async function bundleAsked(deps: ExplainDeps, space: string, { digest, packs, remove }: ExplainAsked): Promise<Bundle> {
  const candidate = packs !== undefined || remove !== undefined;
  if (candidate && digest !== undefined) throw new LicetError("explain_question", { message: "give either packs or a digest" });
  if (candidate) return (await candidateOf(deps, space, { packs: packs ?? [], remove: remove ?? [] })).bundle;
  if (digest === undefined) return bundleOf(deps.read, space);
  const found = await bundleByDigest(deps.read, space, digest);
  if (found === undefined) throw new LicetError("not_found", { message: `the bundle \`${digest}\` was never published in this space` });
  return found;
}
