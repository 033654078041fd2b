import { PackManifest, type DetectionSection } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { packOf } from "./bundle-fixture.ts";
import { builtinSource } from "./builtin.ts";
import { bundleJson, readBundle } from "./bundle.ts";
import { composeBundle } from "./compose.ts";
import { placedPacks } from "./compose-source.ts";
import { packDetection } from "./detection.ts";

function compiled(detection: DetectionSection) {
  return packDetection(placedPacks({ schema: "", builtin: [], packs: [packOf({ name: "house", kind: "baseline", detection }, "")] }));
}

describe("detection in a pack", () => {
  test("is published in the bundle, under its digest", () => {
    const bundleOf = (detection: DetectionSection) => composeBundle({ ...builtinSource(), builtin: [], packs: [packOf({ name: "house", kind: "baseline", detection }, "")] }, { tested: false }).bundle;
    const detection: DetectionSection = { actions: [{ of: "email", action: "redact" }] };
    const bundle = bundleOf(detection);
    expect(bundle.detection).toEqual([{ pack: "house", section: detection }]);
    expect(bundle.digest).not.toBe(bundleOf({ actions: [{ of: "email", action: "mask" }] }).digest);
    expect(readBundle(bundleJson(bundle), bundle.digest).detection).toEqual(bundle.detection);
    expect(() => readBundle(bundleJson(bundle).replace('"redact"', '"flag"'), bundle.digest)).toThrow("digest");
  });

  test.each<readonly [string, DetectionSection, RegExp]>([
    ["an action of a type that nothing finds", { actions: [{ of: "emial", action: "mask" }] }, /emial/u],
    ["a name that Licet uses itself", { patterns: [{ type: "email", class: "personal", pattern: "x" }] }, /uses itself/u],
    ["one name for two classes", { patterns: [{ type: "a", class: "personal", pattern: "x" }], dictionaries: [{ type: "a", class: "special", terms: ["yy"] }] }, /declared as/u],
    ["an expression that RE2 does not know", { patterns: [{ type: "a", class: "personal", pattern: "(a" }] }, /no regular expression/u],
    ["an expression that finds nothing everywhere", { patterns: [{ type: "a", class: "personal", pattern: "x*" }] }, /finds nothing/u],
    ["an expression that grows too large", { patterns: [{ type: "a", class: "personal", pattern: "a{900}|b{900}|c{900}" }] }, /too large/u],
  ])("%s is refused", (_, detection, message) => {
    expect(() => compiled(detection)).toThrow(message);
  });

  test("a team only tightens, and an application has none", () => {
    const base = { v: 1, name: "x", title: "x", description: "x" };
    const parse = (more: object) => PackManifest.safeParse({ ...base, ...more }).success;
    expect(parse({ kind: "team", systems: ["a"], detection: { actions: [{ of: "email", action: "flag" }] } })).toBe(false);
    expect(parse({ kind: "team", systems: ["a"], detection: { actions: [{ of: "email", action: "mask" }] } })).toBe(true);
    expect(parse({ kind: "application", detection: {} })).toBe(false);
    expect(parse({ kind: "baseline", detection: { actions: [{ of: "email", action: "mask", hold: "message" }] } })).toBe(false);
  });
});
