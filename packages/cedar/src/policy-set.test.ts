import { describe, expect, test } from "vitest";
import { authorize } from "./authorize.ts";
import { entityStore } from "./entity-store.ts";
import type { EntityJson, PolicySetJson, RequestJson } from "./json.ts";
import { expressionDepthMax, valueDepthMax } from "./limits.ts";
import { compilePolicySet } from "./policy-set.ts";
import { prepareRequest } from "./request.ts";
import { byLicet, byWasm, everything, permitWhen, world } from "./wasm-fixture.ts";

const any = { op: "All" } as const;
const uid = (type: string, id: string) => ({ type, id });
const permit = { effect: "permit", ...everything, conditions: [] };
const template = { ...permit, principal: { op: "==", slot: "?principal" } };
const link = { templateId: "t", newId: "l", values: { "?principal": uid("User", "ann") } };

describe("a policy set is taken and refused as by cedar-wasm:", () => {
  const sets: Readonly<Record<string, unknown>> = {
    empty: {},
    "no policies": { staticPolicies: {} },
    "null for policies": { staticPolicies: null },
    "further property": { staticPolicies: {}, more: 1 },
    "policy without conditions": { staticPolicies: { p: { effect: "permit", ...everything } } },
    "policy without effect": { staticPolicies: { p: { ...everything, conditions: [] } } },
    "unknown effect": { staticPolicies: { p: { ...permit, effect: "maybe" } } },
    "policy with more in it": { staticPolicies: { p: { ...permit, more: 1 } } },
    "annotation without value": { staticPolicies: { p: { ...permit, annotations: { a: null } } } },
    "annotation that is a number": { staticPolicies: { p: { ...permit, annotations: { a: 1 } } } },
    "annotation with a bad name": { staticPolicies: { p: { ...permit, annotations: { "a b": "1" } } } },
    "annotation called like a keyword": { staticPolicies: { p: { ...permit, annotations: { if: "1" } } } },
    "annotations null": { staticPolicies: { p: { ...permit, annotations: null } } },
    "clause with more in it": { staticPolicies: { p: { ...permit, conditions: [{ kind: "when", body: { Value: true }, more: 1 }] } } },
    "clause of an unknown kind": { staticPolicies: { p: { ...permit, conditions: [{ kind: "if", body: { Value: true } }] } } },
    "scope with more in it": { staticPolicies: { p: { ...permit, principal: { op: "All", more: 1 } } } },
    "scope in small letters": { staticPolicies: { p: { ...permit, principal: { op: "all" }, action: { op: "all" } } } },
    "scope with a slot in a static policy": { staticPolicies: { p: template } },
    "scope without reference": { staticPolicies: { p: { ...permit, principal: { op: "==" } } } },
    "scope with a marked entity": { staticPolicies: { p: { ...permit, principal: { op: "==", entity: { __entity: uid("User", "ann") } } } } },
    "scope with entity and slot": { staticPolicies: { p: { ...permit, principal: { op: "==", entity: uid("User", "bob"), slot: "?principal" } } } },
    "scope with a list": { staticPolicies: { p: { ...permit, principal: { op: "in", entities: [uid("User", "ann")] } } } },
    "scope of an unknown operator": { staticPolicies: { p: { ...permit, principal: { op: "<" } } } },
    "scope missing": { staticPolicies: { p: { effect: "permit", action: any, resource: any, conditions: [] } } },
    "is in": { staticPolicies: { p: { ...permit, principal: { op: "is", entity_type: "User", in: { entity: uid("Team", "all") } } } } },
    "is in null": { staticPolicies: { p: { ...permit, principal: { op: "is", entity_type: "User", in: null } } } },
    "is of no type": { staticPolicies: { p: { ...permit, principal: { op: "is", entity_type: "a b" } } } },
    "action is": { staticPolicies: { p: { ...permit, action: { op: "is", entity_type: "Action" } } } },
    "action in group": { staticPolicies: { p: { ...permit, action: { op: "in", entity: uid("Action", "view") } } } },
    "action equal to its group": { staticPolicies: { p: { ...permit, action: { op: "==", entity: uid("Action", "view") } } } },
    "action in a list": { staticPolicies: { p: { ...permit, action: { op: "in", entities: [uid("Action", "other"), uid("Action", "view")] } } } },
    "action in nothing": { staticPolicies: { p: { ...permit, action: { op: "in", entities: [] } } } },
    "action of another type": { staticPolicies: { p: { ...permit, action: { op: "==", entity: uid("User", "read") } } } },
    "action in another namespace": { staticPolicies: { p: { ...permit, action: { op: "==", entity: uid("A::Action", "read") } } } },
    "action with a slot": { staticPolicies: { p: { ...permit, action: { op: "==", slot: "?action" } } } },
    link: { templates: { t: template }, templateLinks: [link] },
    "link to a marked entity": { templates: { t: template }, templateLinks: [{ ...link, values: { "?principal": { __entity: uid("User", "ann") } } }] },
    "link without a value": { templates: { t: template }, templateLinks: [{ ...link, values: {} }] },
    "link with a value too many": { templates: { t: template }, templateLinks: [{ ...link, values: { ...link.values, "?resource": uid("File", "plan") } }] },
    "link with an unknown slot": { templates: { t: template }, templateLinks: [{ ...link, values: { principal: uid("User", "ann") } }] },
    "link to no template": { templates: { t: template }, templateLinks: [{ ...link, templateId: "u" }] },
    "link called like a policy": { staticPolicies: { l: permit }, templates: { t: template }, templateLinks: [link] },
    "link called like its template": { templates: { t: template }, templateLinks: [{ ...link, newId: "t" }] },
    "two links of one name": { templates: { t: template }, templateLinks: [link, link] },
    "link with more in it": { templates: { t: template }, templateLinks: [{ ...link, more: 1 }] },
    "template called like a policy": { staticPolicies: { t: permit }, templates: { t: template } },
    "template without slots": { templates: { t: permit } },
    "template with the other slot": { templates: { t: { ...template, principal: { op: "==", slot: "?resource" } } } },
    "template with both slots": { templates: { t: { ...template, principal: { op: "in", slot: "?principal" }, resource: { op: "is", entity_type: "File", in: { slot: "?resource" } } } }, templateLinks: [{ ...link, values: { "?principal": uid("Team", "all"), "?resource": uid("Folder", "root") } }] },
    "template with a slot in a condition": { templates: { t: { ...template, conditions: [{ kind: "when", body: { Slot: "?principal" } }] } }, templateLinks: [link] },
    "a policy and a link that hold": { staticPolicies: { a: permit }, templates: { t: template }, templateLinks: [link] },
  };
  test.each(Object.keys(sets))("%s", (name) => {
    const policies = sets[name];
    expect(byLicet({ ...world, policies })).toBe(byWasm({ ...world, policies }));
  });
});

