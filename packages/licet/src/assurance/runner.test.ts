import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AssuranceSection, runnerDefaults } from "@licet/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Runner, type RunnerOrder } from "./runner.ts";

let root: string;
let order: RunnerOrder;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "licet-runner-"));
  const text = `a\n${"1\n".repeat(60)}`;
  writeFileSync(join(root, "rows.csv"), text);
  const rows = { path: "rows.csv", digest: `sha256:${createHash("sha256").update(text).digest("hex")}` };
  order = { suite: AssuranceSection.parse({ checks: [{ id: "missing", check: "data.missing", dataset: "rows", max: 0.5 }] }), root, files: { rows }, seed: "s", attempts: [], reuse: [], release: "r" };
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs that end when told to. */
function held(runner: Runner) {
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  const begin = (name: number) =>
    runner.inTurn(async () => {
      begun.push(name);
      await new Promise<void>((resolve) => {
        ends.push(resolve);
      });
      return name;
    });
  return { begin, begun, end: async () => (ends.shift()?.(), new Promise((resolve) => setTimeout(resolve, 5))) };
}

describe("the server's runner", () => {
  test("runs as many at a time as it may, in the order in which they came, and says what it is at", async () => {
    const runner = new Runner({ ...runnerDefaults, concurrency: 2 });
    const { begin, begun, end } = held(runner);
    const runs = [1, 2, 3, 4].map(begin);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([begun, runner.view]).toMatchObject([[1, 2], { running: 2, waiting: 2, concurrency: 2 }]);
    await end();
    expect([begun, runner.view]).toMatchObject([[1, 2, 3], { running: 2, waiting: 1 }]);
    for (const _ of [1, 2, 3]) await end();
    expect(await Promise.all(runs)).toEqual([1, 2, 3, 4]);
    expect(runner.view).toMatchObject({ running: 0, waiting: 0 });
  });

  test("turns away those for whom there is no room to wait", async () => {
    const runner = new Runner({ ...runnerDefaults, concurrency: 1 });
    const { begin, end } = held(runner);
    const runs = Array.from({ length: 33 }, (_, name) => begin(name));
    await expect(begin(99)).rejects.toMatchObject({ code: "runner_busy" });
    for (const _ of runs) await end();
    expect(await Promise.all(runs)).toHaveLength(33);
  });

  test("gives its place on when a run fails", async () => {
    const runner = new Runner({ ...runnerDefaults, concurrency: 1 });
    await expect(runner.inTurn(() => Promise.reject(new Error("x")))).rejects.toThrow("x");
    expect(await runner.inTurn(async () => 1)).toBe(1);
  });

  test("reads no table of more rows than its bound, which is errored and never a pass", async () => {
    const read = async (rows: number) => (await new Runner({ ...runnerDefaults, rows }).run(order)).results.map(({ verdict, error }) => [verdict, error?.code]);
    expect(await read(60)).toEqual([["pass", undefined]]);
    expect(await read(59)).toEqual([["errored", "table_too_large"]]);
  }, 60_000);

  test("ends a run after its time, and what runs when it is closed: no report, and so no result", async () => {
    await expect(new Runner({ ...runnerDefaults, timeMs: 1 }).run(order)).rejects.toMatchObject({ code: "runner_failed" });
    const runner = new Runner(runnerDefaults);
    const ended = runner.inTurn(() => runner.run(order)).catch((error: unknown) => error);
    await runner.close();
    expect(await ended).toMatchObject({ code: "runner_failed" });
    await expect(runner.inTurn(async () => 1)).rejects.toMatchObject({ code: "runner_failed" });
  }, 60_000);
});
