import { constant } from "../ledger/canonical-text.ts";
import type { CedarBudget, CedarUsage } from "./budgets/cedar-facts.ts";
import type { Refusal } from "./refusal.ts";
import { refuse } from "./refusal.ts";
import type { CredentialView, DeploymentView, ModelView, PolicyBundleView, ProviderView } from "./snapshot.ts";
import { isErrorCode } from "@licet/contract";

/**
 * The Cedar request of one call, in the JSON form that `cedar-wasm` and `@licet/cedar` take. Policies are written to
 * this schema:
 *
 *     namespace Licet {
 *       entity Workload {
 *         system: String, environment: String, stage: String, release: String, tier: String,
 *         ato?: { id: String, state: String, stage: String, environment: String, release: String,
 *                 notBefore: datetime, notAfter: datetime },
 *         boundary: Set<String>, regions: Set<String>, held: Bool, oversight?: String, unlimited?: Bool,
 *         budget?: { day: { tokens: Long, costMicros: Long }, callCostMicros: Long, callsPerMinute: Long },
 *       };
 *       entity Vendor { suspended: Bool };
 *       entity Model { provider: String, name: String, region: String, declared: Bool, vendor?: Vendor };
 *       action callModel, score appliesTo {
 *         principal: Workload, resource: Model,
 *         context: { now: datetime, release: String, dataClasses: Set<String>,
 *                    spent?: { tokens: Long, costMicros: Long }, estimate?: { tokens: Long, costMicros: Long }, callsThisMinute?: Long },
 *       };
 *     }
 *
 * `Workload` ids are deployment ids, `Model` ids are `provider/name` (`local/name` for a model that the system
 * runs itself, whose provider is `local` and region empty; `undeclared/name`, of the vendor `undeclared`, for one that the release does not declare). A policy's `@requirement` that equals a code of the registry
 * (as `ato_missing`) gives the refusal that code; `@remedy` its remedy.
 */
export type CedarCall = {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly context: { readonly now: CedarDatetime; readonly release: string; readonly dataClasses: readonly string[]; readonly purpose?: string } & Spending & ToolFacts;
  readonly entities: readonly CedarEntity[];
};

/** Of a tool's call in an answer; see `tools/tool-question.ts`. */
export type ToolFacts = { readonly request?: string; readonly definition?: string; readonly inAnswer?: boolean };

/** Of a call to a model, whose spending the gateway counts. */
export type Spending = { readonly spent?: CedarUsage; readonly estimate?: CedarUsage; readonly callsThisMinute?: number };

/** Asked after a refusal: may the call of an observed deployment go on all the same? */
export type ObserveCall = Omit<CedarCall, "context"> & {
  readonly context: { readonly now: CedarDatetime; readonly release: string; readonly action: string; readonly refusals: readonly string[] };
};

export type EntityUid = {
  readonly type: string;
  readonly id: string;
};

export type CedarDatetime = {
  readonly __extn: { readonly fn: "datetime"; readonly arg: string };
};

export type CedarValue =
  | string
  | number
  | boolean
  | CedarDatetime
  | readonly string[]
  | { readonly [key: string]: CedarValue };

export type CedarEntity = {
  readonly uid: EntityUid;
  readonly attrs: Readonly<Record<string, CedarValue>>;
  readonly parents: readonly EntityUid[];
};

export interface CedarReason {
  readonly policy: string;
  readonly requirement?: string;
  readonly remedy?: string;
}

export interface CedarDecision {
  readonly decision: "allow" | "deny";
  /** On deny the forbids that matched (none when no permit did), on allow the permits. */
  readonly reasons: readonly CedarReason[];
  readonly errors: readonly { readonly policy: string; readonly message: string }[];
  /** Policies on trial that would have forbidden the call, by mode; they changed nothing. */
  readonly warnings?: readonly CedarReason[];
  readonly shadowed?: readonly CedarReason[];
}

/** What the record keeps of policies on trial: their ids. */
export interface Advice {
  readonly warnings?: readonly string[];
  readonly shadowed?: readonly string[];
}

export function adviceOf({ warnings = [], shadowed = [] }: Pick<CedarDecision, "warnings" | "shadowed">): Advice {
  return {
    ...(warnings.length > 0 && { warnings: warnings.map(({ policy }) => policy) }),
    ...(shadowed.length > 0 && { shadowed: shadowed.map(({ policy }) => policy) }),
  };
}

export type GatewayAction = "callModel" | "score";

export interface CedarInput {
  readonly action: GatewayAction;
  readonly credential: CredentialView;
  readonly model: { readonly name: string; readonly declared?: ModelView; readonly provider?: ProviderView };
  readonly held: boolean;
  /** Whether the vendor of the model's provider is. */
  readonly suspended: boolean;
  readonly dataClasses: readonly string[];
  readonly now: number;
  /** Of `callModel`: budget and spending in steps, so that they do not make every question a new one. */
  readonly budget?: CedarBudget | undefined;
}

