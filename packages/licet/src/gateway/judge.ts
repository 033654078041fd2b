import type { FindingCount } from "@licet/contract";
import type { JsonObject } from "../ledger/recorder.ts";
import { promptTokensAtMost } from "./budgets/bound.ts";
import type { BudgetAsk, Budgets } from "./budgets/budgets.ts";
import type { CedarBudget } from "./budgets/cedar-facts.ts";
import type { ExternalLines } from "./detect/external.ts";
import { rulesFor, type DetectionRules } from "./detect/rules.ts";
import type { BoundIds } from "./files/bound-ids.ts";
import { namedFiles } from "./files/named-files.ts";
import { conformRefusal, declaredModel } from "./conform.ts";
import { cedarCall, decide, type CedarCall, type CedarReason, type PolicyAnswer } from "./decide.ts";
import type { JsonPath, ModelCall } from "./dialect.ts";
import { observed, outsideClasses, scannedBoundary, type Observed } from "./observe-mode.ts";
import { protocolOf } from "./provider.ts";
import { answerCheck, askedRequest, type AnswerCheck } from "./external-check.ts";
import { reasonOf } from "./record.ts";
import { refuse, type Refusal } from "./refusal.ts";
import { openScan, type CallScan } from "./scan.ts";
import type { CredentialView, DeploymentView, ModelView, ProviderView, Snapshot } from "./snapshot.ts";
import { holdOn, standingRefusal, vendorHoldOn, vendorRefusal } from "./standing.ts";

/** Everything that was found out about one call, whether it goes through or not. */
export interface Judgement {
  readonly refusal?: Refusal | undefined;
  /** What the gateway itself demands and did not find. */
  readonly own: readonly Refusal[];
  /** Why it would have been refused, where a waiver lets it go on. */
  readonly observed?: Observed;
  readonly model?: ModelView | undefined;
  readonly provider?: ProviderView | undefined;
  readonly cedar: CedarCall;
  readonly policy: PolicyAnswer;
  readonly findings: readonly FindingCount[];
  /** Every reason, not the first only, so that one answer names all that stands in the way. */
  readonly reasons: readonly JsonObject[];
}

export interface Asking {
  readonly now: number;
  readonly snapshot: Snapshot;
  readonly credential: CredentialView;
}

/** A call that was judged, with what detection made of it. */
export interface CallJudgement extends Judgement {
  readonly scan: CallScan;
  /** Present where external detectors look at answers. */
  readonly check: AnswerCheck | undefined;
}

export interface Judging {
  readonly external?: ExternalLines | undefined;
  /** The declared model to go to; absent for the one that the call names. */
  readonly target?: ModelView | undefined;
  readonly budgets?: Budgets | undefined;
  /** Of files that the call may name by id; none where absent. */
  readonly boundIds?: BoundIds | undefined;
  /** What the space's rules become for a call that is answered later. */
  readonly adapt?: ((rules: DetectionRules) => DetectionRules) | undefined;
}

/** What of a call can cost something. */
export function budgetAsk({ credential, now }: Asking, { call, scan, model, provider }: { readonly call: ModelCall; readonly scan: CallScan; readonly model: ModelView; readonly provider: ProviderView }): BudgetAsk {
  const { needs, answerTokensMax, parameters } = call;
  // What was put in for values may be longer than they were.
  const bytes = scan.request === call.request ? call.bytes : Math.max(call.bytes, Buffer.byteLength(JSON.stringify(scan.request)));
  return { credential, model, provider, promptTokensAtMost: promptTokensAtMost({ bytes, needs }), answerTokensMax, choices: parameters["n"] ?? 1, needs, now };
}

interface CallSpending {
  readonly refusal: Refusal | undefined;
  readonly budget: CedarBudget | undefined;
}

const noSpending: CallSpending = { refusal: undefined, budget: undefined };

function spendingOf(budgets: Budgets | undefined, asking: Asking, { call, scan, model, provider }: { readonly call: ModelCall; readonly scan: CallScan; readonly model: ModelView | undefined; readonly provider: ProviderView | undefined }): CallSpending {
  if (budgets === undefined || model === undefined || provider === undefined) return noSpending;
  const ask = budgetAsk(asking, { call, scan, model, provider });
  return { refusal: budgets.peek(ask), budget: budgets.cedar(ask) };
}

/** Judges a call to a model by all that is known. Every check runs; any of them refuses. */
export async function judge(asking: Asking, call: ModelCall, { target, budgets, external: lines, boundIds, adapt }: Judging = {}): Promise<CallJudgement> {
  const { deployment } = asking.credential;
  const model = target ?? declaredModel(deployment, call.model);
  const provider = registered(asking, model);
  const rules = rulesOf(asking, adapt);
  const boundary = scannedBoundary(deployment, asking.now);
  const files = await namedFiles(asking, call, { model, boundIds });
  const { scan, unasked } = await scanned(call, { lines, rules, boundary });
  const { verdict } = scan;
  const leaving = withClasses(verdict.leaving, files.classes);
  const spending = spendingOf(budgets, asking, { call, scan, model, provider });
  const ownRefusals = [
    standingRefusal(asking),
    vendorRefusal(asking, provider?.vendor),
    unasked,
    model === undefined ? undeclared(call.model) : providerRefusal(deployment, provider),
    protocolRefusal(call, { model, provider }),
    files.refusal,
    classRefusal(outsideClasses(deployment, { stopped: verdict.stopped, leaving }), "messages" in call.request ? "messages" : "input"),
    model && conformRefusal(deployment, model, call, files.granted),
    spending.refusal,
  ];
  const subject = { name: target?.name ?? call.model, ...(model && { declared: model }), ...(provider && { provider }) };
  const concluding = await concluded(asking, { action: "callModel", model: subject, dataClasses: leaving, ownRefusals, budget: spending.budget });
  const judged = { ...concluding, model, provider, findings: verdict.findings, stopped: verdict.stopped, scan, check: answerCheck({ lines, rules }, boundary) };
  return { ...judged, ...(await observed(asking, judged, { action: "callModel", model: call.model, fits: (each) => protocolOf(each) === call.dialect.provider })) };
}

