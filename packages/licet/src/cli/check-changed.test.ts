import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suiteReport } from "@licet/assurance";
import { CheckResult, type AssuranceCheck } from "@licet/contract";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { readProject, type Project } from "../inventory/project.ts";
import { changedChecks, rememberResults } from "./check-changed.ts";
import { projectWith } from "../../../../test/unit/support/licet-process.ts";

const checks = [
  { id: "schema", check: "data.missing", dataset: "test", max: 0.5 },
  { id: "before", check: "data.missing", dataset: "train", max: 0.5 },
  { id: "drift", check: "drift.missing", dataset: "test", reference: "train" },
];

const suite = (project: Project): readonly AssuranceCheck[] => project.manifest.assurance?.checks ?? [];
const chosen = (folder: string, ref: string | true = true) => {
  const project = readProject(folder);
  const { run, skipped } = changedChecks(project, suite(project), ref);
  return { run: run.map(({ id }) => id), skipped: skipped.map(({ id }) => id), why: skipped.map(({ why }) => why) };
};

/** As if all had been run, with these verdicts. */
function ran(folder: string, verdicts: Readonly<Record<string, CheckResult["verdict"]>> = {}): void {
  const project = readProject(folder);
  const results = suite(project).map(({ id, check }) => CheckResult.parse({ schema: "licet.assurance.result/v1", id, check, checkVersion: "1", engine: { name: "e", version: "1", digest: `sha256:${"0".repeat(64)}` }, subject: { kind: "table", id, digest: null }, inputs: [], estimate: null, unit: "none", interval: null, counts: { attempted: 0, assessed: 0, unassessed: 0 }, basis: { kind: "none", reason: "too_few" }, limit: { op: "<=", value: 0, alpha: 0.05, source: "manifest" }, verdict: verdicts[id] ?? "pass", notes: [], attempt: { index: 1, alphaSpent: 0.05, previous: [] }, seed: "s", cost: { queries: 0, wallMs: 0 }, evidence: [], origin: "native" }));
  rememberResults(project, suite(project), suiteReport(results, { release: null, seed: "s", startedAt: "", finishedAt: "" }));
}

const changeData = (folder: string) => {
  const file = join(folder, "data/test.csv");
  const [header = "", first = ""] = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, `${header}\n${first}\n`);
};

beforeEach(() => {
  vi.stubEnv("XDG_CACHE_HOME", mkdtempSync(join(tmpdir(), "licet-cache-")));
  return () => {
    vi.unstubAllEnvs();
  };
});

describe("checks that changed", () => {
  test("since the last results: all at first, none when nothing changed, and those that read what did", () => {
    const folder = projectWith("tumour-classifier", checks);
    expect(chosen(folder).run).toEqual(["schema", "before", "drift"]);
    ran(folder);
    expect(chosen(folder)).toMatchObject({ run: [], why: ["unchanged since it passed here", expect.any(String), expect.any(String)] });
    changeData(folder);
    expect(chosen(folder)).toMatchObject({ run: ["schema", "drift"], skipped: ["before"] });
    const manifest = join(folder, "licet.yaml");
    ran(folder);
    writeFileSync(manifest, readFileSync(manifest, "utf8").replace('"id":"before","check":"data.missing","dataset":"train","max":0.5', '"id":"before","check":"data.missing","dataset":"train","max":0.4'));
    expect(chosen(folder).run).toEqual(["before"]);
  });

  test("what did not pass is run again, changed or not", () => {
    const folder = projectWith("tumour-classifier", checks);
    ran(folder, { before: "insufficient_evidence", drift: "fail" });
    expect(chosen(folder)).toMatchObject({ run: ["before", "drift"], skipped: ["schema"] });
  });

  test("since a commit: those whose declaration or data are not as they are there", () => {
    const folder = projectWith("tumour-classifier", checks);
    const git = (...args: readonly string[]) => execFileSync("git", ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.com", ...args], { stdio: "ignore" });
    git("init", "--quiet");
    git("add", "--all");
    git("commit", "--quiet", "--message", "first");
    expect(chosen(folder, "HEAD")).toMatchObject({ run: [], why: ["subject, check and data are as in HEAD", expect.any(String), expect.any(String)] });
    changeData(folder);
    expect(chosen(folder, "HEAD").run).toEqual(["schema", "drift"]);
    appendFileSync(join(folder, "licet.yaml"), "");
    expect(() => chosen(folder, "nowhere")).toThrow(/no commit/u);
    expect(() => chosen(folder, "--output=x")).toThrow(/no commit/u);
  });
});
