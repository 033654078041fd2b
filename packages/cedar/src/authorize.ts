import type { IndexedPolicy } from "./action-index.ts";
import type { EntityStore } from "./entities.ts";
import { EvaluationError } from "./errors.ts";
import type { PolicySet } from "./policy-set.ts";
import { Query } from "./query.ts";
import type { PreparedRequest } from "./request.ts";

/** A policy that could not be evaluated. The message holds no data of the request. */
export interface PolicyError {
  readonly policy: string;
  readonly message: string;
}

export interface Answer {
  readonly decision: "allow" | "deny";
  /** The policies that determined the decision: the forbids that hold, else the permits that hold; in the set's order. */
  readonly reasons: readonly string[];
  /** Policies that were skipped because their evaluation failed; in the set's order. A caller that must not fail open denies when there are any. */
  readonly errors: readonly PolicyError[];
}

/**
 * Decides a request as Cedar does: allowed when a permit holds and no forbid does.
 * A policy whose evaluation fails is skipped and named in `errors`. Never throws for what a request or an entity holds.
 *
 * ```ts
 * const { decision, reasons, errors } = authorize(policies, prepareRequest(request), entityStore(entities));
 * ```
 */
export function authorize(policies: PolicySet, request: PreparedRequest, entities: EntityStore): Answer {
  const query = new Query(request, entities);
  const found: Found = { permits: undefined, forbids: undefined, errors: undefined };
  policies.index.forAction(query).visit(query, found, evaluate);
  const { permits, forbids, errors } = found;
  return {
    decision: forbids === undefined && permits !== undefined ? "allow" : "deny",
    reasons: idsOf(inOrder(forbids ?? permits)),
    errors: inOrder(errors)?.map(({ id, message }) => ({ policy: id, message })) ?? noErrors,
  };
}

interface Positioned {
  readonly position: number;
}

interface Failed extends Positioned {
  readonly id: string;
  readonly message: string;
}

/** Lists are made when the first one comes: most decisions have no error, and many no forbid. */
interface Found {
  permits: IndexedPolicy[] | undefined;
  forbids: IndexedPolicy[] | undefined;
  errors: Failed[] | undefined;
}

const noReasons: readonly string[] = Object.freeze([]);
const noErrors: readonly PolicyError[] = Object.freeze([]);

function evaluate(policies: readonly IndexedPolicy[], query: Query, found: Found): void {
  for (const policy of policies) {
    try {
      if (!policy.matches(query)) continue;
      if (policy.forbids) (found.forbids ??= []).push(policy);
      else (found.permits ??= []).push(policy);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      (found.errors ??= []).push({ id: policy.id, position: policy.position, message: error.message });
    }
  }
}

function idsOf(policies: readonly IndexedPolicy[] | undefined): readonly string[] {
  if (policies === undefined) return noReasons;
  const ids: string[] = [];
  for (const { id } of policies) ids.push(id);
  return ids;
}

/** Of one bucket they are in order already, and most decisions come from one. */
function inOrder<Item extends Positioned>(items: Item[] | undefined): Item[] | undefined {
  if (items === undefined || isInOrder(items)) return items;
  return items.sort((left, right) => left.position - right.position);
}

function isInOrder(items: readonly Positioned[]): boolean {
  let last = -1;
  for (const { position } of items) {
    if (position < last) return false;
    last = position;
  }
  return true;
}
