import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { builtinBundle } from "./bundle.ts";
import { uncheckedBundle, withPolicy } from "./bundle-fixture.ts";
import { createDecider, type CedarEntity, type PolicyRequest } from "./decide.ts";

const now = Date.UTC(2026, 10, 20, 17);
const at = (time: number) => ({ __extn: { fn: "datetime", arg: new Date(time).toISOString() } });
const release = `sha256:${"ab".repeat(32)}`;

interface Call {
  readonly stage?: string;
  readonly ato?: Readonly<Record<string, unknown>> | null;
  readonly held?: boolean;
  readonly boundary?: readonly string[];
  readonly regions?: readonly string[];
  readonly region?: string;
  readonly declared?: boolean;
  readonly dataClasses?: readonly string[];
  readonly release?: string;
  readonly action?: string;
}

const ato = { id: "ato_1", state: "granted", stage: "pilot", environment: "local", release, notBefore: at(now - 1000), notAfter: at(now + 1000) };

function request(call: Call = {}): PolicyRequest {
  const principal = { type: "Licet::Workload", id: "dep_1" };
  const resource = { type: "Licet::Model", id: "simulator/sim-1" };
  const vendor = { type: "Licet::Vendor", id: "simulator" };
  const stands = call.ato === null ? {} : { ato: { ...ato, ...call.ato } };
  const workload = { system: "helpdesk", environment: "local", stage: call.stage ?? "pilot", release, tier: "minimal", boundary: call.boundary ?? ["internal", "public"], regions: call.regions ?? ["eu"], held: call.held ?? false, unlimited: true, ...stands };
  return {
    principal,
    action: { type: "Licet::Action", id: call.action ?? "callModel" },
    resource,
    context: { now: at(now), release: call.release ?? release, dataClasses: call.dataClasses ?? ["internal"] },
    entities: [
      { uid: principal, attrs: workload, parents: [] },
      { uid: resource, attrs: { provider: "simulator", name: "sim-1", region: call.region ?? "eu", declared: call.declared ?? true, vendor: { __entity: vendor } }, parents: [] },
      { uid: vendor, attrs: { suspended: false }, parents: [] },
    ],
  };
}

const bundle = builtinBundle();
const decider = createDecider(bundle);

/** Refusals and what names them: the requirement that comes first. */
const scenarios: readonly (readonly [string, Call, string | null])[] = [
  ["all in order", {}, null],
  ["two classes inside the boundary", { dataClasses: ["public", "internal"] }, null],
  ["no class at all", { dataClasses: [] }, null],
  ["scoring with an own model, which has no region", { action: "score", region: "" }, null],
  ["the first moment", { ato: { notBefore: at(now) } }, null],
  ["an experiment with its own authorization", { stage: "experiment", ato: { stage: "experiment" } }, null],
  ["a conditional authorization", { ato: { state: "conditional" } }, null],
  ["a pilot without an authorization", { ato: null }, "ato_missing"],
  ["an experiment without an authorization", { stage: "experiment", ato: null }, "ato_missing"],
  ["an authorization for another stage", { ato: { stage: "production" } }, "ato_missing"],
  ["an authorization for another environment", { ato: { environment: "staging" } }, "ato_missing"],
  ["an authorization for another release", { ato: { release: "sha256:other" } }, "ato_missing"],
  ["a state nobody knows", { ato: { state: "fine" } }, "ato_missing"],
  ["the last moment", { ato: { notAfter: at(now) } }, "ato_expired"],
  ["before its time", { ato: { notBefore: at(now + 1) } }, "ato_expired"],
  ["revoked", { ato: { state: "revoked" } }, "ato_revoked"],
  ["suspended", { ato: { state: "suspended" } }, "ato_suspended"],
  ["held", { held: true }, "held"],
  ["held above all else", { held: true, ato: null, declared: false }, "held"],
  ["a stage without traffic", { stage: "proposed" }, "deployment_inactive"],
  ["an undeclared model", { declared: false }, "model_undeclared"],
  ["another release than the deployed", { release: "sha256:other" }, "release_mismatch"],
  ["personal data outside the boundary", { dataClasses: ["personal"] }, "data_outside_boundary"],
  ["one class of two outside", { dataClasses: ["internal", "special"] }, "data_outside_boundary"],
  ["a provider in another region", { region: "us" }, "data_outside_boundary"],
  ["a provider without a region", { region: "" }, "data_outside_boundary"],
  ["an undeclared own model", { action: "score", region: "", declared: false }, "model_undeclared"],
];

