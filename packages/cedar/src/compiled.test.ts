import { describe, expect, test } from "vitest";
import { EntityStore } from "./entities.ts";
import { entityStore } from "./entity-store.ts";
import { EvaluationError } from "./errors.ts";
import { compileExpression } from "./expression.ts";
import { Query } from "./query.ts";
import { rootPlace } from "./read.ts";
import { prepareRequest } from "./request.ts";

const value = (held: unknown) => ({ Value: held });
const [yes, no, one] = [value(true), value(false), value(1)];
const open = { Var: "context" };
const asked = { has: { left: open, attr: "a" } };
const overflow = { "+": { left: value(9223372036854775807n), right: one } };
const op = (name: string, left: unknown, right: unknown) => ({ [name]: { left, right } });
const not = (arg: unknown) => ({ "!": { arg } });
const choice = (condition: unknown, taken: unknown, other: unknown) => Object.fromEntries(["if", "then", "else"].map((name, index) => [name, [condition, taken, other][index]]));
const iff = (condition: unknown, taken: unknown, other: unknown) => ({ "if-then-else": choice(condition, taken, other) });

function kindOf(json: unknown): unknown {
  const compiled = compileExpression(json, rootPlace("policy_invalid"));
  return compiled.kind === "constant" ? compiled.value : compiled.kind;
}

