import { existsSync, mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rederive } from "@licet/assurance";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { readProject } from "../inventory/project.ts";
import { practicePlan } from "./check-attempts.ts";
import { projectWith } from "../../../../test/unit/support/licet-process.ts";
import { OpenRun } from "./check-open-run.ts";
import type { CheckOrder } from "./check-order.ts";
import { runInThreads } from "./check-threads.ts";

let cache = "";
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "licet-cache-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
  return () => {
    vi.unstubAllEnvs();
  };
});

let drawn = 0;
const open = (usable: (given: string) => boolean = () => true) => OpenRun.open(["a"], { schema: z.string(), begin: async () => `seed ${(drawn += 1)}`, usable });
/** As if the process that wrote the state were gone. */
const gone = (folder: string) => {
  const file = join(folder, "run.json");
  writeFileSync(file, readFileSync(file, "utf8").replace(/"pid":\d+/u, '"pid":4194304'));
};

describe("a run that was broken off", () => {
  test("is taken up with what it was given, and a finished one is not", async () => {
    const first = await open();
    gone(first.folder);
    const second = await open();
    expect([second.resumed, second.given]).toEqual([true, first.given]);
    second.finished();
    expect(existsSync(second.folder)).toBe(false);
    expect((await open()).resumed).toBe(false);
  });

  test("is not taken up while it returned its results, when its ticket is over, or when its state is damaged", async () => {
    const returning = await open();
    returning.returning();
    gone(returning.folder);
    const after = await open();
    expect(after.resumed).toBe(false);
    gone(after.folder);
    expect((await open(() => false)).resumed).toBe(false);
    writeFileSync(join(after.folder, "run.json"), "{");
    expect((await open()).resumed).toBe(false);
  });

  test("is left alone while its process lives, and thrown away after a week", async () => {
    const mine = await open();
    writeFileSync(join(mine.folder, "run.json"), readFileSync(join(mine.folder, "run.json"), "utf8").replace(/"pid":\d+/u, `"pid":${process.ppid}`));
    const beside = await open();
    expect([beside.resumed, beside.folder === mine.folder]).toEqual([false, false]);
    const old = (Date.now() - 8 * 24 * 3600 * 1000) / 1000;
    utimesSync(mine.folder, old, old);
    await OpenRun.open(["b"], { schema: z.string(), begin: async () => "s", usable: () => true });
    expect(readdirSync(join(cache, "licet", "runs"))).not.toContain(mine.folder.split("/").at(-1));
  });
});

describe("threads", () => {
  const folder = projectWith("tumour-classifier", [{ id: "one", check: "data.missing", dataset: "test", max: 0.5 }, { id: "two", check: "drift.missing", dataset: "test", reference: "train" }, { id: "three", check: "data.missing", dataset: "train", max: 0.5 }]);
  const order = (): CheckOrder => {
    const project = readProject(folder);
    const checks = project.manifest.assurance?.checks ?? [];
    const plan = practicePlan({ checks }, "s");
    return { project, checks, seed: plan.seed, planned: Object.fromEntries(checks.flatMap((check) => { const planned = plan.planned?.(check); return planned === undefined ? [] : [[check.id, planned]]; })), release: null, endpoints: {}, shares: {}, prices: {} };
  };
  const run = (given: CheckOrder, workers: number, signal: AbortSignal = new AbortController().signal) => runInThreads(given, { workers, signal, onStarted: () => undefined, onAnswered: () => undefined, onFinished: () => undefined });

  test("give the same results in the same order, however many they are", async () => {
    const bytes = async (workers: number) => JSON.stringify((await run(order(), workers)).map((result) => ({ ...result, cost: null })));
    const one = await bytes(1);
    expect(JSON.parse(one)).toMatchObject([{ id: "one", verdict: "pass" }, { id: "two" }, { id: "three", verdict: "pass" }]);
    expect(await bytes(3)).toBe(one);
  });

  test("that end take their checks with them: aborted, never a pass, and derived again as that", async () => {
    const whole = order();
    const results = await run({ ...whole, project: { ...whole.project, files: JSON.parse("null") } }, 2);
    expect(results.map(({ id, verdict, reason }) => [id, verdict, reason])).toEqual(["one", "two", "three"].map((id) => [id, "insufficient_evidence", "aborted"]));
    for (const result of results) expect(rederive(result)).toMatchObject({ agrees: true });
    const broken = new AbortController();
    broken.abort();
    expect((await run(whole, 2, broken.signal)).every(({ reason }) => reason === "aborted")).toBe(true);
  });
});
