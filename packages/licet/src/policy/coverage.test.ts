import { describe, expect, test } from "vitest";
import { bundleDifference, lineDiff } from "./bundle-diff.ts";
import { composeBundle } from "./compose.ts";
import { coverage, coveredIds } from "./coverage.ts";
import { createDecider } from "./decide.ts";
import type { PackSource } from "./pack.ts";
import { readScenarios, runScenarios } from "./scenario.ts";

const schema = `namespace Licet {
  entity User; entity Doc { locked: Bool };
  action any;
  action read, drop in [any] appliesTo { principal: User, resource: Doc, context: {} };
}`;
const policies = `
@id("docs.read") permit (principal, action in Licet::Action::"any", resource);
@id("docs.locked") forbid (principal, action == Licet::Action::"drop", resource) unless { resource has locked && !resource.locked };
@id("docs.never") forbid (principal, action == Licet::Action::"drop", resource) unless { resource has locked && resource.locked };
@id("docs.tried") @mode("shadow") forbid (principal, action == Licet::Action::"read", resource) unless { resource has locked && !resource.locked };`;

const pack = (text: string, name = "docs"): PackSource => ({ name, manifest: { v: 1, name, title: "t", description: "d", kind: "baseline" }, policies: [{ path: "a.cedar", text }], scenarios: [] });
const compiled = (text: string) => composeBundle({ schema, builtin: [], packs: [pack(text)] }).bundle;
const bundle = compiled(policies);

const file = (scenarios: string) => `v: 1
fixtures:
  read:
    principal: Licet::User::"u"
    action: Licet::Action::"read"
    resource: Licet::Doc::"d"
    entities: [{uid: 'Licet::Doc::"d"', attrs: {locked: false}}]
scenarios:
${scenarios}`;
const read = "  - {name: read, base: read, expect: {decision: allow}}\n";
const drop = (locked: boolean) => `  - {name: drop ${locked}, base: read, set: {action: 'Licet::Action::"drop"', entities.Licet::Doc::d.attrs.locked: ${locked}}, expect: {decision: deny}}\n`;
const tried = "  - {name: tried, base: read, set: {entities.Licet::Doc::d.attrs.locked: true}, expect: {decision: allow, shadowed: [docs.tried]}}\n";
const run = (scenarios: string) => runScenarios(createDecider(bundle), readScenarios(file(scenarios), "t.yaml"));
const covered = (scenarios: string) => coveredIds(coverage(bundle, run(scenarios)));

describe("coverage", () => {
  test("counts a permit that allowed, a forbid that fired and did not, and one that is only tried out", () => {
    expect(run(read + tried + drop(true)).flatMap(({ differences }) => differences)).toEqual([]);
    expect(coverage(bundle, run(read + tried + drop(true) + drop(false)))).toEqual([
      {
        pack: "docs",
        policies: [
          { policy: "docs.read", fired: 2, passed: 2, covered: true },
          { policy: "docs.locked", fired: 1, passed: 1, covered: true },
          { policy: "docs.never", fired: 1, passed: 1, covered: true },
          { policy: "docs.tried", fired: 1, passed: 1, covered: true },
        ],
        covered: 4,
      },
    ]);
  });

  test("a forbid that always fired is not covered, and neither is one that never did", () => {
    expect(covered(drop(true))).toEqual([]);
    expect(covered(read)).toEqual(["docs.read"]);
    expect(covered(drop(true) + drop(false))).toEqual(["docs.locked", "docs.never"]);
  });

  test("scenarios of other actions do not count as ones in which a forbid passed", () => {
    expect(covered(read + drop(true))).toEqual(["docs.read"]);
  });

  test("a request that could not be decided counts for nothing", () => {
    expect(covered("  - {name: misfit, base: read, set: {'context.more': 1}, expect: {decision: deny, errors: [request]}}\n")).toEqual([]);
  });
});

describe("the difference of two bundles", () => {
  const after = compiled(policies.replace("has locked && resource.locked", "has locked && !resource.locked").replace('@mode("shadow")', '@mode("warn")').replace('"docs.locked"', '"docs.shut"'));

  test("names added, removed and changed policies with their lines, modes, and decisions that change", () => {
    const asked = readScenarios(file(read + drop(true) + drop(false) + tried), "t.yaml");
    const difference = bundleDifference(bundle, after, asked);
    expect(difference.policies.map(({ kind, id, mode }) => [kind, id, mode])).toEqual([
      ["added", "docs.shut", "enforce"],
      ["changed", "docs.never", { before: "enforce", after: "enforce" }],
      ["changed", "docs.tried", { before: "shadow", after: "warn" }],
      ["removed", "docs.locked", "enforce"],
    ]);
    expect(difference.decisions.map(({ name, before, after: now }) => [name, before.decision, now.decision])).toEqual([
      ["drop true", "deny", "deny"],
      ["drop false", "deny", "allow"],
      ["tried", "allow", "allow"],
    ]);
    expect(difference.asked).toBe(4);
  });

  test("of a bundle with itself is nothing", () => {
    expect(bundleDifference(bundle, compiled(policies), [])).toMatchObject({ policies: [], schemaChanged: false, packs: { added: [], removed: [] } });
  });

  test("of two texts keeps the lines that they share, in order", () => {
    const signs = (before: string, after_: string) => lineDiff(before, after_).map(({ sign, text }) => `${sign}${text}`);
    expect(signs("a\nb\nc", "a\nx\nc\nd")).toEqual([" a", "-b", "+x", " c", "+d"]);
    expect(signs("", "")).toEqual([" "]);
    const long = Array.from({ length: 1500 }, (_, i) => `${i}`).join("\n");
    expect(signs(long, `${long}!`)).toHaveLength(3000);
  });
});
