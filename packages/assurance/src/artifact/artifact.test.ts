import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { LicetError } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { oraclePath, oracleJson, oraclesAbsent, oraclesPresent } from "../../../../test/unit/support/oracle-files.ts";
import { decideArtifact, measureArtifact } from "./decide-artifact.ts";
import { allowKey, allowList, profiles } from "./pickle/allow-list.ts";
import { artifactRules } from "./rules.ts";
import { bytes } from "./samples/bytes-fixture.ts";
import { scanned } from "./samples/scan-fixture.ts";
import * as p from "./samples/pickle-fixture.ts";
import { zip } from "./samples/zip-fixture.ts";
import { scanArtifact } from "./scan-artifact.ts";
import { bytesSource, FileSource, sliceSource } from "./source.ts";

interface Sample {
  readonly file: string;
  readonly sha256: string;
  readonly expected_action: string;
  readonly expected_globals?: readonly (readonly [string, string])[] | null;
}

describe.skipIf(!oraclesPresent)("samples of an independent author", () => {
  const folders = oraclesPresent ? ["artifacts", "artifacts_benign_extra"] : [];
  const samples = folders.flatMap((folder) => oracleJson(`${folder}/labels.json`, (value) => (value as { samples: readonly Sample[] }).samples).map((sample) => ({ ...sample, folder })));

  test.each(samples)("$file: $expected_action", async ({ folder, file, sha256, expected_action: action, expected_globals: names }) => {
    const source = new FileSource(oraclePath(`${folder}/${file}`));
    const scan = await scanArtifact(source).finally(() => source.close());
    expect([scan.verdict, scan.format.sha256]).toEqual([action === "block" ? "fail" : "pass", sha256]);
    const found = scan.globals.map(({ module, name }) => `${module}.${name}`);
    expect(found).toEqual(expect.arrayContaining((names ?? []).map(([module, name]) => `${module}.${name}`)));
  });
});

test.skipIf(oraclesPresent)(`samples of an independent author: ${oraclesAbsent}`, () => {
  expect(oraclesPresent).toBe(false);
});

const good = p.pickle(p.estimator);
const bad = p.pickle(p.payload);
const unknown = bytes(0xde, 0xad, 0xbe, 0xef, 0, 1);

async function decided(...files: readonly Uint8Array[]) {
  const { statistics } = await measureArtifact(files.map((data, index) => ({ name: `file-${index}`, source: bytesSource(data) })));
  return decideArtifact(statistics, { value: 0 });
}

describe("the check on artifacts", () => {
  test("passes when every byte of every file was understood", async () => {
    expect(await decided(good, zip([{ name: "a", data: good }]))).toEqual({ estimate: 0, interval: { method: "census", level: 1, sides: 2, lower: 0, upper: 0 }, verdict: "pass" });
  });

  test("fails when one file must not be loaded, whatever the others are", async () => {
    expect(await decided(good, unknown, bad)).toMatchObject({ estimate: 1, verdict: "fail" });
  });

  test("is left open when one file was not understood", async () => {
    expect(await decided(good, unknown)).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
  });

  test("is no pass without files", async () => {
    expect(await decided()).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
  });

  test("derives the same verdict from statistics that went through JSON", async () => {
    const { statistics, notes } = await measureArtifact([{ name: "m", source: bytesSource(bad) }]);
    const again: typeof statistics = JSON.parse(JSON.stringify(statistics));
    expect(decideArtifact(again, { value: 0 })).toEqual(decideArtifact(statistics, { value: 0 }));
    expect(notes[0]).toBe("m at byte 2: loading imports `os.getpid`, which is no part of the libraries that are allowed (pickle.import); do not load it; ask its author for weights in safetensors, or for a file written by the declared library alone");
  });

  test("gives the same result for the same bytes", async () => {
    const archive = zip([{ name: "a", data: bad, deflate: true }, { name: "b", data: unknown }]);
    expect(JSON.stringify(await scanned(archive))).toBe(JSON.stringify(await scanned(archive)));
  });
});

