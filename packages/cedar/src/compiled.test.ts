import { describe, expect, test } from "vitest";
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
