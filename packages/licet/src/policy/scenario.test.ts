import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PolicyDecision } from "./decide.ts";
import type { PolicyRequest } from "./request.ts";
import { canonicalOutcome } from "./scenario-outcome.ts";
import { readRequests } from "./scenario-request.ts";
import { openScenarios, readScenarios, runScenarios, scenarioDiagnostic } from "./scenario.ts";

const file = (scenarios: string) => `v: 1
fixtures:
  call:
    principal: Licet::Workload::"dep_1"
    action: Licet::Action::"callModel"
    resource: {type: "Licet::Model", id: "sim/v1.2"}
    context: {to: pilot, list: [a, b]}
    entities:
      - uid: Licet::Workload::"dep_1"
        attrs: {held: false, ato: {id: a1}}
      - uid: {type: "Licet::Model", id: "sim/v1.2"}
        attrs: {region: eu}
        parents: [Licet::Group::"g"]
scenarios:
${scenarios}`;

const one = (lines: string) => file(`  - name: case\n    base: call\n${lines}    expect: {decision: allow}\n`);
const requestOf = (lines: string): PolicyRequest => {
  const [first] = readScenarios(one(lines), "t.yaml");
  if (first === undefined) throw new Error("no scenario");
  return first.request;
};
const problems = (text: string) => openScenarios({ file: "t.yaml", text }).diagnostics.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`);

describe("a scenario's request", () => {
  it("is its fixture, with entities written as in Cedar or as JSON", () => {
    expect(requestOf("")).toEqual({
      principal: { type: "Licet::Workload", id: "dep_1" },
      action: { type: "Licet::Action", id: "callModel" },
      resource: { type: "Licet::Model", id: "sim/v1.2" },
      context: { to: "pilot", list: ["a", "b"] },
      entities: [
        { uid: { type: "Licet::Workload", id: "dep_1" }, attrs: { held: false, ato: { id: "a1" } }, parents: [] },
        { uid: { type: "Licet::Model", id: "sim/v1.2" }, attrs: { region: "eu" }, parents: [{ type: "Licet::Group", id: "g" }] },
      ],
    });
  });

  it.each<readonly [string, string, (request: PolicyRequest) => unknown, unknown]>([
    ["a part of the context", "set: {context.to: production}", (r) => r.context["to"], "production"],
    ["a new attribute", 'set: {"context.new": {a: 1}}', (r) => r.context["new"], { a: 1 }],
    ["a place of a list", 'set: {"context.list.1": c, "context.list.2": d}', (r) => r.context["list"], ["a", "c", "d"]],
    ["an attribute of an entity", 'set: {"entities.Licet::Workload::dep_1.attrs.ato.id": a2}', (r) => r.entities[0]?.attrs["ato"], { id: "a2" }],
    ["an entity whose id holds a dot", 'set: {"entities.Licet::Model::sim/v1.2.attrs.region": us}', (r) => r.entities[1]?.attrs["region"], "us"],
    ["an entity in quotes", `set: {'entities.Licet::Model::"sim/v1.2".attrs.region': us}`, (r) => r.entities[1]?.attrs["region"], "us"],
    ["a new entity", `set: {'entities.Licet::Group::"g"': {attrs: {}}}`, (r) => r.entities[2], { uid: { type: "Licet::Group", id: "g" }, attrs: {}, parents: [] }],
    ["the principal", `set: {principal: 'Licet::Workload::"other"'}`, (r) => r.principal.id, "other"],
    ["an attribute away", "remove: [entities.Licet::Workload::dep_1.attrs.ato]", (r) => r.entities[0]?.attrs, { held: false }],
    ["an entity away", "remove: [entities.Licet::Workload::dep_1]", (r) => r.entities.length, 1],
  ])("changes %s", (_, lines, read, expected) => {
    expect(read(requestOf(`    ${lines}\n`))).toEqual(expected);
    expect(read(requestOf(""))).not.toEqual(expected);
  });

  it("leaves its fixture as it was for the next", () => {
    const text = file(`  - {name: a, base: call, set: {context.to: production}, expect: {decision: allow}}\n  - {name: b, base: call, expect: {decision: allow}}\n`);
    expect(readScenarios(text, "t.yaml").map(({ request, line, column }) => [request.context["to"], line, column])).toEqual([["production", 15, 12], ["pilot", 16, 12]]);
  });
});

describe("a scenario file is refused, with the place", () => {
  it.each([
    ["a path into nothing", one("    set: {contxt.to: x}\n"), "17:23 scenario_malformed a path begins with `principal`, `action`, `resource`, `context`, `entities`, not with `contxt`"],
    ["a way that is not there", one("    set: {context.move.to: x}\n"), "17:28 scenario_malformed the path `context.move.to` leads nowhere: `context.move` is not in the base"],
    ["an entity that the base has not", one("    set: {entities.Licet::Model::other.attrs.x: 1}\n"), '17:49 scenario_malformed no entity of the base begins `entities.Licet::Model::other.attrs.x`; to add one, write its id in quotes: `entities.Type::"id"`'],
    ["the removal of what is not there", one("    remove: [context.nothing]\n"), "17:14 scenario_malformed there is no `context.nothing` to remove"],
    ["a fixture that is not there", one("").replace("base: call", "base: cal"), "16:11 scenario_malformed there is no fixture `cal`"],
    ["a misspelt key", one("    sett: {}\n"), "17:5 pack_malformed unknown key `sett` in `scenarios[0]`; did you mean `set`?"],
    ["a principal that is none", one("    set: {principal: Licet}\n"), '17:5 scenario_malformed what `set` makes is not a request: `principal` an entity is needed, such as `Licet::System::"helpdesk"` or `{type: …, id: …}`'],
    ["two of one name", file("  - {name: a, base: call, expect: {decision: allow}}\n  - {name: a, base: call, expect: {decision: deny}}\n"), "16:12 scenario_malformed two scenarios are named `a`"],
    ["a prototype", one('    set: {"context.__proto__": {a: 1}}\n'), "17:34 scenario_malformed `__proto__` is not a name"],
  ])("%s", (_, text, expected) => {
    expect(problems(text).map((each) => each.replace(/^\d+:\d+ /u, ""))).toEqual([expected.replace(/^\d+:\d+ /u, "")]);
    expect(problems(text)[0]?.split(":")[0]).toBe(expected.split(":")[0]);
    expect(() => readScenarios(text, "t.yaml")).toThrow(expect.objectContaining({ code: "scenario_malformed" }));
  });

  it("never throws on any text", () => {
    const anyText = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(openScenarios({ file: "t", text: Buffer.from(bytes).toString("latin1") }).diagnostics.length).toBeGreaterThan(0);
    });
    fc.assert(anyText, { numRuns: 100 });
    const anyPath = fc.property(fc.string({ maxLength: 60 }), (path) => {
      expect(openScenarios({ file: "t", text: one(`    set: {${JSON.stringify(`entities.${path}`)}: 1}\n`) }).scenarios).toEqual([]);
    });
    fc.assert(anyPath, { numRuns: 100 });
  });
});

describe("running scenarios", () => {
  const decision = (given: Partial<PolicyDecision>): PolicyDecision => ({ decision: "deny", reasons: [{ policy: "a", controls: [] }], warnings: [], shadowed: [], errors: [], advisoryErrors: [], ...given });
  const run = (expect_: string, given: Partial<PolicyDecision>) => runScenarios({ decide: () => decision(given) }, readScenarios(one("").replace("{decision: allow}", expect_), "t.yaml"))[0];

  it.each<readonly [string, string, Partial<PolicyDecision>, readonly string[]]>([
    ["what is expected", "{decision: deny, reasons: [a]}", {}, []],
    ["reasons left out are not compared", "{decision: deny}", {}, []],
    ["another decision", "{decision: allow}", {}, ["expected allow, came deny by `a`"]],
    ["a missing and a surplus reason", "{decision: deny, reasons: [b]}", {}, ["reasons: `b` expected, did not come", "reasons: `a` came, not expected"]],
    ["an error that nobody expected", "{decision: deny}", { errors: [{ policy: "a", message: "overflow" }] }, ["errors: `a` came, not expected", "`a` could not be evaluated: overflow"]],
    ["an error of a policy that is only tried out", "{decision: deny}", { advisoryErrors: [{ policy: "w", message: "overflow" }] }, ["`w` could not be evaluated: overflow"]],
    ["an expected error", "{decision: deny, errors: [a]}", { errors: [{ policy: "a", message: "overflow" }] }, []],
    ["a shadowed policy", "{decision: deny, shadowed: []}", { shadowed: [{ policy: "s", controls: [] }] }, ["shadowed: `s` came, not expected"]],
    ["a warning that did not come", "{decision: deny, warnings: [w]}", {}, ["warnings: `w` expected, did not come"]],
  ])("%s", (_, expected, given, differences) => {
    expect(run(expected, given)?.differences).toEqual(differences);
  });

  it("names a failed one as a compiler would", () => {
    const result = run("{decision: allow}", {});
    expect(result && scenarioDiagnostic(result)).toMatchObject({ file: "t.yaml", line: 15, column: 11, code: "scenario_failed", message: "`case`: expected allow, came deny by `a`" });
  });

  it("prints a decision in one canonical line", () => {
    expect(canonicalOutcome(decision({ errors: [{ policy: "z", message: "m" }, { policy: "b", message: "m" }, { policy: "z", message: "n" }] }))).toBe('{"decision":"deny","errors":["b","z"],"reasons":["a"],"shadowed":[],"warnings":[]}');
  });
});

describe("a file of requests", () => {
  it("holds one a line and names the line that is none", () => {
    const line = JSON.stringify({ principal: { type: "A", id: "a" }, action: { type: "Action", id: "x" }, resource: { type: "A", id: "b" }, context: {}, entities: [] });
    expect([...readRequests(`${line}\n\n${line}\n`, "r")]).toHaveLength(2);
    expect(() => [...readRequests(`${line}\n{`, "r")]).toThrow("`r`:2: this is not JSON");
    expect(() => [...readRequests(`${line}\n{"principal": 1}`, "r")]).toThrow("`r`:2: `principal`");
  });
});
