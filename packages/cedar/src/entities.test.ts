import { describe, expect, test } from "vitest";
import { entityStore } from "./entity-store.ts";
import { CedarError } from "./errors.ts";
import type { EntityJson, EntityUidJson } from "./json.ts";
import { EntityUid } from "./values.ts";
import { byLicet, byWasm, permitWhen, world } from "./wasm-fixture.ts";

const uid = (id: string, type = "User") => ({ type, id });
const entity = (id: string, more: Readonly<Record<string, unknown>> = {}) => ({ uid: uid(id), attrs: {}, parents: [], ...more });

function both(entities: unknown): readonly [string, string] {
  const policies = { staticPolicies: { p: permitWhen({ in: { left: { Var: "principal" }, right: { Value: { __entity: uid("top") } } } }) } };
  return [byLicet({ ...world, entities, policies }), byWasm({ ...world, entities, policies })];
}

describe("entities are taken and refused as by cedar-wasm:", () => {
  const lists: Readonly<Record<string, unknown>> = {
    "an ancestor by two steps": [entity("ann", { parents: [uid("mid")] }), entity("mid", { parents: [uid("top")] })],
    "a parent that is not there": [entity("ann", { parents: [uid("top")] })],
    "the same entity twice": [entity("ann"), entity("ann")],
    "the same entity twice, its set in another order": [entity("ann", { attrs: { s: [1, 2] } }), entity("ann", { attrs: { s: [2, 1, 2] } })],
    "the same entity twice, with other parents": [entity("ann"), entity("ann", { parents: [uid("x")] })],
    "two entities of one name": [entity("ann", { attrs: { level: 1 } }), entity("ann")],
    "two entities of one name that differ in tags": [entity("ann", { tags: { level: 1 } }), entity("ann")],
    "a parent twice": [entity("ann", { parents: [uid("top"), uid("top")] })],
    "its own parent": [entity("ann", { parents: [uid("ann")] })],
    "a cycle of three": [entity("ann", { parents: [uid("b")] }), entity("b", { parents: [uid("c")] }), entity("c", { parents: [uid("ann")] })],
    "a cycle by second parents": [entity("ann", { parents: [uid("x"), uid("b")] }), entity("b", { parents: [uid("y"), uid("ann")] })],
    "a cycle that the first is not in": [entity("ann", { parents: [uid("b")] }), entity("b", { parents: [uid("c")] }), entity("c", { parents: [uid("b")] })],
    "two ways to one ancestor": [entity("ann", { parents: [uid("a"), uid("b")] }), entity("a", { parents: [uid("top")] }), entity("b", { parents: [uid("top")] }), entity("top")],
    "two ways to one ancestor that has ancestors": [entity("ann", { parents: [uid("a"), uid("b")] }), entity("a", { parents: [uid("mid")] }), entity("b", { parents: [uid("mid")] }), entity("mid", { parents: [uid("top")] })],
    "an action in a user": [{ uid: uid("read", "Action"), attrs: {}, parents: [uid("top")] }],
    "a user in an action": [entity("ann", { parents: [uid("read", "Action")] })],
    "an action with attributes": [{ uid: uid("read", "Action"), attrs: { a: 1 }, parents: [] }],
    "no attributes": [{ uid: uid("ann"), parents: [] }],
    "no parents": [{ uid: uid("ann"), attrs: {} }],
    "no name": [{ attrs: {}, parents: [] }],
    "more than an entity has": [entity("ann", { more: 1 })],
    "tags that are null": [entity("ann", { tags: null })],
    "a tag that is null": [entity("ann", { tags: { a: null } })],
    "attributes that are a list": [entity("ann", { attrs: [] })],
    "a marked name": [entity("ann", { uid: { __entity: uid("ann") } })],
    "a name as text": [entity("ann", { uid: 'User::"ann"' })],
    "a parent as text": [entity("ann", { parents: ['User::"top"'] })],
    "an attribute that fails": [entity("ann", { attrs: { a: { __extn: { fn: "decimal", arg: "x" } } } })],
    "an attribute of an unknown function": [entity("ann", { attrs: { a: { __extn: { fn: "foo", arg: "x" } } } })],
    "an attribute that names no type": [entity("ann", { attrs: { a: { __entity: { type: "a b", id: "c" } } } })],
    "an attribute that is an entity by no mark": [entity("ann", { attrs: { a: uid("b") } })],
    "attributes called like a mark": [entity("ann", { attrs: { __entity: uid("b") } })],
    "attributes called like parts of an object": [entity("ann", { attrs: JSON.parse('{"__proto__": {"level": 9}, "constructor": 1, "toString": 2}') as unknown })],
    "a type that is no name": [entity("ann", { uid: uid("ann", "a b") })],
    "an id of control characters": [entity("ann", { uid: uid("\0\n") })],
    "an object": {},
    null: null,
    "a list of null": [null],
  };
  test.each(Object.keys(lists))("%s", (name) => {
    const [ours, cedar] = both(lists[name]);
    expect(ours).toBe(cedar);
  });
});