const request: RequestJson = { principal: uid("User", "ann"), action: uid("Action", "read"), resource: uid("File", "plan"), context: {} };

function decide(policies: PolicySetJson, entities: readonly EntityJson[] = [], asked: RequestJson = request) {
  return authorize(compilePolicySet(policies), prepareRequest(asked), entityStore(entities));
}

test("reasons and errors stand in the order of the set, however scopes spread the policies", () => {
  const failing = permitWhen({ ".": { left: { Var: "context" }, attr: "missing" } }) as object;
  const staticPolicies = {
    z: { ...permit, principal: { op: "==", entity: request.principal } },
    e2: { ...failing, resource: { op: "==", entity: request.resource } },
    a: { ...permit, resource: { op: "is", entity_type: "File" } },
    m: permit,
    e1: { ...failing, principal: { op: "is", entity_type: "User" } },
    b: { ...permit, resource: { op: "==", entity: request.resource } },
  } as unknown as NonNullable<PolicySetJson["staticPolicies"]>;
  const answer = decide({ staticPolicies });
  expect(answer.reasons).toEqual(["z", "a", "m", "b"]);
  expect(answer.errors.map(({ policy }) => policy)).toEqual(["e2", "e1"]);
});

test("an answer lists nothing where there is nothing", () => {
  expect(decide({ staticPolicies: { p: permit } } as PolicySetJson)).toEqual({ decision: "allow", reasons: ["p"], errors: [] });
  expect(decide({})).toEqual({ decision: "deny", reasons: [], errors: [] });
});

