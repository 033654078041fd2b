import { existsSync, readFileSync } from "node:fs";
import { policySetTextToParts } from "@cedar-policy/cedar-wasm/nodejs";
import { describe, expect, test } from "vitest";
import { formatExpr, formatPolicy, formatUid } from "./format.ts";
import { Random, randomPolicy } from "./format-fixture.ts";
import { isIdentifier } from "./format-text.ts";
import { choiceExpr, viewExpr, viewMark } from "./format-view.ts";
import { corpusFiles, corpusIsHere, domain, wasmPolicyJson } from "./format-wasm-fixture.ts";
import type { CedarValueJson, ExprJson, PatternElem, PolicyJson } from "./json.ts";

/** `LICET_CEDAR_ROUNDS=20` for a longer run. */
const rounds = Number(process.env["LICET_CEDAR_ROUNDS"] ?? 1);
const all = (body: ExprJson): PolicyJson => ({ effect: "permit", principal: { op: "All" }, action: { op: "All" }, resource: { op: "All" }, conditions: [{ kind: "when", body }] });
const principal: ExprJson = { Var: "principal" };

/** The documented normalisation, written a second time and the slow way: what a parser must make of the text. */
function normal(expr: ExprJson): unknown {
  const view = viewExpr(expr);
  if (view.kind === "value") return normalValue(view.value);
  if (view.kind === "has") return normalHas(view.left, view.path);
  if (view.kind === "like") return { like: { left: normal(view.left), pattern: view.pattern.flatMap(characters) } };
  return Object.fromEntries(Object.entries(expr).map(([op, body]) => [op, deep(body)]));
}

function characters(element: PatternElem): readonly PatternElem[] {
  return element === "Wildcard" ? [element] : Array.from(element.Literal, (sign) => ({ Literal: sign }));
}

function deep(body: unknown): unknown {
  if (Array.isArray(body)) return body.map((each: ExprJson) => normal(each));
  if (typeof body !== "object" || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([name, each]: [string, ExprJson | string]) => [name, typeof each === "string" ? each : normal(each)]));
}

function normalHas(left: ExprJson, path: readonly string[]): unknown {
  const base = normal(left);
  if (path.length === 1) return { has: { left: base, attr: path[0] } };
  if (path.every(isIdentifier)) return { has: { left: base, attr: path } };
  let at = base;
  const steps = path.map((attr) => {
    const step = { has: { left: at, attr } };
    at = { ".": { left: at, attr } };
    return step;
  });
  return steps.slice(1).reduce<unknown>((before, step) => ({ "&&": { left: before, right: step } }), steps[0]);
}

function normalValue(value: CedarValueJson): unknown {
  if (Array.isArray(value)) return { Set: value.map(normalValue) };
  if (typeof value !== "object") return { Value: value };
  const view = viewMark(value);
  if (view.kind === "entity") return { Value: value };
  if (view.kind === "call") return { [view.fn]: view.args.map(normalValue) };
  return { Record: Object.fromEntries(view.fields.map(([name, each]) => [name, normalValue(each)])) };
}

function expected(policy: PolicyJson): unknown {
  return { ...policy, conditions: policy.conditions.map(({ kind, body }) => ({ kind, body: normal(body) })) };
}

