import type { FindingCount } from "@licet/contract";
import type { JsonObject } from "../ledger/recorder.ts";
import { conformRefusal, declaredModel } from "./conform.ts";
import { cedarCall, decide, type CedarCall, type CedarReason, type PolicyAnswer } from "./decide.ts";
import { detect, either, findingCounts, outsideBoundary } from "./detect.ts";
import { callTexts, joinedTexts, type ModelCall } from "./openai.ts";
import { reasonOf } from "./record.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { CredentialView, DeploymentView, ModelView, ProviderView, Snapshot } from "./snapshot.ts";
import { holdOn, standingRefusal } from "./standing.ts";

/** Everything that was found out about one call, whether it goes through or not. */
export interface Judgement {
  readonly refusal?: Refusal;
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

/** Judges a call to a model by all that is known. Every check runs; any of them refuses. */
export async function judge(asking: Asking, call: ModelCall): Promise<Judgement> {
  const { deployment } = asking.credential;
  const model = declaredModel(deployment, call.model);
  const provider = registered(asking, model);
  const found = either(detect(callTexts(call.request)), detect(joinedTexts(call.request)));
  const findings = findingCounts(found);
  const ownRefusals = [
    standingRefusal(asking),
    model === undefined ? undeclared(call.model) : providerRefusal(deployment, provider),
    classRefusal(outsideBoundary(found, deployment.boundary.classes)),
    model && conformRefusal(deployment, model, call.request),
  ];
  const subject = { name: call.model, ...(model && { declared: model }), ...(provider && { provider }) };
  const verdict = await concluded(asking, {
    action: "callModel",
    model: subject,
    dataClasses: findings.map(({ dataClass }) => dataClass),
    ownRefusals,
  });
  return { ...verdict, model, provider, findings };
}

export interface Concluding {
  readonly action: "callModel" | "score";
  readonly model: { readonly name: string; readonly declared?: ModelView; readonly provider?: ProviderView };
  readonly dataClasses: readonly string[];
  /** What the gateway itself demands, most important first. */
  readonly ownRefusals: readonly (Refusal | undefined)[];
}

/** Asks the policies and puts their answer beside the gateway's own. Both must allow. */
export async function concluded(asking: Asking, { ownRefusals, ...call }: Concluding): Promise<Omit<Judgement, "findings">> {
  const { credential, now } = asking;
  return concludedOn(asking, cedarCall({ ...call, credential, now, held: holdOn(asking) !== undefined }), ownRefusals);
}

export async function concludedOn(asking: Asking, cedar: CedarCall, ownRefusals: readonly (Refusal | undefined)[]): Promise<Omit<Judgement, "findings">> {
  const { credential, snapshot } = asking;
  const policy = await decide(snapshot.spaces.get(credential.space)?.policyBundle, cedar);
  const own = ownRefusals.filter((refusal) => refusal !== undefined);
  const [first] = own;
  const refusal = first === undefined ? policy.refusal : named(first, policy);
  const reasons = [...own.map(reasonOf), ...policyReasons(policy)];
  return { cedar, policy, reasons, ...(refusal && { refusal }) };
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

export function classRefusal(outside: readonly string[]): Refusal | undefined {
  return outside.length === 0
    ? undefined
    : refuse("data_outside_boundary", {
        message: `the call holds ${outside.join(" and ")} data, outside the declared boundary`,
        param: "messages",
        component: "classes",
      });
}