test("an error's message names what failed and holds nothing of the request", () => {
  const policies = { staticPolicies: { p: permitWhen({ "+": { left: { ".": { left: { Var: "context" }, attr: "secret" } }, right: { Value: 1 } } }) } } as PolicySetJson;
  const [error] = decide(policies, [], { ...request, context: { secret: "hunter2" } }).errors;
  expect(error?.message).toMatch(/type error/u);
  expect(error?.message).not.toContain("hunter2");
});

test("a scope finds its policy by the entity, by any ancestor and by the type, of principal and resource", () => {
  const entities: readonly EntityJson[] = [
    { uid: request.principal, attrs: {}, parents: [uid("Team", "blue")] },
    { uid: uid("Team", "blue"), attrs: {}, parents: [uid("Team", "all")] },
    { uid: request.resource, attrs: {}, parents: [uid("Folder", "root")] },
  ];
  const principals = [any, { op: "==", entity: request.principal }, { op: "in", entity: uid("Team", "all") }, { op: "is", entity_type: "User" }, { op: "is", entity_type: "User", in: { entity: uid("Team", "blue") } }, { op: "in", entity: uid("Team", "none") }, { op: "is", entity_type: "Team" }, { op: "is", entity_type: "Team", in: { entity: uid("Team", "all") } }];
  const resources = [any, { op: "==", entity: request.resource }, { op: "in", entity: uid("Folder", "root") }, { op: "is", entity_type: "File" }, { op: "is", entity_type: "File", in: { entity: uid("Folder", "root") } }, { op: "==", entity: uid("File", "other") }, { op: "is", entity_type: "Folder" }];
  const policies = { staticPolicies: Object.fromEntries(principals.flatMap((principal, p) => resources.map((resource, r) => [`p${p}r${r}`, { ...permit, principal, resource }]))) };
  const input = { policies, request, entities };
  expect(byLicet(input)).toBe(byWasm(input));
  expect(decide(policies as PolicySetJson, entities).reasons).toHaveLength(25);
});

test("a group's policies are for its members and a policy on the group itself is not, in any order of asking", () => {
  const group = uid("Action", "view");
  const staticPolicies = { members: { ...permit, action: { op: "in", entity: group } }, itself: { ...permit, action: { op: "==", entity: group } } };
  const policies = compilePolicySet({ staticPolicies } as unknown as PolicySetJson);
  const store = entityStore([{ uid: request.action, attrs: {}, parents: [group] }, { uid: uid("Action", "view\nread"), attrs: {}, parents: [] }]);
  const reasons = (action: string) => authorize(policies, prepareRequest({ ...request, action: uid("Action", action) }), store).reasons;
  const answers = ["read", "view", "read", "view\nread", "view", "unknown"].map(reasons);
  expect(answers).toEqual([["members"], ["members", "itself"], ["members"], [], ["members", "itself"], []]);
});

test("one policy set decides over stores in which the same action has different groups", () => {
  const policies = compilePolicySet({ staticPolicies: { p: { ...permit, action: { op: "in", entity: uid("Action", "view") } } } } as unknown as PolicySetJson);
  const both = compilePolicySet({
    staticPolicies: { v: { ...permit, action: { op: "in", entity: uid("Action", "view") } }, e: { ...permit, action: { op: "in", entity: uid("Action", "edit") } } },
  } as unknown as PolicySetJson);
  const inGroup = entityStore([{ uid: request.action, attrs: {}, parents: [uid("Action", "view")] }]);
  const inOther = entityStore([{ uid: request.action, attrs: {}, parents: [uid("Action", "edit")] }]);
  const decisions = [inGroup, entityStore([]), inOther, inGroup].map((store) => authorize(policies, prepareRequest(request), store).decision);
  expect(decisions).toEqual(["allow", "deny", "deny", "allow"]);
  const reasons = [inGroup, inOther, inGroup, entityStore([])].map((store) => authorize(both, prepareRequest(request), store).reasons);
  expect(reasons).toEqual([["v"], ["e"], ["v"], []]);
});

function nested(depth: number, wrap: (inner: unknown) => unknown, inner: unknown): unknown {
  let value = inner;
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
}

