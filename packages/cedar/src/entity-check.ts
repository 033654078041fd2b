import { CedarError } from "./errors.ts";
import type { EntityTypeSchema, Schema } from "./schema.ts";
import type { EntityUid } from "./values.ts";

/** The type of an entity that is not an action; throws where the schema has none, or has not this one of its ids. */
export function entityTypeOf(schema: Schema, uid: EntityUid): EntityTypeSchema {
  const type = schema.entityTypes.get(uid.type);
  if (type === undefined) throw refuse(`the schema has no entity type \`${uid.type}\``);
  if (type.ids !== undefined && !type.ids.has(uid.id)) throw refuse(`\`${uid.type}\` has no entity \`${uid.id}\``);
  return type;
}

/** Throws where one of these parents is of a type that the schema does not allow here, or is not one of its ids. */
export function checkParents(schema: Schema, type: EntityTypeSchema, parents: readonly EntityUid[]): void {
  for (const parent of parents) {
    if (!type.parentTypes.has(parent.type)) throw refuse(`an entity of type \`${type.name}\` has no parents of type \`${parent.type}\``);
    entityTypeOf(schema, parent);
  }
}

/** What is given of an action must be what the schema says of it. `ancestors` are keys: direct groups and theirs. */
export interface GivenAction {
  readonly uid: EntityUid;
  readonly attributes: number;
  readonly tags: number;
  readonly ancestors: Iterable<string>;
}

export function checkAction(schema: Schema, { uid, attributes, tags, ancestors }: GivenAction): void {
  const action = schema.actions.get(uid.key);
  if (action === undefined) throw refuse(`the schema has no action \`${uid.id}\` of type \`${uid.type}\``);
  if (attributes > 0 || tags > 0) throw refuse("an action has neither attributes nor tags");
  const given = new Set(ancestors);
  const same = given.size === action.ancestors.length && action.ancestors.every(({ key }) => given.has(key));
  if (!same) throw refuse("the groups of the action are others in the schema: leave the action out, the schema adds it");
}

function refuse(message: string): CedarError {
  return new CedarError("entity_invalid", "", message);
}
