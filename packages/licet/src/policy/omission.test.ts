import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { uncheckedBundle } from "./bundle-fixture.ts";
import { cedarEngine } from "./engine.ts";
import { lintPolicies, roundedNumbers } from "./lint.ts";
import { SchemaKinds } from "./lint-types.ts";
import { omissions, omissionTest, type NamedRequest } from "./omission.ts";
import type { PolicyRequest } from "./request.ts";
import { wasmEngine } from "./wasm-engine.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "fixtures", name), "utf8");
const schema = fixture("licet.cedarschema");
const naive = uncheckedBundle({ schema, texts: [fixture("licet.naive.cedar")] });
const guarded = uncheckedBundle({ schema, texts: [fixture("licet.guarded.cedar")] });
const kinds = new SchemaKinds(naive.schemaJson);
const denials: readonly { readonly name: string; readonly request: PolicyRequest }[] = JSON.parse(fixture("domain-denials.json"));
const requests: readonly NamedRequest[] = denials.map((each) => ({ ...each, pack: "fixture" }));

describe("leaving one thing out of what is denied", () => {
  test("opens nothing with policies that say what must be there", () => {
    expect(omissionTest(cedarEngine(guarded), requests, kinds)).toEqual([]);
  });

  test("opens doors with the same rules written the naive way, and each is named with what was left out", () => {
    const found = omissionTest(cedarEngine(naive), requests, kinds);
    expect(found.length).toBeGreaterThan(3);
    expect(found.map(({ policy, place }) => ({ policy, place }))).toContainEqual({ policy: "vendor.suspended", place: 'Licet::Vendor::"v2"' });
    expect(found.every(({ severity, rule }) => severity === "error" && rule === "omission")).toBe(true);
  });

  test("is what cedar-wasm would find", () => {
    expect(omissionTest(wasmEngine(naive), requests.slice(0, 8), kinds)).toEqual(omissionTest(cedarEngine(naive), requests.slice(0, 8), kinds));
  });

  test("leaves out every entity, every optional attribute at any depth, and nothing that the schema demands", () => {
    const [first] = requests.filter(({ name }) => name === "waiver too long");
    const without = omissions(first?.request ?? { principal: { type: "", id: "" }, action: { type: "", id: "" }, resource: { type: "", id: "" }, context: {}, entities: [] }, kinds).map((each) => each.without);
    expect(without).toContain('Licet::Waiver::"w-long"');
    expect(without).toContain("context.waiver");
    expect(without).toContain('Licet::System::"s1".budget');
    expect(without.some((each) => each.includes("stage"))).toBe(false);
  });
});

describe("the lints", () => {
  const findings = lintPolicies(naive.policies, kinds);

  test("find every forbid of the naive rules that would be skipped where an entity is missing", () => {
    const ids = new Set(findings.filter(({ severity }) => severity === "error").map(({ policy }) => policy));
    expect([...ids].sort()).toEqual(["credential.isolation", "manifest.drift", "production.authorized", "sod.author", "vendor.suspended"]);
  });

  test("refuse nothing of the guarded rules, whose sums are bounded first", () => {
    expect(lintPolicies(guarded.policies, kinds).filter(({ severity }) => severity === "error")).toEqual([]);
  });
});

describe("one forbid", () => {
  const own = `entity U { owner?: U, n: Long, at: datetime, flag?: Bool } tags String; entity R; action go appliesTo { principal: U, resource: R, context: { n: Long, m: Long, at: datetime, by: U, length: duration } };`;
  const kindsHere = new SchemaKinds(uncheckedBundle({ schema: own, texts: [] }).schemaJson);
  const lint = (clause: string) => lintPolicies(uncheckedBundle({ schema: own, texts: [`@id("p") forbid (principal, action, resource) ${clause};`] }).policies, kindsHere).map(({ severity, rule, place }) => `${severity} ${rule} ${place}`);

  test.each([
    ["looks at a principal that may be missing", "when { principal.n > 1 }", ["error missing-guard principal.n"]],
    ["looks at it where `is` alone stands before", "when { principal is U && principal.n > 1 }", ["warning missing-guard principal.n"]],
    ["looks at it behind `has`", "when { principal has n && principal.n > 1 }", []],
    ["looks at it in the other branch of `has`", "when { !(principal has n) || principal.n > 1 }", []],
    ["looks at it behind the wrong `||`", "when { principal has n || principal.n > 1 }", ["error missing-guard principal.n"]],
    ["looks at it in the condition after", "when { principal has n } unless { principal.n > 1 }", []],
    ["looks through one entity at another", "when { principal has owner && principal.owner.n > 1 }", ["error missing-guard principal.owner.n"]],
    ["asks for both at once", "when { principal has owner.n && principal.owner.n > 1 }", []],
    ["looks at an entity of the context", "when { context.by.n > 1 }", ["error missing-guard context.by.n"]],
    ["looks at a tag without asking", 'when { principal.getTag("a") == "b" }', ['error missing-guard principal.getTag("a")']],
    ["asks for the tag first", 'when { principal.hasTag("a") && principal.getTag("a") == "b" }', []],
    ["adds what may be large", "when { context.n + context.m > 10 }", ["error can-overflow context.n + context.m"]],
    ["adds what was bounded", "when { context.n >= 0 && context.n <= 1000 && context.m >= 0 && context.m < 1000 && context.n + context.m > 10 }", []],
    ["adds what was bounded from one side only", "when { context.n <= 1000 && context.m <= 1000 && context.n + context.m > 10 }", ["error can-overflow context.n + context.m"]],
    ["multiplies bounds that are too large", "when { context.n >= 0 && context.n <= 3000000000 && context.n * context.n * context.n > 10 }", ["error can-overflow context.n * context.n * context.n"]],
    ["bounds in a condition before", "unless { context.n > 100 } unless { context.n < 0 } when { context.n * 3 > 10 }", []],
    ["negates the smallest", "when { -context.n > 10 }", ["error can-overflow -context.n"]],
    ["moves a time by a day", 'when { context.at.offset(duration("1d")) > context.at }', []],
    ["moves a time by what it was given", "when { context.at.offset(context.length) > context.at }", ["error can-overflow context.at.offset(context.length)"]],
    ["constructs from what it was given", "when { datetime(if context.n == 1 then \"2024-01-01\" else \"x\") > context.at }", ['error constructor-not-literal datetime(if context.n == 1 then "2024-01-01" else "x")']],
  ])("%s", (_, clause, found) => {
    expect(lint(clause)).toEqual(found);
  });

  test("that names a number beyond 2^53 is found wherever the number stands", () => {
    const found = (clause: string) => roundedNumbers(uncheckedBundle({ schema: own, texts: [`@id("p") forbid (principal, action, resource) ${clause};`] }).policies).map(({ rule }) => rule);
    expect(found("when { context.n > 9223372036854775807 }")).toEqual(["rounded-number"]);
    expect(found("unless { [1, -9007199254740992].contains(context.n) }")).toEqual(["rounded-number"]);
    expect(found("when { context.n > 9007199254740991 }")).toEqual([]);
  });

  test("that is only tried out is warned of, not refused", () => {
    const policies = uncheckedBundle({ schema: own, texts: [`@id("p") @mode("shadow") forbid (principal, action, resource) when { principal.n > 1 };`] }).policies;
    expect(lintPolicies(policies, kindsHere)).toMatchObject([{ severity: "warning", policy: "p", fix: "write `principal has n && …` before it" }]);
  });
});
