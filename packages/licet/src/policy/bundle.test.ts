import { LicetError } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { builtinBundle, compileBundle, readBundle } from "./bundle.ts";

const bundle = builtinBundle();
const compile = (text: string, schema = bundle.schema): string => {
  try {
    compileBundle({ schema, texts: [text] });
    return "compiled";
  } catch (error) {
    return error instanceof LicetError ? error.code : String(error);
  }
};
const annotated = `@id("x") @requirement("r") @remedy("m") @turn("t")`;

describe("the built-in bundle", () => {
  test("names a requirement's remedy, turn and control for every forbid", () => {
    const forbids = bundle.policies.filter((policy) => policy.effect === "forbid");
    expect(forbids.length).toBeGreaterThan(30);
    for (const { id, annotations } of forbids) {
      expect({ id, lacking: ["requirement", "remedy", "turn", "control", "severity"].filter((name) => (annotations[name] ?? "") === "") }).toEqual({ id, lacking: [] });
    }
  });

  test("survives the record: read back from JSON it is the same bundle, and a changed one is refused", () => {
    const json = JSON.stringify({ v: bundle.v, schema: bundle.schema, policies: bundle.policies });
    expect(readBundle(json, bundle.digest)).toEqual(bundle);
    expect(() => readBundle(json.replace("pilot.authorised", "pilot.whatever"), bundle.digest)).toThrow(LicetError);
    expect(() => readBundle("{}", bundle.digest)).toThrow(LicetError);
  });
});

describe("a bundle is refused", () => {
  test.each([
    ["with a syntax error", `${annotated} forbid (principal, action, resource`, "policy_invalid"],
    ["with an attribute that the schema does not know", `${annotated} forbid (principal is Licet::Workload, action, resource) when { principal.owner == "x" };`, "policy_invalid"],
    ["with an unguarded optional attribute", `${annotated} forbid (principal is Licet::Workload, action, resource) when { principal.held };`, "policy_invalid"],
    ["with a policy that can never apply", `${annotated} forbid (principal is Licet::Model, action == Licet::Action::"callModel", resource);`, "policy_invalid"],
    ["without an id", `forbid (principal, action, resource);`, "policy_annotation"],
    ["with a requirement that names no remedy", `@id("x") @requirement("r") @turn("t") forbid (principal, action, resource);`, "policy_annotation"],
    ["with the same id twice", `@id("x") permit (principal, action, resource); @id("x") permit (principal, action, resource);`, "policy_annotation"],
    ["with brackets that would overflow the parser", `@id("x") permit (principal, action, resource) when { ${"(".repeat(500)}true${")".repeat(500)} };`, "policy_too_deep"],
    ["with a chain that would overflow the parser", `@id("x") permit (principal, action, resource) when { ${Array(1000).fill("true").join(" || ")} };`, "policy_too_deep"],
    ["with negations that would overflow the parser", `@id("x") permit (principal, action, resource) when { ${"!".repeat(500)}true };`, "policy_too_deep"],
    ["with more text than the bound", `// ${"x".repeat(300_000)}`, "policy_too_deep"],
  ])("%s", (_, text, code) => {
    expect(compile(text)).toBe(code);
    expect(compile(`@id("fine") permit (principal, action, resource);`)).toBe("compiled");
  });
});
