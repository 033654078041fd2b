import { condition, constant, testOf, type Compiled } from "./compiled.ts";
import { compileExpression } from "./expression.ts";
import { conjunction, negation } from "./expression-logic.ts";
import type { ClauseJson, Effect } from "./json.ts";
import type { Test } from "./query.ts";
import { below, isAnnotationName, isObject, onlyKeys, own, readArray, readObject, readText, refuse, type Place } from "./read.ts";
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
  readonly holds: Test;
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

/** What a policy's reading needs beside its JSON. */
export interface Reading {
  readonly values: SlotValues;
  /** Whether conditions are compiled when they are first asked for. */
  readonly lazily: boolean;
}

/** Reads a policy, or a template with the values of its slots. Throws `CedarError` (`policy_invalid`). */
export function readPolicy(id: string, json: unknown, { values, lazily }: Reading, place: Place): PolicyReading {
  const object = readObject(json, place);
  onlyKeys(object, ["effect", "principal", "action", "resource", "conditions", "annotations"], place);
  const principal = readScope(own(object, "principal"), { name: "?principal", value: values.principal }, below(place, "principal"));
  const resource = readScope(own(object, "resource"), { name: "?resource", value: values.resource }, below(place, "resource"));
  const slots = new Set<"?principal" | "?resource">();
  if (principal.usesSlot) slots.add("?principal");
  if (resource.usesSlot) slots.add("?resource");
  const conditions = below(place, "conditions");
  const given = readArray(own(object, "conditions"), conditions);
  const policy: Policy = {
    id,
    effect: readEffect(own(object, "effect"), below(place, "effect")),
    annotations: readAnnotations(own(object, "annotations"), below(place, "annotations")),
    principal: principal.scope,
    action: readActionScope(own(object, "action"), below(place, "action")),
    resource: resource.scope,
    conditions: given.filter(isClause),
    ...(lazily ? compiledLater(given, conditions) : compiledNow(given, conditions)),
  };
  return { policy, slots };
}

function readEffect(json: unknown, place: Place): Effect {
  return json === "permit" || json === "forbid" ? json : refuse(place, "expected `permit` or `forbid`");
}

function readAnnotations(json: unknown, place: Place): ReadonlyMap<string, string> {
  const annotations = new Map<string, string>();
  if (json === undefined) return annotations;
  const object = readObject(json, place);
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (!isAnnotationName(name)) refuse(place, `\`${name}\` is not the name of an annotation`);
    annotations.set(name, value === null ? "" : readText(value, below(place, name)));
  }
  return annotations;
}

/** Cedar evaluates conditions from the first on and stops at the first that is false. */
function readConditions(given: readonly unknown[], place: Place): Compiled {
  const conditions = given.map((clause, index) => readClause(clause, below(place, `[${index}]`)));
  return conditions.reduce(conjunction, constant(true));
}

function compiledNow(given: readonly unknown[], place: Place): Pick<Policy, "holds" | "possible"> {
  const condition = readConditions(given, place);
  return { holds: testOf(condition), possible: condition.kind !== "constant" || condition.value === true };
}

function compiledLater(given: readonly unknown[], place: Place): Pick<Policy, "holds" | "possible"> {
  let holds: Test | undefined;
  return { holds: (query) => (holds ??= testOf(readConditions(given, place)))(query), possible: true };
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
