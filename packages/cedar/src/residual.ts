import type { EntityStore } from "./entities.ts";
import { CedarError } from "./errors.ts";
import { formatExpr } from "./format.ts";
import type { ContextJson, Effect, EntityUidJson, ExprJson, PolicyJson } from "./json.ts";
import type { Policy } from "./policy.ts";
import type { PolicySet } from "./policy-set.ts";
import { prepareRequest } from "./request.ts";
import { conditionsOf, wholeCondition } from "./residual-condition.ts";
import { evaluatePart } from "./residual-evaluate.ts";
import { readOpenContext, withRequired } from "./residual-context.ts";
import { asCondition, plain } from "./residual-logic.ts";
import { needsOf, type Unmet } from "./residual-needs.ts";
import { exprOf, type Part } from "./residual-part.ts";
import { noFields, plantTrees, type Party, type Scene } from "./residual-scene.ts";
import { readUnknowns, takeMarkers, type Unknown, type UnknownPath } from "./residual-unknown.ts";
import { isObject, isTypeName } from "./read.ts";
import type { Schema } from "./schema.ts";
import { readUid } from "./value-json.ts";
import type { EntityUid, ReadonlyFields } from "./values.ts";

/** A principal or resource of which nothing is known but, perhaps, its type. */
export interface UnknownEntity {
  readonly unknown: true;
  readonly type?: string;
}

/** A request of which parts are not known yet. */
export interface PartialRequest {
  readonly principal: EntityUidJson | UnknownEntity;
  readonly action: EntityUidJson;
  readonly resource: EntityUidJson | UnknownEntity;
  /** `{"__extn": {"fn": "unknown", "arg": "name"}}` stands for a value that will be there. */
  readonly context: ContextJson;
  readonly unknown?: readonly Unknown[];
  /** Whether entities that the store lacks count as not there, as in `authorize` (the default), or as not known. */
  readonly absentEntities?: "absent" | "unknown";
  /** What an error of a policy does: it is skipped, as in Cedar (the default), or it denies. */
  readonly onError?: "skip" | "deny";
  /** Reads the context by its declared types, as in `prepareRequest`, and takes what is required there for present. */
  readonly schema?: Schema;
  /** Promises that every completion fits the schema against which the policies were validated, so that no operand is of a wrong type. */
  readonly validated?: boolean;
}

/** A policy that holds, or that holds under what is left of its condition. */
export interface ResidualPolicy {
  readonly id: string;
  readonly effect: Effect;
  readonly outcome: "satisfied" | "depends";
  /** `true` when satisfied. */
  readonly condition: ExprJson;
  readonly text: string;
  /** Whether some completion makes the condition err. */
  readonly canError: boolean;
  readonly annotations: ReadonlyMap<string, string>;
  /** The same as a policy, for every request that completes this one. */
  readonly json: PolicyJson;
}

export interface Residual {
  /** The decision of every completion, or `depends` when completions could differ. */
  readonly decision: "allow" | "deny" | "depends";
  readonly permits: readonly ResidualPolicy[];
  readonly forbids: readonly ResidualPolicy[];
  /** Policies that err in every completion. */
  readonly errors: readonly { readonly policy: string; readonly message: string; readonly json: PolicyJson }[];
  /**
   * What still has to hold, in the order of the policies: once every entry is met, the decision is allow.
   * Empty when it is allow already. In a denied request of which all is known, these are the conditions that failed, with their values.
   */
  readonly wouldAllowIf: readonly Unmet[];
}

/**
 * Decides as far as it can with a part of the request unknown, and says what is left.
 *
 * For every completion of the unknowns, `permits`, `forbids` and `errors` together decide as the policies themselves do, with the same
 * determining and erroring policies; `residual.test.ts` holds it to cedar-wasm.
 * Throws `CedarError` (`request_invalid`) as `prepareRequest` does, and for an unknown that names no place.
 *
 * ```ts
 * residual(policies, { ...request, unknown: ["context.approvals.people"] }, store).wouldAllowIf[0]?.text; // context.approvals.people >= 2
 * ```
 */
export function residual(policies: PolicySet, partial: PartialRequest, entities: EntityStore): Residual {
  const scene = sceneOf(partial, entities);
  const results = policies.policies.map((policy): Result => ({ policy, part: partOf(policy, scene) }));
  const left = results.flatMap(residualPolicy);
  const permits = left.filter(({ effect }) => effect === "permit");
  const forbids = left.filter(({ effect }) => effect === "forbid");
  const errors = results.flatMap(({ policy, part }) => (part.kind === "failing" ? [{ policy: policy.id, message: part.message, json: policyJson(policy, part.expr) }] : []));
  const decision = decide({ permits, forbids, errors: errors.length }, partial.onError === "deny");
  const wouldAllowIf = decision === "allow" ? [] : needsOf(results, scene, partial.onError === "deny");
  return { decision, permits, forbids, errors, wouldAllowIf };
}

