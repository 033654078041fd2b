import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PackManifest } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { builtinBundle, builtinSource, policiesFolder } from "./builtin.ts";
import type { Bundle } from "./bundle-form.ts";
import { policiesIn } from "./bundle-fixture.ts";
import { composeBundle } from "./compose.ts";
import { coverage } from "./coverage.ts";
import { createDecider, deciderOn, list } from "./decide.ts";
import type { PackSource } from "./pack.ts";
import { openPacks } from "./pack-folder.ts";
import { formatPacks } from "./pack-format.ts";
import { readScenarios, runScenarios, type ScenarioResult } from "./scenario.ts";
import { canonicalOutcome } from "./scenario-outcome.ts";
import { wasmEngine } from "./wasm-engine.ts";

const source = builtinSource();
const bundle = builtinBundle();
const enabled = source.builtin.filter(({ manifest }) => manifest.enabled !== false);
const disabled = source.builtin.filter(({ manifest }) => manifest.enabled === false);
const read = new Map(source.builtin.map((pack) => [pack.name, pack.scenarios.flatMap(({ path, text }) => readScenarios(text, `${pack.name}/${path}`))]));
const scenariosOf = ({ name }: PackSource) => read.get(name) ?? [];
const failures = (results: readonly ScenarioResult[]) => results.flatMap(({ scenario, differences }) => differences.map((each) => `${scenario.file}:${scenario.line} ${scenario.name}: ${each}`));

/** What decides beside a pack that is not enabled yet. */
const beside = ["runtime-standing", "runtime-model-calls", "runtime-data", "runtime-exports"];

/** What a version that supplies the facts of one pack will publish: that pack, among those of its kind that are enabled. */
function switchedOn(pack: PackSource): Bundle {
  const gate = pack.name.startsWith("gate-");
  const others = enabled.filter(({ name }) => (gate ? name.startsWith("gate-") : beside.includes(name))).map((each) => ({ ...each, scenarios: [] }));
  return composeBundle({ schema: source.schema, builtin: [...others, { ...pack, manifest: { ...pack.manifest, enabled: true } }], packs: [] }).bundle;
}

describe("the packs that come with Licet", () => {
  const ours = createDecider(bundle);
  const judge = deciderOn(bundle, wasmEngine(bundle));

  test.each(enabled.map((pack) => [pack.name, pack] as const))("%s: every scenario comes out as it says, and cedar-wasm gives the same bytes", (_, pack) => {
    const scenarios = scenariosOf(pack);
    expect(scenarios.length).toBeGreaterThan(1);
    expect(failures(runScenarios(ours, scenarios))).toEqual([]);
    for (const { request } of scenarios) expect(canonicalOutcome(ours.decide(request))).toBe(canonicalOutcome(judge.decide(request)));
  });

  test("every policy fires in one scenario and not in another, and every scenario names all its reasons", () => {
    const results = runScenarios(ours, enabled.flatMap(scenariosOf));
    expect(results.filter(({ scenario }) => scenario.expect.reasons === undefined)).toEqual([]);
    expect(coverage(bundle, results).flatMap(({ policies }) => policies.filter(({ covered }) => !covered))).toEqual([]);
  });

  test("whoever may ask for something is permitted it in one scenario and refused it in another", () => {
    const decisions = new Map<string, Set<string>>();
    for (const { request, expect: expected } of enabled.flatMap(scenariosOf)) decisions.set(request.action.id, new Set([...(decisions.get(request.action.id) ?? []), expected.decision]));
    const actions = Object.entries(bundle.schemaJson["Licet"]?.actions ?? {}).flatMap(([id, { appliesTo }]) => ((appliesTo?.principalTypes ?? []).length === 0 || id === "demand" ? [] : [id]));
    expect(actions.length).toBeGreaterThan(25);
    expect(actions.filter((id) => decisions.get(id)?.size !== 2)).toEqual([]);
  });
});

describe("the packs that wait for facts", () => {
  test.each(disabled.map((pack) => [pack.name, pack] as const))("%s is not part of the bundle, says why, and is proven by its own scenarios", (name, pack) => {
    expect(bundle.packs.map((each) => each.name)).not.toContain(name);
    expect(pack.manifest.description).toMatch(/Not enabled - .+; the (?:one|version) that .+ enables it/u);
    const later = switchedOn(pack);
    const results = runScenarios(createDecider(later), scenariosOf(pack));
    expect(failures(results)).toEqual([]);
    const own = coverage(later, results).find((each) => each.pack === name);
    expect(own?.policies.filter(({ covered }) => !covered)).toEqual([]);
  });
});

