import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { rederive, runSuite, type ComponentFile, type RunSuiteOptions } from "@licet/assurance";
import { AssuranceSection, CheckResult } from "@licet/contract";
import { expect } from "vitest";

/** Runs one declared check over files of these contents, by name, and holds its record to what every record promises. */
export async function checkResult(check: object, contents: Readonly<Record<string, string | Uint8Array>>, seed: string = "s", given: Partial<RunSuiteOptions> = {}): Promise<CheckResult> {
  const root = mkdtempSync(path.join(tmpdir(), "licet-check-"));
  const files: Record<string, ComponentFile> = {};
  for (const [name, content] of Object.entries(contents)) {
    writeFileSync(path.join(root, name), content);
    files[name] = { path: name, digest: `sha256:${createHash("sha256").update(content).digest("hex")}` };
  }
  let time = 0;
  const suite = AssuranceSection.parse({ checks: [{ id: "c", ...check }] });
  const [result] = (await runSuite({ suite, root, resolve: (name) => files[name], seed, release: null, now: () => (time += 1), models: { isolation: "none" }, ...given })).results;
  if (result === undefined) throw new Error("no result");
  expect(CheckResult.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
  expect(rederive(result)).toMatchObject({ agrees: true, problems: [] });
  return result;
}
