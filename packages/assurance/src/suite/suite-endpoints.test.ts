import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Scoring } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { json, type OipModel, startOipModel } from "../../../../test/unit/support/oip-model.ts";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";
import type { ServedModel } from "../subject/served-model.ts";

/** A model that answers with the column `s`, as a file and behind the protocol. */
const onFile = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "LinearRegressor", ml: true, in: ["x"], out: ["y"], floats: { coefficients: [1, 0], intercepts: [0] } })] });
const columns = ["s", "other"];
const digest = `sha256:${"ab".repeat(32)}`;
const table = (count: number, shift = 0) =>
  ["s,other,y,group", ...Array.from({ length: count }, (_, at) => {
    const score = ((at + shift) * 0.618034) % 1;
    return [score.toFixed(3), at % 7, ((at + shift) * 0.754878) % 1 < score ? 1 : 0, Math.floor(at / 3) % 2 === 0 ? "a" : "b"].join(",");
  })].join("\n");
const on = { model: "model", dataset: "test", target: "y", positive: 1, features: columns };
const served = (model: OipModel, more: Partial<ServedModel> = {}): ServedModel => ({ address: model.baseUrl, model: "risk-net", digest, ...more });

async function startEcho(): Promise<OipModel> {
  const model = await startOipModel();
  model.infer = (_request, response, body) => json(response, 200, answerOf(body));
  return model;
}

function answerOf(body: string, version = "7"): { id: string; model_name: string; model_version: string; outputs: { name: string; datatype: string; shape: number[]; data: unknown[] }[] } {
  const { id, inputs } = JSON.parse(body);
  const [{ shape, data }] = inputs;
  const scores = Array.from({ length: shape[0] }, (_, row) => data[row * 2]);
  return { id, model_name: "risk-net", model_version: version, outputs: [{ name: "y", datatype: "FP32", shape: [shape[0], 1], data: scores }] };
}

const contents = { test: table(400), train: table(300, 5000) };
const asked = (check: object, model: OipModel, more: Partial<ServedModel> = {}, queryBudget = {}) =>
  checkResult({ ...on, ...check }, contents, "s", { models: { served: { model: served(model, more) }, queryBudget } });

const checks: readonly (readonly [string, object])[] = [
  ["perf.metric", { metric: "accuracy", floor: 0.5 }],
  ["perf.metric", { metric: "auc", floor: 0.6 }],
  ["perf.loss", { metric: "brier", max: 0.3 }],
  ["perf.slices", { slices: [{ group: "a" }], floor: 0.5 }],
  ["calib.ece", {}],
  ["fair.parity", { group: { name: "g", column: "group", transform: { kind: "value" } }, max: 0.5 }],
  ["fair.odds", { group: { name: "g", column: "group", transform: { kind: "value" } }, max: 0.5 }],
  ["fair.accuracy", { by: { name: "g", column: "group" } }],
  ["fair.calibration", { by: { name: "g", column: "group" }, max: 0.5 }],
  ["fair.counterfactual", { flip: { name: "other", features: { other: [0, 1] } } }],
  ["privacy.membership", { members: "train" }],
  ["privacy.epsilon", { members: "train", max: 2 }],
  ["robust.evasion", { rows: 20, queries: 100 }],
  ["robust.noise", { rows: 100 }],
  ["robust.determinism", { rows: 50 }],
  ["robust.trigger", { rows: 200 }],
  ["explain.permutation", { rows: 50, watched: ["other"], queries: 2000 }],
  ["explain.shapley", { rows: 5, background: 10 }],
  ["drift.prediction", { reference: "train", of: "scores", target: "y" }],
  ["drift.label", { reference: "train" }],
];

