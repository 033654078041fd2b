import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { AssuranceSection, type SuiteReport } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { fileCache } from "./measurement-cache.ts";
import { runSuite } from "./run-suite.ts";

const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

function place() {
  const root = mkdtempSync(path.join(tmpdir(), "licet-cache-"));
  const files: Record<string, { path: string; digest: string }> = {};
  const put = (name: string, text: string) => {
    writeFileSync(path.join(root, name), text);
    files[name] = { path: name, digest: sha256(text) };
  };
  const cacheFolder = path.join(root, "cache");
  const run = async ({ seed = "s", max = 0.5, id = "m" }: { seed?: string; max?: number; id?: string } = {}) => {
    const measured: boolean[] = [];
    const suite = AssuranceSection.parse({ checks: [{ id, check: "data.missing", dataset: "now", max }, { id: "d", check: "drift.numeric", dataset: "now", reference: "before" }] });
    let time = 0;
    const report = await runSuite({ suite, root, resolve: (name) => files[name], seed, release: null, now: () => (time += 1), cache: fileCache(cacheFolder), onProgress: (progress) => progress.kind === "finished" && measured.push(!progress.remembered) });
    return { report, measured };
  };
  put("before", ["a", ...Array.from({ length: 200 }, (_, row) => String(row))].join("\n"));
  put("now", ["a", ...Array.from({ length: 200 }, (_, row) => String(row + 0.5))].join("\n"));
  return { put, run, cacheFolder };
}

const without = ({ results, ...report }: SuiteReport) => ({ ...report, finishedAt: "", results: results.map((result) => ({ ...result, cost: null })) });

describe("measurements of earlier runs", () => {
  test("are used where nothing has changed, and the report says the same", async () => {
    const { run } = place();
    const [first, again] = [await run(), await run()];
    expect([first.measured, again.measured]).toEqual([[true, true], [false, false]]);
    expect(without(again.report)).toEqual(without(first.report));
  });

  test("are measured anew when a file, a limit or a drawn seed is another, and only then", async () => {
    const { run, put } = place();
    await run();
    expect((await run({ id: "renamed" })).measured).toEqual([false, false]);
    expect((await run({ max: 0.4 })).measured).toEqual([true, false]);
    // What draws nothing does not depend on the seed.
    expect((await run({ seed: "other" })).measured).toEqual([false, true]);
    put("before", "a\n1\n2");
    expect((await run()).measured).toEqual([false, true]);
    put("now", "a\n1\n\n2");
    expect((await run()).measured).toEqual([true, true]);
  });

  test("that are broken or cut off are measured anew", async () => {
    const { run, cacheFolder } = place();
    await run();
    for (const file of readdirSync(cacheFolder)) {
      const whole = readFileSync(path.join(cacheFolder, file), "utf8");
      writeFileSync(path.join(cacheFolder, file), file < "8" ? whole.slice(0, 50) : '{"measurement":{"basis":{"kind":"rate"}}}');
    }
    expect((await run()).measured).toEqual([true, true]);
    expect((await run()).measured).toEqual([false, false]);
  });

  test("a measurement that somebody changed cannot make a verdict that does not follow from its figures", async () => {
    const { run, cacheFolder } = place();
    await run();
    for (const file of readdirSync(cacheFolder)) {
      const whole = readFileSync(path.join(cacheFolder, file), "utf8");
      writeFileSync(path.join(cacheFolder, file), whole.replace('"of":"drift.numeric"', '"of":"drift.missing"'));
    }
    const { report } = await run();
    expect(report.results[1]?.verdict).toBe("insufficient_evidence");
  });
});
