import { preparsePolicySet, preparseSchema, statefulIsAuthorized, type AuthorizationAnswer } from "@cedar-policy/cedar-wasm/nodejs";
import { LicetError } from "@licet/contract";
import { cedarRecord } from "./value.ts";
import { isGateRequirement, policySet, requirementOf, type Bundle, type BundlePolicy } from "./bundle.ts";

export interface EntityUid {
  readonly type: string;
  readonly id: string;
}

export interface CedarEntity {
  readonly uid: EntityUid;
  /** Cedar's JSON form; see value.ts for what is taken. */
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly parents: readonly EntityUid[];
}

export interface PolicyRequest {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly context: Readonly<Record<string, unknown>>;
  readonly entities: readonly CedarEntity[];
}

/** A policy that determined the decision, with what people need to act on it. */
export interface PolicyReason {
  readonly policy: string;
  readonly requirement?: string;
  readonly title?: string;
  readonly remedy?: string;
  readonly turn?: string;
  readonly severity?: string;
  readonly controls: readonly string[];
}

export interface PolicyDecision {
  readonly decision: "allow" | "deny";
  /** On deny the forbids that matched (none when no permit did), on allow the permits; in the bundle's order. */
  readonly reasons: readonly PolicyReason[];
  /** Any error has denied. `request` stands for a request that does not fit the schema. */
  readonly errors: readonly { readonly policy: string; readonly message: string }[];
}

export interface Decider {
  readonly bundle: Bundle;
  /** The gate's requirements, in the bundle's order. */
  readonly requirements: readonly PolicyReason[];
  /** Never throws: whatever goes wrong denies and stands in `errors`. */
  decide(request: PolicyRequest): PolicyDecision;
}

/** Owned by `prepare`: the bundles that the wasm instance has parsed, by digest, with their requirements. */
const prepared = new Map<string, readonly PolicyReason[]>();

function prepare(bundle: Bundle): readonly PolicyReason[] {
  const before = prepared.get(bundle.digest);
  if (before !== undefined) return before;
  const schema = preparseSchema(bundle.digest, bundle.schema);
  const policies = preparsePolicySet(bundle.digest, policySet(bundle.policies));
  if (schema.type === "failure" || policies.type === "failure") throw new LicetError("policy_invalid");
  const requirements = bundle.policies.filter(isGateRequirement).map(reason);
  prepared.set(bundle.digest, requirements);
  return requirements;
}

/** The one evaluator: the gate, CI and the gateway ask it. Parses the bundle once. */
export function createDecider(bundle: Bundle): Decider {
  const requirements = prepare(bundle);
  const order = new Map(bundle.policies.map((policy, index) => [policy.id, { policy, index }]));
  return {
    bundle,
    requirements,
    decide: (request) => {
      try {
        return read(ask(bundle.digest, request), order);
      } catch (error) {
        return denied("engine", error instanceof Error ? error.name : "unknown");
      }
    },
  };
}

function ask(digest: string, request: PolicyRequest): AuthorizationAnswer {
  const { principal, action, resource } = request;
  return statefulIsAuthorized({
    principal: { ...principal },
    action: { ...action },
    resource: { ...resource },
    context: cedarRecord(request.context),
    entities: request.entities.map((entity) => ({
      uid: { ...entity.uid },
      attrs: cedarRecord(entity.attrs),
      parents: entity.parents.map((parent) => ({ ...parent })),
    })),
    preparsedSchemaName: digest,
    preparsedPolicySetId: digest,
    validateRequest: true,
  });
}

type Order = ReadonlyMap<string, { readonly policy: BundlePolicy; readonly index: number }>;

function read(answer: AuthorizationAnswer, order: Order): PolicyDecision {
  if (answer.type === "failure") return denied("request", answer.errors.map((error) => error.message).join("; "));
  const { decision, diagnostics } = answer.response;
  const errors = diagnostics.errors.map((error) => ({ policy: requirementOf(error.policyId), message: error.error.message }));
  const reasons = diagnostics.reason
    .map((id) => order.get(requirementOf(id)))
    .filter((found) => found !== undefined)
    .sort((a, b) => a.index - b.index)
    .map(({ policy }) => reason(policy));
  // Cedar skips a policy that errors; a forbid that was skipped would be an open door, so any error denies.
  if (errors.length > 0) return { decision: "deny", reasons: decision === "deny" ? reasons : [], errors: errors.sort(byPolicy) };
  return { decision, reasons, errors: [] };
}

function byPolicy(a: { readonly policy: string }, b: { readonly policy: string }): number {
  return a.policy < b.policy ? -1 : 1;
}

export function reason(policy: BundlePolicy): PolicyReason {
  const { requirement, title, remedy, turn, severity, control } = policy.annotations;
  return {
    policy: policy.id,
    ...(requirement !== undefined && { requirement }),
    ...(title !== undefined && { title }),
    ...(remedy !== undefined && { remedy }),
    ...(turn !== undefined && { turn }),
    ...(severity !== undefined && { severity }),
    controls: list(control),
  };
}

/** Several values in one annotation are separated by commas. */
export function list(annotation: string | undefined): readonly string[] {
  return (annotation ?? "").split(",").map((each) => each.trim()).filter((each) => each !== "");
}

function denied(policy: string, message: string): PolicyDecision {
  return { decision: "deny", reasons: [], errors: [{ policy, message }] };
}
