import type { SchemaJson } from "./json.ts";
import type { DeclaredAction, DeclaredEntityType, DeclaredSchema, DeclaredType } from "./schema-declared.ts";
import { emptyRecord } from "./schema-declared.ts";
import { refuse } from "./schema-fields.ts";
import { above } from "./schema-hierarchy.ts";
import { candidates } from "./schema-names.ts";
import { readSchema } from "./schema-read.ts";
import { refuseShadowing, typeResolver, type TypeResolver } from "./schema-resolve.ts";
import type { RecordType, ValueType } from "./schema-type.ts";
import { valueReaders, type FieldsReader, type ValueReaders, type Vocabulary } from "./schema-value.ts";
import { EntityUid } from "./values.ts";

/** What entities, requests and their values may look like. Made by `compileSchema`. */
export interface Schema {
  /** By full name, such as `Photos::User`. Actions are not among them. */
  readonly entityTypes: ReadonlyMap<string, EntityTypeSchema>;
  /** By the key of the action's name. */
  readonly actions: ReadonlyMap<string, ActionSchema>;
}

export interface EntityTypeSchema {
  readonly name: string;
  /** The only ids that there are of an enumerated type; undefined for any other. */
  readonly ids: ReadonlySet<string> | undefined;
  /** Of which types the parents of such an entity may be. */
  readonly parentTypes: ReadonlySet<string>;
  readonly attributes: RecordType;
  /** The type of every tag; undefined where there are none. */
  readonly tags: ValueType | undefined;
  readonly readAttributes: FieldsReader;
  readonly readTags: FieldsReader;
}

export interface ActionSchema {
  readonly uid: EntityUid;
  /** Every group that the action is in, directly or through another. */
  readonly ancestors: readonly EntityUid[];
  readonly principalTypes: ReadonlySet<string>;
  readonly resourceTypes: ReadonlySet<string>;
  readonly context: RecordType;
  readonly readContext: FieldsReader;
}

/**
 * Compiles the JSON form of a schema, as `schemaToJson` of cedar-wasm gives it or with its names resolved.
 * Throws `CedarError` with code `schema_invalid`, whose `at` is the place in the schema.
 */
export function compileSchema(json: SchemaJson): Schema {
  const declared = readSchema(json);
  refuseShadowing(declared);
  const types = typeResolver(declared);
  const readers = valueReaders(vocabularyOf(declared));
  const parents = parentTypes(declared, types);
  const entityTypes = new Map([...declared.entityTypes].map(([name, type]) => [name, entityType({ name, type, parents, types, readers })]));
  const hierarchy = actionHierarchy(declared.actions);
  const actions = new Map<string, ActionSchema>();
  for (const action of declared.actions) {
    const compiled = compileAction({ action, hierarchy, types, readers, entityTypes });
    actions.set(compiled.uid.key, compiled);
  }
  return { entityTypes, actions };
}

/** Which entities there can be, for the values that name them. */
function vocabularyOf(declared: DeclaredSchema): Vocabulary {
  const actions = new Set(declared.actions.map(({ type, id }) => new EntityUid(type, id).key));
  const ids = new Map([...declared.entityTypes].map(([name, type]) => [name, idsOf(type)]));
  return { idsOf: (name) => ids.get(name), isAction: (uid) => actions.has(uid.key) };
}

function idsOf(type: DeclaredEntityType): ReadonlySet<string> | undefined {
  return type.kind === "enumerated" ? new Set(type.ids) : undefined;
}

function parentTypes(declared: DeclaredSchema, types: TypeResolver): ReadonlyMap<string, readonly string[]> {
  const parentsOf = ({ namespace, at, ...type }: DeclaredEntityType): readonly string[] => {
    if (type.kind === "enumerated") return [];
    return type.memberOfTypes.map((name, index) => declaredType({ name, namespace, at: `${at}.memberOfTypes[${index}]` }, types, declared.entityTypes));
  };
  return new Map([...declared.entityTypes].map(([name, type]) => [name, parentsOf(type)]));
}

