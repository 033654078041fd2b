import { LicetError, PackAuthzen } from "@licet/contract";
import { beforeAll, describe, expect, test } from "vitest";
import { builtinBundle, builtinSource } from "./builtin.ts";
import { packOf, withPolicy } from "./bundle-fixture.ts";
import { bundleJson, readBundle } from "./bundle-read.ts";
import { composeInWorker } from "./compile.ts";
import { composeBundle, type Composed } from "./compose.ts";
import { createDecider, deciderOn } from "./decide.ts";
import type { PackSource } from "./pack.ts";
import { digestOf } from "@licet/evidence";
import { canonicalOutcome } from "./scenario-outcome.ts";
import { workloadRequest } from "./request-fixture.ts";
import { wasmEngine } from "./wasm-engine.ts";

const bundle = builtinBundle();
const source = builtinSource();

/** The installation's schema with one small permit: what is asked of a pack does not depend on all the others. */
const small = { schema: source.schema, builtin: [packOf({ name: "small", kind: "builtin" }, `@id("small.call") permit (principal is Licet::Workload, action in Licet::Action::"runtime", resource is Licet::Model);`)] };

function outcome(...packs: readonly PackSource[]): string {
  try {
    composeBundle({ ...small, packs });
    return "composed";
  } catch (error) {
    return error instanceof LicetError ? error.code : String(error);
  }
}
const baseline = (text: string) => packOf({ name: "base", kind: "baseline" }, text);
const team = (text: string) => packOf({ name: "team", kind: "team", systems: ["helpdesk"] }, text);
const annotated = `@id("base.x") @requirement("r") @remedy("m") @turn("t")`;

describe("the built-in bundle", () => {
  test("names a requirement's remedy, turn, control and severity for every forbid", () => {
    const forbids = bundle.policies.filter((policy) => policy.effect === "forbid");
    expect(forbids.length).toBeGreaterThan(30);
    for (const { id, annotations } of forbids) {
      expect({ id, lacking: ["requirement", "remedy", "turn", "control", "severity"].filter((name) => (annotations[name] ?? "") === "") }).toEqual({ id, lacking: [] });
    }
  });

  test("survives the record: read back from JSON it is the same bundle, and a changed one is refused", () => {
    const json = bundleJson(bundle);
    expect(readBundle(json, bundle.digest)).toEqual(bundle);
    expect(readBundle(JSON.stringify(JSON.parse(json), null, 1), bundle.digest)).toEqual(bundle);
    expect(() => readBundle(json.replace("runtime.held", "runtime.other"), bundle.digest)).toThrow(LicetError);
    expect(() => readBundle("{}", bundle.digest)).toThrow(LicetError);
    expect(() => readBundle("not json", bundle.digest)).toThrow(LicetError);
  });

  test("decides one request the same way freshly compiled, read from the record, and by cedar-wasm", async () => {
    const requests = [workloadRequest(), workloadRequest({ held: true }), workloadRequest({ ato: null }), workloadRequest({ region: "us" }), workloadRequest({ action: "deleteAll" }), ...bundle.golden.slice(0, 50).map((each) => each.request)];
    const { bundle: fresh } = composeBundle({ ...source, packs: [] });
    const deciders = [createDecider(bundle), createDecider(fresh), createDecider(readBundle(bundleJson(bundle), bundle.digest)), deciderOn(bundle, wasmEngine(bundle))];
    for (const request of requests) {
      const lines = deciders.map((decider) => canonicalOutcome(decider.decide(request)));
      expect(new Set(lines).size).toBe(1);
    }
    expect(fresh.digest).toBe(bundle.digest);
  }, 60_000);

  test("of an older data directory, without golden decisions, is read and decides as it did", () => {
    const content = { v: 1, schema: bundle.schema, policies: bundle.policies.map(({ id, effect, text, annotations }) => ({ id, effect, text, annotations })) };
    const old = readBundle(JSON.stringify(content), digestOf(content));
    expect(old.digest).toBe(digestOf(content));
    expect(canonicalOutcome(createDecider(old).decide(workloadRequest({ held: true })))).toBe(canonicalOutcome(createDecider(bundle).decide(workloadRequest({ held: true }))));
  });
});

describe("an explanation", () => {
  test("says of each policy in the way what would meet it, and nothing where all is met", () => {
    const decider = createDecider(bundle);
    expect(decider.explain(workloadRequest({ held: true }))).toMatchObject({ decision: "deny", wouldAllowIf: [{ policies: ["runtime.held"], text: "principal.held == false" }] });
    expect(decider.explain(workloadRequest())).toEqual({ decision: "allow", wouldAllowIf: [] });
    expect(decider.explain(workloadRequest(), { unknown: ["principal.held"] })).toMatchObject({ decision: "depends", wouldAllowIf: [{ policies: ["runtime.held"] }] });
    expect(decider.explain(workloadRequest({ action: "deleteAll" }), { unknown: ["nonsense"] })).toBeUndefined();
  });
});

