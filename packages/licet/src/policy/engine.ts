import { authorize, compilePolicySet, compileSchema, entityStore, prepareRequest, residual, CedarError, type Answer, type EntityJson, type EntityStore, type Residual } from "@licet/cedar";
import type { Bundle } from "./bundle-form.ts";
import { advisorySet, enforcedSet } from "./requirement.ts";
import type { CedarEntity, PolicyRequest } from "./request.ts";
import { cedarRecord } from "./value.ts";

/** Entities that many requests share, prepared once; see `Decider.entities`. */
export interface EntityBase {
  readonly entities: readonly CedarEntity[];
  readonly store: EntityStore;
}

export interface Answers {
  readonly enforced: Answer;
  /** Of the policies in mode warn and shadow; undefined where the bundle has none. */
  readonly advisory: Answer | undefined;
}

/** Raised by an engine for a request that does not fit the schema. */
export class RequestRefused extends Error {
  override readonly name = "RequestRefused";
}

/** Evaluates the two policy sets of a bundle: by `@licet/cedar`, or by cedar-wasm where that has to be asked. */
export interface Engine {
  /** An entity of the request hides one of `base`. Throws `RequestRefused`, and anything else where the engine itself fails. */
  answers(request: PolicyRequest, base?: EntityBase): Answers;
  /** Prepares entities that many requests share, where the engine can. Throws `RequestRefused` where one does not fit the schema. */
  entities?(entities: readonly CedarEntity[]): EntityBase;
}

export function cedarEntity({ uid, attrs, parents, tags }: CedarEntity): EntityJson {
  return { uid: { type: uid.type, id: uid.id }, attrs: cedarRecord(attrs), parents: parents.map(({ type, id }) => ({ type, id })), ...(tags !== undefined && { tags: cedarRecord(tags) }) };
}

export interface CedarEngine extends Engine {
  /** Throws `RequestRefused` where an entity does not fit the schema. */
  entities(entities: readonly CedarEntity[]): EntityBase;
  /** What still has to hold, with what is named in `unknown` left open; throws as `answers` does. */
  residual(request: PolicyRequest, unknown: readonly string[], base?: EntityBase): Residual;
}

/** Throws a `CedarError` where the bundle's policies or schema are none; conditions that are compiled `lazily` fail their decision instead, which denies. */
export function cedarEngine({ schemaJson, policies }: Pick<Bundle, "schemaJson" | "policies">, { lazily = false }: { readonly lazily?: boolean } = {}): CedarEngine {
  const schema = compileSchema(schemaJson);
  const enforced = compilePolicySet(enforcedSet(policies), { lazily });
  const advisory = policies.some(({ mode }) => mode !== "enforce") ? compilePolicySet(advisorySet(policies), { lazily }) : undefined;
  // The schema's actions stand in every store: below each request's own they are made once.
  const actions = entityStore([], { schema });
  const store = (given: readonly CedarEntity[], base?: EntityBase) => refusing(() => entityStore(given.map(cedarEntity), { schema, base: base?.store ?? actions }));
  return {
    entities: (entities) => ({ entities, store: store(entities) }),
    residual({ principal, action, resource, context, entities }, unknown, base) {
      const partial = { principal, action, resource, context: cedarRecord(context), unknown, onError: "deny", validated: true, schema } as const;
      return refusing(() => residual(enforced, partial, store(entities, base)));
    },
    answers(request, base) {
      const { principal, action, resource } = request;
      const prepared = refusing(() => prepareRequest({ principal, action, resource, context: cedarRecord(request.context) }, { schema }));
      const known = base !== undefined && request.entities.length === 0 ? base.store : store(request.entities, base);
      return { enforced: authorize(enforced, prepared, known), advisory: advisory && authorize(advisory, prepared, known) };
    },
  };
}

function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof CedarError) throw new RequestRefused(error.message);
    throw error;
  }
}

/** The request with the entities of its base, of which its own hide others. */
export function wholeRequest(request: PolicyRequest, base: EntityBase | undefined): PolicyRequest {
  if (base === undefined || base.entities.length === 0) return request;
  const own = new Set(request.entities.map(({ uid }) => `${uid.type}\0${uid.id}`));
  return { ...request, entities: [...base.entities.filter(({ uid }) => !own.has(`${uid.type}\0${uid.id}`)), ...request.entities] };
}
