import { describe, expect, test } from "vitest";
import { entityStore } from "./entity-store.ts";
import { CedarError } from "./errors.ts";
import { parseJson } from "./parse-json.ts";
import { compileSchema } from "./schema.ts";
import { byLicet, byWasm, permitWhen } from "./wasm-fixture.ts";

const attribute = (type: string, required = true) => ({ type, required });
const set = (element: object) => ({ type: "Set", element, required: false });
const schema = {
  N: {
    commonTypes: { Window: { type: "Record", attributes: { from: attribute("datetime"), until: attribute("datetime", false) } } },
    entityTypes: {
      User: {
        memberOfTypes: ["Team", "Color"],
        shape: {
          type: "Record",
          attributes: {
            level: attribute("Long"),
            name: attribute("String", false),
            on: attribute("Boolean", false),
            boss: { type: "Entity", name: "User", required: false },
            color: { type: "Entity", name: "Color", required: false },
            may: { type: "Entity", name: "Action", required: false },
            price: { type: "Extension", name: "decimal", required: false },
            from: { type: "Extension", name: "ipaddr", required: false },
            span: { type: "Extension", name: "duration", required: false },
            window: attribute("Window", false),
            colors: set({ type: "Entity", name: "Color" }),
            windows: set({ type: "Window" }),
            numbers: set({ type: "Set", element: { type: "Long" } }),
          },
        },
        tags: { type: "Set", element: { type: "String" } },
      },
      Team: { memberOfTypes: ["Org"] },
      Org: {},
      Color: { enum: ["red", "green"] },
      File: {},
    },
    actions: {
      read: { memberOf: [{ id: "look" }], appliesTo: { principalTypes: ["User", "Color"], resourceTypes: ["File"], context: { type: "Record", attributes: { at: attribute("datetime"), who: { type: "Entity", name: "User", required: false }, color: { type: "Entity", name: "Color", required: false } } } } },
      look: { memberOf: [{ id: "any" }] },
      any: {},
    },
  },
};

const uid = (type: string, id: string) => ({ type: `N::${type}`, id });
const user = (attrs: object, more: object = {}) => ({ uid: uid("User", "ann"), attrs: { level: 1, ...attrs }, parents: [], ...more });
const action = (id: string, parents: readonly string[], more: object = {}) => ({ uid: uid("Action", id), attrs: {}, parents: parents.map((parent) => uid("Action", parent)), ...more });
const request = { principal: uid("User", "ann"), action: uid("Action", "read"), resource: uid("File", "plan"), context: { at: "2026-11-20" } };
const policies = { staticPolicies: { p: permitWhen({ in: { left: { Var: "action" }, right: { Value: { __entity: uid("Action", "any") } } } }) } };
const marked = (fn: string, ...args: readonly unknown[]) => ({ __extn: { fn, args } });

/** What both say, which must be the same, of entities beside a good request. */
function ofEntities(entities: unknown): string {
  const asked = { policies, request, entities, schema };
  const ours = byLicet(asked);
  expect(ours).toBe(byWasm(asked));
  return ours;
}

