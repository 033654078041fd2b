import { describe, expect, test } from "vitest";
import { byLicet, byWasm, permitWhen, refused, world } from "./wasm-fixture.ts";

const value = (json: unknown) => ({ Value: json });
const attr = (left: unknown, name: string) => ({ ".": { left, attr: name } });
const variable = (name: string) => ({ Var: name });
const context = (name: string) => attr(variable("context"), name);
const two = (operator: string, left: unknown, right: unknown) => ({ [operator]: { left, right } });
const one = (operator: string, arg: unknown) => ({ [operator]: { arg } });
const equals = (left: unknown, right: unknown) => two("==", left, right);
const principal = variable("principal");
const entity = (type: string, id: string) => value({ __entity: { type, id } });
const yes = value(true);
const error = two("+", value("a"), value(1));

/** Values of every type, of which operators take some and err for the others. */
const operands: Readonly<Record<string, unknown>> = {
  yes,
  no: value(false),
  one: value(1),
  minusOne: value(-1),
  max: context("max"),
  min: context("min"),
  text: context("text"),
  empty: value(""),
  emptySet: { Set: [] },
  set: context("list"),
  numbers: value([1, 2, 2]),
  entities: { Set: [principal, entity("Team", "all")] },
  team: entity("Team", "all"),
  ann: principal,
  nobody: entity("User", "nobody"),
  action: variable("action"),
  group: entity("Action", "view"),
  resource: variable("resource"),
  role: value("role"),
  record: context("nested"),
  decimal: { decimal: [value("12.50")] },
  price: context("price"),
  moment: context("when"),
  span: context("span"),
  address: context("from"),
  range: { ip: [value("10.0.0.0/8")] },
  missing: context("missing"),
};

/** Those of which pairs are made: one of each type, and the edges of longs. */
const paired = ["yes", "one", "max", "min", "text", "emptySet", "set", "entities", "team", "ann", "record", "price", "moment", "span", "address", "range", "missing"].map((name) => operands[name]);
const pairs = paired.flatMap((left) => paired.map((right) => [left, right] as const));

const binaryOperators = ["==", "!=", "in", "<", "<=", ">", ">=", "&&", "||", "+", "-", "*", "contains", "containsAll", "containsAny", "getTag", "hasTag"];
const binaryFunctions = ["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual", "isInRange", "offset", "durationSince"];
const unaryFunctions = ["ip", "decimal", "datetime", "duration", "isIpv4", "isIpv6", "isLoopback", "isMulticast", "toDate", "toTime", "toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays", "unknown"];

/** A result is told by comparing it with several values, so that not only whether it errs is compared. */
function probes(body: unknown): readonly unknown[] {
  return [body, ...[value(false), value(2), context("when")].map((other) => equals(body, other))];
}

function both(bodies: readonly unknown[]): readonly [string, string] {
  const policies = { staticPolicies: Object.fromEntries(bodies.map((body, index) => [`p${index}`, permitWhen(body)])) };
  const cedar = byWasm({ ...world, policies });
  if (cedar === refused) throw new Error("cedar-wasm refuses one of these policies, so nothing would be compared");
  return [byLicet({ ...world, policies }), cedar];
}

/** Spelt so that no object with a property `then` stands in the source: awaiting one would call it. */
function choice(guard: unknown, yes: unknown, no: unknown): unknown {
  return { "if-then-else": Object.fromEntries(["if", "then", "else"].map((name, index) => [name, [guard, yes, no][index]])) };
}

