import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { run, verifier, type Ran } from "./run.ts";
import type { Stage } from "./story.ts";

/** A namespace without any network, where the machine lets us make one. */
const withoutNetwork = spawnSync("unshare", ["-n", "true"]).status === 0 ? ["unshare", "-n"] : [];

/** The built file alone, in a folder of its own, as a stranger would have it. */
export async function verify(verifierCopy: string, ...args: readonly string[]): Promise<Ran> {
  const [file = process.execPath, ...rest] = [...withoutNetwork, process.execPath, verifierCopy, ...args];
  return run(file, rest, { cwd: dirname(verifierCopy), env: { HOME: dirname(verifierCopy) } });
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => statSync(join(folder, path)).isFile());
}

/** One of each kind: the first of every folder, and every file at the top. */
function oneOfEach(paths: readonly string[]): readonly string[] {
  return [...new Map(paths.toSorted().map((path) => [dirname(path) === "." ? path : `${dirname(path)}/${path.endsWith(".json") ? "json" : basename(path).includes(".") ? "other" : "none"}`, path])).values()];
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

export function proving(stage: () => Stage): void {
  let pack = "";
  let trust = "";
  let copy = "";

  describe("prove", () => {
    it("an export verifies elsewhere, with the built file, without server or network, one line per check", async () => {
      const { auditor } = stage().cast;
      const away = join(stage().folder, "away");
      mkdirSync(away);
      copy = join(away, "licet-verify.mjs");
      copyFileSync(verifier, copy);
      pack = join(away, "pack");
      trust = join(away, "trust.json");
      const trusted = await auditor.licet("trust", "export", "--out", trust);
      expect(trusted).toMatchObject({ code: 0, out: expect.stringContaining(stage().server.fingerprint) });
      expect(await auditor.licet("trust", "export", "--out", trust)).toMatchObject({ code: 3, err: expect.stringContaining("error[already_exists]") });
      expect(await auditor.licet("audit", "export", "--out", pack)).toMatchObject({ code: 0 });
      expect(filesBelow(pack).filter((path) => /trust|verify/u.test(path))).toEqual([]);
      const verified = await verify(copy, pack, "--trust", trust);
      expect(verified).toMatchObject({ code: 0, err: "" });
      expect(verified.out).toMatch(/^PASS /mu);
      expect(verified.out).toMatch(/^NOT WITNESSED /mu);
      expect(verified.out).not.toMatch(/^FAIL /mu);
      expect(verified.out.trim()).toMatch(/verified$/u);
    });

    it("one bit changed in a file of any kind, a missing and an extra file fail with a coded reason", async () => {
      const paths = oneOfEach(filesBelow(pack));
      expect(paths.length).toBeGreaterThan(2);
      const broken = join(dirname(pack), "broken");
      for (const path of paths) {
        cpSync(pack, broken, { recursive: true });
        flip(join(broken, path), Math.floor(statSync(join(broken, path)).size / 2));
        const ran = await verify(copy, broken, "--trust", trust);
        expect({ path, ...ran }).toMatchObject({ path, code: 1, out: expect.stringMatching(/^FAIL +\w+\[\w+\]/mu) });
        rmSync(broken, { recursive: true });
      }
      cpSync(pack, broken, { recursive: true });
      writeFileSync(join(broken, "extra.json"), "{}");
      expect(await verify(copy, broken, "--trust", trust)).toMatchObject({ code: 1, out: expect.stringMatching(/^FAIL +\w+\[\w+\]/mu) });
      rmSync(join(broken, "extra.json"));
      rmSync(join(broken, paths.find((path) => path.startsWith("entries/")) ?? ""));
      expect(await verify(copy, broken, "--trust", trust)).toMatchObject({ code: 1, out: expect.stringMatching(/^FAIL +\w+\[\w+\]/mu) });
    });

    it("without a trust file, with a foreign one or a changed one, nothing verifies", async () => {
      expect(await verify(copy, pack)).toMatchObject({ code: 2 });
      const foreign = join(dirname(trust), "foreign.json");
      writeFileSync(foreign, "{}");
      expect((await verify(copy, pack, "--trust", foreign)).code).not.toBe(0);
      const text = readFileSync(trust, "utf8");
      const vkey = stage().server.logKey;
      writeFileSync(foreign, text.replace(vkey.slice(-6), "AAAAAA"));
      expect((await verify(copy, pack, "--trust", foreign)).code).not.toBe(0);
    });

    it("an export of one system holds nothing of another", async () => {
      const one = join(dirname(pack), "one");
      expect(await stage().cast.auditor.licet("audit", "export", "--out", one, "--system", "helpdesk-assistant")).toMatchObject({ code: 0 });
      expect(await verify(copy, one, "--trust", trust)).toMatchObject({ code: 0 });
      const text = filesBelow(one).map((path) => readFileSync(join(one, path), "utf8")).join("\n");
      expect(text).toContain("helpdesk-assistant");
      expect(text).not.toContain("tumour-classifier");
    });
  });
}
