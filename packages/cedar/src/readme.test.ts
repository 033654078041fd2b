import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/```ts\n(?<code>.*?)```/gsu)].map(({ groups }) => groups?.["code"] ?? "");
const root = fileURLToPath(new URL("../../..", import.meta.url));
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "licet-cedar-readme-"));
  for (const name of ["@licet/cedar", "@cedar-policy/cedar-wasm"]) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link);
  }
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a block says that it prints: the comments behind its calls of console.log. */
function promised(code: string): string {
  return [...code.matchAll(/console\.log\(.*\); \/\/ (?<text>.*)$/gmu)].map(({ groups }) => `${groups?.["text"]}\n`).join("");
}

test.each(blocks.map((code, index) => [index + 1, code] as const))("block %i of the README runs and prints what it says", (index, code) => {
  const file = join(folder, `block-${index}.ts`);
  writeFileSync(file, code);
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=source", "--disable-warning=ExperimentalWarning", file], { cwd: folder, encoding: "utf8", timeout: 60_000 });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toBe(promised(code));
});

test("the README has its examples", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(6);
});
