import type { PolicyJson } from "@licet/cedar";

interface Owned {
  readonly id: string;
  /** Name of the pack that it comes from. */
  readonly pack: string;
  readonly json: PolicyJson;
}

/** Why a pack does not answer the decision API's questions about a namespace: somebody else's policy speaks there, or none of its own does. */
export type Unspoken = { readonly foreign: string } | { readonly silent: true };

/**
 * A pack reads requests for its own policies only: in another's namespace its mapping would let callers say what that
 * pack does not. Undefined where all is well.
 */
export function unspokenFor(pack: string, namespace: string, policies: readonly Owned[]): Unspoken | undefined {
  const action = JSON.stringify(`${namespace}::Action`);
  const there = policies.filter(({ json }) => JSON.stringify(json.action).includes(action));
  const foreign = there.find((policy) => policy.pack !== pack);
  if (foreign !== undefined) return { foreign: foreign.id };
  return there.length === 0 ? { silent: true } : undefined;
}
