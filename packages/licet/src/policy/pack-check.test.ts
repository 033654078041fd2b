import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { composeBundle } from "./compose.ts";
import { checkPacks } from "./pack-check.ts";
import { openPacks } from "./pack-folder.ts";
import { formatPacks } from "./pack-format.ts";
import { readPackFolder, type PackSource } from "./pack.ts";
import { runPackJob } from "./pack-job.ts";

const schema = `namespace Licet {
  entity Workload { system: String, held?: Bool }; entity Model;
  action callModel appliesTo { principal: Workload, resource: Model, context: { dataClasses: Set<String>, size?: Long } };
}`;
const installed: PackSource = {
  name: "runtime",
  manifest: { v: 1, name: "runtime", title: "t", description: "d", kind: "builtin", order: 10 },
  policies: [{ path: "a.cedar", text: '@id("runtime.call") permit (principal, action == Licet::Action::"callModel", resource);' }],
  scenarios: [],
};
const source = { schema, builtin: [installed] };
const installation = { source, builtin: composeBundle({ ...source, packs: [] }).bundle };

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "licet-check-"));
  put("packs/data/pack.yaml", manifest);
  put("packs/data/rules.cedar", rules);
  put("packs/data/tests/rules.yaml", scenarios("deny"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const manifest = "v: 1\nname: data\ntitle: Data\ndescription: What may be called with which data.\nkind: baseline\n";
const head = "forbid (principal, action == Licet::Action::\"callModel\", resource)";
const rules = `@id("data.special") ${head} when { context.dataClasses.contains("special") };\n`;
const scenarios = (decision: string) => `v: 1
fixtures:
  call:
    principal: Licet::Workload::"w"
    action: Licet::Action::"callModel"
    resource: Licet::Model::"m"
    context: {dataClasses: [public]}
    entities: [{uid: 'Licet::Workload::"w"', attrs: {system: helpdesk, held: false}}]
scenarios:
  - {name: public data, base: call, expect: {decision: allow}}
  - {name: special data, base: call, set: {context.dataClasses: [special]}, expect: {decision: ${decision}}}
`;

function put(path: string, text: string): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function found(): Promise<readonly string[]> {
  const { diagnostics, bundle } = await checkPacks(openPacks(folder), installation);
  expect(bundle === undefined).toBe(diagnostics.some(({ severity }) => severity === "error"));
  return diagnostics.map(({ file, line, column, code, message, fix }) => {
    expect(fix).not.toBe("");
    return `${file.slice(folder.length + 1)}:${line}:${column} ${code} ${message}`;
  });
}

/** Packs that are wrong before anything is compiled, each in its own way, with what is said of it. */
const broken: readonly (readonly [string, string, string])[] = [
  ["chain", `@id("chain.x") ${head} when { ${Array(400).fill("true").join(" || ")} };`, "1:1 policy_too_deep a policy has more than 250 operators"],
  ["deep", `@id("deep.x")\n${head} when { ${"(".repeat(70)}true${")".repeat(70)} };\n`, "2:134 policy_too_deep brackets nest more than 60 deep"],
  ["foreign", `@id("other.x") ${head};`, "1:1 policy_annotation the id `other.x` does not begin with the pack's name"],
  ["misnamed", `// ümlaut\n@id("misnamed.x")\n${head} when { context.dataClases.contains("é") };\n`, '3:75 policy_invalid for policy `misnamed.x`, attribute `dataClases` in context for Licet::Action::"callModel" not found'],
  ["nameless", `\n  ${head};\n`, "2:3 policy_annotation the policy has no `@id`"],
  ["syntax", `// ümlaut\n@id("syntax.x")\n${head} when { context..x };\n`, "3:83 policy_invalid unexpected token `.`: expected identifier"],
  ["template", '@id("template.x") forbid (principal == ?principal, action, resource);', "1:1 policy_invalid a template is not part of a pack"],
  ["twice", `@id("twice.x") ${head};\n@id("twice.x") ${head};`, "2:1 policy_annotation the id `twice.x` stands twice: also in `"],
  ["unguarded", `@id("unguarded.x") ${head} when { principal.held };`, "1:94 policy_invalid for policy `unguarded.x`, unable to guarantee safety of access to optional attribute `held`"],
];

describe("checking a folder of packs", () => {
  it("finds nothing wrong with a sound one, and makes the bundle that publishing would make", async () => {
    const { bundle, scenarios: all, diagnostics } = await checkPacks(openPacks(folder), installation);
    expect(diagnostics).toEqual([]);
    expect(bundle?.packs.map(({ name, covered }) => [name, covered])).toEqual([["runtime", ["runtime.call"]], ["data", ["data.special"]]]);
    expect(all).toHaveLength(2);
  });

  it("names the place of everything that is wrong, in one run", async () => {
    put("packs/data/pack.yaml", `${manifest}topc: data\n`);
    put("packs/app/pack.yaml", manifest.replace("data", "app").replace("baseline", "application"));
    put("packs/app/app.cedarschema", "namespace App {\n  entity A { x: Strin };\n}");
    put("packs/about/pack.yaml", manifest.replace("data", "about"));
    put("packs/about/tests/a.yaml", scenarios("deny").replace("context.dataClasses: [special]", "context.clases.x: 1"));
    put("packs/about/tests/b.yaml", "v: 1\nfixtures: {\n");
    for (const [name, text] of broken) {
      put(`packs/${name}/pack.yaml`, manifest.replace("data", name));
      put(`packs/${name}/rules.cedar`, text);
    }
    const expected = [
      "packs/data/pack.yaml:6:1 pack_malformed unknown key `topc` in the file; did you mean `topic`?",
      "packs/about/tests/a.yaml:11:62 scenario_malformed the path `context.clases.x` leads nowhere: `context.clases` is not in the base",
      "packs/about/tests/b.yaml:3:1 pack_syntax ",
      "packs/app/app.cedarschema:2:17 policy_invalid failed to resolve type: Strin",
      ...broken.map(([name, , said]) => `packs/${name}/rules.cedar:${said}`),
    ];
    const came = await found();
    expect(came.map((each) => expected.find((start) => each.startsWith(start)) ?? each).sort()).toEqual(expected.sort());
  });

  it.each<readonly [string, () => void, RegExp]>([
    ["a team that permits", () => (put("packs/data/pack.yaml", `${manifest.replace("baseline", "team")}systems: [helpdesk]\n`), put("packs/data/rules.cedar", rules.replace("forbid", "permit"))), /^packs\/data\/rules.cedar:1:1 policy_pack_rule `data.special` permits/u],
    ["a forbid that fails open where an entity is missing", () => put("packs/data/rules.cedar", `${rules}@id("data.open")\n${head} when { principal.system == "x" };\n`), /^packs\/data\/rules.cedar:3:\d+ policy_invalid `data.open`: .*missing/u],
    ["a forbid that fails open where an attribute is missing", () => (put("packs/data/rules.cedar", `${rules}@id("data.open")\n${head} when { principal has held && principal.held };\n`), put("packs/data/tests/rules.yaml", scenarios("deny").replace("context.dataClasses: [special]", 'entities.Licet::Workload::w.attrs.held: true'))), /^packs\/data\/rules.cedar:2:1 policy_invalid `data.open`: the scenario `special data` is denied, and without Licet::Workload::"w"(?:\.held)? it would be allowed/u],
  ])("names the place of %s", async (_, spoil, expected) => {
    spoil();
    const came = await found();
    expect(came.length).toBeGreaterThan(0);
    for (const each of came) expect(each).toMatch(expected);
  });

  it("leaves a pack that is not enabled out of the bundle", async () => {
    put("packs/data/pack.yaml", `${manifest}enabled: false\n`);
    const { bundle, testable } = await checkPacks(openPacks(folder), installation);
    expect(bundle?.policies.map(({ id }) => id)).toEqual(["runtime.call"]);
    expect(testable?.policies.map(({ id }) => id)).toEqual(["runtime.call", "data.special"]);
  });

  it("runs the scenarios of a pack that is not enabled, and names the place of one that comes out differently", async () => {
    put("packs/data/pack.yaml", `${manifest}enabled: false\n`);
    put("packs/data/tests/rules.yaml", scenarios("allow"));
    expect(await found()).toEqual(["packs/data/tests/rules.yaml:11:12 scenario_failed `special data`: expected allow, came deny by `data.special`"]);
  });

  it("outlives a parser that does not survive its text", async () => {
    const text = `permit (principal, action, resource) when { ${"!(".repeat(4000)}true${")".repeat(4000)} };`;
    await expect(runPackJob({ kind: "format", texts: [text] })).rejects.toMatchObject({ code: "policy_too_deep" });
    expect((await runPackJob({ kind: "format", texts: [rules] }))[0]?.findings).toEqual([]);
  });
});

describe("formatting a folder of packs", () => {
  it("keeps comments and meaning, and changes nothing the second time", async () => {
    put("packs/data/rules.cedar", `// top\n@id("data.special") ${head} // scope\nwhen { // inner\n  context.dataClasses.contains("special") };\n// end\n`);
    const meaning = () => composeBundle({ ...source, packs: readPackFolder(folder) }).bundle.policies.map(({ json }) => json);
    const before = meaning();
    const [first] = (await formatPacks(openPacks(folder))).files;
    for (const comment of ["// top", "// scope", "// inner", "// end"]) expect(first?.after).toContain(comment);
    expect(first?.after).not.toBe(first?.before);
    put("packs/data/rules.cedar", first?.after ?? "");
    const [second] = (await formatPacks(openPacks(folder))).files;
    expect(second?.after).toBe(readFileSync(join(folder, "packs/data/rules.cedar"), "utf8"));
    expect(meaning()).toEqual(before);
  });

  it("leaves a file alone that cannot be parsed, and says where", async () => {
    cpSync(join(folder, "packs/data/rules.cedar"), join(folder, "packs/data/more.cedar"));
    put("packs/data/rules.cedar", "permit (\n");
    const { files, diagnostics } = await formatPacks(openPacks(folder));
    expect(files.map(({ file }) => file)).toEqual([join(folder, "packs/data/more.cedar")]);
    expect(diagnostics.map(({ file, line, code }) => [file, line, code])).toEqual([[join(folder, "packs/data/rules.cedar"), 1, "policy_invalid"]]);
  });
});
