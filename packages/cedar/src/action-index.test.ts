import { describe, expect, test } from "vitest";
import { entityStore } from "./entity-store.ts";
import type { ActionScopeJson, EntityJson, PolicyJson, ScopeJson } from "./json.ts";
import { compilePolicySet, type PolicySet } from "./policy-set.ts";
import { Query } from "./query.ts";
import { prepareRequest } from "./request.ts";

const any = { op: "All" } as const;
const uid = (name: string) => ({ type: name.slice(0, name.indexOf(":")), id: name.slice(name.indexOf(":") + 1) });
const is = (name: string): ScopeJson => ({ op: "==", entity: uid(name) });
const below = (name: string): ScopeJson => ({ op: "in", entity: uid(name) });
const ofType = (type: string): ScopeJson => ({ op: "is", entity_type: type });
const ofTypeBelow = (type: string, name: string): ScopeJson => ({ op: "is", entity_type: type, in: { entity: uid(name) } });
const head = (principal: ScopeJson, resource: ScopeJson = any, action: ActionScopeJson = any): PolicyJson => ({ effect: "permit", principal, action, resource, conditions: [] });
const entity = (name: string, ...parents: readonly string[]): EntityJson => ({ uid: uid(name), attrs: {}, parents: parents.map(uid) });

const entities = [entity("User:ann", "Team:blue"), entity("Team:blue", "Org:acme"), entity("Doc:plan", "Folder:all"), entity("Doc:memo", "Folder:all"), entity("Action:read", "Action:look"), entity("Action:look", "Action:any")];

interface Asked {
  readonly principal?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly entities?: readonly EntityJson[];
}

/** The policies that are looked at, whether they apply or not. */
function lookedAt(set: PolicySet, { principal = "User:ann", action = "Action:read", resource = "Doc:plan", ...asked }: Asked = {}): readonly string[] {
  const request = prepareRequest({ principal: uid(principal), action: uid(action), resource: uid(resource), context: {} });
  const query = new Query(request, entityStore(asked.entities ?? entities));
  const ids: string[] = [];
  set.index.forAction(query).visit(query, ids, (policies, _query, into) => into.push(...policies.map(({ id }) => id)));
  return ids.toSorted((left, right) => left.localeCompare(right));
}

const many = (make: (index: number) => PolicyJson) => Array.from({ length: 10 }, (_, index) => [`p${index}`, make(index)] as const);
const compiled = (policies: Iterable<readonly [string, PolicyJson]>) => compilePolicySet({ staticPolicies: Object.fromEntries(policies) });

describe("a request looks at the policies whose head can fit, and at no others:", () => {
  const set = () => compiled(
    Object.entries({
      all: head(any),
      ann: head(is("User:ann")),
      bob: head(is("User:bob")),
      acme: head(below("Org:acme")),
      other: head(below("Org:other")),
      users: head(ofType("User")),
      bots: head(ofType("Bot")),
      blueUsers: head(ofTypeBelow("User", "Team:blue")),
      redUsers: head(ofTypeBelow("User", "Team:red")),
      plan: head(any, is("Doc:plan")),
      memo: head(any, is("Doc:memo")),
      folder: head(any, below("Folder:all")),
      docs: head(any, ofType("Doc")),
      pictures: head(any, ofType("Picture")),
    }),
  );
  test("of principal and resource", () => {
    expect(lookedAt(set())).toEqual(["acme", "all", "ann", "blueUsers", "docs", "folder", "plan", "users"]);
    expect(lookedAt(set(), { principal: "Bot:x", resource: "Picture:y" })).toEqual(["all", "bots", "pictures"]);
  });
  test("of an entity that nobody has given", () => {
    expect(lookedAt(set(), { entities: [] })).toEqual(["all", "ann", "docs", "plan", "users"]);
  });
});

describe("of two things that a head names, the one that fewer policies name leads to it:", () => {
  test.each([
    ["one resource each for a whole team", many((index) => head(below("Team:blue"), is(index === 3 ? "Doc:plan" : `Doc:${index}`))), ["p3"]],
    ["one principal each for a whole folder", many((index) => head(is(index === 4 ? "User:ann" : `User:${index}`), below("Folder:all"))), ["p4"]],
    ["one principal each for one resource", many((index) => head(is(index === 4 ? "User:ann" : `User:${index}`), is("Doc:plan"))), ["p4"]],
    ["one type of resource each for a type of principals", many((index) => head(ofType("User"), ofType(index === 5 ? "Doc" : `Doc${index}`))), ["p5"]],
    ["one type of principals each for a type of resource", many((index) => head(ofType(index === 6 ? "User" : `User${index}`), ofType("Doc"))), ["p6"]],
    ["an entity before a type", many((index) => head(ofType("User"), is(index === 7 ? "Doc:plan" : `Doc:${index}`))), ["p7"]],
    ["an entity before a type, the other way round", many((index) => head(is(index === 7 ? "User:ann" : `User:${index}`), ofType("Doc"))), ["p7"]],
  ])("%s", (_name, policies, expected) => {
    expect(lookedAt(compiled(policies))).toEqual(expected);
  });

  test("and where both are named equally often, the principal", () => {
    const set = compiled([["p", head(is("User:bob"), is("Doc:plan"))]]);
    expect([lookedAt(set), lookedAt(set, { principal: "User:bob", resource: "Doc:x" })]).toEqual([[], ["p"]]);
    const types = compiled([["p", head(ofType("Bot"), ofType("Doc"))]]);
    expect([lookedAt(types), lookedAt(types, { principal: "Bot:b", resource: "Picture:x" })]).toEqual([[], ["p"]]);
  });
});

