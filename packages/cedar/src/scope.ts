import type { Query } from "./query.ts";
import { below, isTypeName, onlyKeys, own, readArray, readObject, readText, refuse, type JsonObject, type Place } from "./read.ts";
import { isActionType } from "./schema-names.ts";
import { readUid } from "./value-json.ts";
import { CedarError } from "./errors.ts";
import type { EntityUid } from "./values.ts";

/** What a policy's head says of one of the three. */
export type Scope =
  | { readonly kind: "any" }
  | { readonly kind: "equals"; readonly uid: EntityUid }
  | { readonly kind: "in"; readonly uids: readonly EntityUid[] }
  | { readonly kind: "is"; readonly type: string; readonly container: EntityUid | undefined };

/** The slot that may stand in the scope, and what a link puts there. In a static policy there is none. */
export interface Slot {
  readonly name: "?principal" | "?resource";
  /** Undefined while a template is checked by itself. */
  readonly value: EntityUid | undefined;
}

export interface ScopeReading {
  readonly scope: Scope;
  readonly usesSlot: boolean;
}

/** Reads the scope of principal or resource. A slot that has no value yet leaves the scope `any`. */
export function readScope(json: unknown, slot: Slot, place: Place): ScopeReading {
  const object = readObject(json, place);
  switch (own(object, "op")) {
    case "All":
    case "all":
      return { scope: { kind: "any" }, usesSlot: false };
    case "==":
      return withReference(object, slot, place, (uid) => ({ kind: "equals", uid }));
    case "in":
      return withReference(object, slot, place, (uid) => ({ kind: "in", uids: [uid] }));
    case "is":
      return readIs(object, slot, place);
    default:
      return refuse(below(place, "op"), "expected `All`, `==`, `in` or `is`");
  }
}

function readIs(object: JsonObject, slot: Slot, place: Place): ScopeReading {
  // Only this form is closed in Cedar: a misplaced slot would widen the policy in silence.
  onlyKeys(object, ["op", "entity_type", "in"], place);
  const type = readText(own(object, "entity_type"), below(place, "entity_type"));
  if (!isTypeName(type)) return refuse(below(place, "entity_type"), `\`${type}\` is not the name of an entity type`);
  const container = own(object, "in") ?? undefined;
  if (container === undefined) return { scope: { kind: "is", type, container: undefined }, usesSlot: false };
  const inner = below(place, "in");
  return withReference(readObject(container, inner), slot, inner, (uid) => ({ kind: "is", type, container: uid }));
}

function withReference(object: JsonObject, slot: Slot, place: Place, make: (uid: EntityUid) => Scope): ScopeReading {
  const entity = own(object, "entity");
  if (entity !== undefined) return { scope: make(uidAt(entity, below(place, "entity"))), usesSlot: false };
  if (own(object, "slot") !== slot.name) return refuse(place, `expected \`entity\` or, in a template, the slot \`${slot.name}\``);
  return { scope: slot.value === undefined ? { kind: "any" } : make(slot.value), usesSlot: true };
}

function uidAt(json: unknown, place: Place): EntityUid {
  try {
    return readUid(json);
  } catch (error) {
    if (!(error instanceof CedarError)) throw error;
    return refuse(place, error.message);
  }
}

/** Reads the scope of the action: one action, or actions and groups of them. */
export function readActionScope(json: unknown, place: Place): Scope {
  const object = readObject(json, place);
  switch (own(object, "op")) {
    case "All":
    case "all":
      return { kind: "any" };
    case "==":
      return { kind: "equals", uid: actionAt(own(object, "entity"), below(place, "entity")) };
    case "in":
      return { kind: "in", uids: readActions(object, place) };
    default:
      return refuse(below(place, "op"), "expected `All`, `==` or `in`");
  }
}

function readActions(object: JsonObject, place: Place): readonly EntityUid[] {
  const one = own(object, "entity");
  if (one !== undefined) return [actionAt(one, below(place, "entity"))];
  const inner = below(place, "entities");
  return readArray(own(object, "entities"), inner).map((json, index) => actionAt(json, below(inner, `[${index}]`)));
}

function actionAt(json: unknown, place: Place): EntityUid {
  const uid = uidAt(json, place);
  return isActionType(uid.type) ? uid : refuse(place, `expected an entity of a type \`Action\`, not \`${uid.type}\``);
}

/** Whether an entity of the request is in the scope; undefined where every one is. */
export function scopeTest(scope: Scope, part: "principal" | "action" | "resource"): ((query: Query) => boolean) | undefined {
  if (scope.kind === "any") return undefined;
  if (scope.kind === "equals") {
    const { key } = scope.uid;
    return (query) => query[part].key === key;
  }
  if (scope.kind === "in") {
    const { uids } = scope;
    return (query) => uids.some((uid) => query.store.isIn(query[part], uid));
  }
  const { type, container } = scope;
  if (container === undefined) return (query) => query[part].type === type;
  return (query) => query[part].type === type && query.store.isIn(query[part], container);
}
