import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Scene, testSigner, testVkey } from "../witness/witness-fixture.ts";
import type { Terminal } from "./terminal.ts";
import { readWitnessPolicy } from "./witness-policy.ts";
import { runAddLog, runListLogs, runRemoveLog, runWitnessInit } from "./witness.ts";

const scene = new Scene();
afterEach(() => scene.end());

function listening(): Terminal & { readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, out: (text) => void lines.push(text), err: (text) => void lines.push(text), colour: false, width: 100 };
}

test("a witness is made once, is given logs and loses them, and says what it knows", async () => {
  const dir = join(await scene.folder(), "witness");
  const terminal = listening();
  await expect(runAddLog({ dir, vkey: [testVkey] }, terminal)).rejects.toMatchObject({ code: "witness_key_missing" });
  await runWitnessInit({ dir, name: "witness.example/one" }, terminal);
  const [first, key] = [terminal.lines.splice(0), await readFile(join(dir, "witness-key.json"), "utf8")];
  expect(first.join("\n")).toMatch(/ed25519 +witness\.example\/one\+[0-9a-f]{8}\+B/u);
  await runWitnessInit({ dir, name: "witness.example/one" }, terminal);
  expect([terminal.lines.splice(0), await readFile(join(dir, "witness-key.json"), "utf8")]).toEqual([first, key]);
  await runAddLog({ dir, vkey: [testVkey] }, terminal);
  await runListLogs({ dir }, terminal);
  expect(terminal.lines.splice(0).join("\n")).toMatch(new RegExp(`${testSigner.origin} +- +- +never`, "u"));
  await runRemoveLog({ dir, origin: testSigner.origin }, terminal);
  await runListLogs({ dir }, terminal);
  expect(terminal.lines.splice(0).join("\n")).toContain("removed");
  await expect(runRemoveLog({ dir, origin: testSigner.origin }, terminal)).rejects.toMatchObject({ code: "witness_log_invalid" });
  await expect(runWitnessInit({ dir: join(dir, "x"), name: "no spaces" }, terminal)).rejects.toMatchObject({ code: "witness_log_invalid" });
});

test("what is no key of a log is refused", async () => {
  const dir = join(await scene.folder(), "witness");
  const terminal = listening();
  await runWitnessInit({ dir, name: "one" }, terminal);
  const own = /one\+\S+/u.exec(terminal.lines.join("\n"))?.[0] ?? "";
  for (const vkey of ["", "nonsense", `${testVkey}x`, own]) await expect(runAddLog({ dir, vkey: [vkey], origin: "licet.example/x" }, terminal)).rejects.toMatchObject({ code: "witness_log_invalid" });
  await expect(runAddLog({ dir, vkey: [testVkey], origin: "two\nlines" }, terminal)).rejects.toMatchObject({ code: "witness_log_invalid" });
});

test("a policy file that cannot be read is refused by name", async () => {
  await expect(readWitnessPolicy("/nowhere/policy")).rejects.toMatchObject({ code: "file_unreadable", message: expect.stringContaining("/nowhere/policy") });
  expect(await readWitnessPolicy(undefined)).toBeUndefined();
});
