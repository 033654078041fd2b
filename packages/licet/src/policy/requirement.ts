import type { EntityUidJson, PolicyJson, PolicySetJson } from "@licet/cedar";
import type { BundlePolicy } from "./bundle-form.ts";

const appliesMark = "#applies";

/** The id of the permit that answers whether the requirement applies. */
export function appliesId(id: string): string {
  return `${id}${appliesMark}`;
}

export function requirementOf(policyId: string): string {
  return policyId.endsWith(appliesMark) ? policyId.slice(0, -appliesMark.length) : policyId;
}

/** A forbid of the gate that is in force: one in mode warn or shadow is not demanded of anybody. */
export function isGateRequirement({ effect, annotations, json, mode }: BundlePolicy): boolean {
  if (effect !== "forbid" || mode !== "enforce" || annotations["requirement"] === undefined) return false;
  const { action } = json;
  if (action.op !== "==") return false;
  const { type, id } = plainUid(action.entity);
  return type === "Licet::Action" && id === "promote";
}

export function plainUid(uid: EntityUidJson): { readonly type: string; readonly id: string } {
  return "__entity" in uid ? uid.__entity : uid;
}

/**
 * The policies that decide, and for each requirement of the gate one permit under the action `demand` with the
 * requirement's own scope and `when`: the list of what applies is derived, never written a second time.
 */
export function enforcedSet(policies: readonly BundlePolicy[]): PolicySetJson {
  const given = policies.filter(({ mode }) => mode === "enforce").map(({ id, json }) => [id, json] as const);
  const derived = policies.filter(isGateRequirement).map(({ id, json }) => [appliesId(id), demand(json)] as const);
  return { staticPolicies: Object.fromEntries([...given, ...derived]) };
}

/** The policies that are tried out. All are forbids, so every one that matches is named. */
export function advisorySet(policies: readonly BundlePolicy[]): PolicySetJson {
  return { staticPolicies: Object.fromEntries(policies.filter(({ mode }) => mode !== "enforce").map(({ id, json }) => [id, json] as const)) };
}

function demand(requirement: PolicyJson): PolicyJson {
  return {
    effect: "permit",
    principal: requirement.principal,
    action: { op: "==", entity: { type: "Licet::Action", id: "demand" } },
    resource: requirement.resource,
    conditions: requirement.conditions.filter((clause) => clause.kind === "when"),
    annotations: {},
  };
}
