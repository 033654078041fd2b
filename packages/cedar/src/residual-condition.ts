import type { ExprJson, Var } from "./json.ts";
import type { Policy } from "./policy.ts";
import type { Scope } from "./scope.ts";
import type { EntityUid } from "./values.ts";

/** A policy's parts as one condition each, in the order in which Cedar asks: a later one is not looked at when an earlier one is false. */
export interface Conditions {
  readonly principal: ExprJson;
  readonly action: ExprJson;
  readonly resource: ExprJson;
  readonly clauses: readonly { readonly kind: "when" | "unless"; readonly condition: ExprJson }[];
}

export const always: ExprJson = { Value: true };

export function conditionsOf(policy: Policy): Conditions {
  return {
    principal: scopeCondition("principal", policy.principal),
    action: scopeCondition("action", policy.action),
    resource: scopeCondition("resource", policy.resource),
    clauses: policy.conditions.map(({ kind, body }) => ({ kind, condition: kind === "when" ? body : { "!": { arg: body } } })),
  };
}

/** Under which a policy determines the decision. */
export function wholeCondition({ principal, action, resource, clauses }: Conditions): ExprJson {
  return conjunction([principal, action, resource, ...clauses.map(({ condition }) => condition)]);
}

export function conjunction(parts: readonly ExprJson[]): ExprJson {
  const told = parts.filter((part) => part !== always);
  const [first = always, ...rest] = told;
  return rest.reduce<ExprJson>((left, right) => ({ "&&": { left, right } }), first);
}

function scopeCondition(name: Var, scope: Scope): ExprJson {
  const party: ExprJson = { Var: name };
  if (scope.kind === "any") return always;
  if (scope.kind === "equals") return { "==": { left: party, right: entity(scope.uid) } };
  if (scope.kind === "in") return { in: { left: party, right: scope.uids.length === 1 ? entity(scope.uids[0]) : { Set: scope.uids.map(entity) } } };
  return { is: { left: party, entity_type: scope.type, ...(scope.container !== undefined && { in: entity(scope.container) }) } };
}

function entity(uid: EntityUid | undefined): ExprJson {
  return uid === undefined ? { Set: [] } : { Value: { __entity: { type: uid.type, id: uid.id } } };
}