describe("a model behind the Open Inference Protocol", () => {
  test.each(checks)("%s %o says the same of it as of its file", async (check, given) => {
    await using model = await startEcho();
    const here = await checkResult({ ...on, check, ...given }, { ...contents, model: onFile });
    const there = await asked({ check, ...given }, model);
    expect(here.verdict).not.toBe("errored");
    expect(there).toMatchObject({ verdict: here.verdict, basis: here.basis, counts: here.counts });
    expect(there.subject).toMatchObject({ kind: "oip", id: "model", digest, served: { url: `${model.baseUrl}/models/risk-net`, model: "risk-net", version: "7", weights: "unseen" } });
    expect(there.cost.queries).toBeGreaterThan(0);
  });

  test.each([["perf.error", { metric: "mae", max: 1 }], ["fair.regression", { by: { name: "g", column: "group" } }]])("%s says the same of a model of numbers", async (check, given) => {
    await using model = await startEcho();
    const { positive: _, ...plain } = { ...on, check, ...given };
    const here = await checkResult(plain, { ...contents, model: onFile });
    const there = await checkResult(plain, contents, "s", { models: { served: { model: served(model) } } });
    expect(there).toMatchObject({ verdict: here.verdict, basis: here.basis, subject: { kind: "oip" } });
  });

  test("non-inferiority holds against a champion that is a file", async () => {
    await using model = await startEcho();
    const beside = await checkResult({ ...on, check: "perf.noninferior", champion: "champion", metric: "accuracy", max: 0.05 }, { ...contents, champion: onFile }, "s", { models: { served: { model: served(model) } } });
    expect(beside).toMatchObject({ verdict: "pass", estimate: 0, subject: { kind: "oip" }, inputs: [{ role: "test" }, { role: "reference", id: "champion" }] });
  });

  test("a wrong input that it refuses is a right answer, and one that it answers with nothing is not", async () => {
    await using model = await startEcho();
    model.infer = (_request, response, body) => {
      const { inputs } = JSON.parse(body);
      if (inputs[0].data.some((value: unknown) => value === null) || inputs[0].shape[1] !== 2 || inputs[0].shape[0] === 0) json(response, 400, {});
      else json(response, 200, answerOf(body));
    };
    expect((await asked({ check: "robust.input" }, model)).verdict).toBe("pass");
    // What was not sent for want of budget was not refused.
    expect(await asked({ check: "robust.input" }, model, {}, { rowsMax: 12 })).toMatchObject({ verdict: "insufficient_evidence", reason: "aborted" });
    model.infer = (_request, response, body) => json(response, 200, answerOf(body));
    expect((await asked({ check: "robust.input" }, model)).verdict).toBe("fail");
  });

  test("rows with a missing feature are never sent", async () => {
    await using model = await startEcho();
    const holed = table(400).replace("0.618,1,", ",1,");
    const result = await checkResult({ ...on, check: "perf.metric", metric: "auc", floor: 0.5 }, { test: holed }, "s", { models: { served: { model: served(model) } } });
    expect(result.counts).toMatchObject({ attempted: 400, unassessed: 1 });
    expect(model.received.filter(({ body }) => body.includes("null"))).toEqual([]);
  });

  test("weights that nobody sees are no certificate, and no error of the check", async () => {
    await using model = await startEcho();
    expect(await asked({ check: "robust.certified", floor: 0.5 }, model)).toMatchObject({ verdict: "insufficient_evidence", reason: "weights_unseen", notes: [expect.stringContaining("robust.evasion")] });
  });

  test("what a check may send is a bound, and running out of it is no pass", async () => {
    await using model = await startEcho();
    const spent = await asked({ check: "robust.evasion", rows: 20, queries: 100 }, model, {}, { rowsMax: 500 });
    expect(spent).toMatchObject({ verdict: "insufficient_evidence", reason: "aborted" });
    const rows = model.received.filter(({ path }) => path.startsWith("POST")).reduce((sum, { body }) => sum + JSON.parse(body).inputs[0].shape[0], 0);
    expect(rows).toBeLessThanOrEqual(500);
  });

  test("declared bounds of a call hold, and the credential goes with every one", async () => {
    await using model = await startEcho();
    await asked({ check: "perf.metric", metric: "auc", floor: 0.5 }, model, { credential: "k-1", scoring: { protocol: "oip", batchRows: 50, inFlight: 1 } });
    const posts = model.received.filter(({ path }) => path.startsWith("POST"));
    // Eight batches, and one row in the end, to see which version answers.
    expect(posts.map(({ body }) => JSON.parse(body).inputs[0].shape[0])).toEqual([...Array.from({ length: 8 }, () => 50), 1]);
    expect(new Set(model.received.map(({ headers }) => headers.authorization))).toEqual(new Set(["Bearer k-1"]));
  });

  test("weights that the server names are attested when they are the declared ones, and stale when not", async () => {
    await using model = await startEcho();
    model.metadata = { ...(model.metadata as object), parameters: { digest } };
    const check = { check: "perf.metric", metric: "auc", floor: 0.5 };
    expect((await asked(check, model, { weights: digest })).subject.served).toMatchObject({ weights: "attested" });
    expect(await asked(check, model, { weights: digest.replace("ab", "cd") })).toMatchObject({ verdict: "insufficient_evidence", reason: "stale_subject" });
  });

  test("nobody said where it answers: an error that says what to do", async () => {
    expect(await checkResult({ ...on, check: "perf.metric", metric: "auc", floor: 0.5 }, contents)).toMatchObject({ verdict: "errored", error: { code: "endpoint_unknown", message: expect.stringContaining("--endpoint") } });
  });
});