/** Requests of each deployment's view by all else that they are made of; owned by `cedarCall`. */
const calls = new WeakMap<DeploymentView, Map<string, CedarCall>>();
const callsMax = 256;

/** The same question is the same object, so that it is answered and written once. Views never change in place. */
export function cedarCall(input: CedarInput): CedarCall {
  const { action, credential, model, held } = input;
  const known = calls.get(credential.deployment) ?? new Map<string, CedarCall>();
  calls.set(credential.deployment, known);
  const facts = [action, model.name, model.declared?.provider ?? null, model.provider?.region ?? null, model.provider?.vendor ?? null, held, input.suspended, wholeSecond(input.now), sorted(input.dataClasses), input.budget ?? null];
  const question = JSON.stringify(facts);
  const before = known.get(question);
  if (before !== undefined) {
    return before;
  }
  if (known.size >= callsMax) {
    known.clear();
  }
  const made = constant(newCall(input));
  known.set(question, made);
  return made;
}

/** Sets are sorted, so that the same call gives the same bytes. */
function newCall(input: CedarInput): CedarCall {
  const deployment = input.credential.deployment;
  const principal = { type: "Licet::Workload", id: deployment.id };
  const provider = input.model.declared?.provider ?? "undeclared";
  const resource = { type: "Licet::Model", id: `${provider}/${input.model.name}` };
  const vendor = vendorOf(input.model);
  const model = {
    provider,
    name: input.model.name,
    region: input.model.provider?.region ?? "",
    declared: input.model.declared !== undefined,
    ...(vendor && { vendor: entityRef(vendor) }),
  };
  const { budget, ...spending } = input.budget ?? {};
  return {
    principal,
    action: { type: "Licet::Action", id: input.action },
    resource,
    context: { now: datetime(wholeSecond(input.now)), release: deployment.release, dataClasses: sorted(input.dataClasses), ...spending },
    entities: [
      { uid: principal, attrs: { ...workload(deployment, input.held), ...(input.action === "callModel" && limits(deployment, budget)) }, parents: [] },
      { uid: resource, attrs: model, parents: [] },
      ...(vendor === undefined ? [] : [{ uid: vendor, attrs: { suspended: input.suspended }, parents: [] }]),
    ],
  };
}

/** Whose model it is: what nobody declared goes nowhere, so a policy on vendors says nothing of it. */
function vendorOf({ declared, provider }: CedarInput["model"]): EntityUid | undefined {
  const id = declared === undefined ? "undeclared" : provider?.vendor;
  return id === undefined ? undefined : { type: "Licet::Vendor", id };
}

/** Who is limited, and by what nobody could tell, is told neither: then no policy lets a call through. */
function limits({ budgets }: DeploymentView, budget: CedarBudget["budget"] | undefined): Record<string, CedarValue> {
  if (budgets === undefined) return { unlimited: true };
  return budget === undefined ? {} : { budget };
}

export interface ExportInput {
  readonly credential: CredentialView;
  readonly to: string;
  readonly path?: NonNullable<DeploymentView["boundary"]["sharingPaths"]>[number] | undefined;
  readonly held: boolean;
  readonly dataClasses: readonly string[];
  readonly purpose?: string | undefined;
  readonly now: number;
}

/** `exportData`: the principal is the same workload, the resource the destination that the release declares or does not. */
export function exportCall({ credential, to, path, held, dataClasses, purpose, now }: ExportInput): CedarCall {
  const { deployment } = credential;
  const principal = { type: "Licet::Workload", id: deployment.id };
  const resource = { type: "Licet::Destination", id: to };
  const shares = path === undefined ? {} : { classes: sorted(path.classes), ...(path.region !== undefined && { region: path.region }) };
  return {
    principal,
    action: { type: "Licet::Action", id: "exportData" },
    resource,
    context: { now: datetime(wholeSecond(now)), release: deployment.release, dataClasses: sorted(dataClasses), ...(purpose !== undefined && { purpose }) },
    entities: [
      { uid: principal, attrs: workload(deployment, held), parents: [] },
      { uid: resource, attrs: { name: to, declared: path !== undefined, ...shares }, parents: [] },
    ],
  };
}

export function workload(deployment: DeploymentView, held: boolean): Record<string, CedarValue> {
  const { ato } = deployment;
  const standing =
    ato === undefined
      ? {}
      : {
          ato: {
            id: ato.id,
            state: ato.state,
            stage: ato.stage,
            environment: ato.environment,
            release: ato.release,
            notBefore: datetime(wholeSecond(ato.notBefore)),
            notAfter: datetime(wholeSecond(ato.notAfter)),
          },
        };
  return {
    system: deployment.system,
    environment: deployment.environment,
    stage: deployment.stage,
    release: deployment.release,
    tier: deployment.tier,
    ...standing,
    boundary: sorted(deployment.boundary.classes),
    regions: sorted(deployment.boundary.regions),
    held,
    ...(deployment.oversight !== undefined && { oversight: deployment.oversight }),
  };
}

