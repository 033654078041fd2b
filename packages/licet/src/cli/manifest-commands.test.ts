import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errors } from "@licet/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openProject } from "../inventory/project.ts";
import { runInit } from "./init-command.ts";
import { runSchema } from "./schema-command.ts";
import { runValidate, type ValidateFormat } from "./validate-command.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "licet-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const silent = { stdout: () => {} };
function validate(file: string, format: ValidateFormat): { readonly code: number; readonly text: string } {
  const lines: string[] = [];
  const code = runValidate({ file, format, stdout: (line) => lines.push(line) });
  return { code, text: lines.join("\n") };
}

describe("licet init", () => {
  it("writes a manifest in which nothing is wrong but the marks that only the team can fill in", () => {
    expect(runInit({ dir: folder, name: "my-pilot", ...silent })).toBe(0);
    const { diagnostics } = openProject(folder).diagnosis;
    const marks = readFileSync(join(folder, "licet.yaml"), "utf8").split("\n").filter((line) => !line.startsWith("#")).join("\n").match(/<fill in>/gu);
    expect(diagnostics.map((each) => each.code)).toEqual(Array.from(marks ?? [], () => "manifest_unfilled"));
    expect(diagnostics.length).toBeGreaterThan(20);
    expect(diagnostics.map(({ message }) => message).join("\n")).toMatch(/`purpose`[\s\S]*`deploymentContext`[\s\S]*`rollback.plan`/u);
  });

  it("never overwrites a manifest unless told to", () => {
    writeFileSync(join(folder, "licet.yaml"), "mine");
    expect(() => runInit({ dir: folder, name: "x", ...silent })).toThrow("exists");
    expect(readFileSync(join(folder, "licet.yaml"), "utf8")).toBe("mine");
    expect(runInit({ dir: folder, name: "x", force: true, ...silent })).toBe(0);
  });

  it("refuses a name that is no slug, and makes one from the folder's", () => {
    expect(() => runInit({ dir: folder, name: "My Pilot", ...silent })).toThrow("--name");
    expect(runInit({ dir: join(folder, "My Pilot!"), ...silent })).toBe(0);
    expect(readFileSync(join(folder, "My Pilot!", "licet.yaml"), "utf8")).toContain("name: my-pilot ");
  });
});

describe("licet validate", () => {
  it.each(["helpdesk-assistant", "tumour-classifier"])("finds nothing wrong with the example %s, within a second of processor time", (name) => {
    const example = fileURLToPath(new URL(`../../../../examples/${name}`, import.meta.url));
    const before = process.cpuUsage();
    expect(openProject(example).diagnosis.diagnostics).toEqual([]);
    const { code, text } = validate(example, "text");
    expect(code).toBe(0);
    expect(text).toMatch(/is valid\nrelease sha256:[0-9a-f]{64}, \d+ components$/u);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
  });

  it("answers 1 and shows every error with a caret", () => {
    runInit({ dir: folder, name: "x", ...silent });
    const { code, text } = validate(folder, "text");
    expect(code).toBe(1);
    expect(text).toContain("licet.yaml:8:13: error[manifest_unfilled]: `owners.business` is not filled in");
    expect(text).toContain("  business: <fill in>");
    expect(text).toMatch(/\n\d+ errors, 0 warnings$/u);
  });

  it("writes JSON and SARIF that a program can read", () => {
    writeFileSync(join(folder, "licet.yaml"), "name: x\n");
    const json = JSON.parse(validate(folder, "json").text) as { ok: boolean; diagnostics: readonly { code: string }[] };
    expect(json.ok).toBe(false);
    expect(json.diagnostics.every((each) => each.code in errors)).toBe(true);
    expect(JSON.parse(validate(folder, "sarif").text)).toMatchObject({ version: "2.1.0", runs: [{ results: expect.arrayContaining([expect.objectContaining({ ruleId: "manifest_missing" })]) }] });
  });

  it("fails with a code where there is nothing to check", () => {
    expect(() => validate(folder, "text")).toThrow(expect.objectContaining({ code: "manifest_unreadable" }));
  });
});

describe("licet schema", () => {
  it("prints a JSON Schema in which every key of the manifest is explained", () => {
    const lines: string[] = [];
    expect(runSchema({ stdout: (line) => lines.push(line) })).toBe(0);
    const schema = JSON.parse(lines.join("")) as { $schema: string; additionalProperties: boolean; properties: Record<string, { title?: string; description?: string }> };
    expect(schema.$schema).toBe("https://json-schema.org/draft/2020-12/schema");
    expect(schema.additionalProperties).toBe(false);
    for (const [key, value] of Object.entries(schema.properties)) expect([key, value.title === undefined || value.description === undefined]).toEqual([key, false]);
  });
});
