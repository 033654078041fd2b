import { dataClasses, isErrorCode, type ErrorCode } from "@licet/contract";
import type { JsonObject } from "../ledger/recorder.ts";
import { observeCall, type CedarReason, type PolicyAnswer } from "./decide.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { CredentialView, DeploymentView, ModelView, ObserveView, ProviderView, Snapshot } from "./snapshot.ts";
import { holdOn, vendorRefusal } from "./standing.ts";

/**
 * Observe mode: an existing system runs on while it is brought under governance. Under a waiver that is in force, a call
 * goes on that would have been refused for what such a system lacks, and its record says why it would have been.
 *
 * INVARIANT: what is lifted is listed, what is not listed stays refused: a hold, a revoked or suspended authorization,
 * secrets, an unregistered provider, an unreadable request, budgets, clock, lease and evidence. Both this list and the
 * space's policies (action `observe`) must let the call go on.
 */
const lifted: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["ato_missing", "deployment_inactive", "release_mismatch", "model_undeclared", "tool_undeclared", "data_outside_boundary", "permission_undeclared", "oversight_missing", "policy_denied"]);

/** What policies restate of the gateway's own checks; where no authorization exists at all, none of them says more than that. */
const ofAto: ReadonlySet<string> = new Set(["ato_missing", "ato_expired", "ato_revoked", "ato_suspended"]);

export interface Observed {
  readonly waiver: string;
  /** Everything that would have refused, most important first. */
  readonly refusals: readonly Refusal[];
}

/** A judgement, as far as this needs it. */
export interface Liftable {
  readonly refusal?: Refusal | undefined;
  /** What the gateway itself demands and did not find. */
  readonly own: readonly Refusal[];
  readonly policy: PolicyAnswer;
  /** Classes in the call that must not leave, whatever the boundary: secrets, attacks, what the organisation blocks. */
  readonly stopped: readonly string[];
}

/** The waiver in force for a deployment at a time. */
export function observation({ observe, active }: DeploymentView, now: number): ObserveView | undefined {
  return active && observe !== undefined && observe.notBefore <= now && now < observe.notAfter ? observe : undefined;
}

/** The classes that detection lets leave: while a deployment is observed, all that nobody has ordered to be stopped. */
export function scannedBoundary(deployment: DeploymentView, now: number): readonly string[] {
  return observation(deployment, now) === undefined ? deployment.boundary.classes : dataClasses;
}

/** What is wrong with the classes of a call: all that stands outside the boundary, and what must not leave in any case. */
export function outsideClasses({ boundary }: DeploymentView, { stopped, leaving }: { readonly stopped: readonly string[]; readonly leaving: readonly string[] }): readonly string[] {
  return [...new Set([...stopped, ...leaving.filter((each) => !boundary.classes.includes(each))])].sort();
}

/** What would have refused a call that goes on, where a waiver lifts all of it; undefined where the judgement stands. */
export function lift(judged: Liftable, deployment: DeploymentView, now: number): Observed | undefined {
  const waiver = observation(deployment, now);
  if (waiver === undefined || judged.refusal === undefined || judged.stopped.length > 0) return undefined;
  const refusals = refusalsOf(judged, deployment);
  return refusals !== undefined && refusals.length > 0 && refusals.every(({ code }) => lifted.has(code)) ? { waiver: waiver.id, refusals } : undefined;
}

function refusalsOf({ own, policy }: Liftable, deployment: DeploymentView): readonly Refusal[] | undefined {
  const denied = policyRefusals(policy, deployment);
  return denied === undefined ? undefined : [...own, ...denied.filter((each) => !own.some(({ code }) => code === each.code))];
}

/** Of an observed deployment the refusal that counts is the one that no waiver lifts, not the one that any would. */
function standing(judged: Liftable, deployment: DeploymentView, now: number): { readonly refusal?: Refusal } {
  const holdsBack = ({ code, component }: Refusal): boolean => !lifted.has(code) || (judged.stopped.length > 0 && component === "classes");
  const refusal = observation(deployment, now) === undefined ? undefined : refusalsOf(judged, deployment)?.find(holdsBack);
  return refusal === undefined ? {} : { refusal };
}

/** Whether a deployment's standing alone would stop a call in flight that a waiver lets go on. */
export function liftsStanding(refusal: Refusal, deployment: DeploymentView, now: number): boolean {
  return lifted.has(refusal.code) && observation(deployment, now) !== undefined;
}

/** Undeclared, and no registered provider that it could go to: then that is what stands in the way. */
function unrouted({ own }: Liftable): { readonly refusal?: Refusal } {
  const refusal = own.find(({ code }) => !lifted.has(code)) ?? own.find(({ code }) => code === "model_undeclared");
  return refusal === undefined ? {} : { refusal };
}

/** As refusals; undefined where the policies could not say, which is never lifted. */
function policyRefusals({ bundle, decision }: PolicyAnswer, deployment: DeploymentView): readonly Refusal[] | undefined {
  if (bundle === null || decision.errors.length > 0) return undefined;
  if (decision.decision === "allow") return [];
  const said = decision.reasons.filter(({ requirement }) => deployment.ato !== undefined || requirement === undefined || !ofAto.has(requirement));
  const refusals = said.map(policyRefusal);
  return decision.reasons.length === 0 ? [refuse("policy_denied", { policy: "none", message: "no policy permits this call" })] : refusals;
}

function policyRefusal({ policy, requirement, remedy }: CedarReason): Refusal {
  const code = requirement !== undefined && isErrorCode(requirement) ? requirement : "policy_denied";
  return refuse(code, { policy, ...(remedy !== undefined && { remedy }) });
}

export interface Watching {
  readonly now: number;
  readonly snapshot: Snapshot;
  readonly credential: CredentialView;
}