/** The question of `observe`; see the pack `runtime-observe`. */
export function observeCall({ credential, held, now, action, refusals }: { readonly credential: CredentialView; readonly held: boolean; readonly now: number; readonly action: string; readonly refusals: readonly string[] }): ObserveCall | undefined {
  const { deployment } = credential;
  const { observe } = deployment;
  if (observe === undefined) return undefined;
  const principal = { type: "Licet::Workload", id: deployment.id };
  const resource = { type: "Licet::Observation", id: observe.id };
  const [granted] = observe.granted;
  const person = (id: string): EntityUid => ({ type: "Licet::Person", id });
  return {
    principal,
    action: { type: "Licet::Action", id: "observe" },
    resource,
    context: { now: datetime(wholeSecond(now)), release: deployment.release, action, refusals: sorted(refusals) },
    entities: [
      { uid: principal, attrs: workload(deployment, held), parents: [] },
      {
        uid: resource,
        attrs: {
          deployment: entityRef(principal),
          asked: entityRef(person(observe.asked)),
          ...(granted !== undefined && { granted: entityRef(person(granted.person)) }),
          soleOperator: observe.soleOperator,
          notBefore: datetime(wholeSecond(observe.notBefore)),
          notAfter: datetime(observe.notAfter),
          renewed: false,
        },
        parents: [],
      },
      ...(granted === undefined ? [] : [{ uid: person(granted.person), attrs: {}, parents: [{ type: "Licet::Role", id: granted.role }] }]),
    ],
  };
}

export function entityRef({ type, id }: EntityUid): CedarValue {
  return { __entity: { type, id } };
}

export function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}

/**
 * `now` is told to policies in whole seconds, rounded down: calls alike within one second then ask the same question,
 * and the same question has the same answer. The ATO's times are rounded alike; the gateway itself compares them to the
 * millisecond.
 */
export function wholeSecond(time: number): number {
  return time - (time % 1000);
}

export function datetime(time: number): CedarDatetime {
  return { __extn: { fn: "datetime", arg: new Date(time).toISOString() } };
}

export interface PolicyAnswer {
  readonly bundle: string | null;
  readonly decision: CedarDecision;
  readonly refusal?: Refusal;
}

const noBundle: CedarDecision = { decision: "deny", reasons: [], errors: [] };

/** Asks the bundle. Whatever goes wrong on the way denies: no bundle, a policy that errors, a decider that throws. */
export async function decide(bundle: PolicyBundleView | undefined, call: CedarCall): Promise<PolicyAnswer> {
  if (bundle === undefined) {
    const message = "no policy bundle is published";
    return { bundle: null, decision: noBundle, refusal: refuse("policy_denied", { message, policy: "none" }) };
  }
  const decision = await decided(bundle, call);
  const refusal = policyRefusal(decision);
  return { bundle: bundle.digest, decision, ...(refusal && { refusal }) };
}

interface Answered {
  readonly epoch: number;
  readonly calls: WeakMap<CedarCall, Promise<CedarDecision>>;
}

/** Answers of each bundle by the whole request; owned by `answerOf`. */
const answers = new WeakMap<PolicyBundleView, Answered>();

/** An evaluation is a function of bundle and request alone, so the request itself, frozen, is the key: never a part of it. */
function answerOf(bundle: PolicyBundleView, call: CedarCall): Promise<CedarDecision> {
  const known = callsOf(bundle);
  const before = known.get(call);
  if (before !== undefined) {
    return before;
  }
  const answer = bundle.decide(call);
  known.set(call, answer);
  // A failure is not an answer: the next call asks again.
  answer.catch(() => known.delete(call));
  return answer;
}

function callsOf(bundle: PolicyBundleView): Answered["calls"] {
  const epoch = bundle.epoch?.() ?? 0;
  const before = answers.get(bundle);
  if (before?.epoch === epoch) {
    return before.calls;
  }
  const calls: Answered["calls"] = new WeakMap();
  answers.set(bundle, { epoch, calls });
  return calls;
}

async function decided(bundle: PolicyBundleView, call: CedarCall): Promise<CedarDecision> {
  try {
    return await answerOf(bundle, call);
  } catch {
    // The cause may hold content of the call, so only the fact is kept.
    return { decision: "deny", reasons: [], errors: [{ policy: "bundle", message: "the evaluation failed" }] };
  }
}

function policyRefusal(decision: CedarDecision): Refusal | undefined {
  const [error] = decision.errors;
  if (error !== undefined) {
    return refuse("policy_errored", { policy: error.policy });
  }
  if (decision.decision === "allow") {
    return undefined;
  }
  const [reason] = decision.reasons;
  if (reason === undefined) {
    return refuse("policy_denied", { policy: "none", message: "no policy permits this call" });
  }
  const code = reason.requirement !== undefined && isErrorCode(reason.requirement) ? reason.requirement : "policy_denied";
  return refuse(code, {
    policy: reason.policy,
    ...(reason.remedy !== undefined && { remedy: reason.remedy }),
  });
}