describe("nesting beyond a bound is refused and never overflows the stack:", () => {
  const wraps: Readonly<Record<string, (inner: unknown) => unknown>> = {
    "!": (arg) => ({ "!": { arg } }),
    "&& on the left": (left) => ({ "&&": { left, right: { Value: true } } }),
    "|| on the right": (right) => ({ "||": { left: { ".": { left: { Var: "context" }, attr: "no" } }, right } }),
    Set: (item) => ({ Set: [item] }),
    if: (inner) => ({ "if-then-else": Object.fromEntries(["if", "then", "else"].map((name) => [name, name === "if" ? inner : { Value: true }])) }),
    function: (inner) => ({ decimal: [inner] }),
  };
  test.each(Object.keys(wraps))("%s", (name) => {
    const wrap = wraps[name] ?? ((inner: unknown) => inner);
    const set = (depth: number) => ({ staticPolicies: { p: permitWhen(nested(depth, wrap, { Value: true })) } }) as PolicySetJson;
    expect(decide(set(expressionDepthMax - 1), [], { ...request, context: { no: false } }).decision).toMatch(/allow|deny/u);
    expect(() => compilePolicySet(set(expressionDepthMax + 1))).toThrow(expect.objectContaining({ code: "policy_invalid", at: expect.stringMatching(/^staticPolicies\.p\.conditions\[0\].{100,300}$/u) as string }));
    expect(() => compilePolicySet(set(200_000))).toThrow(expect.objectContaining({ code: "policy_invalid" }));
  });

  test("values", () => {
    const asked = (depth: number) => ({ ...request, context: { a: nested(depth, (inner) => [inner], 1) } }) as RequestJson;
    expect(prepareRequest(asked(valueDepthMax)).context.fields["a"]).toBeDefined();
    expect(() => prepareRequest(asked(valueDepthMax + 1))).toThrow(expect.objectContaining({ code: "request_invalid" }));
    expect(() => prepareRequest(asked(200_000))).toThrow(expect.objectContaining({ code: "request_invalid" }));
  });
});

test("an expression may nest as many levels as are allowed, and not one more", () => {
  const negated = (depth: number) => ({ staticPolicies: { p: permitWhen(nested(depth, (arg) => ({ "!": { arg } }), { Value: true })) } }) as PolicySetJson;
  expect(decide(negated(expressionDepthMax)).decision).toBe(expressionDepthMax % 2 === 0 ? "allow" : "deny");
  expect(() => compilePolicySet(negated(expressionDepthMax + 1))).toThrow(expect.objectContaining({ code: "policy_invalid" }));
});

describe("a value may nest as many levels as are allowed, and not one more:", () => {
  const wraps: Readonly<Record<string, (inner: unknown) => unknown>> = {
    sets: (inner) => [inner],
    records: (a) => ({ a, b: 1 }),
    calls: (inner) => ({ __extn: { fn: "offset", args: [inner, { __extn: { fn: "duration", arg: "1h" } }] } }),
  };
  test.each(Object.keys(wraps))("%s", (name) => {
    const wrap = wraps[name] ?? ((inner: unknown) => inner);
    // A call's own argument is a call as well.
    const [inmost, levels] = name === "calls" ? [{ __extn: { fn: "datetime", arg: "2026-11-20" } }, valueDepthMax - 1] : [1, valueDepthMax];
    for (const beside of [{}, { more: 1 }]) {
      const asked = (depth: number) => ({ ...request, context: { ...beside, a: nested(depth, wrap, inmost) } }) as RequestJson;
      expect(prepareRequest(asked(levels)).context.fields["a"]).toBeDefined();
      expect(() => prepareRequest(asked(levels + 1))).toThrow(expect.objectContaining({ code: "request_invalid" }));
    }
  });
});

test("the name of a type is taken the first time it comes, and every time after", () => {
  const type = `T${Math.floor(Math.random() * 1e15)}`;
  const policies = { staticPolicies: { p: permitWhen({ is: { left: { Var: "principal" }, entity_type: type } }) } } as PolicySetJson;
  for (const _ of [1, 2]) expect(decide(policies, [], { ...request, principal: { type, id: "" } }).decision).toBe("allow");
});

