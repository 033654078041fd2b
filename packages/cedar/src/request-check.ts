import { CedarError } from "./errors.ts";
import type { Schema } from "./schema.ts";
import type { EntityUid } from "./values.ts";

/** Who asks to do what, on what. */
export interface RequestParties {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
}

/** Throws where the schema has no such action, or where it does not apply to this principal and resource. The context is checked as it is read. */
export function checkRequest(schema: Schema, { principal, action, resource }: RequestParties): void {
  checkEntityType(schema, principal, "principal");
  checkEntityType(schema, resource, "resource");
  const found = schema.actions.get(action.key);
  if (found === undefined) throw undeclaredAction(action);
  if (!found.principalTypes.has(principal.type)) throw refuse("principal", `\`${action.id}\` is not for principals of type \`${principal.type}\``);
  if (!found.resourceTypes.has(resource.type)) throw refuse("resource", `\`${action.id}\` is not for resources of type \`${resource.type}\``);
}

export function undeclaredAction(action: EntityUid): CedarError {
  return refuse("action", `the schema has no action \`${action.id}\` of type \`${action.type}\``);
}

function refuse(at: string, message: string): CedarError {
  return new CedarError("request_invalid", at, message);
}

function checkEntityType(schema: Schema, uid: EntityUid, at: string): void {
  const type = schema.entityTypes.get(uid.type);
  if (type === undefined) throw refuse(at, `the schema has no entity type \`${uid.type}\``);
  if (type.ids !== undefined && !type.ids.has(uid.id)) throw refuse(at, `\`${uid.type}\` has no entity \`${uid.id}\``);
}