describe("an endpoint that lies or dies", () => {
  const answers = (change: (answer: ReturnType<typeof answerOf>, call: number) => unknown) => {
    let call = 0;
    return async (model: OipModel) => {
      model.infer = (_request, response, body) => json(response, 200, change(answerOf(body), (call += 1)));
    };
  };
  const first = (answer: ReturnType<typeof answerOf>) => answer.outputs[0] ?? { name: "", datatype: "", shape: [], data: [] };
  const lies: readonly (readonly [string, (model: OipModel) => Promise<void>, string])[] = [
    ["a shape that is not that of the rows", answers((answer) => ({ ...answer, outputs: [{ ...first(answer), shape: [1, 1] }] })), "unanswered"],
    ["fewer numbers than its shape", answers((answer) => ({ ...answer, outputs: [{ ...first(answer), data: [0.5] }] })), "unanswered"],
    ["no number in every row", answers((answer) => ({ ...answer, outputs: [{ ...first(answer), data: first(answer).data.map(() => "NaN") }] })), "unassessed_budget"],
    ["no number in every tenth row", answers((answer) => ({ ...answer, outputs: [{ ...first(answer), data: first(answer).data.map((value, at) => (at % 10 === 0 ? null : value)) }] })), "unassessed_budget"],
    ["the same score for everything", answers((answer) => ({ ...answer, outputs: [{ ...first(answer), data: first(answer).data.map(() => 0.9) }] })), "degenerate"],
    ["another version from the second call on", answers((answer, call) => ({ ...answer, model_version: call > 1 ? "8" : "7" })), "stale_subject"],
    ["no version from the second call on", answers(({ model_version, ...answer }, call) => (call > 1 ? answer : { ...answer, model_version })), "stale_subject"],
    ["another model's name", answers((answer) => ({ ...answer, model_name: "other" })), "unanswered"],
    ["another number of classes from the second call on", answers((answer, call) => (call === 1 ? answer : { ...answer, outputs: [{ ...first(answer), shape: [first(answer).data.length, 2], data: first(answer).data.flatMap((value) => [value, value]) }] })), "unanswered"],
    ["a list without an end in it", async (model) => void (model.infer = (_request, response) => json(response, 200, "[".repeat(200_000))), "unanswered"],
    ["500 for everything", async (model) => void (model.infer = (_request, response) => json(response, 500, {})), "unanswered"],
    ["a connection that breaks", async (model) => void (model.infer = (request) => void request.socket.destroy()), "unanswered"],
    ["metadata that are none", async (model) => void (model.metadata = { inputs: "many" }), "unanswered"],
    ["metadata that take more features than there are numbers", async (model) => void (model.metadata = { name: "risk-net", inputs: [{ name: "x", datatype: "FP32", shape: [-1, 1e15] }], outputs: [] }), "unanswered"],
    ["404 for its metadata", async (model) => void (model.metadata = 404), "unanswered"],
  ];

  test.each(lies)("%s: never a pass, never a crash", async (_name, lie, reason) => {
    await using model = await startEcho();
    await lie(model);
    const result = await asked({ check: "perf.metric", metric: "accuracy", floor: 0.01 }, model, { scoring: { protocol: "oip", batchRows: 100, inFlight: 1, timeoutMs: 2000 } });
    expect(result).toMatchObject({ verdict: "insufficient_evidence", reason });
  });

  test("other metadata after the last row make what was measured worthless", async () => {
    await using model = await startEcho();
    model.infer = (_request, response, body) => {
      model.metadata = { ...(model.metadata as object), versions: ["8"] };
      json(response, 200, answerOf(body));
    };
    expect(await asked({ check: "perf.metric", metric: "accuracy", floor: 0.01 }, model)).toMatchObject({ verdict: "insufficient_evidence", reason: "stale_subject", subject: { served: { version: "7" } } });
  });

  test("another version after the last row makes it worthless too, though the metadata say nothing of it", async () => {
    await using model = await startEcho();
    await answers((answer, call) => ({ ...answer, model_version: call > 4 ? "8" : "7" }))(model);
    expect(await asked({ check: "perf.metric", metric: "accuracy", floor: 0.01 }, model, { scoring: { protocol: "oip", batchRows: 100 } })).toMatchObject({ verdict: "insufficient_evidence", reason: "stale_subject", notes: [expect.stringContaining("`8`")] });
  });

  test("another number of classes from one question to the next is no answer", async () => {
    await using model = await startEcho();
    await answers((answer, call) => (call < 3 ? answer : { ...answer, outputs: [{ ...first(answer), shape: [first(answer).data.length, 2], data: first(answer).data.flatMap((value) => [value, value]) }] }))(model);
    expect(await asked({ check: "robust.determinism", rows: 50 }, model)).toMatchObject({ verdict: "insufficient_evidence", reason: "unanswered", notes: [expect.stringContaining("with 1 and with 2 scores")] });
  });

  test("one that is gone in the middle of a search ends it, and the next check finds it again", async () => {
    await using model = await startEcho();
    let calls = 0;
    model.infer = (request, response, body) => {
      calls += 1;
      if (calls > 3) request.socket.destroy();
      else json(response, 200, answerOf(body));
    };
    expect(await asked({ check: "robust.evasion", rows: 20, queries: 200 }, model)).toMatchObject({ verdict: "insufficient_evidence", reason: "unanswered" });
  });

  test("a server that is not there at all", async () => {
    const model = await startEcho();
    await model[Symbol.asyncDispose]();
    expect(await asked({ check: "perf.metric", metric: "auc", floor: 0.5 }, model)).toMatchObject({ verdict: "insufficient_evidence", reason: "unanswered" });
  });
});

