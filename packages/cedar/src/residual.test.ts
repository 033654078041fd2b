import { describe, expect, test } from "vitest";
import { entityStore } from "./entity-store.ts";
import { Random, randomPolicy, randomWorld, type World } from "./format-fixture.ts";
import type { PolicyJson } from "./json.ts";
import { compilePolicySet } from "./policy-set.ts";
import { complete, focusedPolicy, partialOf, permitWhen, randomGaps, smallWorld, statuses, type Gap, type Status } from "./residual-fixture.ts";
import { residual, type Residual } from "./residual.ts";

/** `LICET_CEDAR_ROUNDS=20` for a longer run. */
const rounds = Number(process.env["LICET_CEDAR_ROUNDS"] ?? 1);

interface Trial {
  readonly policies: ReadonlyMap<string, PolicyJson>;
  readonly world: World;
  readonly gaps: readonly Gap[];
  readonly random: Random;
}

function trial(seed: number): Trial {
  const random = new Random(seed);
  // With as many forbids as permits nearly every request would be denied for sure.
  const permitting = (policy: PolicyJson): PolicyJson => (random.chance(0.6) ? { ...policy, effect: "permit" } : policy);
  const policies = new Map(random.times(8, () => permitting(randomPolicy(random, 4))).map((policy, index) => [`p${index}`, policy]));
  const world = randomWorld(random);
  return { policies, world, gaps: randomGaps(random, world), random };
}

/** Small policies about the very places that are unknown. */
function focusedTrial(seed: number): Trial {
  const random = new Random(seed);
  const world = smallWorld(random);
  const gaps = randomGaps(random, world);
  return { policies: new Map(random.times(10, () => focusedPolicy(random, gaps, world)).map((policy, index) => [`p${index}`, policy])), world, gaps, random };
}

function residualOf({ policies, world, gaps }: Trial, onError: "skip" | "deny"): Residual {
  return residual(compilePolicySet({ staticPolicies: Object.fromEntries(policies) }), { ...partialOf(world, gaps), onError }, entityStore(world.entities));
}

function decisionOf(policies: ReadonlyMap<string, PolicyJson>, found: ReadonlyMap<string, Status>): "allow" | "deny" {
  const satisfied = (effect: string) => [...policies].some(([id, policy]) => policy.effect === effect && found.get(id) === "satisfied");
  return satisfied("permit") && !satisfied("forbid") ? "allow" : "deny";
}

/** The policies that are left, and what their residuals say is still needed, each as a policy of its own. */
function questions(left: Residual): ReadonlyMap<string, PolicyJson> {
  const policies = [...left.permits, ...left.forbids].map(({ id, json }) => [`left ${id}`, json] as const);
  const failing = left.errors.map(({ policy, json }) => [`left ${policy}`, json] as const);
  const needed = left.wouldAllowIf.map(({ expr }, index) => [`need ${index}`, permitWhen(expr)] as const);
  return new Map([...policies, ...failing, ...needed]);
}

interface Outcome {
  /** By policy: how it fares, and how its residual does. */
  readonly policies: readonly (readonly [string, Status | undefined, Status | undefined])[];
  readonly erredAgainstPromise: readonly string[];
  readonly decision: "allow" | "deny";
  readonly decisionWhereErrorsDeny: "allow" | "deny";
  readonly needsMet: boolean;
}

function outcome({ policies }: Trial, world: World, left: Residual): Outcome {
  const asked = questions(left);
  const found = statuses(new Map([...policies, ...asked]), world);
  const decision = decisionOf(policies, found);
  const erred = [...policies.keys()].some((id) => found.get(id) === "error");
  return {
    policies: [...policies.keys()].map((id) => [id, found.get(id), asked.has(`left ${id}`) ? found.get(`left ${id}`) : "unsatisfied"] as const),
    erredAgainstPromise: [...left.permits, ...left.forbids].filter(({ id, canError }) => !canError && found.get(id) === "error").map(({ id }) => id),
    decision,
    decisionWhereErrorsDeny: erred ? "deny" : decision,
    needsMet: left.wouldAllowIf.every((_, index) => found.get(`need ${index}`) === "satisfied"),
  };
}

interface Completion {
  readonly seed: string;
  readonly left: Residual;
  readonly outcome: Outcome;
}

function* completions(onError: "skip" | "deny"): Generator<Completion> {
  const trials = [trial, focusedTrial].flatMap((make) => Array.from({ length: (make === trial ? 8 : 100) * (onError === "skip" ? 1 : 0.5) * rounds }, (_, seed) => ({ seed: `${make.name} ${seed}`, given: make(seed) })));
  for (const { seed, given } of trials) {
    const left = residualOf(given, onError);
    for (let round = 0; round < 2; round++) yield { seed, left, outcome: outcome(given, complete(given.world, given.gaps, given.random), left) };
  }
}

describe("in every completion of random unknowns, by cedar-wasm", () => {
  const all = [...completions("skip")];

  test("what is left of a policy holds, errs and fails exactly where the policy does", () => {
    for (const { seed, outcome: { policies } } of all) {
      expect([seed, policies.filter(([, whole, rest]) => whole !== rest)]).toEqual([seed, []]);
    }
  });

  test("a policy errs only where its residual says that it may", () => {
    for (const { seed, outcome: { erredAgainstPromise } } of all) expect([seed, erredAgainstPromise]).toEqual([seed, []]);
  });

  test("the decision is the residual's, unless that depends", () => {
    const decided = all.filter(({ left }) => left.decision !== "depends");
    for (const { seed, left, outcome: { decision } } of decided) expect([seed, decision]).toEqual([seed, left.decision]);
    expect(decided.length).toBeGreaterThan(10);
    expect(all.length - decided.length).toBeGreaterThan(10);
  });

  test("it is allow where all that is needed holds", () => {
    const met = all.filter(({ outcome: { needsMet } }) => needsMet);
    for (const { seed, outcome: { decision } } of met) expect([seed, decision]).toEqual([seed, "allow"]);
    expect(met.filter(({ left }) => left.decision === "depends").length).toBeGreaterThan(0);
  });

  test("the same holds where any error denies", () => {
    for (const { seed, left, outcome: { decisionWhereErrorsDeny: decision, needsMet } } of completions("deny")) {
      const expected = needsMet ? "allow" : left.decision === "depends" ? decision : left.decision;
      expect([seed, decision]).toEqual([seed, expected]);
    }
  });
});