describe("policies are found by the action and by its groups as the entities of the request have them:", () => {
  const action = (name: string): ActionScopeJson => ({ op: "==", entity: uid(name) });
  const group = (...names: readonly string[]): ActionScopeJson => ({ op: "in", entities: names.map(uid) });
  const sets = () => compiled(Object.entries({ read: head(any, any, action("Action:read")), look: head(any, any, action("Action:look")), inLook: head(any, any, group("Action:look")), inAny: head(any, any, group("Action:any", "Action:x")), none: head(any, any, group()), each: head(any) }));
  const askedOf = (set: PolicySet) => (name: string, given: readonly EntityJson[] = entities) => lookedAt(set, { action: name, entities: given });

  test("by name, by a group, and by a group above", () => {
    const asked = askedOf(sets());
    expect(asked("Action:read")).toEqual(["each", "inAny", "inLook", "read"]);
    expect(asked("Action:look")).toEqual(["each", "inAny", "inLook", "look"]);
    expect(asked("Action:any")).toEqual(["each", "inAny"]);
    expect(asked("Action:write")).toEqual(["each"]);
  });

  test("anew whenever the groups are others, and a policy of a group alone is not one of its members", () => {
    const asked = askedOf(sets());
    const onlyAny = [entity("Action:read", "Action:any")];
    const write = [entity("Action:write", "Action:look")];
    const unnamed = [entity("Action:read", "Action:look", "Action:nobody"), entity("Action:look", "Action:any")];
    expect(asked("Action:read", [])).toEqual(["each", "read"]);
    expect(asked("Action:read", onlyAny)).toEqual(["each", "inAny", "read"]);
    expect(asked("Action:read", entities)).toEqual(["each", "inAny", "inLook", "read"]);
    expect(asked("Action:read", unnamed)).toEqual(["each", "inAny", "inLook", "read"]);
    expect(asked("Action:read", onlyAny)).toEqual(["each", "inAny", "read"]);
    expect(asked("Action:read", [])).toEqual(["each", "read"]);
    expect(asked("Action:write", write)).toEqual(["each", "inLook"]);
    expect(asked("Action:look", [])).toEqual(["each", "inLook", "look"]);
    expect(asked("Action:write", write)).toEqual(["each", "inLook"]);
  });

  test("the same index for actions that policies do not tell apart, and for the same groups of another store", () => {
    const set = sets();
    const index = (name: string, given: readonly EntityJson[]) => set.index.forAction(new Query(prepareRequest({ principal: uid("User:ann"), action: uid(name), resource: uid("Doc:plan"), context: {} }), entityStore(given)));
    expect(index("Action:write", [])).toBe(index("Action:delete", []));
    expect(index("Action:read", entities)).toBe(index("Action:read", [...entities]));
    expect(index("Action:write", [entity("Action:write", "Action:look")])).not.toBe(index("Action:look", []));
  });

  test("after more actions than are remembered", () => {
    const asked = askedOf(sets());
    for (let round = 0; round < 1_100; round++) asked(`Action:a${round}`, [entity(`Action:a${round}`, round % 2 === 0 ? "Action:look" : "Action:x")]);
    expect(asked("Action:read")).toEqual(["each", "inAny", "inLook", "read"]);
  });

  test("an index is forgotten after 1,024 other actions, so that hostile names fill no memory", () => {
    const names = Array.from({ length: 1_025 }, (_, index) => `Action:a${index}`);
    const set = compiled(names.map((name) => [name, head(any, any, action(name))] as const));
    const store = entityStore([]);
    const index = (name: string) => set.index.forAction(new Query(prepareRequest({ principal: uid("User:ann"), action: uid(name), resource: uid("Doc:plan"), context: {} }), store));
    const [first = "", ...others] = names;
    const kept = index(first);
    for (const name of others.slice(0, -1)) index(name);
    expect(index(first)).toBe(kept);
    index(others.at(-1) ?? "");
    expect(index(first)).not.toBe(kept);
  });
});

test("a policy that can never hold is not looked at", () => {
  const never: PolicyJson = { ...head(any), conditions: [{ kind: "when", body: { Value: false } }] };
  const fails: PolicyJson = { ...head(any), conditions: [{ kind: "when", body: { Value: 1 } }] };
  const always: PolicyJson = { ...head(any), conditions: [{ kind: "when", body: { Value: true } }] };
  expect(lookedAt(compiled(Object.entries({ never, fails, always })))).toEqual(["always", "fails"]);
});
