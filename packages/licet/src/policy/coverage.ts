import { actionGroups, actionKey, actionScope, inScope, type ActionGroups } from "./action-scope.ts";
import type { Bundle, BundlePolicy } from "./bundle-form.ts";
import type { ScenarioResult } from "./scenario.ts";

export interface PolicyCoverage {
  readonly policy: string;
  /** Scenarios in which it determined the decision, or would have in mode warn or shadow. */
  readonly fired: number;
  /** Scenarios of its actions in which it did not. */
  readonly passed: number;
  readonly covered: boolean;
}

export interface PackCoverage {
  readonly pack: string;
  readonly policies: readonly PolicyCoverage[];
  readonly covered: number;
}

/**
 * Which policies the scenarios determine. A forbid is covered when it fired in one scenario and, in another that its
 * actions are about, did not; a permit when it allowed one. Scenarios that errored count for nothing.
 */
export function coverage(bundle: Pick<Bundle, "policies" | "schemaJson">, results: readonly ScenarioResult[]): readonly PackCoverage[] {
  const tally = tallied(results, actionGroups(bundle.schemaJson));
  const packs = new Map<string, PolicyCoverage[]>();
  for (const policy of bundle.policies) {
    const list = packs.get(policy.pack) ?? [];
    list.push(policyCoverage(policy, tally));
    packs.set(policy.pack, list);
  }
  return [...packs].map(([pack, policies]) => ({ pack, policies, covered: policies.filter((each) => each.covered).length }));
}

/** The ids of `BundlePack.covered`. */
export function coveredIds(packs: readonly PackCoverage[]): readonly string[] {
  return packs.flatMap(({ policies }) => policies.filter((each) => each.covered).map(({ policy }) => policy));
}

/** Everything is counted once, so that a thousand policies over a thousand scenarios cost no million questions. */
interface Tally {
  readonly fired: ReadonlyMap<string, number>;
  /** How many scenarios ask for each action, by that action and the groups that it is in. */
  readonly actions: readonly { readonly asked: string; readonly groups: ReadonlySet<string>; readonly count: number; readonly fired: ReadonlyMap<string, number> }[];
}

function tallied(results: readonly ScenarioResult[], above: ActionGroups): Tally {
  const fired = new Map<string, number>();
  const actions = new Map<string, { asked: string; groups: ReadonlySet<string>; count: number; fired: Map<string, number> }>();
  for (const { came, scenario } of results) {
    if (came.errors.length > 0) continue;
    const asked = actionKey(scenario.request.action);
    const action = actions.get(asked) ?? { asked, groups: above.get(asked) ?? new Set([asked]), count: 0, fired: new Map<string, number>() };
    actions.set(asked, action);
    action.count++;
    for (const id of new Set([...came.reasons, ...came.warnings, ...came.shadowed])) {
      fired.set(id, (fired.get(id) ?? 0) + 1);
      action.fired.set(id, (action.fired.get(id) ?? 0) + 1);
    }
  }
  return { fired, actions: [...actions.values()] };
}

function policyCoverage(policy: BundlePolicy, tally: Tally): PolicyCoverage {
  const scope = actionScope(policy.json);
  const fired = tally.fired.get(policy.id) ?? 0;
  const passed = tally.actions.filter(({ asked, groups }) => inScope(scope, asked, groups)).reduce((sum, action) => sum + action.count - (action.fired.get(policy.id) ?? 0), 0);
  return { policy: policy.id, fired, passed, covered: fired > 0 && (policy.effect === "permit" || passed > 0) };
}
