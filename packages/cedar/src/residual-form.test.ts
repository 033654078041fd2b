import { describe, expect, test } from "vitest";
import { entityStore } from "./entity-store.ts";
import { formatExpr } from "./format.ts";
import type { ExprJson, PolicyJson } from "./json.ts";
import { compilePolicySet } from "./policy-set.ts";
import { permitWhen } from "./residual-fixture.ts";
import { residual, type PartialRequest } from "./residual.ts";

const uid = (type: string, id: string) => ({ type, id });
const context = (...path: readonly string[]): ExprJson => path.reduce<ExprJson>((left, attr) => ({ ".": { left, attr } }), { Var: "context" });
const principal: ExprJson = { Var: "principal" };
const value = (json: boolean | number | string): ExprJson => ({ Value: json });
const is = (left: ExprJson, right: ExprJson): ExprJson => ({ "==": { left, right } });
const and = (left: ExprJson, right: ExprJson): ExprJson => ({ "&&": { left, right } });
const or = (left: ExprJson, right: ExprJson): ExprJson => ({ "||": { left, right } });
const entity = (type: string, id: string): ExprJson => ({ Value: { __entity: uid(type, id) } });
const marker = { __extn: { fn: "unknown", arg: "later" } };

const base: PartialRequest = {
  principal: uid("User", "ann"),
  action: uid("Action", "read"),
  resource: uid("File", "f"),
  context: { level: 1, from: { __extn: { fn: "ip", arg: "10.0.0.0/8" } }, at: { __extn: { fn: "datetime", arg: "2026-11-20T17:00:00Z" } }, rec: { a: 1 } },
};
const store = entityStore([
  { uid: uid("User", "ann"), attrs: { boss: { __entity: uid("User", "bob") } }, parents: [uid("Team", "blue")] },
  { uid: uid("Team", "blue"), attrs: {}, parents: [] },
  { uid: uid("User", "bob"), attrs: { level: 3 }, parents: [] },
]);

function left(condition: ExprJson, change: Partial<PartialRequest> = {}) {
  const policies: Readonly<Record<string, PolicyJson>> = { p: permitWhen(condition) };
  return residual(compilePolicySet({ staticPolicies: policies }), { ...base, ...change }, store);
}

const x = { unknown: ["context.x"] };
const present = { unknown: [{ of: "context", path: ["x"], form: "present" }] } as const;

