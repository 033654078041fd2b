import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { CheckResult } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { linearModel, treesModel } from "../../../../test/unit/support/small-models.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";
import { findPeerRuntime, type PeerRuntime } from "../onnx/peer-runtime.ts";
import { CrossCheck } from "../subject/cross-check.ts";
import { fileCache } from "./measurement-cache.ts";

const table = ["a,b,y", ...Array.from({ length: 400 }, (_, at) => [(at * 0.618034) % 1, (at * 0.754878) % 1, Number((at * 0.618034) % 1 > 0.5)].join(","))].join("\n");
const check = { model: "model", dataset: "test", target: "y", positive: 1, check: "perf.metric", metric: "auc", floor: 0.1 };
const first = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "LinearRegressor", ml: true, in: ["x"], out: ["y"], floats: { coefficients: [1, 0], intercepts: [0] } })] });
const sine = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "LinearRegressor", ml: true, in: ["x"], out: ["z"], floats: { coefficients: [1, 0], intercepts: [0] } }), nodeOf({ op: "Sin", in: ["z"], out: ["y"] })] });

/** A package with the interface of ONNX Runtime that scores a row as `score` says. Loaded by a real process, as the real one is. */
function standIn(score: string, create = ""): PeerRuntime {
  const folder = mkdtempSync(path.join(tmpdir(), "licet-peer-"));
  const home = path.join(folder, "node_modules/onnxruntime-web");
  mkdirSync(home, { recursive: true });
  writeFileSync(path.join(home, "package.json"), JSON.stringify({ name: "onnxruntime-web", version: "9.9.9", main: "index.js" }));
  writeFileSync(
    path.join(home, "index.js"),
    `class Tensor { constructor(type, data, dims) { this.data = data; this.dims = dims; } }
     const score = ${score};
     exports.Tensor = Tensor;
     exports.env = { wasm: {} };
     exports.InferenceSession = { create: async (bytes) => {
       ${create}
       return { run: async (feeds, [output]) => {
         const [x] = Object.values(feeds);
         const [rows, width] = x.dims;
         return { [output]: new Tensor("float32", Float32Array.from({ length: rows }, (_, row) => score(x.data.subarray(row * width, (row + 1) * width), row)), [rows, 1]) };
       } };
     } };`,
  );
  const found = findPeerRuntime(folder);
  if (found === undefined) throw new Error("the stand-in is not found");
  return found;
}

const beside = (model: Uint8Array, peer: PeerRuntime | undefined, more: object = {}) => checkResult({ ...check, ...more }, { model, test: table }, "s", { models: { isolation: "none", peer } });
/** The verdict and everything that it follows from. */
const verdictOf = ({ verdict, basis, estimate, counts, cost }: CheckResult) => ({ verdict, basis, estimate, counts, queries: cost.queries });