describe("requests are taken and refused as by cedar-wasm:", () => {
  const { request } = world;
  const requests: Readonly<Record<string, object>> = {
    "a type that is no name": { principal: uid("ann", "a b") },
    "a reserved type": { principal: uid("ann", "if") },
    "a number as id": { principal: { type: "User", id: 1 } },
    "a marked name": { principal: { __entity: uid("ann") } },
    "a marked name beside another": { principal: { __entity: uid("ann"), ...uid("other") } },
    "a name with more in it": { principal: { ...uid("ann"), more: 1 } },
    "a text": { principal: 'User::"ann"' },
    "an action of another type": { action: uid("read", "Other") },
    "a list as context": { context: [] },
    "an entity as context": { context: { __entity: uid("ann") } },
    "an entity's mark among others as context": { context: { __entity: uid("ann"), more: 1 } },
    "an extension value as context": { context: { __extn: { fn: "decimal", arg: "1.0" } } },
    "a null in the context": { context: { a: null } },
    "a fraction in the context": { context: { a: 0.5 } },
    "a long beyond 64 bits": { context: { a: 9223372036854775808n } },
    "half of a surrogate pair": { context: { a: "\ud800" } },
  };
  test.each(Object.keys(requests))("%s", (name) => {
    const policies = { staticPolicies: { p: permitWhen({ "==": { left: { Var: "principal" }, right: { Value: { __entity: uid("ann") } } } }) } };
    const changed = { ...world, policies, request: { ...request, ...requests[name] } };
    expect(byLicet(changed)).toBe(byWasm(changed));
  });
});

const node = (id: string, ...parents: readonly string[]): EntityJson => ({ uid: uid(id), attrs: {}, parents: parents.map((parent) => uid(parent)) });
const name = (id: string) => new EntityUid("User", id);

describe("a layer over a base", () => {
  const base = entityStore([node("a", "b"), node("b", "gap")]);

  test("sees the base's entities and their ancestors as its own", () => {
    const layer = entityStore([node("x", "a")], { base });
    expect(layer.find(name("b").key)?.uid.id).toBe("b");
    expect([...layer.ancestorsOf(name("x").key)].sort()).toEqual(["a", "b", "gap"].map((id) => name(id).key));
  });

  test("extends the ancestors of the base's entities where it holds a parent that the base lacks", () => {
    const layer = entityStore([node("gap", "top")], { base });
    expect(layer.isIn(name("a"), name("top"))).toBe(true);
    expect(base.isIn(name("a"), name("top"))).toBe(false);
  });

  test("knows no ancestors of an entity that neither of the two has", () => {
    expect([...entityStore([node("gap", "top")], { base }).ancestorsOf(name("nobody").key)]).toEqual([]);
    expect([...entityStore([], { base }).ancestorsOf(name("nobody").key)]).toEqual([]);
  });

  test("refuses a cycle that it closes through the base", () => {
    expect(() => entityStore([node("gap", "a")], { base })).toThrow(CedarError);
  });

  test("refuses another content for an entity of the base and takes the same", () => {
    expect(() => entityStore([node("a", "c")], { base })).toThrow(/twice/u);
    expect(entityStore([node("a", "b")], { base }).size).toBe(base.size);
  });

  test("gives the base's entities first, then its own", () => {
    expect([...entityStore([node("x")], { base })].map((entity) => entity.uid.id)).toEqual(["a", "b", "x"]);
  });

  test("leaves the base as it was", () => {
    entityStore([node("new"), node("gap")], { base });
    expect([...base].map((entity) => entity.uid.id)).toEqual(["a", "b"]);
  });
});

test("a hierarchy may be deeper than the stack", () => {
  const depth = 100_000;
  const chain = Array.from({ length: depth }, (_, index) => node(`n${index}`, `n${index + 1}`));
  expect(entityStore(chain).isIn(name("n0"), name(`n${depth}`))).toBe(true);
  expect(() => entityStore([...chain, node(`n${depth}`, "n0")])).toThrow(/its own ancestor/u);
});

test("a hierarchy whose ways up double with each level is walked once", () => {
  const levels = 60;
  const rungs = Array.from({ length: levels }, (_, level) => [node(`l${level}`, `l${level + 1}`, `r${level + 1}`), node(`r${level}`, `l${level + 1}`, `r${level + 1}`)]).flat();
  const store = entityStore([...rungs, node(`l${levels}`), node(`r${levels}`)]);
  expect(store.ancestorsOf(name("l0").key).size).toBe(2 * levels);
});

test("a refusal names the place", () => {
  const bad = [node("a"), { uid: uid("b") as EntityUidJson, attrs: { deep: { list: [1, 0.5] } }, parents: [] }];
  expect(() => entityStore(bad)).toThrow(expect.objectContaining({ code: "entity_invalid", at: "[1].attrs.deep.list[1]" }));
});
