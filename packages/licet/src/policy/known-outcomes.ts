import { canonicalize } from "@licet/evidence";
import { actionGroups, actionKey, actionScope, inScope, type ActionGroups } from "./action-scope.ts";
import type { Bundle, BundlePolicy, GoldenDecision } from "./bundle-form.ts";
import { reason, type Decider, type PolicyDecision } from "./decide.ts";
import { isGateRequirement } from "./requirement.ts";
import type { EntityUid, PolicyRequest } from "./request.ts";

/** Answers that cedar-wasm gave when another bundle was compiled, and that it would give for this one. */
export interface KnownOutcomes {
  of(request: PolicyRequest): PolicyDecision | undefined;
}

export const nothingKnown: KnownOutcomes = { of: () => undefined };

type Policies = Pick<Bundle, "schemaJson" | "policies">;

/**
 * The golden decisions of `before`, as far as they are about actions for which `now` has the very same policies in the
 * same order, under the same types. A policy is the same when it is the same parsed object, which the compiler takes
 * from `before` where the text is the same. What errored or was only tried out is asked again.
 */
export function knownOutcomes(before: Bundle, now: Policies): KnownOutcomes {
  if (!sameTypes(before, now)) return nothingKnown;
  const kept = new Map<string, boolean>();
  const groups = { before: actionGroups(before.schemaJson), now: actionGroups(now.schemaJson) };
  const isKept = (action: EntityUid): boolean => {
    const key = actionKey(action);
    const known = kept.get(key) ?? samePolicies(asked(before.policies, action, groups.before), asked(now.policies, action, groups.now));
    kept.set(key, known);
    return known;
  };
  const golden = new Map(before.golden.map((each) => [canonicalize(each.request), each]));
  const policies = new Map(now.policies.map((policy) => [policy.id, policy]));
  return { of: (request) => (isKept(request.action) ? decisionOf(golden.get(canonicalize(request)), policies) : undefined) };
}

/** The decider, asked only what is not known. */
export function askedOnce(decider: Pick<Decider, "decide">, known: KnownOutcomes): Pick<Decider, "decide"> {
  return { decide: (request) => known.of(request) ?? decider.decide(request) };
}

function sameTypes(before: Policies, now: Policies): boolean {
  return Object.entries(before.schemaJson).every(([namespace, types]) => Object.hasOwn(now.schemaJson, namespace) && JSON.stringify(now.schemaJson[namespace]) === JSON.stringify(types));
}

/** What may answer for the action; `demand` is answered by what is derived from the gate's requirements. */
function asked(policies: readonly BundlePolicy[], action: EntityUid, groups: ActionGroups): readonly BundlePolicy[] {
  const key = actionKey(action);
  const above = groups.get(key) ?? new Set();
  return policies.filter((policy) => inScope(actionScope(policy.json), key, above) || (action.id === "demand" && isGateRequirement(policy)));
}

function samePolicies(before: readonly BundlePolicy[], now: readonly BundlePolicy[]): boolean {
  return before.length === now.length && now.every(({ id, mode, json }, index) => mode === "enforce" && before[index]?.id === id && before[index].mode === mode && before[index].json === json);
}

function decisionOf(golden: GoldenDecision | undefined, policies: ReadonlyMap<string, BundlePolicy>): PolicyDecision | undefined {
  if (golden === undefined || golden.errors.length > 0 || golden.advisory !== undefined) return undefined;
  const reasons = golden.reasons.flatMap((id) => policies.get(id) ?? []).map(reason);
  return { decision: golden.decision, reasons, errors: [], warnings: [], shadowed: [], advisoryErrors: [] };
}
