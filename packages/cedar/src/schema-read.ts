import {
  emptyRecord,
  type DeclaredAction,
  type DeclaredCommonType,
  type DeclaredEntityType,
  type DeclaredSchema,
  type EnumeratedEntityType,
  type StandardEntityType,
} from "./schema-declared.ts";
import { readAnnotations, readEntries, readExactly, readFields, readList, readText, refuse, type Fields } from "./schema-fields.ts";
import { isCommonTypeId, isDeclarableName, isReferenceName, isTypeId, qualify } from "./schema-names.ts";
import { readCommonType, readType } from "./schema-type-read.ts";

/** Reads the JSON form of a schema; what its names refer to is not looked at here. */
export function readSchema(json: unknown): DeclaredSchema {
  const commonTypes = new Map<string, DeclaredCommonType>();
  const entityTypes = new Map<string, DeclaredEntityType>();
  const actions: DeclaredAction[] = [];
  for (const [namespace, definition] of readFields(json, "")) {
    const at = namespace === "" ? '""' : namespace;
    const fields = readNamespace(namespace, definition, at);
    for (const [name, type] of readEntries(fields.get("commonTypes") ?? {}, `${at}.commonTypes`, readNamedCommonType)) {
      commonTypes.set(qualify(namespace, name), { namespace, at: `${at}.commonTypes.${name}`, type });
    }
    for (const [name, type] of readEntries(fields.get("entityTypes"), `${at}.entityTypes`, readEntityType)) {
      entityTypes.set(qualify(namespace, name), { namespace, at: `${at}.entityTypes.${name}`, ...type });
    }
    for (const [id, action] of readEntries(fields.get("actions"), `${at}.actions`, readAction)) {
      actions.push({ namespace, at: `${at}.actions.${id}`, type: qualify(namespace, "Action"), id, ...action });
    }
  }
  return { commonTypes, entityTypes, actions };
}

function readNamespace(namespace: string, definition: unknown, at: string): Fields {
  if (namespace !== "" && !isDeclarableName(namespace)) throw refuse(at, `\`${namespace}\` cannot name a namespace`);
  const fields = readExactly(definition, at, ["commonTypes", "entityTypes", "actions", "annotations"]);
  if (readAnnotations(fields, at) > 0 && namespace === "") throw refuse(at, "the namespace without a name takes no annotations");
  if (fields.get("commonTypes") === null) throw refuse(`${at}.commonTypes`, "this must be an object");
  return fields;
}

function readNamedCommonType(json: unknown, at: string, name: string) {
  if (!isCommonTypeId(name)) throw refuse(at, `\`${name}\` cannot name a common type`);
  return readCommonType(json, at);
}

type Unplaced<T> = Omit<T, "namespace" | "at">;

function readEntityType(json: unknown, at: string, name: string): Unplaced<EnumeratedEntityType> | Unplaced<StandardEntityType> {
  if (!isTypeId(name)) throw refuse(at, `\`${name}\` cannot name an entity type`);
  if (name === "Action") throw refuse(at, "`Action` is the type of actions: declare them under `actions`");
  const fields = readExactly(json, at, ["memberOfTypes", "shape", "tags", "enum", "annotations"]);
  readAnnotations(fields, at);
  if (fields.has("enum")) return readEnumerated(fields, at);
  return {
    kind: "standard",
    memberOfTypes: fields.has("memberOfTypes") ? readList(fields.get("memberOfTypes"), `${at}.memberOfTypes`, readName) : [],
    shape: fields.has("shape") ? readType(fields.get("shape"), `${at}.shape`) : emptyRecord,
    tags: fields.has("tags") ? readType(fields.get("tags"), `${at}.tags`) : undefined,
  };
}

function readEnumerated(fields: Fields, at: string): Unplaced<EnumeratedEntityType> {
  const beside = ["memberOfTypes", "shape", "tags"].find((field) => fields.has(field));
  if (beside !== undefined) throw refuse(`${at}.${beside}`, "an enumerated entity type has nothing but its ids");
  const ids = readList(fields.get("enum"), `${at}.enum`, readText);
  if (ids.length === 0) throw refuse(`${at}.enum`, "an enumerated entity type needs at least one id");
  return { kind: "enumerated", ids };
}

function readAction(json: unknown, at: string): Omit<DeclaredAction, "namespace" | "at" | "type" | "id"> {
  const fields = readExactly(json, at, ["attributes", "appliesTo", "memberOf", "annotations"]);
  readAnnotations(fields, at);
  if ((fields.get("attributes") ?? null) !== null) throw refuse(`${at}.attributes`, "an action has no attributes");
  const memberOf = readList(fields.get("memberOf") ?? [], `${at}.memberOf`, readParent);
  const appliesTo = fields.get("appliesTo") ?? null;
  if (appliesTo === null) return { memberOf, principalTypes: [], resourceTypes: [], context: emptyRecord };
  const within = `${at}.appliesTo`;
  const applies = readExactly(appliesTo, within, ["principalTypes", "resourceTypes", "context"]);
  return {
    memberOf,
    principalTypes: readList(applies.get("principalTypes"), `${within}.principalTypes`, readName),
    resourceTypes: readList(applies.get("resourceTypes"), `${within}.resourceTypes`, readName),
    context: applies.has("context") ? readType(applies.get("context"), `${within}.context`) : emptyRecord,
  };
}

function readParent(json: unknown, at: string): { readonly type: string; readonly id: string } {
  const fields = readExactly(json, at, ["id", "type"]);
  return { id: readText(fields.get("id"), `${at}.id`), type: readName(fields.get("type") ?? "Action", `${at}.type`) };
}

function readName(json: unknown, at: string): string {
  const name = readText(json, at);
  if (!isReferenceName(name)) throw refuse(at, `\`${name}\` cannot name a type`);
  return name;
}
