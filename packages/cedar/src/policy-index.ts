import { ActionIndex, type IndexedPolicy } from "./action-index.ts";
import type { Policy } from "./policy.ts";
import type { Query, Test } from "./query.ts";
import { scopeTest } from "./scope.ts";

/** How many actions an index remembers; one request after the other may name another action that no policy knows. */
const rememberedActionsMax = 1_024;

interface Remembered {
  /** The set that was looked at: a store that many requests share gives it again. */
  readonly ancestors: ReadonlySet<string>;
  /** Those of them that policies name. */
  readonly named: ReadonlySet<string>;
  readonly index: ActionIndex;
}

const nothing: ReadonlySet<string> = new Set();

/** Finds the policies that can apply to a request: by its action, then by principal and resource (`ActionIndex`). */
export class PolicyIndex {
  readonly #policies: readonly IndexedPolicy[];
  /** Keys of every action and group that a policy names. */
  readonly #named: ReadonlySet<string>;
  /** By action; right for every store in which policies name the same ancestors of it. */
  readonly #remembered = new Map<string, Remembered>();
  /** By what of the action and its ancestors is named by policies. */
  readonly #byNames = new Map<string, ActionIndex>();

  constructor(policies: readonly Policy[]) {
    this.#policies = policies.flatMap((policy, position) => (policy.possible ? [indexed(policy, position)] : []));
    this.#named = new Set(policies.flatMap(({ action }) => actionKeys(action)));
  }

  forAction(query: Query): ActionIndex {
    const { key } = query.action;
    const ancestors = query.store.ancestorsOf(key);
    const known = this.#remembered.get(key);
    if (known !== undefined && (known.ancestors === ancestors || this.#sameNamed(known.named, ancestors))) return known.index;
    const index = this.#forNames(key, ancestors);
    if (this.#remembered.size >= rememberedActionsMax) this.#remembered.clear();
    const named = ancestors.size === 0 ? nothing : new Set([...ancestors].filter((name) => this.#named.has(name)));
    this.#remembered.set(key, { ancestors, named, index });
    return index;
  }

  #sameNamed(named: ReadonlySet<string>, ancestors: ReadonlySet<string>): boolean {
    let count = 0;
    for (const name of ancestors) {
      if (!this.#named.has(name)) continue;
      if (!named.has(name)) return false;
      count += 1;
    }
    return count === named.size;
  }

  #forNames(key: string, ancestors: ReadonlySet<string>): ActionIndex {
    const names = [key, ...ancestors].filter((name) => this.#named.has(name));
    // The action itself comes first where policies name it: `==` asks for it, and not for a group of the same name.
    const signature = JSON.stringify(this.#named.has(key) ? names : ["", ...names]);
    const known = this.#byNames.get(signature);
    if (known !== undefined) return known;
    const index = new ActionIndex(this.#policies.filter(({ policy }) => appliesTo(policy, key, names)));
    if (this.#byNames.size >= rememberedActionsMax) this.#byNames.clear();
    this.#byNames.set(signature, index);
    return index;
  }
}

function actionKeys(action: Policy["action"]): readonly string[] {
  if (action.kind === "equals") return [action.uid.key];
  return action.kind === "in" ? action.uids.map(({ key }) => key) : [];
}

/** `names` are the action and its ancestors, as far as policies name them. */
function appliesTo({ action }: Policy, key: string, names: readonly string[]): boolean {
  if (action.kind === "equals") return action.uid.key === key;
  return action.kind === "in" ? action.uids.some((uid) => names.includes(uid.key)) : true;
}

function indexed(policy: Policy, position: number): IndexedPolicy {
  return { policy, position, id: policy.id, forbids: policy.effect === "forbid", matches: matcher(policy) };
}

/** Scopes without the action's, then conditions: an error in a condition counts only where the scope fits. */
function matcher({ principal, resource, holds }: Policy): Test {
  const forPrincipal = scopeTest(principal, "principal");
  const forResource = scopeTest(resource, "resource");
  if (forPrincipal === undefined && forResource === undefined) return holds;
  if (forResource === undefined) return (query) => forPrincipal?.(query) === true && holds(query);
  if (forPrincipal === undefined) return (query) => forResource(query) && holds(query);
  return (query) => forPrincipal(query) && forResource(query) && holds(query);
}