const attributes: Readonly<Record<string, readonly [unknown, boolean]>> = {
  "nothing more": [{}, true],
  "an undeclared attribute": [{ more: 1 }, false],
  "one called like every object's own": [parseJson('{"__proto__": 1}'), false],
  "a long that is text": [{ level: "1" }, false],
  "a long that is a fraction": [{ level: 1.5 }, false],
  "a long that a call gives": [{ level: marked("toDays", marked("duration", "49h")) }, true],
  "a long that a failing call gives": [{ level: marked("toDays", marked("duration", "49x")) }, false],
  "text": [{ name: "a" }, true],
  "text that is null": [{ name: null }, false],
  "text that is a long": [{ name: 1 }, false],
  "true": [{ on: true }, true],
  "true that is text": [{ on: "true" }, false],
  "a boolean that a call gives": [{ on: marked("isIpv4", marked("ip", "::1")) }, true],
  "an entity": [{ boss: uid("User", "x") }, true],
  "an entity with its mark": [{ boss: { __entity: uid("User", "x") } }, true],
  "an entity of another type": [{ boss: uid("Team", "x") }, false],
  "an entity whose id is a number": [{ boss: { type: "N::User", id: 1 } }, false],
  "an entity by text": [{ boss: 'N::User::"x"' }, false],
  "an entity that is `__expr`": [{ boss: { __expr: "N::User" } }, false],
  "one of the ids": [{ color: uid("Color", "red") }, true],
  "none of the ids": [{ color: uid("Color", "blue") }, false],
  "an action": [{ may: uid("Action", "look") }, true],
  "an unknown action": [{ may: uid("Action", "write") }, false],
  "a decimal by text": [{ price: "1.5" }, true],
  "a decimal by its mark": [{ price: marked("decimal", "1.5") }, true],
  "a decimal by a call without mark": [{ price: { fn: "decimal", arg: "1.5" } }, true],
  "a decimal by a number": [{ price: 1.5 }, false],
  "a decimal that is malformed": [{ price: "1,5" }, false],
  "a decimal that is an address": [{ price: marked("ip", "::1") }, false],
  "a decimal by an unknown function": [{ price: marked("price", "1.5") }, false],
  "a decimal by two texts": [{ price: marked("decimal", "1.5", "2.5") }, false],
  "a decimal by none": [{ price: marked("decimal") }, false],
  "a decimal that is `__expr`": [{ price: { __expr: "1.5" } }, false],
  "a decimal whose function is no text": [{ price: { fn: 1, arg: "1.5" } }, false],
  "a decimal whose mark is not one": [{ price: { __extn: { fn: 1, arg: "1.5" }, fn: "decimal", arg: "1.5" } }, true],
  "a decimal beside `__expr`": [{ price: { __expr: "1.5", fn: "decimal", arg: "1.5" } }, false],
  "a decimal that is null": [{ price: null }, false],
  "a decimal by a function of no decimal": [{ price: marked("isIpv4", "::1") }, false],
  "an address by text": [{ from: "10.0.0.0/8" }, true],
  "a duration between moments by text": [{ span: { fn: "durationSince", args: ["2026-11-20", "2026-11-19"] } }, true],
  "a duration since midnight": [{ span: { fn: "toTime", arg: "2026-11-20T01:00:00Z" } }, true],
  "a duration by a moment": [{ span: { fn: "toDate", arg: "2026-11-20" } }, false],
  "a record": [{ window: { from: "2026-11-20", until: { fn: "offset", args: ["2026-11-20", "1h"] } } }, true],
  "a record without what it needs": [{ window: { until: "2026-11-20" } }, false],
  "a record with more": [{ window: { from: "2026-11-20", more: 1 } }, false],
  "a record that is a list": [{ window: [] }, false],
  "a record that is text": [{ window: "2026-11-20" }, false],
  "a set": [{ colors: [uid("Color", "red"), uid("Color", "green")] }, true],
  "a set with another type": [{ colors: [uid("Color", "red"), uid("User", "x")] }, false],
  "a set with none of the ids": [{ colors: [uid("Color", "blue")] }, false],
  "a set that is a record": [{ colors: {} }, false],
  "an empty set": [{ colors: [] }, true],
  "a set of records": [{ windows: [{ from: "2026-11-20" }] }, true],
  "a set of records, one of them short": [{ windows: [{ from: "2026-11-20" }, {}] }, false],
  "a set of sets": [{ numbers: [[], [1, 2]] }, true],
  "a set of sets with a text": [{ numbers: [[1, "2"]] }, false],
};

describe("attributes are taken and refused by their type, as in cedar-wasm:", () => {
  test.each(Object.keys(attributes))("%s", (name) => {
    const [attrs, taken] = attributes[name] ?? [{}, false];
    expect(ofEntities([user(attrs as object)]) !== "refused").toBe(taken);
  });
});