describe("what people read", () => {
  const forbids = bundle.policies.filter(({ effect }) => effect === "forbid");

  test("every forbid says what it requires, the remedy, whose turn it is, its controls and how grave it is", () => {
    expect(forbids.length).toBeGreaterThan(150);
    for (const { id, pack, annotations } of forbids) {
      const needed = ["requirement", "remedy", "turn", "control", "severity", ...(pack.startsWith("gate-") ? [] : ["title"])];
      expect({ id, lacking: needed.filter((name) => (annotations[name] ?? "") === "") }).toEqual({ id, lacking: [] });
      expect(["low", "medium", "high", "critical"]).toContain(annotations["severity"]);
    }
  });

  test("outside the gate a requirement is a code in small letters, and its title a sentence", () => {
    const coded = forbids.filter(({ pack }) => !pack.startsWith("gate-"));
    expect(coded.filter(({ annotations }) => !/^[a-z]+(?:_[a-z]+)*$/u.test(annotations["requirement"] ?? ""))).toEqual([]);
  });

  test("each of the OWASP Top 10 for agentic applications is named by a forbid that is in force", () => {
    const named = new Set(forbids.flatMap(({ annotations }) => list(annotations["threat"])));
    const all = Array.from({ length: 10 }, (_, index) => `OWASP ASI${String(index + 1).padStart(2, "0")}`);
    expect(all.filter((threat) => !named.has(threat))).toEqual([]);
  });

  test("an obligation is in a form that callers of the decision API are told, and only what permits carries one", () => {
    const given = source.builtin.flatMap(({ policies }) => policies.flatMap(({ text }) => policiesIn(text))).filter(({ annotations }) => annotations["obligation"] !== undefined);
    expect(given.length).toBeGreaterThan(4);
    expect(given.filter(({ effect }) => effect !== "permit")).toEqual([]);
    for (const { annotations } of given) {
      for (const obligation of [parse(annotations["obligation"] ?? "")].flat()) expect(obligation).toEqual({ type: "custom", properties: expect.any(Object) });
    }
  });

  test("the files are in the form that `licet policy fmt` gives them", async () => {
    const { files, diagnostics } = await formatPacks(openPacks(policiesFolder()));
    expect(diagnostics).toEqual([]);
    expect(files.filter(({ before, after }) => before !== after).map(({ file }) => file)).toEqual([]);
  });

  const catalogue = fileURLToPath(new URL("../../../../../shared/frameworks/control-tests.yaml", import.meta.url));
  test.skipIf(!existsSync(catalogue))("every control that a policy names is in the catalogue (needs ../shared/frameworks)", () => {
    const known = new Set(readFileSync(catalogue, "utf8").match(/CT-[A-Z]{3}-\d{2}/gu));
    const named = bundle.policies.flatMap(({ annotations }) => list(annotations["control"]));
    expect(named.filter((control) => !known.has(control))).toEqual([]);
  });

  test("refusals are named in the order of the packs: what stops a workload first, the gate's requirements as they stand", () => {
    expect(bundle.policies[0]?.id).toBe("runtime.held");
    const families = bundle.packs.map(({ name }) => name.split("-")[0] ?? "");
    expect([...new Set(families)]).toEqual(["runtime", "gate", "people"]);
    expect(families.indexOf("people")).toBeGreaterThan(families.lastIndexOf("gate"));
  });
});

describe("docs/policy-writing.md", () => {
  const page = readFileSync(fileURLToPath(new URL("../../../../docs/policy-writing.md", import.meta.url)), "utf8");
  const blocks = new Map([...page.matchAll(/^ {3}```\w+ (\S+)\n([\s\S]*?)^ {3}```$/gmu)].map(([, path = "", text = ""]) => [path, text.replaceAll(/^ {3}/gmu, "")]));
  const block = (path: string) => blocks.get(path) ?? "";

  test("the pack that it writes compiles with those of the installation, and its scenarios cover its policy", () => {
    const manifest = PackManifest.parse(parse(block("pack.yaml")));
    const pack: PackSource = { name: manifest.name, manifest, policies: [{ path: "region.cedar", text: block("region.cedar") }], scenarios: [{ path: "tests/region.yaml", text: block("tests/region.yaml") }] };
    const others = enabled.filter(({ name }) => beside.includes(name)).map((each) => ({ ...each, scenarios: [] }));
    const { bundle: composed, warnings } = composeBundle({ schema: source.schema, builtin: others, packs: [pack] });
    expect(warnings).toEqual([]);
    expect(composed.packs.find(({ name }) => name === "house")).toMatchObject({ scenarios: 4, covered: ["house.region"] });
    expect(failures(runScenarios(createDecider(composed), readScenarios(block("tests/region.yaml"), "house")))).toEqual([]);
  });

  test("every action and group that it names is in the schema", () => {
    const known = new Set(Object.keys(bundle.schemaJson["Licet"]?.actions ?? {}));
    const [, table = ""] = /## Who asks what([\s\S]*?)## Say/u.exec(page) ?? [];
    const named = [...table.matchAll(/`([a-z][A-Za-z]+)`/gu)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(25);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});