describe("another interpreter beside ours", () => {
  test("that agrees is recorded with its version and the largest difference, and changes no figure", async () => {
    const alone = await beside(first, undefined);
    const both = await beside(first, standIn("([a]) => a + 2e-5"));
    expect(alone.subject.interpreter).toBeUndefined();
    expect(both.subject.interpreter).toMatchObject({ name: "onnxruntime-web", version: "9.9.9", part: "compared", rows: 256 });
    expect(both.subject.interpreter?.deviation).toBeCloseTo(2e-5, 6);
    expect(verdictOf(both)).toEqual(verdictOf(alone));
    expect(both.verdict).toBe("pass");
  });

  test.each([
    ["another number in one row of many", "([a], row) => (row === 200 ? a + 0.01 : a)", 0.01],
    ["no number where ours has one", "([a], row) => (row === 3 ? NaN : a)", null],
    ["infinity where ours has a number", "([a], row) => (row === 3 ? Infinity : a)", null],
  ] as const)("%s: nothing is shown, whatever the figures say", async (_name, score, deviation) => {
    const result = await beside(first, standIn(score));
    expect(result).toMatchObject({ verdict: "insufficient_evidence", reason: "interpreters_differ", subject: { kind: "onnx", interpreter: { part: "compared", rows: 256 } }, notes: [expect.stringContaining("onnxruntime-web 9.9.9")] });
    const found = result.subject.interpreter?.deviation ?? null;
    expect(found === null ? null : Number(found.toFixed(5))).toBe(deviation);
  });

  test("another number of scores for a row is a difference", async () => {
    const wide = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "Identity", in: ["x"], out: ["y"] })] });
    expect(await beside(wide, standIn("([a]) => a"))).toMatchObject({ verdict: "insufficient_evidence", reason: "interpreters_differ" });
  });

  test.each([
    ["does not take the model", standIn("([a]) => a", "throw new Error('opset 99');"), "opset 99"],
    ["fails on the rows", standIn("() => { throw new Error('no room'); }"), "no room"],
    ["is none", { ...standIn("0"), module: "/nowhere/index.js" }, "could not be run"],
  ] as const)("that %s contradicts nothing: it is said, and our interpreter decides", async (_name, peer, why) => {
    expect(await beside(first, peer)).toMatchObject({ verdict: "pass", subject: { interpreter: { part: "silent", rows: 0, deviation: null, why: expect.stringContaining(why) } }, notes: [expect.stringContaining("not compared")] });
  });

  test("that never answers is ended within its time, and is not asked again", async () => {
    const peer = standIn("([a]) => a", "await new Promise(() => setInterval(() => undefined, 1000));");
    await using silent = new CrossCheck({ id: "m", bytes: first, peer, limits: { memoryMbMax: 700, callMsMax: 500 } });
    for (const comparison of [silent.forCheck(), silent.forCheck()]) {
      await comparison.compare({ rows: 1, columns: 2, data: Float32Array.of(1, 2) }, { rows: 1, columns: 1, scores: Float32Array.of(1) });
      expect(comparison.record).toMatchObject({ part: "silent", rows: 0, why: expect.stringContaining("500 ms") });
    }
  });

  test("makes a measurement another one than without it", async () => {
    const cache = fileCache(mkdtempSync(path.join(tmpdir(), "licet-measured-")));
    const run = (peer: PeerRuntime | undefined) => checkResult(check, { model: first, test: table }, "s", { cache, models: { isolation: "none", peer } });
    expect((await run(undefined)).cost.queries).toBeGreaterThan(0);
    expect((await run(undefined)).cost.queries).toBe(0);
    expect(await run(standIn("([a]) => 1 - a"))).toMatchObject({ reason: "interpreters_differ" });
  });
});

describe("an operator that our interpreter lacks", () => {
  test("shows nothing without another interpreter, and is named", async () => {
    expect(await beside(sine, undefined)).toMatchObject({ verdict: "insufficient_evidence", reason: "operator_unknown", notes: [expect.stringContaining("`Sin`")] });
  });

  test("is run by the other one, and the record says so", async () => {
    const result = await beside(sine, standIn("([a]) => Math.sin(a)"));
    expect(result).toMatchObject({ verdict: "pass", subject: { interpreter: { name: "onnxruntime-web", version: "9.9.9", part: "scored", rows: 400, deviation: null, why: "Sin" } }, notes: [expect.stringContaining("`Sin`")] });
    expect(verdictOf(result)).toEqual(verdictOf(await beside(first, undefined)));
  });

  test("is no certificate, and no error of the check", async () => {
    expect(await checkResult({ model: "model", dataset: "test", target: "y", positive: 1, check: "robust.certified", rows: 10, floor: 0.1 }, { model: sine, test: table }, "s", { models: { isolation: "none", peer: standIn("([a]) => Math.sin(a)") } })).toMatchObject({ verdict: "insufficient_evidence", reason: "weights_unseen", notes: [expect.stringContaining("`Sin`")] });
  });

  test("that the other one lacks as well shows nothing", async () => {
    expect(await beside(sine, standIn("0", "throw new Error('Sin is not a registered op');"))).toMatchObject({ verdict: "insufficient_evidence", reason: "operator_unknown" });
  });

  test("in a file that says more than we have read is not handed over", async () => {
    const told = path.join(mkdtempSync(path.join(tmpdir(), "licet-told-")), "told");
    const peer = standIn("([a]) => a", `throw new Error("was asked");`);
    const external = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "Sin", in: ["x"], out: ["y"] })], initializer: { name: "w", external: told } });
    expect(await beside(external, peer)).toMatchObject({ verdict: "errored", error: { code: "model_unsupported", message: expect.stringContaining("other files") } });
    const twice = Buffer.concat([external, sine]);
    expect(await beside(twice, peer)).toMatchObject({ verdict: "errored", error: { code: "model_malformed" } });
    expect(await beside(modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "EPContext", in: ["x"], out: ["y"] })] }), peer)).toMatchObject({ verdict: "insufficient_evidence", reason: "operator_unknown" });
  });
});