describe("every operator and function gives what cedar-wasm gives, value or error, for operands of every type:", () => {
  test.each(binaryOperators)("%s", (operator) => {
    const bodies = pairs.map(([left, right]) => two(operator, left, right));
    const [ours, cedar] = both(bodies.flatMap((body) => (["+", "-", "*", "getTag"].includes(operator) ? probes(body) : [body, one("!", body)])));
    expect(ours).toBe(cedar);
  });

  test.each(binaryFunctions)("%s", (name) => {
    const bodies = pairs.map(([left, right]) => ({ [name]: [left, right] }));
    const [ours, cedar] = both(bodies.flatMap((body) => (["offset", "durationSince"].includes(name) ? probes(body) : [body])));
    expect(ours).toBe(cedar);
  });

  test.each(unaryFunctions)("%s", (name) => {
    const wrongCalls = [{ [name]: [] }, { [name]: [yes, yes] }, { [name]: [error] }];
    const [ours, cedar] = both([...Object.values(operands).flatMap((operand) => probes({ [name]: [operand] })), ...wrongCalls]);
    expect(ours).toBe(cedar);
  });

  test.each(["!", "neg", "isEmpty"])("%s", (operator) => {
    const [ours, cedar] = both(Object.values(operands).flatMap((operand) => probes(one(operator, operand))));
    expect(ours).toBe(cedar);
  });

  test("attributes, has, like, is, tags, if-then-else, sets and records", () => {
    const operandsAndError = [...Object.values(operands), error];
    const [ours, cedar] = both(
      operandsAndError.flatMap((operand) => [
        equals(attr(operand, "level"), value(3)),
        { has: { left: operand, attr: "level" } },
        { has: { left: operand, attr: ["inner", "deep"] } },
        { has: { left: operand, attr: ["team", "name", "length"] } },
        { has: { left: operand, attr: ["team", "nothing", "length"] } },
        { like: { left: operand, pattern: ["Wildcard", { Literal: "😀" }, "Wildcard"] } },
        { is: { left: operand, entity_type: "User" } },
        { is: { left: operand, entity_type: "File" } },
        { is: { left: operand, entity_type: "User", in: entity("Team", "all") } },
        { is: { left: operand, entity_type: "User", in: value(1) } },
        { is: { left: operand, entity_type: "Team", in: { Set: [operand, entity("Team", "x")] } } },
        choice(operand, yes, error),
        choice(yes, operand, error),
        choice(value(false), error, operand),
        equals({ Set: [operand, value(1), operand] }, { Set: [value(1), operand] }),
        equals({ Record: { a: operand, b: value(1) } }, { Record: { b: value(1), a: operand } }),
        { has: { left: { Record: { a: operand } }, attr: "a" } },
        two("contains", { Set: [{ Record: { a: operand } }, { Set: [operand] }] }, { Set: [operand] }),
      ])
    );
    expect(ours).toBe(cedar);
  });

  test("tags that are there and tags that are not", () => {
    const names = ["role", "", "none", "__proto__"];
    const [ours, cedar] = both([principal, variable("resource"), entity("User", "nobody")].flatMap((of) => names.flatMap((name) => [two("hasTag", of, value(name)), one("!", two("hasTag", of, value(name))), equals(two("getTag", of, value(name)), value("writer"))])));
    expect(ours).toBe(cedar);
  });

  test("calls with too many arguments, each of which is good", () => {
    const [amount, moment, span] = [{ decimal: [value("1.0")] }, { datetime: [value("2026-11-20")] }, { duration: [value("1h")] }];
    const [ours, cedar] = both([equals({ decimal: [value("1.0"), value("1.0")] }, amount), { lessThan: [amount, { decimal: [value("2.0")] }, amount] }, { lessThan: [amount] }, equals({ toDate: [moment, span] }, moment), equals({ offset: [moment, span, span] }, moment)]);
    expect(ours).toBe(cedar);
  });

  test("longs at the edge of what a number holds", () => {
    const edges = [9007199254740990, 9007199254740991, 9007199254740992n, 9007199254740993n, -9007199254740991, -9007199254740992n, 3037000500, 2, 1, 0, -1];
    const [ours, cedar] = both(edges.flatMap((left) => edges.flatMap((right) => ["+", "-", "*"].flatMap((operator) => [value(9007199254740992n), value(9007199254740993n), value(-9007199254740992n), value(0)].map((other) => equals(two(operator, value(left), value(right)), other))))));
    expect(ours).toBe(cedar);
  });

  test("equality, also of what stands in sets of sets", () => {
    const rec = (fields: Readonly<Record<string, unknown>>) => ({ Record: Object.fromEntries(Object.entries(fields).map(([name, held]) => [name, value(held)])) });
    const ip = (text: string) => ({ ip: [value(text)] });
    const records = [rec({ a: 1, b: 2 }), rec({ b: 2, a: 1 }), rec({ a: 1, b: 3 }), rec({ a: 1, c: 2 }), rec({ a: 1 }), rec({ a: "1", b: 2 })];
    const sets = [value([1, 2]), value([2, 1]), value([[1, 2]]), value([[2, 1]]), value(["1"]), value([1]), value(["1,2"]), value(["1", "2"]), value([true]), value(["true"])];
    const entities = [entity("User", "ann"), entity("User", "bob"), entity("Team", "ann"), value({ type: "User", id: "ann" })];
    const others = [ip("0.0.0.1/32"), ip("::1/32"), ip("::1"), ip("0.0.0.1/31"), ip("0.0.0.2/32"), { decimal: [value("1.0")] }, { duration: [value("1ms")] }, { datetime: [value("1970-01-01T00:00:00.001Z")] }, value(1), value("1")];
    const each: readonly unknown[] = [...records, ...sets, ...entities, ...others];
    const within = (held: unknown) => ({ Set: [{ Set: [held] }] });
    const bodies = each.flatMap((left) => each.flatMap((right) => [equals(left, right), equals(within(left), within(right)), two("contains", { Set: [{ Set: [left] }, { Record: { x: left } }] }, { Record: { x: right } })]));
    const [ours, cedar] = both(bodies);
    expect(ours).toBe(cedar);
  });

  test("short circuits", () => {
    const bools = [yes, value(false), context("yes"), one("!", context("yes")), value(1), error];
    const [ours, cedar] = both(bools.flatMap((left) => bools.flatMap((right) => [two("&&", left, right), two("||", left, right), one("!", two("&&", left, right))])));
    expect(ours).toBe(cedar);
  });
});