test("a policy keeps its conditions as they were given, and annotations without a text hold the empty one", () => {
  const conditions = [{ kind: "when", body: { Value: true } }, { kind: "unless", body: { Value: false } }];
  const staticPolicies = { p: { ...permit, conditions, annotations: { id: "x", flag: null } } };
  const [policy] = compilePolicySet({ staticPolicies } as unknown as PolicySetJson).policies;
  expect(policy?.conditions).toEqual(conditions);
  expect([...(policy?.annotations ?? [])]).toEqual([["id", "x"], ["flag", ""]]);
  const lazily = compilePolicySet({ staticPolicies: { p: { ...permit, conditions: [1, ...conditions] } } } as unknown as PolicySetJson, { lazily: true });
  expect(lazily.policies[0]?.conditions).toEqual(conditions);
});

test("a set of many records takes no quadratic time", () => {
  const items = Array.from({ length: 20_000 }, (_, index) => ({ id: index, tags: [`t${index}`] }));
  const started = performance.now();
  const policies = { staticPolicies: { p: permitWhen({ containsAll: { left: { ".": { left: { Var: "context" }, attr: "items" } }, right: { ".": { left: { Var: "context" }, attr: "items" } } } }) } } as PolicySetJson;
  expect(decide(policies, [], { ...request, context: { items } }).decision).toBe("allow");
  expect(performance.now() - started).toBeLessThan(3_000);
});

test("names like `__proto__`, `constructor` and `toString` are names like any other", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "0"];
  const has = (name: string) => ({ has: { left: { Var: "context" }, attr: name } });
  const policies = { staticPolicies: Object.fromEntries(names.map((name) => [`p_${name}`, permitWhen(has(name))])) } as PolicySetJson;
  expect(decide(policies).reasons).toEqual([]);
  const context = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1, "toString": 2, "hasOwnProperty": 3, "0": 4}') as RequestJson["context"];
  expect(decide(policies, [], { ...request, context }).reasons).toEqual(names.map((name) => `p_${name}`));
  const inherited = { staticPolicies: { p: permitWhen({ has: { left: { Var: "context" }, attr: "admin" } }) } } as PolicySetJson;
  expect(decide(inherited, [], { ...request, context }).decision).toBe("deny");
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});

describe("a set whose conditions are compiled later", () => {
  const asked = prepareRequest({ principal: uid("User", "ann"), action: uid("Action", "read"), resource: uid("File", "plan"), context: { level: 2 } });
  const when = (body: unknown) => ({ ...permit, conditions: [{ kind: "when", body }] });
  const level = { ".": { left: { Var: "context" }, attr: "level" } };
  const decided = (json: unknown, lazily: boolean) => {
    const set = compilePolicySet(json as PolicySetJson, { lazily });
    return [authorize(set, asked, entityStore([])), authorize(set, asked, entityStore([]))];
  };

  test.each([
    ["a condition that holds", { p: when({ "==": { left: level, right: { Value: 2 } } }) }],
    ["a condition that does not", { p: when({ "<": { left: level, right: { Value: 2 } } }) }],
    ["a condition that is never true", { p: when({ Value: false }) }],
    ["a condition that errs", { p: when({ ".": { left: { Var: "context" }, attr: "missing" } }) }],
    ["a forbid", { p: permit, f: { ...when({ Value: true }), effect: "forbid" } }],
  ])("decides as the other: %s", (_name, staticPolicies) => {
    expect(decided({ staticPolicies }, true)).toEqual(decided({ staticPolicies }, false));
  });

  test("refuses a head at once, and a condition that is none whenever a request comes to it", () => {
    const lazily = true;
    expect(() => compilePolicySet({ staticPolicies: { p: { ...permit, effect: "maybe" } } } as unknown as PolicySetJson, { lazily })).toThrow("staticPolicies.p.effect");
    const set = compilePolicySet({ staticPolicies: { p: when({ nonsense: 1 }) } } as unknown as PolicySetJson, { lazily });
    for (const _ of [1, 2]) expect(() => authorize(set, asked, entityStore([]))).toThrow("staticPolicies.p.conditions[0].body.nonsense");
  });
});
