import type { AttributeTypeJson } from "@licet/cedar";
import type { Engine, EntityBase } from "./engine.ts";
import type { PolicyFinding } from "./lint-form.ts";
import type { Kind, SchemaKinds } from "./lint-types.ts";
import type { CedarEntity, PolicyRequest } from "./request.ts";

/** A request that lacks one thing, and what that is. */
export interface Omission {
  readonly without: string;
  readonly request: PolicyRequest;
}

const depthMax = 8;

/** What is left when an entity is gone or lacks something; `others` is the same list for all that is left out of one entity. */
interface Lack {
  readonly without: string;
  readonly others: readonly CedarEntity[];
  /** The entity with what it still has; undefined where the whole entity is gone. */
  readonly poorer?: CedarEntity;
}

/** Every request that is one entity, one tag, or one optional attribute at any depth, poorer. */
export function omissions(request: PolicyRequest, kinds: SchemaKinds): readonly Omission[] {
  const lacks = entityLacks(request, kinds).map(({ without, others, poorer }) => ({ without, request: { ...request, entities: poorer === undefined ? others : [...others, poorer] } }));
  return [...lacks, ...contextOmissions(request, kinds)];
}

function entityLacks({ entities }: PolicyRequest, kinds: SchemaKinds): readonly Lack[] {
  return entities.flatMap((entity) => {
    const others = entities.filter((each) => each !== entity);
    return [{ without: entityName(entity), others }, ...entityOmissions(entity, kinds).map(({ what, poorer }) => ({ without: what, others, poorer }))];
  });
}

function contextOmissions(request: PolicyRequest, kinds: SchemaKinds): readonly Omission[] {
  return recordOmissions(request.context, contextKind(request, kinds), { kinds, depth: 0 }).map(({ path, record }) => ({ without: `context.${path}`, request: { ...request, context: record } }));
}

function entityName({ uid }: CedarEntity): string {
  return `${uid.type}::${JSON.stringify(uid.id)}`;
}

function contextKind({ principal, action, resource }: PolicyRequest, kinds: SchemaKinds): Kind {
  const name = `${action.type}::${JSON.stringify(action.id)}`;
  return kinds.environments().find((each) => each.action === name && each.principal === principal.type && each.resource === resource.type)?.context ?? { kind: "other" };
}

function entityOmissions(entity: CedarEntity, kinds: SchemaKinds): readonly { readonly what: string; readonly poorer: CedarEntity }[] {
  const name = entityName(entity);
  const { tags } = entity;
  const attributes = recordOmissions(entity.attrs, kinds.attributes(entity.uid.type), { kinds, depth: 0 });
  const fewerTags = Object.keys(tags ?? {}).map((tag) => ({ what: `the tag \`${tag}\` of ${name}`, poorer: { ...entity, tags: without(tags ?? {}, tag) } }));
  return [...attributes.map(({ path, record }) => ({ what: `${name}.${path}`, poorer: { ...entity, attrs: record } })), ...fewerTags];
}

type Fields = Readonly<Record<string, unknown>>;

interface At {
  readonly kinds: SchemaKinds;
  readonly depth: number;
}

/** Only what the schema calls optional: without anything else the request is refused, which denies. */
function recordOmissions(record: Fields, kind: Kind, { kinds, depth }: At): readonly { readonly path: string; readonly record: Fields }[] {
  if (kind.kind !== "record" || depth > depthMax) return [];
  return Object.entries(record).flatMap(([name, value]) => {
    const type: AttributeTypeJson | undefined = Object.hasOwn(kind.attributes, name) ? kind.attributes[name] : undefined;
    const gone = type?.required === false ? [{ path: name, record: without(record, name) }] : [];
    const inside = isFields(value) ? recordOmissions(value, kinds.attribute(kind, name), { kinds, depth: depth + 1 }) : [];
    return [...gone, ...inside.map((each) => ({ path: `${name}.${each.path}`, record: { ...record, [name]: each.record } }))];
  });
}

function without(record: Fields, name: string): Fields {
  return Object.fromEntries(Object.entries(record).filter(([each]) => each !== name));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export interface NamedRequest {
  readonly name: string;
  readonly pack: string;
  readonly request: PolicyRequest;
}

/**
 * Leaves out one thing at a time and asks Cedar alone, which skips what errors: nothing that was denied may then be
 * allowed. Answers one finding for each flip.
 */
export function omissionTest(engine: Engine, requests: readonly NamedRequest[], kinds: SchemaKinds): readonly PolicyFinding[] {
  return requests.flatMap(({ name, pack, request }) => {
    // `demand` asks which requirements apply: more of them is the careful answer.
    if (request.action.id === "demand" || decisionOf(engine, request) === "allow") return [];
    return opened(engine, request, kinds).map((without) => flip({ name, pack, without, lost: lostForbids(engine, request) }));
  });
}

/** What has to be left out for the request to be allowed. What stays the same is read once, where the engine can do so. */
function opened(engine: Engine, request: PolicyRequest, kinds: SchemaKinds): readonly string[] {
  const bases = new Map<readonly CedarEntity[], EntityBase | undefined>();
  const baseOf = (entities: readonly CedarEntity[]) => {
    if (!bases.has(entities)) bases.set(entities, prepared(engine, entities));
    return bases.get(entities);
  };
  const asked = (without: Omission["request"], others: readonly CedarEntity[], own: readonly CedarEntity[]) => {
    const base = baseOf(others);
    return decisionOf(engine, { ...without, entities: base === undefined ? [...others, ...own] : own }, base) === "allow";
  };
  const lacking = entityLacks(request, kinds).filter(({ others, poorer }) => asked(request, others, poorer === undefined ? [] : [poorer]));
  const silent = contextOmissions(request, kinds).filter((each) => asked(each.request, request.entities, []));
  return [...lacking, ...silent].map(({ without }) => without);
}

/** Undefined where the engine prepares nothing, and where the entities do not fit the schema: the answer then says so. */
function prepared(engine: Engine, entities: readonly CedarEntity[]): EntityBase | undefined {
  try {
    return engine.entities?.(entities);
  } catch {
    return undefined;
  }
}

function decisionOf(engine: Engine, request: PolicyRequest, base?: EntityBase): "allow" | "deny" {
  try {
    return engine.answers(request, base).enforced.decision;
  } catch {
    return "deny";
  }
}

function lostForbids(engine: Engine, request: PolicyRequest): readonly string[] {
  try {
    return engine.answers(request).enforced.reasons;
  } catch {
    return [];
  }
}

interface Flip {
  readonly name: string;
  readonly pack: string;
  readonly without: string;
  readonly lost: readonly string[];
}

function flip({ name, pack, without, lost }: Flip): PolicyFinding {
  return {
    severity: "error",
    rule: "omission",
    policy: lost[0] ?? name,
    pack,
    place: without,
    why: `the scenario \`${name}\` is denied, and without ${without} it would be allowed`,
    fix: "write what must be there (`unless { x has y && … }`), never what must not be",
  };
}