const lists: Readonly<Record<string, readonly [unknown, boolean]>> = {
  "a required attribute that is missing": [[{ uid: uid("User", "x"), attrs: {}, parents: [] }], false],
  "an unknown type": [[{ uid: uid("Robot", "x"), attrs: {}, parents: [] }], false],
  "one of the ids": [[{ uid: uid("Color", "red"), attrs: {}, parents: [] }], true],
  "none of the ids": [[{ uid: uid("Color", "blue"), attrs: {}, parents: [] }], false],
  "one of the ids with an attribute": [[{ uid: uid("Color", "red"), attrs: { a: 1 }, parents: [] }], false],
  "one of the ids with a parent": [[{ uid: uid("Color", "red"), attrs: {}, parents: [uid("Org", "x")] }], false],
  "a tag": [[user({}, { tags: { a: ["b"] } })], true],
  "a tag of another type": [[user({}, { tags: { a: "b" } })], false],
  "a tag where there are none": [[{ uid: uid("Org", "x"), attrs: {}, parents: [], tags: { a: [] } }], false],
  "no tags where there are none": [[{ uid: uid("Org", "x"), attrs: {}, parents: [], tags: {} }], true],
  "a parent": [[user({}, { parents: [uid("Team", "x")] })], true],
  "a parent of a type above": [[user({}, { parents: [uid("Org", "x")] })], true],
  "a parent of a type that is none": [[user({}, { parents: [uid("User", "x")] })], false],
  "a parent that is one of the ids": [[user({}, { parents: [uid("Color", "red")] })], true],
  "a parent that is none of the ids": [[user({}, { parents: [uid("Color", "blue")] })], false],
  "a parent that is an action": [[user({}, { parents: [uid("Action", "look")] })], false],
  "an action with all that it is in": [[action("read", ["look", "any"])], true],
  "an action with what it is in, of which the rest is given": [[action("read", ["look"]), action("look", ["any"])], true],
  "an action with a part of what it is in": [[action("read", ["look"])], false],
  "an action without what it is in": [[action("read", [])], false],
  "an action with more than it is in": [[action("any", ["look"])], false],
  "an action in what is none": [[action("any", ["other"])], false],
  "an unknown action": [[action("write", [])], false],
  "an action with an attribute": [[action("any", [], { attrs: { a: 1 } })], false],
  "an action with a tag": [[action("any", [], { tags: { a: 1 } })], false],
  "an action in a user": [[action("any", [], { parents: [uid("User", "x")] })], false],
  "actions in a circle": [[action("look", ["any"]), action("any", ["look"])], false],
  "the same action twice": [[action("any", []), action("any", [])], true],
};

describe("entities are taken and refused by the schema, as in cedar-wasm:", () => {
  test.each(Object.keys(lists))("%s", (name) => {
    const [entities, taken] = lists[name] ?? [[], false];
    expect(ofEntities(entities) !== "refused").toBe(taken);
  });
});

const requests: Readonly<Record<string, readonly [object, boolean]>> = {
  "as the schema has it": [{}, true],
  "an enumerated principal": [{ principal: uid("Color", "red") }, true],
  "a principal that is none of the ids": [{ principal: uid("Color", "blue") }, false],
  "a principal of a type that the action is not for": [{ principal: uid("Team", "x") }, false],
  "a principal of an unknown type": [{ principal: uid("Robot", "x") }, false],
  "a principal that is an action": [{ principal: uid("Action", "read") }, false],
  "a resource of a type that the action is not for": [{ resource: uid("User", "x") }, false],
  "a resource of an unknown type": [{ resource: { type: "File", id: "x" } }, false],
  "an unknown action": [{ action: uid("Action", "write") }, false],
  "an action that is for nobody": [{ action: uid("Action", "look"), context: {} }, false],
  "a context without what it needs": [{ context: {} }, false],
  "a context with more": [{ context: { at: "2026-11-20", more: 1 } }, false],
  "a context that is a list": [{ context: [] }, false],
  "a context that is an entity": [{ context: { __entity: uid("User", "x") } }, false],
  "a moment that is none": [{ context: { at: "2026-02-30" } }, false],
  "an entity in the context": [{ context: { at: "2026-11-20", who: uid("User", "x") } }, true],
  "an entity in the context that is none of the ids": [{ context: { at: "2026-11-20", color: uid("Color", "blue") } }, false],
};