describe("a pack is refused", () => {
  test.each([
    ["with a syntax error", `${annotated} forbid (principal, action, resource`, "policy_invalid"],
    ["with an attribute that the schema does not know", `${annotated} forbid (principal is Licet::Workload, action, resource) when { principal.nonsense == "x" };`, "policy_invalid"],
    ["with an unguarded optional attribute", `${annotated} forbid (principal is Licet::Workload, action, resource) when { principal.held };`, "policy_invalid"],
    ["with a policy that can never apply", `${annotated} forbid (principal is Licet::Model, action == Licet::Action::"callModel", resource);`, "policy_invalid"],
    ["with a template", `@id("base.x") forbid (principal == ?principal, action, resource);`, "policy_invalid"],
    ["without an id", `forbid (principal, action, resource);`, "policy_annotation"],
    ["with a requirement that names no remedy", `@id("base.x") @requirement("r") @turn("t") forbid (principal, action, resource);`, "policy_annotation"],
    ["with the same id twice", `@id("base.x") forbid (principal, action, resource); @id("base.x") forbid (principal, action, resource);`, "policy_annotation"],
    ["with an id that is not its own", `@id("small.call") forbid (principal, action, resource);`, "policy_annotation"],
    ["with an unknown mode", `@id("base.x") @mode("off") forbid (principal, action, resource);`, "policy_annotation"],
    ["with an obligation that nobody can read", `@id("base.x") @obligation("{type: dance}") forbid (principal, action, resource);`, "policy_obligation"],
    ["with a permit that is tried out", `@id("base.x") @mode("shadow") permit (principal, action == Licet::Action::"callModel", resource);`, "policy_annotation"],
    ["with a permit of whatever there is", `@id("base.x") permit (principal, action, resource);`, "policy_pack_rule"],
    ["with brackets that would overflow the parser", `@id("base.x") forbid (principal, action, resource) when { ${"(".repeat(500)}true${")".repeat(500)} };`, "policy_too_deep"],
    ["with a chain that would overflow the parser", `@id("base.x") forbid (principal, action, resource) when { ${Array(1000).fill("true").join(" || ")} };`, "policy_too_deep"],
    ["with negations that would overflow the parser", `@id("base.x") forbid (principal, action, resource) when { ${"!".repeat(500)}true };`, "policy_too_deep"],
    ["with a chain behind a quote in a comment", `// "\n@id("base.x") forbid (principal, action, resource) when { ${Array(1000).fill("true").join(" || ")} }; // "`, "policy_too_deep"],
    ["with more text than the bound", `// ${"x".repeat(300_000)}`, "policy_too_deep"],
  ])("%s", (_, text, code) => {
    expect(outcome(baseline(text))).toBe(code);
  });

  test("and after all of that a sound one is composed: nothing took the parser down", () => {
    expect(outcome(baseline(`@id("base.fine") forbid (principal, action == Licet::Action::"callModel", resource is Licet::Model) unless { resource has declared && resource.declared };`))).toBe("composed");
  });

  test("that says it comes with the installation, or has the name of one that does", () => {
    expect(outcome(packOf({ name: "own", kind: "builtin" }, ""))).toBe("pack_malformed");
    expect(outcome(packOf({ name: "small", kind: "baseline" }, ""))).toBe("pack_malformed");
  });
});