const real = findPeerRuntime(process.env["LICET_ONNX_RUNTIME"]);
const example = path.resolve(import.meta.dirname, "../../../../examples/tumour-classifier");

describe.skipIf(real === undefined)(`ONNX Runtime itself (skipped where LICET_ONNX_RUNTIME names no folder with it)`, () => {
  const zip = modelBytes({
    input: "x", width: 2, output: "y", maps: true,
    nodes: [
      nodeOf({ op: "LinearClassifier", ml: true, in: ["x"], out: ["l", "p"], floats: { coefficients: [-3, 1, 3, -1], intercepts: [0, 0] }, ints: { classlabels_ints: [0, 1] }, text: { post_transform: "SOFTMAX" } }),
      nodeOf({ op: "ZipMap", ml: true, in: ["p"], out: ["y"], ints: { classlabels_int64s: [0, 1] } }),
    ],
  });

  test.each([["a linear model", linearModel([3, -1], 0)], ["trees", treesModel([{ feature: 0, at: 0.5, low: 0.1, high: 0.7 }, { feature: 1, at: 0.25, low: 0.1, high: 0.2 }], 2)], ["a model that ends in maps", zip]] as const)("%s gives the same scores", async (_name, model) => {
    const result = await beside(model, real);
    expect(result).toMatchObject({ verdict: "pass", subject: { interpreter: { name: real?.name, version: real?.version, part: "compared", rows: 256 } } });
    expect(result.subject.interpreter?.deviation).toBeLessThan(1e-6);
  });

  test("the example gives the same scores", async () => {
    const read = (name: string) => readFileSync(path.join(example, name));
    const result = await checkResult({ ...check, target: "target" }, { model: read("model/tumour.onnx"), test: read("data/test.csv") }, "s", { models: { peer: real } });
    expect(result).toMatchObject({ verdict: "pass", subject: { interpreter: { part: "compared" } } });
    expect(result.subject.interpreter?.deviation).toBeLessThan(1e-5);
  });

  test("an operator that ours lacks runs there", async () => {
    const result = await beside(sine, real);
    expect(result).toMatchObject({ verdict: "pass", subject: { interpreter: { part: "scored", rows: 400, why: "Sin" } } });
    expect(verdictOf(result)).toEqual(verdictOf(await beside(first, undefined)));
  });

  test("a model that eats memory there is ended as one here is", async () => {
    const grows = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "Sin", in: ["x"], out: ["s"] }), ...Array.from({ length: 16 }, (_, at) => nodeOf({ op: "Concat", in: at === 0 ? ["s", "s"] : [`c${at - 1}`, `c${at - 1}`], out: [at === 15 ? "y" : `c${at}`], int: { axis: 1 } }))] });
    const result = await checkResult(check, { model: grows, test: table }, "s", { models: { isolation: { memoryMbMax: 300, callMsMax: 20_000 }, peer: real } });
    expect(result).toMatchObject({ verdict: "insufficient_evidence", reason: "unanswered" });
  });
});
