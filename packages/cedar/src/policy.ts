import { condition, type Compiled } from "./compiled.ts";
import { compileExpression } from "./expression.ts";
import { negation } from "./expression-logic.ts";
import type { ClauseJson, Effect } from "./json.ts";
import type { Query } from "./query.ts";
import { below, isObject, onlyKeys, own, readArray, readObject, readText, refuse, type Place } from "./read.ts";
import { isAnnotationKey } from "./schema-names.ts";
import { readActionScope, readScope, type Scope } from "./scope.ts";
import type { EntityUid } from "./values.ts";

export interface Policy {
  readonly id: string;
  readonly effect: Effect;
  readonly annotations: ReadonlyMap<string, string>;
  readonly principal: Scope;
  readonly action: Scope;
  readonly resource: Scope;
  /** As given: what residuals are made of. */
  readonly conditions: readonly ClauseJson[];
  /** Whether the conditions hold, scopes left aside. Throws an `EvaluationError` where Cedar errs. */
  readonly holds: (query: Query) => boolean;
  /** Whether some request could satisfy the conditions or make them err. */
  readonly possible: boolean;
}

/** What a template's slots stand for in one link. */
export interface SlotValues {
  readonly principal: EntityUid | undefined;
  readonly resource: EntityUid | undefined;
}

export const noSlotValues: SlotValues = { principal: undefined, resource: undefined };

export interface PolicyReading {
  readonly policy: Policy;
  readonly slots: ReadonlySet<"?principal" | "?resource">;
}

/** Reads a policy, or a template with the values of its slots. Throws `CedarError` (`policy_invalid`). */
export function readPolicy(id: string, json: unknown, values: SlotValues, place: Place): PolicyReading {
  const object = readObject(json, place);
  onlyKeys(object, ["effect", "principal", "action", "resource", "conditions", "annotations"], place);
  const principal = readScope(own(object, "principal"), { name: "?principal", value: values.principal }, below(place, "principal"));
  const resource = readScope(own(object, "resource"), { name: "?resource", value: values.resource }, below(place, "resource"));
  const slots = new Set<"?principal" | "?resource">();
  if (principal.usesSlot) slots.add("?principal");
  if (resource.usesSlot) slots.add("?resource");
  const conditions = readConditions(own(object, "conditions"), below(place, "conditions"));
  const policy: Policy = {
    id,
    effect: readEffect(own(object, "effect"), below(place, "effect")),
    annotations: readAnnotations(own(object, "annotations"), below(place, "annotations")),
    principal: principal.scope,
    action: readActionScope(own(object, "action"), below(place, "action")),
    resource: resource.scope,
    conditions: readArray(own(object, "conditions"), below(place, "conditions")).filter(isClause),
    holds: allOf(conditions),
    possible: conditions[0]?.kind !== "constant" || conditions[0].value !== false,
  };
  return { policy, slots };
}

function readEffect(json: unknown, place: Place): Effect {
  return json === "permit" || json === "forbid" ? json : refuse(place, "expected `permit` or `forbid`");
}

function readAnnotations(json: unknown, place: Place): ReadonlyMap<string, string> {
  const annotations = new Map<string, string>();
  if (json === undefined) return annotations;
  for (const [name, value] of Object.entries(readObject(json, place))) {
    if (!isAnnotationKey(name)) refuse(place, `\`${name}\` is not the name of an annotation`);
    annotations.set(name, value === null ? "" : readText(value, below(place, name)));
  }
  return annotations;
}

/** The conditions that a request can decide, in order. */
function readConditions(json: unknown, place: Place): readonly Compiled[] {
  const conditions = readArray(json, place).map((clause, index) => readClause(clause, below(place, `[${index}]`)));
  return conditions.filter((clause) => clause.kind !== "constant" || clause.value !== true);
}

/** Of a clause that has been read. */
function isClause(json: unknown): json is ClauseJson {
  return isObject(json);
}

function readClause(json: unknown, place: Place): Compiled {
  if (!isObject(json)) return refuse(place, "expected an object with `kind` and `body`");
  onlyKeys(json, ["kind", "body"], place);
  const body = below(place, "body");
  const kind = own(json, "kind");
  const compiled = compileExpression(own(json, "body"), body);
  if (kind === "when") return condition(compiled);
  return kind === "unless" ? negation(compiled) : refuse(below(place, "kind"), "expected `when` or `unless`");
}

/** Cedar evaluates conditions from the first on and stops at the first that is false. */
function allOf(conditions: readonly Compiled[]): (query: Query) => boolean {
  const [first, second, ...others] = conditions.map(({ run }) => run);
  if (first === undefined) return () => true;
  if (second === undefined) return (query) => first(query) === true;
  if (others.length === 0) return (query) => first(query) === true && second(query) === true;
  const rest = [second, ...others];
  return (query) => first(query) === true && rest.every((run) => run(query) === true);
}