describe("a team", () => {
  const forbid = `@id("team.region") @requirement("region") @remedy("m") @turn("t") forbid (principal, action == Licet::Action::"callModel", resource is Licet::Model) unless { resource has region && resource.region == "mars" };`;
  let composed: Composed;
  beforeAll(() => {
    composed = composeBundle({ ...small, packs: [team(forbid)] });
  });
  const decide = (system: string | undefined) => {
    const request = workloadRequest({ system });
    return createDecider(composed.bundle).decide(system === undefined ? { ...request, entities: request.entities.slice(1) } : request);
  };

  test("tightens its own systems, by a guard that stands before whatever it wrote", () => {
    expect(decide("helpdesk")).toMatchObject({ decision: "deny", reasons: [{ policy: "team.region" }], errors: [] });
    expect(decide("tumour").decision).toBe("allow");
    const [policy] = composed.bundle.policies.filter(({ id }) => id === "team.region");
    expect(policy?.json.conditions[0]).toMatchObject({ kind: "when" });
    expect(policy?.text).toContain('["helpdesk"].contains(principal.system)');
  });

  test("forbids where the system cannot be found out, without an error", () => {
    expect(decide(undefined)).toMatchObject({ decision: "deny", reasons: [{ policy: "team.region" }], errors: [] });
  });

  test.each([
    ["permits", `@id("team.x") permit (principal, action == Licet::Action::"callModel", resource);`],
    ["speaks of every action", `@id("team.x") forbid (principal, action, resource);`],
    ["declares types", `@id("team.x") forbid (principal, action == Licet::Action::"callModel", resource);`],
  ])("is refused when it %s", (name, text) => {
    const pack = team(text);
    expect(outcome(name === "declares types" ? { ...pack, schema: "namespace Team { entity A; }" } : pack)).toBe("policy_pack_rule");
  });
});

describe("an application", () => {
  const schema = `namespace Shop { entity User; entity Order { owner: User }; action read appliesTo { principal: User, resource: Order, context: {} }; }`;
  const app = (text: string, own = schema) => packOf({ name: "shop", kind: "application" }, text, { schema: own });
  const read = `@id("shop.read") permit (principal is Shop::User, action == Shop::Action::"read", resource is Shop::Order) when { resource has owner && resource.owner == principal };`;

  test("has a namespace of its own, and decides there", () => {
    expect(outcome(app(read))).toBe("composed");
  });

  test.each([
    ["permits an action of Licet", `@id("shop.x") permit (principal, action == Licet::Action::"callModel", resource);`, schema, "policy_pack_rule"],
    ["permits an action of Licet among its own", `@id("shop.x") permit (principal, action in [Shop::Action::"read", Licet::Action::"callModel"], resource);`, schema, "policy_pack_rule"],
    ["permits every action", `@id("shop.x") permit (principal, action, resource);`, schema, "policy_pack_rule"],
    ["has an obligation that lacks what its type needs", read.replace("permit", `@obligation("{type: step-up, properties: {}}") permit`), schema, "policy_obligation"],
    ["declares types of Licet", read, `namespace Licet { entity Other; } ${schema}`, "policy_invalid"],
    ["declares a namespace inside Licet", read, `namespace Licet::Inner { entity Other; } ${schema}`, "policy_pack_rule"],
    ["declares types in no namespace", read, `entity Other; ${schema}`, "policy_pack_rule"],
    ["puts an action into a group of Licet", read, schema.replace("action read", 'action read in [Licet::Action::"runtime"]'), "policy_pack_rule"],
  ])("is refused when it %s", (_, text, own, code) => {
    expect(outcome(app(text, own))).toBe(code);
  });

  test("answers the decision API for a namespace that its own policies speak of, and nobody else's", () => {
    const answering = (namespace: string, text = read) => ({ ...app(text), manifest: { ...app(text).manifest, authzen: PackAuthzen.parse({ namespace, types: {} }) } });
    const baseline = packOf({ name: "base", kind: "baseline" }, `@id("base.x") forbid (principal is Shop::User, action == Shop::Action::"read", resource is Shop::Order) when { false };`);
    expect(outcome(answering("Shop"))).toBe("composed");
    expect(outcome(answering("Licet"))).toBe("policy_namespace");
    expect(outcome(answering("Shop", ""))).toBe("policy_namespace");
    expect(outcome(answering("Shop"), baseline)).toBe("policy_namespace");
  });
});

describe("modes", () => {
  const forbid = (mode: string) => `@id("base.${mode}") @mode("${mode}") @requirement("region") @remedy("m") @turn("t") forbid (principal, action == Licet::Action::"callModel", resource is Licet::Model) unless { resource has region && resource.region == "mars" };`;
  const tried = composeBundle({ ...small, packs: [baseline(forbid("warn") + forbid("shadow"))] }).bundle;

  test("warn and shadow say what they would have forbidden, and change nothing", () => {
    expect(createDecider(tried).decide(workloadRequest())).toMatchObject({ decision: "allow", warnings: [{ policy: "base.warn", remedy: "m" }], shadowed: [{ policy: "base.shadow" }], errors: [] });
    expect(createDecider(tried).decide(workloadRequest({ region: "mars" }))).toMatchObject({ decision: "allow", warnings: [], shadowed: [] });
  });

  test("one that errors is reported beside the decision, where an enforced one denies", () => {
    const errs = (mode: string) => withPolicy(tried, `@id("base.odd") @mode("${mode}") forbid (principal is Licet::Workload, action in Licet::Action::"runtime", resource) when { (if principal.tier == "minimal" then 9007199254740991 else 0) * 9007199254740991 > 0 };`);
    expect(createDecider(errs("shadow")).decide(workloadRequest())).toMatchObject({ decision: "allow", errors: [], advisoryErrors: [{ policy: "base.odd" }] });
    expect(createDecider(errs("enforce")).decide(workloadRequest())).toMatchObject({ decision: "deny", errors: [{ policy: "base.odd" }] });
  });
});