describe("any HTTP interface by a declared mapping", () => {
  const scoring: Scoring = { protocol: "http", rowsAt: "/data/rows", features: columns, scoresAt: "/predictions", scoreNames: ["no", "yes"], classes: ["0", "1"], versionAt: "/version", credentialHeader: "x-api-key" };

  async function startApi(version: () => unknown): Promise<{ readonly url: string; readonly keys: unknown[] } & AsyncDisposable> {
    const keys: unknown[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
      request.on("end", () => {
        keys.push(request.headers["x-api-key"]);
        json(response, 200, { version: version(), predictions: JSON.parse(body).data.rows.map(({ s }: { s: number }) => ({ yes: s, no: 1 - s })) });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/score?token=secret`, keys,
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise<void>((resolve) => void server.close(() => resolve()));
      },
    };
  }

  const check = { ...on, check: "perf.metric", metric: "auc", floor: 0.5 };
  const through = (url: string, more: Partial<ServedModel> = {}) => checkResult(check, contents, "s", { models: { served: { model: { address: url, model: "price", digest, scoring, credential: "k-2", ...more } } } });

  test("says the same as the file, and its record holds neither credential nor query", async () => {
    await using api = await startApi(() => "2024-11");
    const here = await checkResult(check, { ...contents, model: onFile });
    const there = await through(api.url);
    expect(there).toMatchObject({ verdict: here.verdict, estimate: here.estimate, subject: { kind: "http", served: { url: api.url.replace("?token=secret", ""), model: "price", version: "2024-11", metadata: null, weights: "unseen" } } });
    expect(new Set(api.keys)).toEqual(new Set(["k-2"]));
    expect(JSON.stringify(there)).not.toContain("secret");
  });

  test("another version than the declared one, or one that comes after the last row, is stale", async () => {
    let calls = 0;
    await using api = await startApi(() => ((calls += 1) > 2 ? "new" : "old"));
    expect(await through(api.url, { version: "9" })).toMatchObject({ verdict: "insufficient_evidence", reason: "stale_subject" });
    calls = 0;
    expect(await through(api.url)).toMatchObject({ verdict: "insufficient_evidence", reason: "stale_subject" });
  });

  test("classes that are not as many as its scores are an error, never a guess", async () => {
    await using api = await startApi(() => 1);
    expect(await through(api.url, { scoring: { ...scoring, classes: ["0"] } })).toMatchObject({ verdict: "errored", error: { code: "model_output_unclear" } });
  });
});
