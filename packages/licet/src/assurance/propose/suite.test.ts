import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTable } from "@licet/assurance";
import { AssuranceSection, Manifest } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { proposeChecks } from "./suite.ts";

const example = join(import.meta.dirname, "../../../../../examples/tumour-classifier");
const { assurance: _, ...declared } = Manifest.parse(parse(readFileSync(join(example, "licet.yaml"), "utf8")));
const file = (name: string) => readTable(readFileSync(join(example, "data", `${name}.csv`)));
const text = (...lines: readonly string[]) => readTable(Buffer.from(lines.join("\n")));

const proposed = (tables: ReadonlyMap<string, ReturnType<typeof readTable>>) => {
  const { checks } = proposeChecks({ manifest: declared, tables });
  // What is proposed is what the manifest takes.
  expect(AssuranceSection.safeParse({ checks: checks.map(({ check }) => check) }).error).toBeUndefined();
  return checks;
};

const helpdesk = Manifest.parse(parse(readFileSync(join(import.meta.dirname, "../../../../../examples/helpdesk-assistant/licet.yaml"), "utf8")));

describe("a proposed suite", () => {
  test("of a language model asks what is declared of it, says how many prompts decide, and never attacks alone", () => {
    const { checks } = proposeChecks({ manifest: helpdesk, tables: new Map() });
    expect(AssuranceSection.safeParse({ checks: checks.map(({ check }) => check) }).error).toBeUndefined();
    const kinds = checks.map(({ check }) => check["check"]);
    expect(kinds).toEqual(expect.arrayContaining(["llm.leak.system", "llm.injection.direct", "llm.utility", "llm.overrefusal"]));
    expect(kinds).not.toContain("llm.agency");
    expect(checks[0]?.remarks.join()).toMatch(/69 prompts show it when all is well/u);
    const tool = { name: "close", description: "", power: "write" as const, schema: {} };
    const { checks: withTools } = proposeChecks({ manifest: { ...helpdesk, components: { ...helpdesk.components, tools: [tool] } }, tables: new Map() });
    expect(withTools.map(({ check }) => check["check"])).toEqual(expect.arrayContaining(["llm.agency", "llm.injection.indirect.tool", "llm.defence.replay"]));
  });

  test("of the example covers data, drift and the model, and says how many rows decide", () => {
    const checks = proposed(new Map([["train", file("train")], ["test", file("test")]]));
    expect(checks.map(({ check }) => check["check"])).toEqual(["artifact.scan", "data.schema", "data.missing", "data.duplicates", "data.pii", "data.schema", "data.missing", "data.duplicates", "data.pii", "data.leakage.overlap", "drift.numeric", "drift.missing", "perf.metric", "perf.metric", "robust.noise", "robust.corruption", "robust.evasion", "robust.trigger", "privacy.membership", "robust.input", "robust.determinism", "explain.shapley"]);
    const accuracy = checks.find(({ check }) => check["metric"] === "accuracy");
    expect(accuracy?.check).toMatchObject({ model: "tumour-gbm", dataset: "test", target: "target", metric: "accuracy" });
    expect(accuracy?.remarks.join()).toMatch(/34 rows show it when all is well, \d{3} when half .*there are 228/u);
  });

  test("asks about groups of people, and says that a target was guessed", () => {
    const rows = Array.from({ length: 40 }, (_each, row) => `${row},${row % 2 === 0 ? "f" : "m"},${row % 3 === 0 ? "yes" : "no"}`);
    const checks = proposed(new Map([["test", text("amount,sex,granted", ...rows)]]));
    const fairness = checks.find(({ check }) => check["check"] === "fair.opportunity");
    expect(fairness?.check).toMatchObject({ group: { column: "sex", transform: { kind: "value" } }, target: "granted" });
    expect(checks.flatMap(({ remarks }) => remarks).join()).toContain("`granted` is a guess");
  });

  test("of a served model asks how fast it answers, and says how many questions an attack takes", () => {
    const served = { name: "score", provider: "acme", model: "score", scoring: { protocol: "oip" as const, inFlight: 3 } };
    const { checks } = proposeChecks({ manifest: { ...declared, components: { models: [served] } }, tables: new Map([["test", file("test")]]) });
    expect(AssuranceSection.safeParse({ checks: checks.map(({ check }) => check) }).error).toBeUndefined();
    expect(checks.find(({ check }) => check["check"] === "ops.latency")?.check).toMatchObject({ model: "score", dataset: "test", target: "target", inFlight: 3, max: 1000 });
    const attack = checks.find(({ check }) => check["check"] === "robust.evasion");
    expect([attack?.check["rows"], attack?.remarks[0]]).toEqual([60, expect.stringContaining("120,000 in all")]);
  });

  test("of harmful requests takes a data set of them and a second model as judge, and says so where they are not there", () => {
    const [chat] = helpdesk.components.models;
    if (chat === undefined) throw new Error("the example has a model");
    const requests = text("request", "one", "two");
    const transcripts = text("request,answer,label", "one,no,harmless", "two,yes,harmful");
    const asked = (models: readonly (typeof chat)[], tables: ReadonlyMap<string, ReturnType<typeof readTable>>) => proposeChecks({ manifest: { ...helpdesk, components: { ...helpdesk.components, models: [...models] } }, tables });
    const judge = { ...chat, name: "judge" };
    const both = asked([chat, judge], new Map([["requests", requests], ["transcripts", transcripts]]));
    expect(AssuranceSection.safeParse({ checks: both.checks.map(({ check }) => check) }).error).toBeUndefined();
    expect(both.checks.find(({ check }) => check["check"] === "llm.harm")?.check).toMatchObject({ model: "chat", judge: "judge", behaviours: "requests", labelled: "transcripts" });
    const alone = asked([chat], new Map([["requests", requests]]));
    expect(alone.checks.map(({ check }) => check["check"])).not.toContain("llm.harm");
    expect(alone.beside.join()).toContain("a second declared model as `judge`");
  });

  test("names the columns of numbers where others stand beside them, and does not give one id twice", () => {
    const rows = Array.from({ length: 40 }, (_each, row) => `${row},${row % 2 === 0 ? "f" : "m"},${row % 3 === 0 ? "yes" : "no"}`);
    const { checks } = proposeChecks({ manifest: declared, tables: new Map([["test", text("amount,sex,granted", ...rows)]]) });
    expect(checks.find(({ check }) => check["check"] === "perf.metric")?.check).toMatchObject({ features: ["amount"], positive: "yes" });
    const twice = proposeChecks({ manifest: { ...declared, components: { ...declared.components, models: declared.components.models.map((model) => ({ ...model, name: "test" })) } }, tables: new Map([["test", file("test")]]) });
    const ids = twice.checks.map(({ check }) => check["id"]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("of nothing is nothing, and an empty table breaks nothing", () => {
    expect(proposed(new Map()).map(({ check }) => check["check"])).toEqual(["artifact.scan"]);
    expect(proposed(new Map([["test", text("a,b")]])).map(({ check }) => check["check"])).toContain("data.schema");
  });
});