describe("what no request can change is computed when a policy is compiled:", () => {
  test.each<readonly [string, unknown, unknown]>([
    ["a value", one, 1],
    ["a variable", open, "dynamic"],
    ["a sum", op("+", one, one), 2],
    ["a sum that overflows", overflow, "failing"],
    ["a sum with what overflows, left", op("+", overflow, open), "failing"],
    ["a sum with what overflows, right", op("+", open, overflow), "failing"],
    ["a sum with a variable, left", op("+", open, one), "dynamic"],
    ["a sum with a variable, right", op("+", one, open), "dynamic"],
    ["a negation", { neg: { arg: one } }, -1],
    ["a negation of what overflows", { neg: { arg: overflow } }, "failing"],
    ["an operator on a wrong type", { neg: { arg: yes } }, "failing"],
    ["an equality of constants", op("==", one, one), true],
    ["an inequality of constants", op("!=", one, one), false],
    ["an equality with what overflows, left", op("==", overflow, one), "failing"],
    ["an equality with what overflows, right", op("==", open, overflow), "failing"],
    ["an equality with a variable", op("==", open, one), "dynamic"],
    ["an attribute of a record", { ".": { left: { Record: { a: one } }, attr: "a" } }, 1],
    ["an attribute that a record lacks", { ".": { left: { Record: { a: one } }, attr: "b" } }, "failing"],
    ["an attribute of what overflows", { ".": { left: overflow, attr: "a" } }, "failing"],
    ["an attribute of a record with a variable", { ".": { left: { Record: { a: open } }, attr: "a" } }, "dynamic"],
    ["an attribute of a variable", { ".": { left: open, attr: "a" } }, "dynamic"],
    ["whether what overflows has an attribute", { has: { left: overflow, attr: "a" } }, "failing"],
    ["whether what overflows is in", op("in", overflow, open), "failing"],
    ["whether it is in what overflows", op("in", open, overflow), "failing"],
    ["whether what overflows is of a type", { is: { left: overflow, entity_type: "User" } }, "failing"],
    ["whether what overflows is of a type and in", { is: { left: overflow, entity_type: "User", in: open } }, "failing"],
    ["a tag of what overflows", op("getTag", overflow, open), "failing"],
    ["a tag by what overflows", op("getTag", open, overflow), "failing"],
    ["whether what overflows has a tag", op("hasTag", overflow, open), "failing"],
    ["whether it has a tag by what overflows", op("hasTag", open, overflow), "failing"],
    ["a set with what overflows", { Set: [open, overflow] }, "failing"],
    ["a set with a variable", { Set: [one, open] }, "dynamic"],
    ["a size", { isEmpty: { arg: { Set: [] } } }, true],
    ["a record with what overflows", { Record: { a: open, b: overflow } }, "failing"],
    ["a record with a variable", { Record: { a: one, b: open } }, "dynamic"],
    ["a member of a set of constants", op("contains", { Set: [one, yes] }, yes), true],
    ["a call with too many arguments", { decimal: [value("1.0"), value("1.0")] }, "failing"],
    ["a call with too few", { lessThan: [value(1)] }, "failing"],
    ["a call", { toDays: [{ duration: [value("49h")] }] }, 2],
    ["a call of what is malformed", { toDays: [{ duration: [value("49")] }] }, "failing"],
    ["not true", not(yes), false],
    ["not false", not(no), true],
    ["not a long", not(one), "failing"],
    ["not what overflows", not(overflow), "failing"],
    ["not a variable", not(open), "dynamic"],
    ["true and true", op("&&", yes, yes), true],
    ["true and false", op("&&", yes, no), false],
    ["true and a long", op("&&", yes, one), "failing"],
    ["false and a long", op("&&", no, one), false],
    ["false and what overflows", op("&&", no, overflow), false],
    ["what overflows and false", op("&&", overflow, no), "failing"],
    ["a long and false", op("&&", one, no), "failing"],
    ["a variable and false", op("&&", asked, no), "dynamic"],
    ["true and a variable", op("&&", yes, asked), "dynamic"],
    ["true or what overflows", op("||", yes, overflow), true],
    ["true or a long", op("||", yes, one), true],
    ["false or true", op("||", no, yes), true],
    ["false or a long", op("||", no, one), "failing"],
    ["what overflows or true", op("||", overflow, yes), "failing"],
    ["a long or true", op("||", one, yes), "failing"],
    ["a variable or true", op("||", asked, yes), "dynamic"],
    ["the branch of true", iff(yes, one, overflow), 1],
    ["the branch of false", iff(no, overflow, one), 1],
    ["the branch of a long", iff(one, one, one), "failing"],
    ["the branch of what overflows", iff(overflow, one, one), "failing"],
    ["the branch of a variable", iff(asked, one, one), "dynamic"],
  ])("%s", (_name, json, expected) => {
    expect(kindOf(json)).toBe(expected);
  });

  test.each([
    ["and true", op("&&", asked, yes)],
    ["or false", op("||", asked, no)],
    ["true and", op("&&", yes, asked)],
    ["false or", op("||", no, asked)],
  ])("%s leaves nothing of itself", (_name, json) => {
    const whole = compileExpression(json, rootPlace("policy_invalid"));
    const plain = compileExpression(asked, rootPlace("policy_invalid"));
    expect(whole.run.toString()).toBe(plain.run.toString());
  });
});

/** The message of the error that every evaluation meets. */
function failureOf(json: unknown): string | undefined {
  const compiled = compileExpression(json, rootPlace("policy_invalid"));
  try {
    compiled.run(new Query(prepareRequest({ principal: someone, action: { type: "Action", id: "read" }, resource: someone, context: {} }), entityStore([])));
  } catch (error) {
    return error instanceof EvaluationError ? error.message : undefined;
  }
  return undefined;
}

const someone = { type: "User", id: "ann" };

test("what fails tells the first failure, not one that follows from it", () => {
  const missing = { ".": { left: open, attr: "nowhere" } };
  const around = [not(overflow), { neg: { arg: overflow } }, op("+", overflow, missing), op("==", overflow, one), op("in", overflow, missing), op("&&", overflow, no), op("||", overflow, yes), iff(overflow, missing, missing), { Set: [overflow, missing] }, { ".": { left: overflow, attr: "a" } }, op("getTag", overflow, missing)];
  expect(new Set(around.map(failureOf))).toEqual(new Set(["integer overflow"]));
});