describe("requests are taken and refused by the schema, as in cedar-wasm:", () => {
  test.each(Object.keys(requests))("%s", (name) => {
    const [changed, taken] = requests[name] ?? [{}, false];
    const asked = { policies, request: { ...request, ...changed }, entities: [], schema };
    const ours = byLicet(asked);
    expect(ours).toBe(byWasm(asked));
    expect(ours !== "refused").toBe(taken);
  });
});

describe("the actions of the schema, with all that they are in,", () => {
  const compiled = compileSchema(schema);
  const read = { type: "N::Action", id: "read" };
  const key = (id: string) => `N::Action\0${id}`;

  test("are in every store, once", () => {
    const store = entityStore([], { schema: compiled });
    expect([...store.ancestorsOf(key("read"))].sort()).toEqual([key("any"), key("look")]);
    expect(store.size).toBe(3);
    const layer = entityStore([{ uid: uid("Org", "x"), attrs: {}, parents: [] }], { schema: compiled, base: store });
    expect([layer.size, [...layer.ancestorsOf(key("read"))].length]).toEqual([4, 2]);
  });

  test("come with the layer where the store below it has none of this schema", () => {
    const below = entityStore([{ uid: uid("Org", "x"), attrs: {}, parents: [] }]);
    const layer = entityStore([], { schema: compiled, base: below });
    expect([layer.size, below.size]).toEqual([4, 1]);
    const other = compileSchema({ N: { ...schema.N, actions: { any: {} } } });
    const onOther = entityStore([], { schema: compiled, base: entityStore([], { schema: other }) });
    expect([...onOther.ancestorsOf(key("read"))].length).toBe(2);
  });

  test("are there once, where one of them is given or lies below", () => {
    const ids = (store: Iterable<{ readonly uid: { readonly id: string } }>) => [...store].map(({ uid: { id } }) => id).toSorted();
    const every = ["any", "look", "read"];
    expect(ids(entityStore([action("look", ["any"])], { schema: compiled }))).toEqual(every);
    const below = entityStore([action("look", ["any"])]);
    expect(ids(entityStore([], { schema: compiled, base: below }))).toEqual(every);
    expect(ids(entityStore([action("any", [])], { schema: compiled, base: below }))).toEqual(every);
    expect(ids(entityStore([], { schema: compiled, base: entityStore([], { schema: compiled }) }))).toEqual(every);
  });

  test("are compared with those that a layer is given", () => {
    const store = entityStore([], { schema: compiled });
    expect(() => entityStore([{ uid: read, attrs: {}, parents: [] }], { schema: compiled, base: store })).toThrow(CedarError);
  });
});

test("calls in calls nest as many levels as are allowed, and not one more", () => {
  const compiled = compileSchema(schema);
  const moment = (calls: number) => Array.from({ length: calls }).reduce<unknown>((held) => ({ fn: "offset", args: [held, "1h"] }), "2026-11-20");
  const read = (calls: number) => entityStore([user({ window: { from: moment(calls) } })] as Parameters<typeof entityStore>[0], { schema: compiled });
  expect(read(60).size).toBe(4);
  expect(() => read(61)).toThrow("nest at most 60 deep");
});

test("names of attributes and tags are whole texts, and one that holds undefined is not there", () => {
  const compiled = compileSchema(schema);
  const read = (entity: object) => entityStore([entity] as Parameters<typeof entityStore>[0], { schema: compiled });
  expect(() => read(user({}, { tags: { "\ud800": ["a"] } }))).toThrow("half of a surrogate pair");
  expect(() => read(user({}, { tags: { a: ["\ud800"] } }))).toThrow("half of a surrogate pair");
  expect(() => read({ ...user({}), uid: uid("User", "\ud800") })).toThrow("half of a surrogate pair");
  expect(Object.keys(read(user({ more: undefined })).find("N::User\0ann")?.attrs ?? {})).toEqual(["level"]);
});