test("the tree names every layer with its digest, its claimed bytes and its place", async () => {
  const { format, findings } = await scanned(zip([{ name: "inner.zip", data: zip([{ name: "x.pkl", data: bad }]) }]));
  expect(format).toMatchObject({ format: "zip", children: [{ name: "inner.zip", format: "zip", children: [{ name: "x.pkl", format: "pickle", bytes: bad.length, claimed: [{ start: 0, end: bad.length, by: "pickle" }] }] }] });
  expect(findings[0]).toMatchObject({ path: "sample!/inner.zip!/x.pkl", offset: 2 });
});

describe("files", () => {
  test("are read in pieces, and give what their bytes give", async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "licet-artifact-test-"));
    const data = zip([{ name: "a", data: good, deflate: true }, { name: "b", data: new Uint8Array(300_000) }]);
    writeFileSync(path.join(folder, "m"), data);
    const source = new FileSource(path.join(folder, "m"));
    const fromFile = await scanArtifact(source, { name: "sample" }).finally(() => source.close());
    rmSync(folder, { recursive: true });
    expect(fromFile).toEqual(await scanned(data));
  });

  test.each(["/nowhere/at/all", os.tmpdir()])("%s is a coded refusal", (name) => {
    expect(() => new FileSource(name)).toThrow(LicetError);
  });

  test("a slice never reads beyond its end", () => {
    const slice = sliceSource(bytesSource(bytes("0123456789")), 3, 6);
    expect([slice.size, Buffer.from(slice.read(1, 99)).toString(), slice.read(9, 1).length]).toEqual([3, "45", 0]);
  });
});

describe("the allow-list", () => {
  const forbidden = /^(?:os|posix|nt|sys|subprocess|socket|shutil|ctypes|importlib|pty|runpy|pickle|marshal|operator|functools|webbrowser|code|builtins (?:eval|exec|getattr|setattr|delattr|open|compile|__import__|print|input|map|filter|apply|globals|vars))(?:[. ]|$)/u;

  test("names nothing that reaches the system", () => {
    expect([...allowList().keys()].filter((key) => forbidden.test(key))).toEqual([]);
  });

  test("names no loader, no downloader and no test helper", () => {
    expect([...allowList().keys()].filter((key) => /(?:^|[. _])(?:load|loads|fetch|download|get_file|runstring|system|popen|open|eval|exec)(?:$|[. _])/iu.test(key.replace("_mareconstruct", "")))).toEqual([]);
  });

  test("has exact names only", () => {
    expect([...allowList().keys()].filter((key) => !/^[\w.]+ \w+$/u.test(key))).toEqual([]);
  });

  test.each(profiles)("the profile %s allows something, and less than all together", (profile) => {
    const { size } = allowList([profile]);
    expect(size).toBeGreaterThan(0);
    expect(size).toBeLessThan(allowList().size);
  });

  test("reads renamed modules as one", () => {
    expect([allowKey("numpy._core.multiarray", "scalar"), allowKey("__builtin__", "set"), allowKey("copy_reg", "_reconstructor")]).toEqual(["numpy.core.multiarray scalar", "builtins set", "copyreg _reconstructor"]);
  });
});

test("every rule stands in the documentation with its effect and what to do", () => {
  const page = readFileSync(fileURLToPath(new URL("../../../../docs/checks/artifact.rules.md", import.meta.url)), "utf8");
  const effects = { block: "refused", insufficient: "left undecided", advisory: "told" } as const;
  const missing = Object.entries(artifactRules).filter(([rule, { severity, remedy }]) => !page.includes(`| \`${rule}\` | ${effects[severity]} | ${remedy} |`));
  expect(missing).toEqual([]);
});

test("every rule says what to do next", () => {
  for (const [rule, { remedy }] of Object.entries(artifactRules)) expect([rule, remedy.length > 15, /^[a-z]/u.test(remedy) && !remedy.endsWith(".")]).toEqual([rule, true, true]);
});
