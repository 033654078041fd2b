import { PackManifest, PolicyChange, type DetectionSection } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { bundleDifference } from "./bundle-diff.ts";
import { packOf } from "./bundle-fixture.ts";
import { builtinSource } from "./builtin.ts";
import { bundleJson, readBundle } from "./bundle.ts";
import { composeBundle } from "./compose.ts";
import { placedPacks } from "./compose-source.ts";
import { packDetection } from "./detection.ts";
import { bundleChanges } from "./publication-changes.ts";
import { countChanges } from "./publication-outline.ts";

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

describe("what changes in detection", () => {
  const bundleOf = (detection: DetectionSection, systems?: readonly string[]) =>
    composeBundle({ ...builtinSource(), builtin: [], packs: [packOf({ name: "house", kind: systems === undefined ? "baseline" : "team", ...(systems !== undefined && { systems: [...systems] }), detection }, "")] }, { tested: false }).bundle;
  const before = bundleOf({
    actions: [{ of: "email", action: "redact" }, { of: "secret", action: "block" }],
    patterns: [{ type: "case-number", class: "confidential", pattern: "CASE-[0-9]{4}" }],
    dictionaries: [{ type: "project", class: "confidential", terms: ["Blue Heron", "Northern Line"] }],
    canaries: ["zebra-7719-quiet"],
    external: [{ name: "lab", url: "https://detect.example.com/find", classes: { diagnosis: "special" } }],
  });
  const after = bundleOf({
    actions: [{ of: "email", action: "flag" }, { of: "secret", action: "block", hold: "message" }],
    patterns: [{ type: "case-number", class: "confidential", pattern: "CASE-[0-9]{4,8}" }, { type: "badge", class: "internal", pattern: "B[0-9]{5}" }],
    dictionaries: [{ type: "project", class: "confidential", terms: ["Blue Heron"] }],
    external: [{ name: "lab", url: "https://detect.example.com/find", classes: { diagnosis: "special" }, timeoutMs: 50 }],
  });

  test("is shown by the comparison of two bundles, declaration by declaration and line by line", () => {
    const { detection, policies } = bundleDifference(before, after, []);
    expect(policies).toEqual([]);
    expect(detection.map(({ kind, pack, name, lines }) => [kind, pack, name, lines.flatMap(({ sign, text }) => (sign === " " ? [] : [`${sign}${text}`]))])).toEqual([
      ["changed", "house", "action of email", ["-action: redact", "+action: flag"]],
      ["changed", "house", "action of secret", ["+hold: message"]],
      ["changed", "house", "pattern case-number", ["-pattern: CASE-[0-9]{4}", "+pattern: CASE-[0-9]{4,8}"]],
      ["added", "house", "pattern badge", ["+class: internal", "+pattern: B[0-9]{5}"]],
      ["changed", "house", "dictionary project", ["-- Northern Line"]],
      ["changed", "house", "external detector lab", ["+timeoutMs: 50"]],
      ["removed", "house", "canaries", ["-zebra-7719-quiet"]],
    ]);
    expect(bundleDifference(before, before, []).detection).toEqual([]);
  });

  test("is what an approver of its publication sees, and is counted", () => {
    const changes = bundleChanges(before, after).filter(({ what }) => what === "detection");
    expect(changes.map(({ sign, part }) => `${sign} ${part ?? ""}`)).toEqual(["~ action of email", "~ action of secret", "~ pattern case-number", "+ pattern badge", "~ dictionary project", "~ external detector lab", "- canaries"]);
    expect(changes[0]).toEqual({ sign: "~", pack: "house", policy: null, what: "detection", part: "action of email", before: "action: redact", after: "action: flag" });
    expect(changes.every((change) => PolicyChange.safeParse(change).success)).toBe(true);
    expect(countChanges(before, after)).toEqual({ added: 1, changed: 5, removed: 1 });
    expect(countChanges(undefined, before)).toMatchObject({ changed: 0, removed: 0 });
  });

  test("is also for whom it holds", () => {
    const detection: DetectionSection = { actions: [{ of: "email", action: "mask" }] };
    expect(bundleDifference(bundleOf(detection, ["helpdesk"]), bundleOf(detection, ["helpdesk", "triage"]), []).detection).toEqual([
      { kind: "changed", pack: "house", name: "systems", lines: [{ sign: " ", text: "helpdesk" }, { sign: "+", text: "triage" }] },
    ]);
  });
});