describe("the text of a policy", () => {
  test("is read back by cedar-wasm as the same policy, for random policies of every form", () => {
    for (let seed = 1; seed <= 600 * rounds; seed++) {
      const policy = randomPolicy(new Random(seed), 5);
      const text = formatPolicy(policy);
      expect([text, wasmPolicyJson(text)]).toEqual([text, expected(policy)]);
    }
  });

  test.skipIf(!existsSync(domain))("is read back as the same policy for the domain's policies (needs ../shared/policy)", () => {
    expect(roundTrips(readFileSync(domain, "utf8"))).toBeGreaterThan(10);
  });

  test.skipIf(!corpusIsHere)("is read back as the same policy for policies of Cedar's corpus (needs ../shared/policy)", () => {
    let count = 0;
    for (const [, text] of corpusFiles(".cedar")) {
      if (count >= 400 * rounds) break;
      count += roundTrips(text);
    }
    expect(count).toBeGreaterThanOrEqual(400);
  });

  test.each<readonly [string, ExprJson, string]>([
    ["a negative literal under a minus", { neg: { arg: { Value: -5 } } }, "-(-5)"],
    ["a literal under a minus, which would else become one literal", { neg: { arg: { Value: 5 } } }, "-(5)"],
    ["five negations, of which the grammar takes four", not(not(not(not(not(principal))))), "!(!(!(!(!principal))))"],
    ["a right-leaning conjunction", { "&&": { left: principal, right: { "&&": { left: principal, right: principal } } } }, "principal && (principal && principal)"],
    ["a left-leaning conjunction", { "&&": { left: { "&&": { left: principal, right: principal } }, right: principal } }, "principal && principal && principal"],
    ["a conditional as an operand", { "||": { left: choiceExpr(principal, principal, principal), right: principal } }, "(if principal then principal else principal) || principal"],
    ["a comparison of comparisons", { "==": { left: { "<": { left: { Value: 1 }, right: { Value: 2 } } }, right: { Value: true } } }, "(1 < 2) == true"],
    ["a reserved word as an attribute", { ".": { left: principal, attr: "if" } }, 'principal["if"]'],
    ["a nested `has` with a name that is no identifier", { has: { left: principal, attr: ["a b", "c"] } }, 'principal has "a b" && principal["a b"] has c'],
    ["an attribute of a number", { ".": { left: { Value: 1 }, attr: "x" } }, "(1).x"],
    ["an extension value", { Value: [{ __extn: { fn: "ip", arg: "1.2.3.4" } }] }, '[ip("1.2.3.4")]'],
    ["signs that nobody sees", { Value: "a\u202eb\u00a0c\ud800" }, String.raw`"a\u{202e}b\u{a0}c\u{fffd}"`],
    ["an empty record under a name", { ".": { left: { Record: {} }, attr: "a" } }, "{}.a"],
  ])("%s", (_, expr, text) => {
    expect(formatExpr(expr)).toBe(text);
    expect(typeof wasmPolicyJson(formatPolicy(all(expr)))).toBe("object");
  });

  test("breaks a long condition between the operands of its chain and parses the same", () => {
    const operand = (name: string): ExprJson => ({ has: { left: principal, attr: name } });
    const chain = ["a", "b", "c", "d"].map((sign) => operand(sign.repeat(30))).reduce((left, right) => ({ "&&": { left, right } }));
    const text = formatPolicy(all(chain));
    expect(text.split("\n")).toHaveLength(8);
    expect(wasmPolicyJson(text)).toEqual(all(chain));
  });

  test.each<readonly [string, () => string]>([
    ["a type that closes the text", () => formatUid({ type: 'A::"x") || true || (B', id: "x" })],
    ["a function that closes the text", () => formatExpr({ "x() || principal.x": [principal] })],
    ["a type test that goes on", () => formatExpr({ is: { left: principal, entity_type: "A || true" } })],
    ["a rounded long", () => formatExpr({ Value: 2 ** 60 })],
    ["an object of two keys", () => formatExpr({ Value: 1, Var: "principal" })],
    ["a slot of another name", () => formatExpr({ Slot: "?principal || true" })],
  ])("is refused for %s", (_, format) => {
    expect(format).toThrowError(expect.objectContaining({ code: "policy_invalid" }));
  });
});

function not(arg: ExprJson): ExprJson {
  return { "!": { arg } };
}

/** How many policies of the text came back the same; fails at the first that did not. */
function roundTrips(text: string): number {
  const parts = policySetTextToParts(text);
  const policies = parts.type === "success" ? parts.policies : [];
  for (const each of policies) {
    const json = wasmPolicyJson(each);
    if (typeof json === "string" || !isOurs(json)) throw new Error(`cedar-wasm does not read ${each}`);
    expect(wasmPolicyJson(formatPolicy(json))).toEqual(json);
  }
  return policies.length;
}

function isOurs(json: unknown): json is PolicyJson {
  return typeof json === "object" && json !== null && "effect" in json;
}
