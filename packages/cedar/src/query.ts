import type { EntityStore } from "./entities.ts";
import { failType } from "./errors.ts";
import type { PreparedRequest } from "./request.ts";
import { EntityUid, SetValue, type ReadonlyFields, type RecordValue, type Value } from "./values.ts";

/** One request over one store: what compiled policies run on. The entities that conditions ask for most are looked up once. */
export class Query {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly context: RecordValue;
  readonly store: EntityStore;
  /** Of principal, resource and context, in this order; undefined for an entity that is not in the store. */
  readonly fields: readonly [ReadonlyFields | undefined, ReadonlyFields | undefined, ReadonlyFields];

  constructor(request: PreparedRequest, store: EntityStore) {
    this.principal = request.principal;
    this.action = request.action;
    this.resource = request.resource;
    this.context = request.context;
    this.store = store;
    this.fields = [store.find(request.principal.key)?.attrs, store.find(request.resource.key)?.attrs, request.context.fields];
  }
}

/** A compiled expression that can only be true or false. Throws as `Evaluate`. */
export type Test = (query: Query) => boolean;

/** What a compiled expression is at run time. Throws an `EvaluationError` where Cedar errs. */
export type Evaluate = (query: Query) => Value;

/** Cedar's `in`: below an entity, or below any member of a set that holds nothing but entities. */
export function isIn(query: Query, left: Value, right: Value): boolean {
  if (!(left instanceof EntityUid)) return failType("entity");
  if (right instanceof EntityUid) return query.store.isIn(left, right);
  if (!(right instanceof SetValue)) return failType("set or entity");
  if (!right.onlyEntities) return failType("entity");
  if (right.objects.size === 0) return false;
  if (right.objects.has(left.key)) return true;
  return sharesKey(query.store.ancestorsOf(left.key), right.objects);
}

/** Goes through the smaller side. */
function sharesKey(ancestors: ReadonlySet<string>, members: ReadonlyMap<string, unknown>): boolean {
  if (ancestors.size < members.size) {
    for (const key of ancestors) if (members.has(key)) return true;
  } else {
    for (const key of members.keys()) if (ancestors.has(key)) return true;
  }
  return false;
}
