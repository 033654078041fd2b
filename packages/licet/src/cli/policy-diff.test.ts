import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DetectionSection } from "@licet/contract";
import { afterAll, expect, test } from "vitest";
import { builtinSource } from "../policy/builtin.ts";
import { packOf } from "../policy/bundle-fixture.ts";
import { composeBundle } from "../policy/compose.ts";
import { runPolicyDiff } from "./policy-diff.ts";

const folder = mkdtempSync(join(tmpdir(), "licet-diff-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function saved(name: string, detection: DetectionSection): string {
  const { bundle } = composeBundle({ ...builtinSource(), builtin: [], packs: [packOf({ name: "house", kind: "baseline", detection }, "")] }, { tested: false });
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(bundle));
  return file;
}

async function diff(before: string, after: string): Promise<readonly [code: number, said: string]> {
  const lines: string[] = [];
  const code = await runPolicyDiff({ before, after }, { out: (text) => void lines.push(text), err: () => undefined, colour: false, width: 120 });
  return [code, lines.join("\n")];
}

test("`licet policy diff` tells a change of detection from none, though no policy differs", async () => {
  const [one, other] = [saved("one.json", { actions: [{ of: "email", action: "block" }] }), saved("other.json", { actions: [{ of: "email", action: "flag" }], canaries: ["zebra-7719-quiet"] })];
  expect(await diff(one, one)).toEqual([0, "no difference in policies; 0 decisions are the same"]);
  const [code, said] = await diff(one, other);
  expect(code).toBe(1);
  expect(said.split("\n")).toEqual(["~ detection: action of email (house)", "    - action: block", "    + action: flag", "+ detection: canaries (house)", "    + zebra-7719-quiet", "0 policies differ; 0 of 0 decisions change"]);
});