interface Routed {
  readonly model?: ModelView | undefined;
  readonly provider?: ProviderView | undefined;
}

/** What judging adds under a waiver: the call goes on, to this model and provider, and this is what would have refused it. */
export interface Lifted extends Routed {
  readonly refusal: undefined;
  readonly observed: Observed;
}

export interface ObserveAsked {
  readonly action: string;
  readonly model: string;
  /** Whether a provider speaks the protocol of the surface that was called. */
  readonly fits: (provider: ProviderView) => boolean;
}

/**
 * Lets a refused call of an observed deployment go on, where a waiver, this list and the space's policies all do. Any other
 * answer leaves the judgement as it is, but for which of its refusals is told.
 */
export async function observed(watching: Watching, judged: Liftable & Routed, asked: ObserveAsked): Promise<Lifted | { readonly refusal?: Refusal }> {
  const { now, credential } = watching;
  if (judged.refusal === undefined || observation(credential.deployment, now) === undefined) return {};
  const routed = judged.model === undefined ? undeclaredRoute(watching, asked) : { model: judged.model, provider: judged.provider, own: [] };
  if (routed === undefined) return unrouted(judged);
  const found = lift({ ...judged, own: [...judged.own, ...routed.own] }, credential.deployment, now);
  if (found === undefined) return standing(judged, credential.deployment, now);
  const { model, provider } = routed;
  return (await policiesAgree(watching, asked, found)) ? { refusal: undefined, observed: found, model, provider } : {};
}

/** Asks `observe` of the space's policies. Whatever goes wrong is a no. */
export async function policiesAgree(watching: Watching, { action }: Pick<ObserveAsked, "action">, { refusals }: Observed): Promise<boolean> {
  const { now, credential, snapshot } = watching;
  const call = observeCall({ credential, now, held: holdOn(watching) !== undefined, action, refusals: refusals.map(({ code }) => code) });
  const bundle = snapshot.spaces.get(credential.space)?.policyBundle;
  if (bundle === undefined || call === undefined) return false;
  const decision = await bundle.decide(call).catch(() => undefined);
  return decision?.decision === "allow" && decision.errors.length === 0;
}

interface UndeclaredRoute {
  readonly model: ModelView;
  readonly provider: ProviderView;
  /** What is wrong with it beside that nobody declared it. */
  readonly own: readonly Refusal[];
}

/** An undeclared model goes on only to a registered provider: the one that its name begins with, else the one that the release uses. */
function undeclaredRoute(watching: Watching, { model: name, fits }: ObserveAsked): UndeclaredRoute | undefined {
  const [prefix = "", ...rest] = name.split("/");
  const providers = watching.snapshot.spaces.get(watching.credential.space)?.providers ?? new Map<string, ProviderView>();
  const upstream = rest.join("/");
  const named = upstream === "" ? undefined : providers.get(prefix);
  const provider = named ?? onlyProvider(watching, providers);
  if (provider === undefined || !fits(provider)) return undefined;
  const model = { name, provider: provider.id, model: named === undefined ? name : upstream, bounds: {} };
  const inside = watching.credential.deployment.boundary.regions.includes(provider.region);
  const message = `the provider is in region \`${provider.region}\`, outside the declared boundary`;
  const outside = inside ? undefined : refuse("data_outside_boundary", { message, param: "model", component: "region" });
  return { model, provider, own: [vendorRefusal(watching, provider.vendor), outside].filter((each) => each !== undefined) };
}

/** The one registered provider of the release's models; undefined where it uses several, so that nothing is guessed. */
function onlyProvider({ credential }: Watching, providers: ReadonlyMap<string, ProviderView>): ProviderView | undefined {
  const used = [...new Set(credential.deployment.models.map(({ provider }) => provider))].flatMap((id) => providers.get(id) ?? []);
  return used.length === 1 ? used[0] : undefined;
}

/** As it stands in the record of a decision. */
export function observedFacts({ waiver, refusals }: Observed, named: (name: string) => string = (name) => name): { readonly waiver: string; readonly observed: readonly JsonObject[] } {
  return {
    waiver,
    observed: refusals.map(({ code, policy, message, remedy, component }) => ({ code, policy, message: named(message), remedy, ...(component !== undefined && { component: named(component) }) })),
  };
}

/** Of an answer that reached its caller only because the deployment is observed: what data or which tools would have stopped it. */
export function observedAnswer(deployment: DeploymentView, { findings, tools }: { readonly findings: readonly { readonly dataClass: string }[]; readonly tools: Observed | undefined }, now: number): JsonObject {
  const waiver = observation(deployment, now)?.id ?? tools?.waiver;
  const refusals = [...outsideRefusals(deployment, findings), ...(tools?.refusals ?? [])];
  return waiver === undefined || refusals.length === 0 ? {} : { ...observedFacts({ waiver, refusals }) };
}

function outsideRefusals({ boundary }: DeploymentView, findings: readonly { readonly dataClass: string }[]): readonly Refusal[] {
  const known: readonly string[] = dataClasses;
  const outside = [...new Set(findings.flatMap(({ dataClass }) => (known.includes(dataClass) && !boundary.classes.includes(dataClass) ? [dataClass] : [])))].sort();
  if (outside.length === 0) return [];
  return [refuse("answer_outside_boundary", { message: `the answer holds ${outside.join(" and ")} data, outside the declared boundary`, component: "classes" })];
}

/** What the caller of an observed call is told, as `ato_missing, release_mismatch`. */
export function observedHeader({ refusals }: Observed): { readonly "x-licet-observed": string } {
  return { "x-licet-observed": [...new Set(refusals.map(({ code }) => code))].join(", ") };
}
