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

describe("a proposed suite", () => {
  test("of the example covers data, drift and the model, and says how many rows decide", () => {
    const checks = proposed(new Map([["train", file("train")], ["test", file("test")]]));
    expect(checks.map(({ check }) => check["check"])).toEqual(["data.schema", "data.missing", "data.schema", "data.missing", "drift.numeric", "perf.metric", "perf.metric"]);
    expect(checks.at(-2)?.check).toMatchObject({ model: "tumour-gbm", dataset: "test", target: "target", metric: "accuracy" });
    expect(checks.at(-2)?.remarks.join()).toMatch(/29 rows show it when all is well, 179 when half .*there are 228/u);
  });

  test("asks about groups of people, and says that a target was guessed", () => {
    const rows = Array.from({ length: 40 }, (_each, row) => `${row},${row % 2 === 0 ? "f" : "m"},${row % 3 === 0 ? "yes" : "no"}`);
    const checks = proposed(new Map([["test", text("amount,sex,granted", ...rows)]]));
    const fairness = checks.find(({ check }) => check["check"] === "fair.opportunity");
    expect(fairness?.check).toMatchObject({ group: { column: "sex", transform: { kind: "value" } }, target: "granted" });
    expect(checks.flatMap(({ remarks }) => remarks).join()).toContain("`granted` is a guess");
  });

  test("of nothing is nothing, and an empty table breaks nothing", () => {
    expect(proposed(new Map())).toEqual([]);
    expect(proposed(new Map([["test", text("a,b")]])).map(({ check }) => check["check"])).toContain("data.schema");
  });
});