test("a failure tells the type that was asked for", () => {
  const told = [op("in", open, one), op("in", value({ __entity: someone }), one), op("in", value({ __entity: someone }), value([1])), op("hasTag", value({ __entity: someone }), one)].map(failureOf);
  expect(told).toEqual(["entity", "set or entity", "entity", "string"].map((type) => `type error: expected ${type}`));
});

test("nested conjunctions are one, of all of their parts", () => {
  const parts = ["a", "b", "c", "d"].map((attr) => ({ has: { left: open, attr } }));
  const [one = asked, two = asked, three = asked, four = asked] = parts;
  for (const json of [op("&&", op("&&", op("&&", one, two), three), four), op("&&", one, op("&&", two, op("&&", three, four)))]) {
    const compiled = compileExpression(json, rootPlace("policy_invalid"));
    expect(compiled.kind === "dynamic" && compiled.boolean ? compiled.all?.length : undefined).toBe(4);
  }
});

/** Tells how often it is asked for an entity. */
class CountingStore extends EntityStore {
  lookups = 0;

  override find(key: string) {
    this.lookups += 1;
    return super.find(key);
  }
}

test("attributes of principal and resource are found without looking the entity up again", () => {
  const resource = { type: "File", id: "plan" };
  const given = entityStore([
    { uid: someone, attrs: { level: 1, boss: { __entity: resource } }, parents: [] },
    { uid: resource, attrs: { level: 1 }, parents: [] },
  ]);
  const store = new CountingStore(given);
  const query = new Query(prepareRequest({ principal: someone, action: { type: "Action", id: "read" }, resource, context: { level: 1 } }), store);
  const lookupsOf = (json: unknown) => {
    const before = store.lookups;
    expect(compileExpression(json, rootPlace("policy_invalid")).run(query)).toBe(true);
    return store.lookups - before;
  };
  for (const name of ["principal", "resource", "context"]) {
    expect(lookupsOf(op("==", { ".": { left: { Var: name }, attr: "level" } }, one))).toBe(0);
    expect(lookupsOf({ has: { left: { Var: name }, attr: "level" } })).toBe(0);
  }
  expect(lookupsOf({ has: { left: { Var: "principal" }, attr: ["boss", "level"] } })).toBeGreaterThan(0);
});

describe("a conjunction of any length and any nesting", () => {
  const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
  const has = (name: string) => ({ has: { left: open, attr: name } });
  const fails = { "==": { left: { ".": { left: open, attr: "nowhere" } }, right: one } };
  const left = (parts: readonly unknown[]) => parts.reduce((all, part) => op("&&", all, part));
  const right = (parts: readonly unknown[]) => parts.reduceRight((all, part) => op("&&", part, all));
  const halves = (parts: readonly unknown[]) => op("&&", right(parts.slice(0, parts.length >> 1)), left(parts.slice(parts.length >> 1)));
  const uid = { type: "User", id: "ann" };
  const run = (json: unknown, given: readonly string[]) => {
    const request = prepareRequest({ principal: uid, action: { type: "Action", id: "read" }, resource: uid, context: Object.fromEntries(given.map((name) => [name, true])) });
    return compileExpression(json, rootPlace("policy_invalid")).run(new Query(request, entityStore([])));
  };

  test.each([2, 3, 4, 5, 6, 7, 8, 9])("holds where each of its %i parts does, and fails by a part only where all before it hold", (count) => {
    const some = names.slice(0, count);
    for (const nested of [left, right, halves]) {
      expect(run(nested(some.map(has)), some)).toBe(true);
      for (const missing of some) {
        const others = some.filter((name) => name !== missing);
        expect(run(nested(some.map(has)), others)).toBe(false);
        expect(run(nested([...some.map(has), fails]), others)).toBe(false);
        expect(() => run(nested(some.map((name) => (name === missing ? fails : has(name)))), some)).toThrow(EvaluationError);
      }
    }
  });
});
