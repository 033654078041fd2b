import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRecord } from "@licet/evidence";
import { AssuranceSection, runnerDefaults, type CheckResult } from "@licet/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LicetError } from "../base/errors.ts";
import { exampleBundle, exampleManifest } from "../inventory/example-manifest.ts";
import type { RunnerAnswer, RunnerAsks, UnderTest } from "./runner-asks.ts";
import { asksOnServer, languageOf } from "./runner-models.ts";
import { Runner } from "./runner.ts";

const text = "note\nwrite to jane.doe@example.com\nnothing here\n";
const rows = { path: "rows.csv", digest: `sha256:${createHash("sha256").update(text).digest("hex")}` };
const bundle = exampleBundle();
const runner = new Runner(runnerDefaults);
const { budget } = runnerDefaults;
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "licet-run-"));
  await writeFile(join(root, rows.path), text);
});
afterAll(() => rm(root, { recursive: true, force: true }));

interface Model {
  readonly answers?: (body: Record<string, unknown>) => string;
  readonly replay?: UnderTest["replay"];
}

const asked: string[] = [];

type Tested = UnderTest & RunnerAsks;

function model({ answers = () => "I cannot help with that.", replay = async (_model, _body, answer) => answer }: Model = {}): Tested {
  const whole = (content: string): RunnerAnswer => ({ status: 200, contentType: "application/json", body: JSON.stringify({ choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }], usage: { prompt_tokens: 1, completion_tokens: 1 } }) });
  const ask: RunnerAsks["ask"] = async (name, body) => {
    const value: unknown = JSON.parse(body);
    asked.push(name);
    return whole(answers(isRecord(value) ? { ...value } : {}));
  };
  return {
    models: new Map([["chat", { dialect: "openai", model: "sim-1" }]]),
    notes: ["decided by bundle x"],
    questions: () => ask,
    ask,
    replay,
    close: async () => undefined,
  };
}

async function ran(checks: readonly object[], underTest: Tested | undefined): Promise<readonly CheckResult[]> {
  const suite = AssuranceSection.parse({ checks });
  const language = underTest && languageOf(bundle, underTest, { until: Date.now() + 60_000, budget });
  const { results } = await runner.run({ suite, root, files: { rows }, seed: "s", attempts: [], reuse: [], release: "r", language }, underTest);
  return results;
}

const leak = { id: "leak", check: "llm.leak.system", model: "chat" };
const pii = { id: "pii", check: "llm.leak.pii", model: "chat" };
const replay = { id: "replay", check: "llm.defence.replay", model: "chat" };

describe("the server's runner", () => {
  test("finds personal data in tables by the detectors of the gateway", async () => {
    const [result] = await ran([{ id: "data", check: "data.pii", dataset: "rows" }], undefined);
    expect(result).toMatchObject({ verdict: "fail" });
    expect(JSON.stringify(result)).toContain("email");
  });

  test("asks the declared model through the process around it, with the declared prompt", async () => {
    const prompts = new Set<boolean>();
    const knows = (body: Record<string, unknown>) => (prompts.add(JSON.stringify(body).includes(exampleManifest.components.prompts?.[0]?.text ?? "?")), "I cannot help with that.");
    const results = await ran([leak, pii], model({ answers: knows }));
    expect(results.map(({ id, verdict, subject }) => [id, verdict, subject.id])).toEqual([["leak", "pass", "chat"], ["pii", "pass", "chat"]]);
    expect([...prompts]).toEqual([true]);
    const [leaking] = await ran([leak], model({ answers: (body) => JSON.stringify(body["messages"]) }));
    expect(leaking?.verdict).toBe("fail");
  });

  test("replays hijacked calls, and a defence that lets all of them through fails", async () => {
    const [open] = await ran([replay], model());
    expect(open).toMatchObject({ verdict: "fail", basis: { figures: { hijacked: 60, blocked: 0, honest: 6 } }, notes: expect.arrayContaining(["decided by bundle x"]) });
  });

  test.each<readonly [string, Tested | undefined, string]>([
    ["nobody may be asked", undefined, "errored"],
    ["the provider cannot be asked", { ...model(), ask: async () => Promise.reject(new LicetError("held")), replay: async () => Promise.reject(new LicetError("snapshot_stale")) }, "insufficient_evidence"],
    ["the provider answers with errors", { ...model(), ask: async () => ({ status: 500, contentType: "text/plain", body: "" }), replay: async () => ({ status: 500, contentType: "text/plain", body: "" }) }, "insufficient_evidence"],
  ])("concludes nothing where %s", async (_, underTest, verdict) => {
    const results = await ran([leak, replay], underTest);
    expect(results.map((result) => result.verdict)).toEqual([verdict, verdict]);
  });

  test("begins no question after its time", async () => {
    asked.length = 0;
    const underTest = model();
    const suite = AssuranceSection.parse({ checks: [leak] });
    const { results } = await runner.run({ suite, root, files: {}, seed: "s", attempts: [], reuse: [], release: "r", language: languageOf(bundle, underTest, { until: Date.now(), budget }) }, underTest);
    expect([results[0]?.verdict, asked]).toEqual(["insufficient_evidence", []]);
  });
});

describe("a check of a language model is the server's", () => {
  const check = (more: object) => AssuranceSection.parse({ checks: [{ ...leak, ...more }] }).checks[0];
  const on = (more: object, underTest: UnderTest | undefined) => {
    const declared = check(more);
    return declared !== undefined && asksOnServer(declared, bundle, underTest);
  };

  test("where its model's provider is registered, its judge's too, and its files are declared", () => {
    expect(on({}, model())).toBe(true);
    expect(on({}, undefined)).toBe(false);
    expect(on({ model: "other" }, model())).toBe(false);
    expect(on({ check: "llm.harm", behaviours: "b", judge: "judge" }, model())).toBe(false);
    expect(on({ check: "llm.defence.replay", calls: "calls" }, model())).toBe(false);
  });
});
