import { describe, expect, test } from "vitest";
import { entityStore } from "./entity-store.ts";
import { CedarError } from "./errors.ts";
import type { EntityJson, PolicySetJson, RequestJson } from "./json.ts";
import { compilePolicySet } from "./policy-set.ts";
import { prepareRequest } from "./request.ts";
import { compileSchema } from "./schema.ts";

const any = { op: "All" };
const head = { effect: "permit", principal: any, action: any, resource: any, conditions: [] };
const permit = (change: object) => ({ staticPolicies: { p: { ...head, ...change } } });
const when = (body: unknown) => permit({ conditions: [{ kind: "when", body }] });
const uid = { type: "User", id: "ann" };
const [one, user] = [{ Value: 1 }, { __entity: uid }];
const template = { ...head, principal: { op: "==", slot: "?principal" } };
const linked = (link: object) => ({ templates: { t: template }, templateLinks: [{ templateId: "t", newId: "l", values: { "?principal": uid }, ...link }] });
const body = "staticPolicies.p.conditions[0].body";

function refusal(read: () => unknown): CedarError {
  try {
    read();
  } catch (error) {
    if (error instanceof CedarError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** Code and place of a refusal, and whether its message tells the place once and then what is wrong. */
function told(read: () => unknown): object {
  const { code, at, message } = refusal(read);
  const prefix = at === "" ? "" : `${at}: `;
  const what = message.slice(prefix.length);
  // Nor is any end of the place told again, as where a refusal from further in is told from here.
  const again = Array.from(at, (_, index) => `${at.slice(index)}: `).some((end) => what.startsWith(end));
  return { code, at, once: message.startsWith(prefix) && !again, what: /^(?:`|[a-z])/u.test(what) };
}

const refusedAt = (code: string, at: string) => ({ code, at, once: true, what: true });

const policies: readonly (readonly [string, string, unknown])[] = [
  ["no object", "", []],
  ["an unknown part", "", { policies: {} }],
  ["policies that are none", "staticPolicies", { staticPolicies: 1 }],
  ["a policy that is none", "staticPolicies.p", { staticPolicies: { p: 1 } }],
  ["an effect", "staticPolicies.p.effect", permit({ effect: "allow" })],
  ["an operator of the principal", "staticPolicies.p.principal.op", permit({ principal: { op: "=" } })],
  ["an operator of the action", "staticPolicies.p.action.op", permit({ action: { op: "is" } })],
  ["an operator of the resource", "staticPolicies.p.resource.op", permit({ resource: {} })],
  ["an entity of the principal", "staticPolicies.p.principal.entity", permit({ principal: { op: "==", entity: "ann" } })],
  ["an entity of the principal by its type", "staticPolicies.p.principal.entity", permit({ principal: { op: "in", entity: { type: "a b", id: "" } } })],
  ["a slot in a policy", "staticPolicies.p", permit({ principal: { op: "==", slot: "?principal" } })],
  ["a slot of the other", "staticPolicies.p.principal", permit({ principal: { op: "==", slot: "?resource" } })],
  ["a type", "staticPolicies.p.resource.entity_type", permit({ resource: { op: "is", entity_type: "a b" } })],
  ["a type that is no text", "staticPolicies.p.resource.entity_type", permit({ resource: { op: "is", entity_type: 1 } })],
  ["what is beside a type", "staticPolicies.p.resource", permit({ resource: { op: "is", entity_type: "User", entity: uid } })],
  ["what the type is in", "staticPolicies.p.resource.in", permit({ resource: { op: "is", entity_type: "User", in: 1 } })],
  ["the entity that the type is in", "staticPolicies.p.resource.in.entity", permit({ resource: { op: "is", entity_type: "User", in: { entity: 1 } } })],
  ["an action that is none", "staticPolicies.p.action.entity", permit({ action: { op: "==", entity: uid } })],
  ["a group that is none", "staticPolicies.p.action.entity", permit({ action: { op: "in", entity: uid } })],
  ["one of the groups", "staticPolicies.p.action.entities[1]", permit({ action: { op: "in", entities: [{ type: "Action", id: "a" }, uid] } })],
  ["groups that are no list", "staticPolicies.p.action.entities", permit({ action: { op: "in", entities: uid } })],
  ["conditions", "staticPolicies.p.conditions", permit({ conditions: {} })],
  ["a condition", "staticPolicies.p.conditions[0]", permit({ conditions: [1] })],
  ["a condition's kind", "staticPolicies.p.conditions[0].kind", permit({ conditions: [{ kind: "if", body: one }] })],
  ["annotations", "staticPolicies.p.annotations", permit({ annotations: [] })],
  ["an annotation's name", "staticPolicies.p.annotations", permit({ annotations: { "a b": "" } })],
  ["an annotation", "staticPolicies.p.annotations.a", permit({ annotations: { a: 1 } })],
  ["an expression", body, when(1)],
  ["two operators", body, when({ ...one, Var: "principal" })],
  ["an unknown operator", `${body}.xor`, when({ xor: { left: one, right: one } })],
  ["an operand", `${body}.==.right`, when({ "==": { left: one, right: 1 } })],
  ["an operand of an operand", `${body}.!.arg.&&.left`, when({ "!": { arg: { "&&": { left: 1, right: one } } } })],
  ["an operand too many", `${body}.==`, when({ "==": { left: one, right: one, third: one } })],
  ["a variable", `${body}.Var`, when({ Var: "who" })],
  ["a value", `${body}.Value.a[1]`, when({ Value: { a: [1, null] } })],
  ["a value that is none at all", `${body}.Value`, when({ Value: null })],
  ["a member of a set", `${body}.Set[1]`, when({ Set: [one, 1] })],
  ["an attribute of a record", `${body}.Record.a`, when({ Record: { a: 1 } })],
  ["an argument", `${body}.ip[0]`, when({ ip: [1] })],
  ["a pattern", `${body}.like.pattern`, when({ like: { left: one, pattern: "a*" } })],
  ["a piece of a pattern", `${body}.like.pattern[1]`, when({ like: { left: one, pattern: ["Wildcard", "a"] } })],
  ["an attribute's name", `${body}...attr`, when({ ".": { left: one, attr: 1 } })],
  ["an attribute to look for", `${body}.has.attr`, when({ has: { left: one, attr: 1 } })],
  ["an attribute on the way", `${body}.has.attr[1]`, when({ has: { left: one, attr: ["a", 1] } })],
  ["a type to test for", `${body}.is.entity_type`, when({ is: { left: one, entity_type: "a b" } })],
  ["a type to test for that is no text", `${body}.is.entity_type`, when({ is: { left: one, entity_type: 1 } })],
  ["a branch", `${body}.if-then-else.else`, when({ "if-then-else": Object.fromEntries(["if", "then", "else"].map((name) => [name, name === "else" ? 1 : one])) })],
  ["a template without slots", "templates.t", { templates: { t: head } }],
  ["a template's condition", "templates.t.conditions[0].body.xor", { templates: { t: { ...template, conditions: [{ kind: "when", body: { xor: one } }] } } }],
  ["a template with a policy's id", "templates.p", { staticPolicies: { p: head }, templates: { p: template } }],
  ["links", "templateLinks", { templateLinks: null }],
  ["a link", "templateLinks[0]", { templateLinks: [1] }],
  ["a link to no template", "templateLinks[0]", linked({ templateId: "x" })],
  ["a link's template", "templateLinks[0].templateId", linked({ templateId: 1 })],
  ["a link's id", "templateLinks[0].newId", linked({ newId: 1 })],
  ["a link's id that is taken", "templateLinks[0]", linked({ newId: "t" })],
  ["a link's values", "templateLinks[0].values", linked({ values: [] })],
  ["a link's value", "templateLinks[0].values.?principal", linked({ values: { "?principal": 1 } })],
  ["a link without a value", "templateLinks[0]", linked({ values: {} })],
  ["a link with a value too many", "templateLinks[0]", linked({ values: { "?principal": uid, "?resource": uid } })],
  ["a link with a value for nothing", "templateLinks[0].values", linked({ values: { "?action": uid } })],
];

describe("a policy set is refused at the place where it is wrong:", () => {
  test.each(policies)("%s, at %s", (_what, at, json) => {
    expect(told(() => compilePolicySet(json as PolicySetJson))).toEqual(refusedAt("policy_invalid", at));
  });
});

const entity = (change: object) => [{ uid: { type: "User", id: "bob" }, attrs: {}, parents: [] }, { uid, attrs: {}, parents: [], ...change }];
const entities: readonly (readonly [string, string, unknown])[] = [
  ["no list", "", {}],
  ["no object", "[0].uid", [1]],
  ["a name", "[1].uid", entity({ uid: "ann" })],
  ["a type", "[1].uid", entity({ uid: { type: "a b", id: "" } })],
  ["attributes", "[1].attrs", entity({ attrs: [] })],
  ["an attribute", "[1].attrs.a", entity({ attrs: { a: null } })],
  ["an attribute within", "[1].attrs.a.b[2]", entity({ attrs: { a: { b: [1, 2, 0.5] } } })],
  ["a failing call", "[1].attrs", entity({ attrs: { a: { __extn: { fn: "decimal", arg: "x" } } } })],
  ["tags", "[1].tags", entity({ tags: 1 })],
  ["a tag", "[1].tags.a", entity({ tags: { a: null } })],
  ["parents", "[1].parents", entity({ parents: {} })],
  ["a second one", "[2]", [...entity({}), { uid, attrs: { a: 1 }, parents: [] }]],
  ["an action in no action", "[1].parents", entity({ uid: { type: "Action", id: "x" }, parents: [uid] })],
  ["a circle", "", [{ uid, attrs: {}, parents: [uid] }]],
];

test.each([
  ["a slot in a condition", when({ Slot: "?principal" }), "a slot stands only in the scope of a template"],
  ["a link to no template", linked({ templateId: "x" }), "there is no template `x`"],
  ["a link without a value", linked({ values: {} }), "the slot `?principal` has no value"],
  ["a link with a value too many", linked({ values: { "?principal": uid, "?resource": uid } }), "the template has no slot `?resource`"],
  ["a value deep within", when({ Value: { a: [null] } }), "Value.a[0]: a value cannot be null"],
  ["a value that is none at all", when({ Value: null }), "Value: a value cannot be null"],
])("the refusal of %s says why", (_what, json, why) => {
  expect(refusal(() => compilePolicySet(json as PolicySetJson)).message).toContain(why);
});

describe("entities are refused at the place where they are wrong:", () => {
  test.each(entities)("%s, at %s", (_what, at, json) => {
    expect(told(() => entityStore(json as readonly EntityJson[]))).toEqual(refusedAt("entity_invalid", at));
  });
});

const schema = compileSchema({
  "": {
    entityTypes: { Team: {}, User: { shape: { type: "Record", attributes: { a: { type: "Set", element: { type: "Record", attributes: { b: { type: "Long" } } }, required: false } } } } },
    actions: { read: { appliesTo: { principalTypes: ["User"], resourceTypes: ["User"], context: { type: "Record", attributes: { at: { type: "datetime" } } } } } },
  },
});
const typed: readonly (readonly [string, string, unknown])[] = [
  ["a type", "[1].uid", entity({ uid: { type: "Robot", id: "" } })],
  ["an undeclared attribute", "[1].attrs", entity({ attrs: { c: 1 } })],
  ["an attribute within", "[1].attrs.a[1].b", entity({ attrs: { a: [{ b: 1 }, { b: "2" }] } })],
  ["one that is missing within", "[1].attrs.a[0]", entity({ attrs: { a: [{}] } })],
  ["a tag", "[1].tags", entity({ tags: { a: 1 } })],
  ["a parent", "[1].parents", entity({ parents: [uid] })],
  ["a failing call within", "[1].attrs.a[0].b", entity({ attrs: { a: [{ b: { __extn: { fn: "decimal", arg: "x" } } }] } })],
  ["a value that is none within one of another type", "[1].attrs.a[0].b.x", entity({ attrs: { a: [{ b: { x: null } }] } })],
  ["an action that is none", "", entity({ uid: { type: "Action", id: "write" } })],
  ["an action with an attribute", "", entity({ uid: { type: "Action", id: "read" }, attrs: { a: 1 } })],
  ["an action in another", "", entity({ uid: { type: "Action", id: "read" }, parents: [{ type: "Action", id: "x" }] })],
];

describe("entities are refused at the place where they are not of their type:", () => {
  test.each(typed)("%s, at %s", (_what, at, json) => {
    expect(told(() => entityStore(json as readonly EntityJson[], { schema }))).toEqual(refusedAt("entity_invalid", at));
  });
});

const request = { principal: uid, action: { type: "Action", id: "read" }, resource: user, context: { at: "2026-11-20" } };
const requests: readonly (readonly [string, string, unknown])[] = [
  ["no object", "", 1],
  ["a principal", "principal", { ...request, principal: 1 }],
  ["an action", "action", { ...request, action: {} }],
  ["a resource", "resource", { ...request, resource: { type: "a b", id: "" } }],
  ["a context", "context", { ...request, context: [] }],
  ["a value", "context.a[0]", { ...request, context: { a: [null] } }],
  ["a failing call", "context", { ...request, context: { a: { __extn: { fn: "decimal", arg: "x" } } } }],
  ["an entity as context", "context", { ...request, context: user }],
];

describe("a request is refused at the place where it is wrong:", () => {
  test.each(requests)("%s, at %s", (_what, at, json) => {
    expect(told(() => prepareRequest(json as RequestJson))).toEqual(refusedAt("request_invalid", at));
  });

  test.each<readonly [string, string, object]>([
    ["a principal's type", "principal", { principal: { type: "Robot", id: "" } }],
    ["a principal of a type that the action is not for", "principal", { principal: { type: "Team", id: "" } }],
    ["a resource of a type that the action is not for", "resource", { resource: { type: "Team", id: "" } }],
    ["an extension value", "context.at", { context: { at: { fn: "ip", arg: "::1" } } }],
    ["an extension value by a function of no such value", "context.at", { context: { at: { fn: "isIpv4", arg: "::1" } } }],
    ["an extension value that is null", "context.at", { context: { at: null } }],
    ["a resource's type", "resource", { resource: { type: "Robot", id: "" } }],
    ["an action", "action", { action: { type: "Action", id: "write" } }],
    ["a context's attribute", "context.at", { context: { at: "today" } }],
    ["a context", "context", { context: {} }],
  ])("%s, at %s, by the schema", (_what, at, change) => {
    expect(told(() => prepareRequest({ ...request, ...change }, { schema }))).toEqual(refusedAt("request_invalid", at));
  });
});

/** An object whose property cannot be read. */
const breaking = (name: string, error: Error): object => ({
  get [name]() {
    throw error;
  },
});

describe("an error that is no refusal comes through as it is, thrown while", () => {
  const broken = new RangeError("broken");
  test.each<readonly [string, () => unknown]>([
    ["a value in a policy is read", () => compilePolicySet(when({ Value: breaking("a", broken) }) as PolicySetJson)],
    ["a policy's entity is read", () => compilePolicySet(permit({ principal: { op: "==", entity: breaking("__entity", broken) } }) as PolicySetJson)],
    ["a link's value is read", () => compilePolicySet(linked({ values: { "?principal": breaking("__entity", broken) } }) as unknown as PolicySetJson)],
    ["an entity is read", () => entityStore(entity({ attrs: breaking("a", broken) }))],
    ["an entity is read by its type", () => entityStore(entity({ attrs: { a: [breaking("b", broken)] } }), { schema })],
    ["a request is read", () => prepareRequest({ ...request, context: { a: breaking("b", broken) } } as RequestJson)],
  ])("%s", (_what, read) => {
    let thrown: unknown;
    try {
      read();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBe(broken);
  });
});

test("what refuses at no place of its own is told whole where it stands", () => {
  const nothing = "a value cannot be null";
  expect(refusal(() => prepareRequest({ ...request, context: { a: null } } as unknown as RequestJson)).message).toContain(`context.a: ${nothing}`);
  expect(refusal(() => prepareRequest({ ...request, context: [] } as unknown as RequestJson)).message).toBe("context: expected an object");
  expect(refusal(() => entityStore(entity({ parents: {} }) as unknown as readonly EntityJson[])).message).toContain("[1].parents: expected an array");
  expect(refusal(() => entityStore(entity({ attrs: { a: [null] } }) as unknown as readonly EntityJson[])).message).toContain(`[1].attrs.a[0]: ${nothing}`);
});

test("the refusal of a second entity of one name tells the name, and of an action below others, theirs", () => {
  expect(() => entityStore([...entity({}), { uid, attrs: { a: 1 }, parents: [] }] as readonly EntityJson[])).toThrow('[2]: `User::"ann"` is there twice');
  expect(() => entityStore(entity({ uid: { type: "Action", id: "x" }, parents: [uid] }) as readonly EntityJson[])).toThrow('not in `User::"ann"`');
});