interface Scanning {
  readonly lines: ExternalLines | undefined;
  readonly rules: DetectionRules;
  readonly boundary: readonly string[];
}

/** By the rules, and by external detectors where they are declared; `unasked` where one could not be asked. */
async function scanned(call: ModelCall, { lines, rules, boundary }: Scanning): Promise<{ readonly scan: CallScan; readonly unasked: Refusal | undefined }> {
  const { request } = call;
  const isFixed = (path: JsonPath) => call.isFixed(path);
  const external = await askedRequest({ lines, rules }, request, isFixed);
  return { scan: openScan({ rules, boundary, request, isFixed, more: external?.more }), unasked: external?.refusal };
}

function rulesOf({ snapshot, credential }: Asking, adapt: Judging["adapt"]): DetectionRules {
  const rules = rulesFor(snapshot.spaces.get(credential.space), credential.deployment.system);
  return adapt?.(rules) ?? rules;
}

function withClasses(leaving: readonly string[], more: readonly string[]): readonly string[] {
  return more.length === 0 ? leaving : [...new Set([...leaving, ...more])].sort();
}

export interface Concluding {
  readonly action: "callModel" | "score";
  readonly model: { readonly name: string; readonly declared?: ModelView; readonly provider?: ProviderView };
  readonly dataClasses: readonly string[];
  readonly budget?: CedarBudget | undefined;
  /** What the gateway itself demands, most important first. */
  readonly ownRefusals: readonly (Refusal | undefined)[];
}

/** Asks the policies and puts their answer beside the gateway's own. Both must allow. */
export async function concluded(asking: Asking, { ownRefusals, ...call }: Concluding): Promise<Omit<Judgement, "findings">> {
  const { credential, now } = asking;
  return concludedOn(asking, cedarCall({ ...call, credential, now, held: holdOn(asking) !== undefined, suspended: vendorHoldOn(asking, call.model.provider?.vendor) !== undefined }), ownRefusals);
}

export async function concludedOn(asking: Asking, cedar: CedarCall, ownRefusals: readonly (Refusal | undefined)[]): Promise<Omit<Judgement, "findings">> {
  const { credential, snapshot } = asking;
  const policy = await decide(snapshot.spaces.get(credential.space)?.policyBundle, cedar);
  const own = ownRefusals.filter((refusal) => refusal !== undefined);
  const [first] = own;
  const refusal = first === undefined ? policy.refusal : named(first, policy);
  const reasons = [...own.map(reasonOf), ...policyReasons(policy)];
  return { cedar, policy, reasons, own: own.map((each) => named(each, policy)), ...(refusal && { refusal }) };
}

/** A policy that says the same as the gateway is named: it is the one that people can read and change. */
function named(refusal: Refusal, policy: PolicyAnswer): Refusal {
  const reason = deniers(policy).find(({ requirement }) => requirement === refusal.code);
  return reason === undefined ? refusal : { ...refusal, policy: reason.policy, remedy: reason.remedy ?? refusal.remedy };
}

function deniers({ decision }: PolicyAnswer): readonly CedarReason[] {
  return decision.decision === "deny" ? decision.reasons : [];
}

function policyReasons(policy: PolicyAnswer): readonly JsonObject[] {
  const denied = deniers(policy);
  const given = policy.decision.decision === "allow" ? policy.decision.reasons : denied;
  const reasons = given.map(({ policy: id, requirement, remedy }) => ({
    policy: id,
    ...(requirement !== undefined && { requirement }),
    ...(remedy !== undefined && { remedy }),
  }));
  return denied.length === 0 && policy.refusal !== undefined ? [...reasons, reasonOf(policy.refusal)] : reasons;
}

export function undeclared(name: string): Refusal {
  return refuse("model_undeclared", { message: `the release does not declare the model \`${name}\``, param: "model" });
}

const ownProvider = "local";

export function registered({ snapshot, credential }: Asking, model: ModelView | undefined): ProviderView | undefined {
  const id = model?.provider;
  return id === undefined || id === ownProvider ? undefined : snapshot.spaces.get(credential.space)?.providers.get(id);
}

export function providerRefusal(deployment: DeploymentView, provider: ProviderView | undefined): Refusal | undefined {
  if (provider === undefined) {
    return refuse("provider_unknown", { param: "model" });
  }
  return deployment.boundary.regions.includes(provider.region)
    ? undefined
    : refuse("data_outside_boundary", {
        message: `the provider is in region \`${provider.region}\`, outside the declared boundary`,
        param: "model",
        component: "region",
      });
}

function protocolRefusal({ dialect }: ModelCall, { model, provider }: { readonly model: ModelView | undefined; readonly provider: ProviderView | undefined }): Refusal | undefined {
  if (model?.scores === true) return refuse("provider_mismatch", { message: `the release declares the model \`${model.name}\` with \`scoring\`: it is asked for scores, not in words`, param: "model" });
  return provider === undefined || protocolOf(provider) === dialect.provider ? undefined : refuse("provider_mismatch", { param: "model" });
}

export function classRefusal(outside: readonly string[], param = "messages"): Refusal | undefined {
  return outside.length === 0
    ? undefined
    : refuse("data_outside_boundary", {
        message: `the call holds ${outside.join(" and ")} data, outside the declared boundary`,
        param,
        component: "classes",
      });
}