test("a pattern matches as in cedar-wasm, whatever stands around its wildcards", () => {
  const parts: readonly unknown[] = ["Wildcard", { Literal: "a" }, { Literal: "ab" }, { Literal: "😀" }];
  const patterns = [[], ...parts.map((a) => [a]), ...parts.flatMap((a) => parts.flatMap((b) => parts.map((c) => [a, b, c])))];
  const between = ["a", "ab", "b"].flatMap((first) => ["a", "ab", "b"].map((second) => ["Wildcard", { Literal: first }, "Wildcard", { Literal: second }, "Wildcard"]));
  const texts = ["", "a", "ab", "aab", "aba", "abab", "a😀b", "😀ab", "ab😀a😀ab", "aa"];
  const a = { Literal: "a" };
  const longer = [[a, "Wildcard", a, "Wildcard"], ["Wildcard", a, "Wildcard", a], [a, "Wildcard", a, "Wildcard", a], [a, "Wildcard", { Literal: "ab" }, "Wildcard", a]];
  const [ours, cedar] = both([...patterns, ...between, ...longer].flatMap((pattern) => texts.map((text) => ({ like: { left: value(text), pattern } }))));
  expect(ours).toBe(cedar);
});

describe("what is no expression is refused exactly when cedar-wasm refuses it:", () => {
  const nothing = value(1);
  const bodies: Readonly<Record<string, unknown>> = {
    "unknown function": { foo: [yes] },
    "no operator": {},
    "two operators": { Value: true, Var: "principal" },
    "unknown variable": variable("foo"),
    "slot in a condition": { Slot: "?principal" },
    "further property of two operands": { "==": { left: yes, right: yes, more: 1 } },
    "further property of one operand": { "!": { arg: yes, left: yes } },
    "missing operand": { "==": { left: yes } },
    "has without attributes": { has: { left: variable("context"), attr: [] } },
    "has with one attribute as a list": { has: { left: variable("context"), attr: ["one"] } },
    "has with a further property": { has: { left: variable("context"), attr: "one", more: 1 } },
    "attribute with a further property": { ".": { left: variable("context"), attr: "yes", more: 1 } },
    "like with a further property": { like: { left: value(""), pattern: [], more: 1 } },
    "is with a further property": { is: { left: principal, entity_type: "User", more: 1 } },
    "if with a further property": { "if-then-else": Object.fromEntries(["if", "then", "else", "more"].map((name) => [name, yes])) },
    "unknown element of a pattern": { like: { left: value(""), pattern: ["Any"] } },
    "element of a pattern with two properties": { like: { left: value(""), pattern: [{ Literal: "a", more: 1 }] } },
    "is with null for in": { is: { left: principal, entity_type: "User", in: null } },
    "if without branches": { "if-then-else": { if: yes } },
    "set that is no list": { Set: {} },
    "record that is a list": { Record: [] },
    "arguments that are no list": { decimal: yes },
    null: null,
    text: "true",
    list: [yes],
    "null value": value(null),
    "fraction": value(1.5),
    "__expr": value({ __expr: "1" }),
    "__expr beside others": equals(value({ __expr: "1", more: 1 }), nothing),
    "__expr that is no text": equals(value({ __expr: 1 }), nothing),
    "__entity without id": equals(value({ __entity: { type: "User" } }), nothing),
    "__entity beside others": equals(value({ __entity: { type: "User", id: "ann" }, more: 1 }), principal),
    "__entity with more in it": equals(value({ __entity: { type: "User", id: "ann", more: 1 } }), principal),
    "__entity of no type": equals(value({ __entity: { type: "a b", id: "" } }), principal),
    "__extn that fails": equals(value({ __extn: { fn: "decimal", arg: "x" } }), nothing),
    "__extn without arguments": equals(value({ __extn: { fn: "ip" } }), { Record: { __extn: value({ fn: "ip" }) } }),
    "__extn with arguments that are no list": equals(value({ __extn: { fn: "ip", args: 1 } }), { Record: { __extn: value({ fn: "ip", args: 1 }) } }),
    "__extn with a function that is no text": equals(value({ __extn: { fn: 1, arg: "::1" } }), { Record: { __extn: value({ fn: 1, arg: "::1" }) } }),
    "__extn unknown": equals(value({ __extn: { fn: "foo", arg: "x" } }), nothing),
    "__extn with a wrong argument": equals(value({ __extn: { fn: "decimal", arg: 1 } }), nothing),
    "__extn with too many arguments": equals(value({ __extn: { fn: "decimal", args: ["1.0", "2.0"] } }), nothing),
    "__extn with more in it": equals(value({ __extn: { fn: "decimal", arg: "1.0", more: 1 } }), { decimal: [value("1.0")] }),
    "__extn beside others": equals(value({ __extn: { fn: "decimal", arg: "1.0" }, more: 1 }), nothing),
    "__extn with arguments in arguments": value({ __extn: { fn: "lessThan", args: [{ __extn: { fn: "decimal", arg: "1.0" } }, { __extn: { fn: "decimal", arg: "2.0" } }] } }),
    "half of a surrogate pair": equals(value("\ud800"), nothing),
  };
  test.each(Object.keys(bodies))("%s", (name) => {
    const policies = { staticPolicies: { p: permitWhen(bodies[name]) } };
    expect(byLicet({ ...world, policies })).toBe(byWasm({ ...world, policies }));
  });

  const names = ["U", "A::B", "_", "if", "true", "in", "is", "like", "has", "then", "else", "permit", "Set", "__cedar", "X::__cedar", "__cedar2", "A :: B", " U", "U ", "::U", "U::", "a-b", "1a", "é", ""];
  test.each(names)("the entity type `%s`", (type) => {
    const policies = { staticPolicies: { p: permitWhen({ is: { left: principal, entity_type: type } }) } };
    expect(byLicet({ ...world, policies })).toBe(byWasm({ ...world, policies }));
  });
});

describe("what every evaluation would meet is met when the policy is compiled, with the same answers:", () => {
  const constants = [yes, value(false), value(1), error, equals(value(1), value(1)), two("&&", value(false), error), two("||", yes, error)];
  test.each([0, 1, 2, 3, 4, 5, 6])("conditions with constant %i", (index) => {
    const body = constants[index];
    const conditions = [
      [{ kind: "when", body }],
      [{ kind: "unless", body }],
      [{ kind: "when", body: context("yes") }, { kind: "when", body }],
      [{ kind: "when", body }, { kind: "unless", body: context("yes") }],
      [{ kind: "when", body: error }, { kind: "when", body }],
      [{ kind: "when", body: yes }, { kind: "when", body }, { kind: "unless", body: value(false) }, { kind: "when", body: context("yes") }],
    ];
    const policies = Object.fromEntries(conditions.map((each, at) => [`p${at}`, { ...(permitWhen(yes) as object), conditions: each }]));
    expect(byLicet({ ...world, policies: { staticPolicies: policies } })).toBe(byWasm({ ...world, policies: { staticPolicies: policies } }));
    expect(byLicet({ ...world, policies: { staticPolicies: policies } })).not.toBe(refused);
  });
});
