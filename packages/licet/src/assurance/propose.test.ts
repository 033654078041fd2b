import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTable } from "@licet/assurance";
import { AssuranceSection, Manifest } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { proposeChecks } from "./propose.ts";

const example = join(import.meta.dirname, "../../../../examples/tumour-classifier");
const { assurance: _, ...declared } = Manifest.parse(parse(readFileSync(join(example, "licet.yaml"), "utf8")));
const file = (name: string) => readTable(readFileSync(join(example, "data", `${name}.csv`)));
const text = (...lines: readonly string[]) => readTable(Buffer.from(lines.join("\n")));

const proposed = (tables: ReadonlyMap<string, ReturnType<typeof readTable>>) => {
  const checks = proposeChecks({ manifest: declared, tables });
  // What is proposed is what the manifest takes.
  expect(AssuranceSection.safeParse({ checks: checks.map(({ check }) => check) }).error).toBeUndefined();
  return checks;
};

const helpdesk = Manifest.parse(parse(readFileSync(join(import.meta.dirname, "../../../../examples/helpdesk-assistant/licet.yaml"), "utf8")));

describe("a proposed suite", () => {
  test("of a language model asks what is declared of it, says how many prompts decide, and never attacks alone", () => {
    const checks = proposeChecks({ manifest: helpdesk, tables: new Map() });
    expect(AssuranceSection.safeParse({ checks: checks.map(({ check }) => check) }).error).toBeUndefined();
    const kinds = checks.map(({ check }) => check["check"]);
    expect(kinds).toEqual(expect.arrayContaining(["llm.leak.system", "llm.injection.direct", "llm.utility", "llm.overrefusal"]));
    expect(kinds).not.toContain("llm.agency");
    expect(checks[0]?.remarks.join()).toMatch(/69 prompts show it when all is well/u);
    const tool = { name: "close", description: "", power: "write" as const, schema: {} };
    const withTools = proposeChecks({ manifest: { ...helpdesk, components: { ...helpdesk.components, tools: [tool] } }, tables: new Map() });
    expect(withTools.map(({ check }) => check["check"])).toEqual(expect.arrayContaining(["llm.agency", "llm.injection.indirect.tool"]));
  });

  test("of the example covers data, drift and the model, and says how many rows decide", () => {
    const checks = proposed(new Map([["train", file("train")], ["test", file("test")]]));
    expect(checks.map(({ check }) => check["check"])).toEqual(["artifact.scan", "data.schema", "data.missing", "data.schema", "data.missing", "drift.numeric", "perf.metric", "perf.metric", "robust.noise", "robust.evasion", "robust.input", "privacy.membership"]);
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

  test("of nothing is nothing, and an empty table breaks nothing", () => {
    expect(proposed(new Map()).map(({ check }) => check["check"])).toEqual(["artifact.scan"]);
    expect(proposed(new Map([["test", text("a,b")]])).map(({ check }) => check["check"])).toContain("data.schema");
  });
});