describe("golden decisions", () => {
  const scenarios = `v: 1
fixtures:
  order: { principal: 'Shop::User::"ann"', action: 'Shop::Action::"read"', resource: 'Shop::Order::"1"', entities: [{ uid: 'Shop::Order::"1"', attrs: { owner: { __entity: { type: Shop::User, id: ann } } } }] }
scenarios:
  - { name: the owner reads, base: order, expect: { decision: allow, reasons: [shop.read] } }
  - { name: nobody else reads, base: order, set: { principal: 'Shop::User::"bob"' }, expect: { decision: deny, reasons: [] } }
`;
  const shop = packOf({ name: "shop", kind: "application" }, `@id("shop.read") permit (principal is Shop::User, action == Shop::Action::"read", resource is Shop::Order) when { resource has owner && resource.owner == principal };`, { schema: `namespace Shop { entity User; entity Order { owner: User }; action read appliesTo { principal: User, resource: Order, context: {} }; }`, scenarios });

  test("come from the scenarios, are replayed at loading, and one that differs refuses the bundle", () => {
    const made = composeBundle({ ...small, packs: [shop] }).bundle;
    expect(made.golden.map(({ decision, reasons }) => ({ decision, reasons }))).toEqual([{ decision: "allow", reasons: ["shop.read"] }, { decision: "deny", reasons: [] }]);
    expect(made.packs.find(({ name }) => name === "shop")).toMatchObject({ scenarios: 2, covered: ["shop.read"], kind: "application" });
    expect(readBundle(bundleJson(made), made.digest)).toEqual(made);
    const forged = JSON.parse(bundleJson(made));
    forged.golden[1].decision = "allow";
    expect(() => readBundle(JSON.stringify(forged), digestOf(forged))).toThrow(/golden decision 1/u);
  });

  test("a scenario that comes out otherwise than it expects refuses the packs", () => {
    const wrong = { ...shop, scenarios: [{ path: "tests/scenarios.yaml", text: scenarios.replace("decision: allow", "decision: deny").replace(", reasons: [shop.read]", "") }] };
    expect(outcome(wrong)).toBe("scenario_failed");
  });
});

describe("the compiler's thread", () => {
  test("answers as the thread that asks would, and with the findings", async () => {
    const made = await composeInWorker({ ...small, packs: [baseline(`@id("base.x") forbid (principal, action == Licet::Action::"callModel", resource);`)] });
    expect(made.bundle).toEqual(composeBundle({ ...small, packs: [baseline(`@id("base.x") forbid (principal, action == Licet::Action::"callModel", resource);`)] }).bundle);
    const refused = await composeInWorker({ ...small, packs: [baseline(`@id("base.x") forbid (principal is Licet::Workload, action in Licet::Action::"runtime", resource) when { principal.tier == "high" };`)] }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "policy_invalid", at: { findings: [{ policy: "base.x", rule: "missing-guard", place: "principal.tier" }] } });
  });

  test.each([
    ["takes too long", { timeMsMax: 1, heapMbMax: 1024 }, { timeMsMax: 60_000, heapMbMax: 1024 }],
    ["dies of too much", { timeMsMax: 60_000, heapMbMax: 8 }, { timeMsMax: 60_000, heapMbMax: 64 }],
  ])("that %s is a coded error, and the next compilations have a sound one", async (_name, limits, enough) => {
    await expect(composeInWorker({ ...source, packs: [] }, { limits })).rejects.toMatchObject({ code: "policy_too_deep" });
    for (const _ of [1, 2]) expect((await composeInWorker({ ...small, packs: [] }, { limits: enough })).bundle.packs).toHaveLength(1);
  });

  test("never sees what its parser could not bear, and goes on after what was refused for that", async () => {
    const deep = baseline(`@id("base.x") forbid (principal, action, resource) when { ${"(".repeat(200)}true${")".repeat(200)} };`);
    await expect(composeInWorker({ ...small, packs: [deep] })).rejects.toMatchObject({ code: "policy_too_deep" });
    expect((await composeInWorker({ ...small, packs: [] })).bundle.packs).toHaveLength(1);
  });
});
