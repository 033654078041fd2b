import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { AssuranceSection } from "@licet/contract";
import { expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { linearModel } from "../../../../test/unit/support/small-models.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";
import { runSuite } from "./run-suite.ts";

const model = linearModel([3, -1], 0);
const table = ["a,b,y", ...Array.from({ length: 300 }, (_, at) => [(at * 0.618034) % 1, (at * 0.754878) % 1, at % 2].join(","))].join("\n");
const on = { model: "model", dataset: "test", target: "y", positive: 1 };
const metric = { ...on, check: "perf.metric", metric: "auc", floor: 0.1 };
/** Doubles its input twelve times: small for a few rows, and more than any machine has for many. */
const grows = modelBytes({ input: "x", width: 2, output: "y", nodes: Array.from({ length: 40 }, (_, at) => nodeOf({ op: "Concat", in: at === 0 ? ["x", "x"] : at < 12 ? [`c${at - 1}`, `c${at - 1}`] : ["c11"], out: [at === 39 ? "y" : `c${at}`], int: { axis: 1 } })) });

const limits = { memoryMbMax: 300, callMsMax: 20_000 };

test("a model's file runs in a process of its own, unless somebody trusts it, and says the same there", async () => {
  const [here, there] = [await checkResult(metric, { model, test: table }), await checkResult(metric, { model, test: table }, "s", { models: {} })];
  expect(there).toMatchObject({ verdict: "pass", basis: here.basis, subject: here.subject });
  const certified = { ...on, check: "robust.certified", rows: 20, floor: 0.1 };
  expect((await checkResult(certified, { model, test: table }, "s", { models: {} })).basis).toEqual((await checkResult(certified, { model, test: table })).basis);
});

test("a model that takes more memory or time than it may shows nothing, and the next check has a new process", async () => {
  const root = mkdtempSync(path.join(tmpdir(), "licet-isolated-"));
  const files = Object.fromEntries(Object.entries({ grows, model, test: Buffer.from(`a,b,y\n${table.split("\n").slice(1).join("\n").concat("\n").repeat(10)}`) }).map(([name, bytes]) => {
    writeFileSync(path.join(root, name), bytes);
    return [name, { path: name, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` }];
  }));
  const suite = AssuranceSection.parse({ checks: [{ id: "eats", ...metric, model: "grows" }, { id: "again", ...on, check: "robust.determinism", model: "grows", rows: 5 }, { id: "fine", ...metric }] });
  const { results } = await runSuite({ suite, root, resolve: (name) => files[name], seed: "s", release: null, now: () => 0, models: { isolation: limits } });
  expect(results.map(({ verdict, reason }) => [verdict, reason])).toEqual([["insufficient_evidence", "unanswered"], ["pass", undefined], ["pass", undefined]]);
  expect(results[0]).toMatchObject({ subject: { kind: "onnx", id: "grows", digest: files["grows"]?.digest }, notes: [expect.stringContaining("memory")] });
  const late = await runSuite({ suite: { checks: suite.checks.slice(2) }, root, resolve: (name) => files[name], seed: "s", release: null, now: () => 0, models: { isolation: { memoryMbMax: 300, callMsMax: 1 } } });
  expect(late.results[0]).toMatchObject({ verdict: "insufficient_evidence", reason: "unanswered", notes: [expect.stringContaining("1 ms")] });
});

test("what the process says of a damaged model, or of rows that do not fit, keeps its code", async () => {
  expect(await checkResult(metric, { model: "no model", test: table }, "s", { models: {} })).toMatchObject({ verdict: "errored", error: { code: "model_malformed" } });
  expect(await checkResult({ ...metric, features: ["a"] }, { model, test: table }, "s", { models: {} })).toMatchObject({ verdict: "errored", error: { code: "model_input_mismatch" } });
  expect((await checkResult({ ...on, check: "robust.input" }, { model, test: table }, "s", { models: {} })).basis).toEqual((await checkResult({ ...on, check: "robust.input" }, { model, test: table })).basis);
});
