import type { Policy } from "./policy.ts";
import type { Query } from "./query.ts";
import type { Scope } from "./scope.ts";
import type { EntityUid } from "./values.ts";

/** A policy with what deciding needs at hand. */
export interface IndexedPolicy {
  readonly policy: Policy;
  /** In the set; answers name policies in this order. */
  readonly position: number;
  readonly id: string;
  readonly forbids: boolean;
  readonly matches: (query: Query) => boolean;
}

type Buckets = Map<string, IndexedPolicy[]>;

type Visit<Into> = (policies: readonly IndexedPolicy[], query: Query, into: Into) => void;

/**
 * The policies of one action, each in one bucket: by the entity or else by the type that its scope names, of principal or resource.
 * So a request looks at the policies that can apply, however many there are.
 */
export class ActionIndex {
  readonly #anywhere: IndexedPolicy[] = [];
  readonly #byPrincipal: Buckets = new Map();
  readonly #byResource: Buckets = new Map();
  readonly #byPrincipalType: Buckets = new Map();
  readonly #byResourceType: Buckets = new Map();

  constructor(policies: readonly IndexedPolicy[]) {
    const crowds = crowdsOf(policies);
    for (const indexed of policies) this.#bucketOf(indexed.policy, crowds).push(indexed);
  }

  /** Visits the buckets that the request's entities and their ancestors lead to. */
  visit<Into>(query: Query, into: Into, visit: Visit<Into>): void {
    if (this.#anywhere.length > 0) visit(this.#anywhere, query, into);
    if (this.#byPrincipal.size > 0) visitKeys(this.#byPrincipal, query.principal, { query, into, visit });
    if (this.#byResource.size > 0) visitKeys(this.#byResource, query.resource, { query, into, visit });
    const ofPrincipalType = this.#byPrincipalType.get(query.principal.type);
    if (ofPrincipalType !== undefined) visit(ofPrincipalType, query, into);
    const ofResourceType = this.#byResourceType.get(query.resource.type);
    if (ofResourceType !== undefined) visit(ofResourceType, query, into);
  }

  #bucketOf({ principal, resource }: Policy, crowds: Crowds): IndexedPolicy[] {
    const who = keyOf(principal);
    const what = keyOf(resource);
    if (who !== undefined && (what === undefined || crowd(crowds.principals, who) <= crowd(crowds.resources, what))) return bucket(this.#byPrincipal, who);
    if (what !== undefined) return bucket(this.#byResource, what);
    const whoType = typeOf(principal);
    const whatType = typeOf(resource);
    if (whoType !== undefined && (whatType === undefined || crowd(crowds.principals, whoType) <= crowd(crowds.resources, whatType))) {
      return bucket(this.#byPrincipalType, whoType);
    }
    return whatType === undefined ? this.#anywhere : bucket(this.#byResourceType, whatType);
  }
}

/** The entity that the request's must be or be below. */
function keyOf(scope: Scope): string | undefined {
  if (scope.kind === "equals") return scope.uid.key;
  if (scope.kind === "in") return scope.uids.length === 1 ? scope.uids[0]?.key : undefined;
  return scope.kind === "is" ? scope.container?.key : undefined;
}

function typeOf(scope: Scope): string | undefined {
  return scope.kind === "is" ? scope.type : undefined;
}

/** How many policies name an entity or a type: of two that a policy names, the one with fewer policies tells more. */
interface Crowds {
  readonly principals: ReadonlyMap<string, number>;
  readonly resources: ReadonlyMap<string, number>;
}

function crowdsOf(policies: readonly IndexedPolicy[]): Crowds {
  const principals = new Map<string, number>();
  const resources = new Map<string, number>();
  for (const { policy } of policies) {
    countScope(principals, policy.principal);
    countScope(resources, policy.resource);
  }
  return { principals, resources };
}

function countScope(crowds: Map<string, number>, scope: Scope): void {
  const name = keyOf(scope) ?? typeOf(scope);
  if (name !== undefined) crowds.set(name, crowd(crowds, name) + 1);
}

function crowd(crowds: ReadonlyMap<string, number>, name: string): number {
  return crowds.get(name) ?? 0;
}

function bucket(buckets: Buckets, name: string): IndexedPolicy[] {
  let found = buckets.get(name);
  if (found === undefined) {
    found = [];
    buckets.set(name, found);
  }
  return found;
}

interface Visiting<Into> {
  readonly query: Query;
  readonly into: Into;
  readonly visit: Visit<Into>;
}

/** An entity is its own first ancestor here; no policy is in two buckets, and no ancestor comes twice. */
function visitKeys<Into>(buckets: Buckets, uid: EntityUid, { query, into, visit }: Visiting<Into>): void {
  const own = buckets.get(uid.key);
  if (own !== undefined) visit(own, query, into);
  for (const key of query.store.ancestorsOf(uid.key)) {
    const above = buckets.get(key);
    if (above !== undefined) visit(above, query, into);
  }
}
