import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportPack, signedCheckpoint, signingKey, story, trustFile, type Files, type Keys } from "./story.ts";

const keys: Keys = { log: signingKey(), statement: signingKey() };
const source = join(import.meta.dirname, "../../../packages/evidence/src");
let place: string;
let verifier: string;
let trust: string;
let old: string;
let files: Files;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "licet-verify-"));
  [verifier, trust, old] = [join(place, "licet-verify.mjs"), join(place, "trust.json"), join(place, "old.checkpoint")];
  await build({ entryPoints: [join(source, "verify-entry.ts")], outfile: verifier, bundle: true, platform: "node", format: "esm", target: "node20", logLevel: "error" });
  const exported = await exportPack(story(keys), { keys, since: 4 });
  files = exported.files;
  await writeFile(trust, trustFile(keys));
  await writeFile(old, signedCheckpoint(exported.leaves.slice(0, 4), keys.log));
});

afterAll(() => rm(place, { recursive: true, force: true }));

async function written(name: string, change: (folder: string) => Promise<void> = () => Promise.resolve()): Promise<string> {
  const folder = join(place, name);
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  await change(folder);
  return folder;
}

function run(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  // An empty environment and folder of its own: the file needs nothing beside itself.
  return new Promise((resolve) => {
    execFile(process.execPath, [verifier, ...args], { cwd: place, env: {} }, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}

describe("exit status 0", () => {
  test("a true export is verified by the one file alone, a line for each check", async () => {
    const { code, out, err } = await run(await written("true"), "--trust", trust, "--old", old);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^PASS {2}trust: trust file sha256:[0-9a-f]{64}/u);
    expect(out).toContain("PASS  consistency: the log of 14 entries continues the older one of 4");
    expect(out).toContain("NOT WITNESSED  witness:");
    expect(out).not.toContain("PASS  witness");
    expect(out.trimEnd().split("\n").at(-1)).toBe("verified");
  });

  test("as one JSON object, and help", async () => {
    const { code, out } = await run(await written("json"), "--trust", trust, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ verified: true, findings: expect.arrayContaining([expect.objectContaining({ check: "decision", code: "ok" })]) });
    expect(await run("--help")).toMatchObject({ code: 0, out: expect.stringContaining("usage:") });
  });
});

describe("exit status 1", () => {
  test("after any change, with the code of the reason", async () => {
    const changed = await written("changed", (folder) => writeFile(join(folder, "checkpoint"), "x"));
    expect(await run(changed, "--trust", trust)).toMatchObject({ code: 1, out: expect.stringContaining("FAIL  files[file_changed]") });
    const extra = await written("extra", (folder) => writeFile(join(folder, "entries/\u001b[31mred"), "x"));
    const told = await run(extra, "--trust", trust);
    expect(told).toMatchObject({ code: 1, out: expect.stringContaining("FAIL  files[file_extra]: `entries/\\u{1b}[31mred`") });
    expect(told.out.trimEnd().split("\n").at(-1)).toBe("NOT VERIFIED");
  });

  test("when a file is a link, even one to the same bytes", async () => {
    const linked = await written("linked", async (folder) => {
      await rm(join(folder, "checkpoint"));
      await symlink(join(place, "true", "checkpoint"), join(folder, "checkpoint"));
    });
    expect(await run(linked, "--trust", trust)).toMatchObject({ code: 1, out: expect.stringContaining("file_not_plain") });
  });

  test("when the folder is no export, and when the trust file is none", async () => {
    await mkdir(join(place, "empty"));
    expect(await run(join(place, "empty"), "--trust", trust)).toMatchObject({ code: 1, out: expect.stringContaining("pack[pack_missing]") });
    expect(await run(join(place, "true"), "--trust", old)).toMatchObject({ code: 1, out: expect.stringContaining("trust[trust_malformed]") });
  });
});

describe("exit status 2", () => {
  test.each([[[]], [["a"]], [["a", "b", "--trust", "t"]], [["a", "--trust"]], [["a", "--trust", "t", "--nonsense"]]])("for the arguments %j", async (args) => {
    expect(await run(...args)).toMatchObject({ code: 2, err: expect.stringContaining("usage:") });
  });
});

describe("exit status 3", () => {
  test("when the folder, the trust file or the older checkpoint cannot be read", async () => {
    const folder = join(place, "true");
    expect(await run(join(place, "nowhere"), "--trust", trust)).toMatchObject({ code: 3, err: expect.stringContaining("error[unreadable]") });
    expect(await run(folder, "--trust", join(place, "nowhere"))).toMatchObject({ code: 3 });
    expect(await run(folder, "--trust", trust, "--old", join(place, "nowhere"))).toMatchObject({ code: 3 });
  });
});

describe("as a library", () => {
  test("bundles for a browser without anything of Node", async () => {
    const bundled = await build({ entryPoints: [join(source, "index.ts")], bundle: true, platform: "browser", format: "esm", write: false, logLevel: "error" });
    const text = bundled.outputFiles[0]?.text ?? "";
    expect(text).toContain("verifyEntryInclusion");
    expect(text).not.toMatch(/(?:from|import\(|require\()\s*["']node:/u);
  });
});