describe("what is left of a condition", () => {
  test.each<readonly [string, ExprJson, Partial<PartialRequest>, string, boolean]>([
    ["an attribute that may be missing can err", is(context("x"), value(1)), x, "context.x == 1", true],
    ["one that will be there cannot", is(context("x"), value(1)), present, "context.x == 1", false],
    ["nor one that a `has` before it has asked for", and({ has: { left: { Var: "context" }, attr: "x" } }, is(context("x"), value(1))), x, "context has x && context.x == 1", false],
    ["a marker in the context will be there", is(context("later"), value(1)), { context: { later: marker } }, "context.later == 1", false],
    ["what is known stands there as a literal", is(context("from"), context("x")), present, 'ip("10.0.0.0/8") == context.x', false],
    ["an instant too", { "<": { left: context("at"), right: context("x") } }, present, 'datetime("2026-11-20T17:00:00.000Z") < context.x', true],
    ["true before && falls away", and(is(context("level"), value(1)), is(context("x"), value(2))), present, "context.x == 2", false],
    ["true before && stays where the rest may be no boolean and that matters", is(and(value(true), context("x")), value(true)), present, "(true && context.x) == true", true],
    ["false behind something that may err stays", and({ "<": { left: context("x"), right: value(1) } }, value(false)), present, "context.x < 1 && false", true],
    ["what always errs stays behind something open", and(is(context("x"), value(1)), context("nothing")), present, "context.x == 1 && context.nothing", true],
    ["true behind something that may err stays", or({ "<": { left: context("x"), right: value(1) } }, value(true)), present, "context.x < 1 || true", true],
    ["an entity whose parents are not all known may be in anything", { in: { left: principal, right: entity("Org", "acme") } }, { unknown: ["principal.*"] }, 'principal in Org::"acme"', false],
    ["and so may one whose parents' parents are not", { in: { left: principal, right: entity("Org", "acme") } }, { unknown: [{ of: uid("Team", "blue"), path: [], form: "rest" }] }, 'principal in Org::"acme"', false],
    ["an unknown principal is asked for by its type", and({ is: { left: principal, entity_type: "User" } }, is(principal, { Var: "resource" })), { principal: { unknown: true, type: "User" } }, 'principal == File::"f"', false],
    ["a path leads through an entity", is({ ".": { left: { ".": { left: principal, attr: "boss" } }, attr: "level" } }, value(3)), { unknown: ["principal.boss.level"] }, "principal.boss.level == 3", true],
    ["beside an unknown attribute the others of a record are known", and(is(context("rec", "a"), value(1)), is(context("rec", "b"), value(1))), { unknown: ["context.rec.b"] }, "context.rec.b == 1", true],
    ["an entity that the store lacks may be in anything where absent ones are unknown", { in: { left: entity("User", "eve"), right: entity("Org", "acme") } }, { absentEntities: "unknown" }, 'User::"eve" in Org::"acme"', false],
  ])("%s", (...[, condition, change, text, canError]) => {
    expect(left(condition, change).permits.map((policy) => [policy.text, policy.canError])).toEqual([[text, canError]]);
  });

  test.each<readonly [string, ExprJson, Partial<PartialRequest>, "allow" | "deny"]>([
    ["a known ancestor is one in every completion", { in: { left: principal, right: entity("Team", "blue") } }, { unknown: ["principal.*"] }, "allow"],
    ["false before && decides, whatever is behind", and(is(context("level"), value(2)), context("x")), x, "deny"],
    ["false behind something that cannot err decides", and(is(context("x"), value(1)), value(false)), present, "deny"],
    ["an entity that the store lacks has no parents where absent ones are absent", { in: { left: entity("User", "eve"), right: entity("Org", "acme") } }, {}, "deny"],
    ["a policy that always errs permits nothing", context("nothing"), {}, "deny"],
  ])("%s", (_, condition, change, decision) => {
    expect(left(condition, change).decision).toBe(decision);
  });

  test("a large value stays as it was written", () => {
    const many = Array.from({ length: 1000 }, (_, index) => index);
    expect(left({ contains: { left: context("many"), right: context("x") } }, { ...x, context: { many } }).permits[0]?.text).toBe("context.many.contains(context.x)");
  });
});

describe("a partial request", () => {
  test.each<readonly [string, Partial<PartialRequest>]>([
    ["an unknown that names no place", { unknown: ["context.a b"] }],
    ["an unknown of the action", { unknown: ["action.x"] }],
    ["a marker in a set", { context: { set: [marker] } }],
    ["a type that is no name", { principal: { unknown: true, type: "A::" } }],
    ["an unknown entity without a type name", { unknown: [{ of: uid("", "x"), path: [] }] }],
    ["a context that is a list", JSON.parse('{"context": []}')],
    ["more unknowns than anybody has", { unknown: Array.from({ length: 10_001 }, () => "context.x") }],
  ])("is refused for %s", (_, change) => {
    expect(() => left(value(true), change)).toThrowError(expect.objectContaining({ name: "CedarError" }));
  });

  test("with markers and unknowns named like an object's own parts is read as any other", () => {
    const unknown = [{ of: "context", path: ["__proto__"], form: "present" }, { of: "principal", path: ["constructor"] }] as const;
    expect(left(is(context("__proto__"), value(1)), { unknown }).permits[0]?.text).toBe("context.__proto__ == 1");
    expect(left({ has: { left: { Var: "context" }, attr: "toString" } }, { unknown }).decision).toBe("deny");
  });
});

describe("a policy of deep or wide nesting", () => {
  test("is explained in time that grows with its size", () => {
    const depth = 200;
    const alternating = Array.from({ length: depth }, (_, index) => index).reduce<ExprJson>((inner, index) => (index % 2 === 0 ? and(is(context("x"), value(index)), inner) : or(is(context("x"), value(index)), inner)), context("x"));
    const begin = performance.now();
    const policies = { p: permitWhen(alternating), q: { ...permitWhen(alternating), effect: "forbid" as const } };
    const { wouldAllowIf, permits } = residual(compilePolicySet({ staticPolicies: policies }), { ...base, ...x }, store);
    expect(wouldAllowIf).toHaveLength(2);
    expect(permits[0]?.text).toBe(formatExpr(alternating));
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});