interface Result {
  readonly policy: Policy;
  readonly part: Part;
}

function partOf(policy: Policy, scene: Scene): Part {
  return asCondition(evaluatePart(wholeCondition(conditionsOf(policy)), scene));
}

function residualPolicy({ policy, part }: Result): readonly ResidualPolicy[] {
  if (part.kind === "failing" || (part.kind === "value" && part.value !== true)) return [];
  const condition = part.kind === "value" ? { Value: true } : plain(exprOf(part));
  return [
    {
      id: policy.id,
      effect: policy.effect,
      outcome: part.kind === "value" ? "satisfied" : "depends",
      condition,
      text: formatExpr(condition),
      canError: part.kind === "open" && (part.canError || !part.isBoolean),
      annotations: policy.annotations,
      json: policyJson(policy, condition),
    },
  ];
}

function policyJson({ effect, annotations }: Policy, body: ExprJson): PolicyJson {
  return { effect, principal: { op: "All" }, action: { op: "All" }, resource: { op: "All" }, conditions: [{ kind: "when", body }], annotations: Object.fromEntries(annotations) };
}

interface Left {
  readonly permits: readonly ResidualPolicy[];
  readonly forbids: readonly ResidualPolicy[];
  readonly errors: number;
}

function decide({ permits, forbids, errors }: Left, errorsDeny: boolean): Residual["decision"] {
  const satisfied = ({ outcome }: ResidualPolicy) => outcome === "satisfied";
  if (forbids.some(satisfied) || permits.length === 0 || (errorsDeny && errors > 0)) return "deny";
  const couldErr = errorsDeny && permits.some(({ canError }) => canError);
  return permits.some(satisfied) && forbids.length === 0 && !couldErr ? "allow" : "depends";
}

function sceneOf(partial: PartialRequest, store: EntityStore): Scene {
  if (!isObject(partial) || !isObject(partial.context)) throw new CedarError("request_invalid", "context", "expected an object");
  const { context, marked } = takeMarkers(partial.context);
  const given = [...readUnknowns(partial.unknown ?? []), ...marked];
  const request = readRequest(partial, context, given);
  const principal = party(partial.principal);
  const resource = party(partial.resource);
  const { schema } = partial;
  const entityType = (of: UnknownPath["of"]) => (of === "principal" ? principal.type : of === "resource" ? resource.type : of === "context" ? undefined : of.type);
  const unknowns = schema === undefined ? given : given.map((each) => withRequired(each, request.action, { schema, entityType }));
  const trees = plantTrees(unknowns, { principal, resource, context: request.fields, store });
  return {
    principal,
    action: request.action,
    resource,
    context: { fields: trees.context.own === "known" ? request.fields : noFields, tree: trees.context },
    store,
    trees: trees.entities,
    absentAreUnknown: partial.absentEntities === "unknown",
    typed: partial.validated === true,
    assumed: new Set(),
    memo: new WeakMap(),
  };
}

/** Validated as a whole where nothing of principal, resource and context is unknown, and part by part where something is. */
function readRequest({ principal, action, resource, schema }: PartialRequest, context: ContextJson, unknowns: readonly UnknownPath[]): { readonly action: EntityUid; readonly fields: ReadonlyFields } {
  const isOpen = isUnknown(principal) || isUnknown(resource) || unknowns.some(({ of }) => of === "context");
  const parties = { principal: named(principal, action), action, resource: named(resource, action) };
  if (schema === undefined || !isOpen) {
    const prepared = prepareRequest({ ...parties, context }, { schema });
    return { action: prepared.action, fields: prepared.context.fields };
  }
  const prepared = prepareRequest({ ...parties, context: {} });
  return { action: prepared.action, fields: readOpenContext(context, prepared.action, schema) };
}

/** The request is read with the action in the place of a party without a name; nothing looks at it there. */
function named(given: EntityUidJson | UnknownEntity, other: EntityUidJson): EntityUidJson {
  return isUnknown(given) ? other : given;
}

function party(given: EntityUidJson | UnknownEntity): Party {
  if (!isUnknown(given)) return readUid(given);
  if (given.type !== undefined && !isTypeName(given.type)) throw new CedarError("request_invalid", "", `\`${given.type}\` is not the name of an entity type`);
  return { type: given.type };
}

function isUnknown(given: EntityUidJson | UnknownEntity): given is UnknownEntity {
  return isObject(given) && "unknown" in given;
}