describe("the runtime policies", () => {
  test.each(scenarios)("%s", (_, call, code) => {
    const decision = decider.decide(request(call));
    expect(decision.errors).toEqual([]);
    expect(decision.decision).toBe(code === null ? "allow" : "deny");
    const [first] = decision.reasons;
    expect(first?.requirement ?? null).toBe(code);
    expect(decision.reasons.every((reason) => code === null || (reason.remedy ?? "") !== "")).toBe(true);
  });

  test.each([
    ["an unknown action", { ...request(), action: { type: "Licet::Action", id: "deleteAll" } }],
    ["a fraction in the context", { ...request(), context: { ...request().context, dataClasses: [1.5] } }],
    ["null in the context", { ...request(), context: { ...request().context, release: null } }],
    ["an attribute that the schema does not know", { ...request(), context: { ...request().context, trusted: true } }],
    ["a nested value that would overflow the engine", { ...request(), context: { ...request().context, dataClasses: nested(5000) } }],
    ["another kind of principal", { ...request(), principal: { type: "Licet::System", id: "helpdesk" } }],
  ])("%s denies with an error, and the next call is decided as before", (_, broken) => {
    const decision = decider.decide(broken);
    expect(decision.decision).toBe("deny");
    expect(decision.errors.length).toBeGreaterThan(0);
    expect(decider.decide(request()).decision).toBe("allow");
  });
});

function nested(depth: number): unknown {
  let value: unknown = "x";
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

/** Every request that is one entity, or one attribute at any depth, poorer. */
function poorer(full: PolicyRequest): readonly PolicyRequest[] {
  const without = full.entities.map((_, index) => ({ ...full, entities: full.entities.filter((__, other) => other !== index) }));
  const withoutAttribute = full.entities.flatMap((entity, index) =>
    dropped(entity.attrs).map((attrs) => ({ ...full, entities: full.entities.map((each, other): CedarEntity => (other === index ? { ...each, attrs } : each)) })),
  );
  const withoutContext = dropped(full.context).map((context) => ({ ...full, context }));
  return [...without, ...withoutAttribute, ...withoutContext];
}

function dropped(record: Readonly<Record<string, unknown>>): readonly Record<string, unknown>[] {
  return Object.keys(record).flatMap((key) => {
    const { [key]: value, ...rest } = record;
    const inside = typeof value === "object" && value !== null && !Array.isArray(value) && !("__extn" in value) ? dropped({ ...value }).map((less) => ({ ...rest, [key]: less })) : [];
    return [rest, ...inside];
  });
}

/** The same rules written the way that fails open: "forbid when it is so" is skipped when what it asks is missing. */
const naive = `
@id("call") permit (principal, action in Licet::Action::"runtime", resource);
@id("held") forbid (principal, action in Licet::Action::"runtime", resource) when { principal is Licet::Workload && principal has held && principal.held };
@id("revoked") forbid (principal, action in Licet::Action::"runtime", resource) when { principal is Licet::Workload && principal has ato && principal.ato.state != "granted" };
@id("boundary") forbid (principal, action in Licet::Action::"runtime", resource) when { principal is Licet::Workload && principal has boundary && !principal.boundary.containsAll(context.dataClasses) };
`;

function flips(decide: (request: PolicyRequest) => string): number {
  const denied = scenarios.map(([, call]) => request(call)).filter((each) => decide(each) === "deny");
  return denied.flatMap(poorer).filter((each) => decide(each) === "allow").length;
}

describe("leaving something out", () => {
  test("never turns a deny into an allow", () => {
    expect(flips((each) => decider.decide(each).decision)).toBe(0);
  });

  test("does so with the same rules written the naive way, so the test above can fail", () => {
    const wrong = createDecider(uncheckedBundle({ schema: bundle.schema, texts: [naive] }));
    expect(flips((each) => wrong.decide(each).decision)).toBeGreaterThan(0);
  });

  test("several things at once never does either", () => {
    const denied = scenarios.filter(([, , code]) => code !== null).map(([, call]) => request(call));
    fc.assert(
      fc.property(fc.constantFrom(...denied), fc.array(fc.nat(200), { maxLength: 4 }), (start, picks) => {
        let at = start;
        for (const pick of picks) {
          const choices = poorer(at);
          at = choices[pick % Math.max(choices.length, 1)] ?? at;
        }
        expect(decider.decide(at).decision).toBe("deny");
      }),
      { numRuns: 300 },
    );
  });
});

describe("a policy that errors", () => {
  test("denies, even where another permits: Cedar alone would skip it", () => {
    const broken = `@id("odd") forbid (principal is Licet::Workload, action in Licet::Action::"runtime", resource) when { (if principal.tier == "minimal" then 9007199254740991 else 0) * 9007199254740991 > 0 };`;
    const odd = createDecider(withPolicy(bundle, broken));
    expect(odd.decide(request())).toMatchObject({ decision: "deny", errors: [{ policy: "odd" }] });
  });
});
