import { EntityStore, type Entity } from "./entities.ts";
import { checkAction, checkParents, entityTypeOf } from "./entity-check.ts";
import { CedarError, EvaluationError } from "./errors.ts";
import type { EntityJson } from "./json.ts";
import { joinPath, own, isObject } from "./read.ts";
import type { Schema } from "./schema.ts";
import { isActionType } from "./schema-names.ts";
import { readFields, readUid } from "./value-json.ts";
import { EntityUid, Fields, RecordValue, equal, type ReadonlyFields } from "./values.ts";

export interface EntityStoreOptions {
  /** Reads values by their declared types, checks every entity, and adds the schema's actions. */
  readonly schema?: Schema | undefined;
  /** Lies below the new store, which sees its entities as its own without copying them. */
  readonly base?: EntityStore | undefined;
}

/**
 * Reads entities for decisions, accepting and refusing what cedar-wasm accepts and refuses.
 * Two entries of one name are refused unless they are equal; so is one that the base holds otherwise.
 * Throws `CedarError` (`entity_invalid`), whose `at` begins with the index of the entity.
 *
 * ```ts
 * const store = entityStore([{ uid: { type: "User", id: "ann" }, attrs: { level: 3 }, parents: [{ type: "Team", id: "blue" }] }]);
 * ```
 */
export function entityStore(entities: readonly EntityJson[], options: EntityStoreOptions = {}): EntityStore {
  if (!Array.isArray(entities)) throw new CedarError("entity_invalid", "", "expected an array of entities");
  const { schema, base } = options;
  const read = new Map<string, Entity>();
  const found = (key: string) => read.get(key) ?? base?.find(key);
  entities.forEach((json, index) => {
    const entity = readEntityAt(json, index, schema);
    const known = found(entity.uid.key);
    if (known === undefined) read.set(entity.uid.key, entity);
    else if (!sameEntity(known, entity)) throw new CedarError("entity_invalid", `[${index}]`, `${nameOf(entity.uid)} is there twice, with different content`);
  });
  if (schema === undefined) return new EntityStore(read.values(), base);
  const given = givenActions(read);
  checkGivenActions(schema, given);
  if (base !== undefined && withActions.get(base) === schema) return new EntityStore(read.values(), base);
  if (base === undefined && given.length === 0) return marked(new EntityStore(read.values(), actionsOf(schema)), schema);
  addActions(read, schema, base);
  return marked(new EntityStore(read.values(), base), schema);
}

/** Stores that were given a schema's actions; owned by `entityStore`. A layer on one of them finds all of them there. */
const withActions = new WeakMap<EntityStore, Schema>();

function marked(store: EntityStore, schema: Schema): EntityStore {
  withActions.set(store, schema);
  return store;
}

/** A schema's actions, made once and laid below every store that is given none; owned by `actionsOf`. */
const actionStores = new WeakMap<Schema, EntityStore>();

function actionsOf(schema: Schema): EntityStore {
  const known = actionStores.get(schema);
  if (known !== undefined) return known;
  const read = new Map<string, Entity>();
  addActions(read, schema, undefined);
  const store = new EntityStore(read.values());
  actionStores.set(schema, store);
  return store;
}

function nameOf(uid: EntityUid): string {
  return `\`${uid.type}::${JSON.stringify(uid.id)}\``;
}

function readEntityAt(json: unknown, index: number, schema: Schema | undefined): Entity {
  // Told by a variable instead of a closure for each part: entities are read on the way to every decision.
  const progress = { part: "uid" };
  try {
    return readEntity(json, schema, progress);
  } catch (error) {
    throw asEntityError(error, `[${index}].${progress.part}`);
  }
}

function asEntityError(error: unknown, at: string): unknown {
  if (error instanceof EvaluationError) return new CedarError("entity_invalid", at, error.message);
  if (!(error instanceof CedarError)) return error;
  const message = error.at === "" ? error.message : error.message.slice(error.at.length + 2);
  return new CedarError("entity_invalid", error.at === "" ? at : joinPath(at, error.at), message);
}

function readEntity(json: unknown, schema: Schema | undefined, progress: { part: string }): Entity {
  if (!isObject(json)) throw new CedarError("value_invalid", "", "expected an entity with `uid`, `attrs` and `parents`");
  const uid = readUid(own(json, "uid"));
  const isAction = isActionType(uid.type);
  const type = schema === undefined || isAction ? undefined : entityTypeOf(schema, uid);
  progress.part = "attrs";
  const attrs = type === undefined ? readFields(own(json, "attrs")) : type.readAttributes(own(json, "attrs"));
  progress.part = "tags";
  const givenTags = own(json, "tags");
  const readTags = type === undefined ? readFields : type.readTags;
  const tags = givenTags === undefined ? undefined : readTags(givenTags);
  progress.part = "parents";
  const parents = readParents(own(json, "parents"));
  if (schema !== undefined && type !== undefined) checkParents(schema, type, parents);
  if (isAction) refuseOtherParents(parents);
  return { uid, attrs, tags, parents };
}

function readParents(json: unknown): readonly EntityUid[] {
  if (!Array.isArray(json)) throw new CedarError("value_invalid", "", "expected an array of entities' names");
  return json.map(readUid);
}

function refuseOtherParents(parents: readonly EntityUid[]): void {
  const other = parents.find((parent) => !isActionType(parent.type));
  if (other !== undefined) throw new CedarError("value_invalid", "", `an action can only be in actions, not in ${nameOf(other)}`);
}

function sameFields(left: ReadonlyFields, right: ReadonlyFields): boolean {
  return equal(new RecordValue(left), new RecordValue(right));
}

function sameEntity(left: Entity, right: Entity): boolean {
  const parents = new Set(left.parents.map(({ key }) => key));
  const others = new Set(right.parents.map(({ key }) => key));
  return (
    parents.size === others.size &&
    [...others].every((key) => parents.has(key)) &&
    sameFields(left.attrs, right.attrs) &&
    sameFields(left.tags ?? noFields, right.tags ?? noFields)
  );
}

const noFields = new Fields();

function addActions(read: Map<string, Entity>, schema: Schema, base: EntityStore | undefined): void {
  for (const [key, action] of schema.actions) {
    if (read.has(key) || base?.find(key) !== undefined) continue;
    read.set(key, { uid: action.uid, attrs: noFields, tags: undefined, parents: action.ancestors });
  }
}

function givenActions(read: ReadonlyMap<string, Entity>): readonly Entity[] {
  const given: Entity[] = [];
  for (const entity of read.values()) if (isActionType(entity.uid.type)) given.push(entity);
  return given;
}

/** The groups that are given, and theirs as far as they are given too, must be all that the schema has. */
function checkGivenActions(schema: Schema, given: readonly Entity[]): void {
  if (given.length === 0) return;
  const store = new EntityStore(given);
  for (const { uid, attrs, tags } of given) {
    const counts = { attributes: Object.keys(attrs).length, tags: Object.keys(tags ?? noFields).length };
    checkAction(schema, { uid, ...counts, ancestors: store.ancestorsOf(uid.key) });
  }
}
