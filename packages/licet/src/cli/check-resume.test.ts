import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { newCache, projectWith, runLicet, startModel, withoutClock } from "../../../../test/unit/support/licet-process.ts";

/** Nine starts of the program: on a busy machine that takes its time. */
const busyMsMax = 600_000;

const checks = [
  { id: "leak", check: "llm.leak.system", model: "chat", prompts: 40 },
  { id: "inject", check: "llm.injection.direct", model: "chat", prompts: 40 },
];

describe("a run that is killed while it asks a model", () => {
  test("goes on where it was: the report is that of a run that was not killed, and no answered question is asked again", async () => {
    await using whole = await startModel();
    const folder = projectWith("helpdesk-assistant", checks);
    const args = (url: string, workers: string) => ["check", "--practice", "--dir", folder, "--seed", "s", "--json", "--workers", workers, "--endpoint", url];
    const expected = await runLicet(args(whole.url, "1"), newCache()).ended;
    expect(expected.stderr).toContain("2/2");
    expect(whole.answered.length).toBeGreaterThan(60);

    await using model = await startModel();
    const cache = newCache();
    const first = runLicet(args(model.url, "2"), cache);
    model.onAnswer = (answers) => {
      if (answers === 30) first.child.kill("SIGKILL");
    };
    expect(await first.ended).toMatchObject({ signal: "SIGKILL", stdout: "" });
    const before = model.answered.length;
    expect(before).toBeLessThan(whole.answered.length);

    model.onAnswer = undefined;
    const second = await runLicet(args(model.url, "2"), cache).ended;
    expect(second.stderr).toContain("going on with the practice run");
    expect(withoutClock(second.stdout)).toBe(withoutClock(expected.stdout));
    // What was on its way when the run was killed has no answer here: at most as much as is asked at a time.
    expect(model.answered.length - whole.answered.length).toBeLessThanOrEqual(16);
    expect(model.answered.length - whole.answered.length).toBeLessThan(before);
    // Nothing of what models said is left when it is over.
    expect(readdirSync(join(cache, "licet", "runs"))).toEqual([]);
  }, busyMsMax);

  test("asks everything again when the model has another version now", async () => {
    await using model = await startModel();
    const folder = projectWith("helpdesk-assistant", checks.slice(0, 1));
    const args = ["check", "--practice", "--dir", folder, "--seed", "s", "--json", "--endpoint", model.url];
    const cache = newCache();
    const first = runLicet(args, cache);
    model.onAnswer = (answers) => {
      if (answers === 20) first.child.kill("SIGKILL");
    };
    await first.ended;
    const before = model.answered.length;
    Object.assign(model, { onAnswer: undefined, model: "m-2" });
    const second = await runLicet(args, cache).ended;
    expect(second.stderr).toContain("1/1");
    // Every question of the check was answered by the new version.
    expect(new Set(model.answered.slice(before)).size).toBe(new Set(model.answered).size);
  }, busyMsMax);

  test("by Ctrl-C is aborted and no pass, and goes on with the next run", async () => {
    await using model = await startModel();
    const folder = projectWith("helpdesk-assistant", checks);
    const args = ["check", "--practice", "--dir", folder, "--seed", "s", "--json", "--workers", "1", "--endpoint", model.url];
    const cache = newCache();
    const first = runLicet(args, cache);
    model.onAnswer = (answers) => {
      if (answers === 20) first.child.kill("SIGINT");
    };
    const ended = await first.ended;
    expect(ended.code).toBe(1);
    const report: unknown = JSON.parse(ended.stdout);
    expect(report).toMatchObject({ verdict: "insufficient_evidence", results: [{ id: "leak", verdict: "insufficient_evidence", reason: "aborted" }, { id: "inject", reason: "aborted" }] });
    model.onAnswer = undefined;
    const asked = model.answered.length;
    expect((await runLicet(args, cache).ended).stderr).toContain("going on with");
    expect(model.answered.length - asked).toBeLessThan(80);
  }, busyMsMax);
});
