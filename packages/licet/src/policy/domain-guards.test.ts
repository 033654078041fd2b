import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { builtinBundle, builtinSource } from "./builtin.ts";
import { packOf, uncheckedBundle } from "./bundle-fixture.ts";
import { composeBundle } from "./compose.ts";
import { createDecider, deciderOn } from "./decide.ts";
import { cedarEngine } from "./engine.ts";
import { SchemaKinds } from "./lint-types.ts";
import { omissions, omissionTest } from "./omission.ts";
import { readScenarios } from "./scenario.ts";
import { wasmEngine } from "./wasm-engine.ts";

const source = builtinSource();
const bundle = builtinBundle();
const kinds = new SchemaKinds(bundle.schemaJson);
const engine = cedarEngine(bundle);
const scenarios = source.builtin
  .filter(({ manifest }) => manifest.enabled !== false)
  .flatMap((pack) => pack.scenarios.flatMap(({ path, text }) => readScenarios(text, `${pack.name}/${path}`)).map((scenario) => ({ pack: pack.name, ...scenario })));

/** The same rules written the way that fails open: "forbid when it is so" finds nothing where what it asks is missing. */
const naive = `
@id("naive.run") permit (principal is Licet::Workload, action in Licet::Action::"runtime", resource);
@id("naive.held") forbid (principal, action in Licet::Action::"runtime", resource) when { principal has held && principal.held };
@id("naive.ato") forbid (principal, action in Licet::Action::"runtime", resource) when { principal has ato && principal.ato.state != "granted" };
@id("naive.boundary") forbid (principal, action in Licet::Action::"runtime", resource) when { principal has boundary && !principal.boundary.containsAll(context.dataClasses) };
@id("naive.quarantined") forbid (principal, action == Licet::Action::"callTool", resource) when { resource has quarantined && resource.quarantined };
@id("naive.definition") forbid (principal, action == Licet::Action::"callTool", resource) when { resource has definition && context has definition && resource.definition != context.definition };
@id("naive.server") forbid (principal, action == Licet::Action::"callTool", resource) when { resource has server && resource.server has verified && !resource.server.verified };
@id("naive.export") forbid (principal, action == Licet::Action::"exportData", resource) when { resource has region && principal has regions && !principal.regions.contains(resource.region) };
@id("naive.revoked") forbid (principal, action == Licet::Action::"useCredential", resource) when { resource has revoked && resource.revoked };
@id("naive.act") permit (principal is Licet::Person, action in Licet::Action::"act", resource);
@id("naive.author") forbid (principal, action == Licet::Action::"approve", resource) when { resource has authors && resource.authors.contains(principal) };
@id("naive.leaver") forbid (principal, action in Licet::Action::"act", resource) when { principal has active && !principal.active };
@id("naive.elevation") forbid (principal, action == Licet::Action::"elevate", resource) when { resource has approvedBy && resource.approvedBy == principal };
@id("naive.waiver") forbid (principal, action == Licet::Action::"grantWaiver", resource) when { resource has asked && resource.asked == principal };
`;

describe("leaving something out", () => {
  test("never turns a refusal of any scenario into leave, by Cedar alone", () => {
    expect(omissionTest(engine, scenarios, kinds)).toEqual([]);
  });

  test("never makes a policy err: a forbid that errs would be skipped", () => {
    let asked = 0;
    const erring = new Set<string>();
    for (const { request } of scenarios) {
      for (const { request: poorer } of [{ request }, ...omissions(request, kinds)]) {
        asked++;
        for (const { policy } of engine.answers(poorer).enforced.errors) erring.add(policy);
      }
    }
    expect([...erring]).toEqual([]);
    expect(asked).toBeGreaterThan(5000);
  });

  test("several things at once do not either", () => {
    const denied = scenarios.filter(({ expect: expected }) => expected.decision === "deny").map(({ request }) => request);
    const decider = createDecider(bundle);
    fc.assert(
      fc.property(fc.constantFrom(...denied), fc.array(fc.nat(500), { minLength: 2, maxLength: 4 }), (start, picks) => {
        let at = start;
        for (const pick of picks) {
          const choices = omissions(at, kinds);
          at = choices[pick % Math.max(choices.length, 1)]?.request ?? at;
        }
        expect(decider.decide(at).decision).toBe("deny");
      }),
      { numRuns: 400 },
    );
  });

  test("does so for each of the same rules written the naive way, with valid guards and all, so the tests above can fail", () => {
    const wrong = uncheckedBundle({ schema: bundle.schema, texts: [naive] });
    const found = new Set(omissionTest(cedarEngine(wrong), scenarios, kinds).map(({ policy }) => policy));
    const rules = wrong.policies.filter(({ effect }) => effect === "forbid").map(({ id }) => id);
    expect(rules.filter((id) => !found.has(id))).toEqual([]);
  });

  test("keeps the naive rules from being published", () => {
    const scenario = `v: 1
fixtures:
  call:
    principal: Licet::Workload::"w"
    action: Licet::Action::"callModel"
    resource: Licet::Model::"m"
    context: {now: "2026-11-20T17:00:00Z", release: r, dataClasses: []}
    entities: [{uid: 'Licet::Workload::"w"', attrs: {system: s, environment: e, stage: pilot, release: r, tier: minimal, held: true}}]
scenarios:
  - {name: a held system is stopped, base: call, expect: {decision: deny, reasons: [naive.held]}}
`;
    const pack = packOf({ name: "naive", kind: "baseline" }, naive, { scenarios: scenario });
    expect(() => composeBundle({ schema: source.schema, builtin: [], packs: [pack] })).toThrow(/naive\.held[\s\S]*would be allowed/u);
  });
});

describe("numbers, times and texts that try to slip through", () => {
  const byName = (name: string) => scenarios.find((each) => each.name === name)?.request;
  const judge = deciderOn(bundle, wasmEngine(bundle));
  const decider = createDecider(bundle);

  test.each<[string, string, Record<string, unknown>]>([
    ["a payment of 2^53 + 1", "a payment below the threshold needs nobody", { valueMicros: 2 ** 53 + 2 }],
    ["a payment of half a unit", "a payment below the threshold needs nobody", { valueMicros: 0.5 }],
    ["a depth that is no number", "a payment below the threshold needs nobody", { depth: "0" }],
    ["a time without a zone", "internal data go to a declared destination", { now: "2026-11-20T17:00:00" }],
    ["a time that does not exist", "internal data go to a declared destination", { now: "2026-13-20T17:00:00Z" }],
    ["a time long ago", "internal data go to a declared destination", { now: "0001-01-01T00:00:00Z" }],
    ["a time at the end of all times", "internal data go to a declared destination", { now: "9999-12-31T23:59:59Z" }],
    ["a class in other letters", "internal data go to a declared destination", { dataClasses: ["Internal"] }],
    ["a class with a zero-width space", "internal data go to a declared destination", { dataClasses: ["internal\u200b"] }],
    ["a context with one fact too many", "internal data go to a declared destination", { trusted: true }],
  ])("%s is refused, by both evaluators alike", (_, name, change) => {
    const request = byName(name);
    if (request === undefined) throw new Error(`there is no scenario "${name}"`);
    expect(decider.decide(request).decision).toBe("allow");
    const changed = { ...request, context: { ...request.context, ...change } };
    expect(decider.decide(changed).decision).toBe("deny");
    expect(judge.decide(changed).decision).toBe("deny");
  });
});