interface Reference {
  readonly name: string;
  readonly namespace: string;
  readonly at: string;
}

/** The full name of an entity type that is not the type of actions. */
function declaredType({ name, namespace, at }: Reference, types: TypeResolver, entityTypes: ReadonlyMap<string, unknown>): string {
  const full = types.entityType(name, namespace, at);
  if (!entityTypes.has(full)) throw refuse(at, `\`${full}\` is the type of actions; an entity type must stand here`);
  return full;
}

interface EntityTypeParts {
  readonly name: string;
  readonly type: DeclaredEntityType;
  readonly parents: ReadonlyMap<string, readonly string[]>;
  readonly types: TypeResolver;
  readonly readers: ValueReaders;
}

function entityType({ name, type, parents, types, readers }: EntityTypeParts): EntityTypeSchema {
  const shape = type.kind === "standard" ? type.shape : emptyRecord;
  const attributes = recordType(shape, types, { namespace: type.namespace, at: `${type.at}.shape` });
  const tags = type.kind === "standard" && type.tags !== undefined ? types.resolve(type.tags, type.namespace) : undefined;
  return {
    name,
    ids: idsOf(type),
    parentTypes: above(name, (each) => parents.get(each) ?? []),
    attributes,
    tags,
    readAttributes: readers.fields(attributes),
    readTags: readers.tags(tags),
  };
}

function recordType(type: DeclaredType, types: TypeResolver, { namespace, at }: Omit<Reference, "name">): RecordType {
  const resolved = types.resolve(type, namespace);
  if (resolved.kind !== "record") throw refuse(at, "this must be a record, or a common type that is one");
  return resolved;
}

interface ActionHierarchy {
  readonly uids: ReadonlyMap<string, EntityUid>;
  /** Direct groups, by key. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

function actionHierarchy(actions: readonly DeclaredAction[]): ActionHierarchy {
  const uids = new Map(actions.map(({ type, id }) => new EntityUid(type, id)).map((uid) => [uid.key, uid]));
  const groups = actions.map(({ type, id, namespace, memberOf, at }): [string, readonly string[]] => {
    const keys = memberOf.map((group, index) => {
      const key = candidates(namespace, group.type)
        .map((candidate) => new EntityUid(candidate, group.id).key)
        .find((candidate) => uids.has(candidate));
      if (key === undefined) throw refuse(`${at}.memberOf[${index}]`, `no action \`${group.type}::${JSON.stringify(group.id)}\` is declared`);
      return key;
    });
    return [new EntityUid(type, id).key, keys];
  });
  return { uids, groups: new Map(groups) };
}

interface ActionParts {
  readonly action: DeclaredAction;
  readonly hierarchy: ActionHierarchy;
  readonly types: TypeResolver;
  readonly readers: ValueReaders;
  readonly entityTypes: ReadonlyMap<string, EntityTypeSchema>;
}

function compileAction({ action, hierarchy, types, readers, entityTypes }: ActionParts): ActionSchema {
  const { namespace, at } = action;
  const uid = new EntityUid(action.type, action.id);
  const ancestors = above(uid.key, (key) => hierarchy.groups.get(key) ?? []);
  if (ancestors.has(uid.key)) throw refuse(`${at}.memberOf`, "the action is a member of itself, directly or through other actions");
  const context = recordType(action.context, types, { namespace, at: `${at}.appliesTo.context` });
  const full = (names: readonly string[], field: string) =>
    new Set(names.map((name, index) => declaredType({ name, namespace, at: `${at}.appliesTo.${field}[${index}]` }, types, entityTypes)));
  return {
    uid,
    ancestors: [...ancestors].flatMap((key) => hierarchy.uids.get(key) ?? []),
    principalTypes: full(action.principalTypes, "principalTypes"),
    resourceTypes: full(action.resourceTypes, "resourceTypes"),
    context,
    readContext: readers.fields(context),
  };
}
