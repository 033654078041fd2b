import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { LicetError } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { json, startOipModel } from "../../../../test/unit/support/oip-model.ts";
import { linearModel } from "../../../../test/unit/support/small-models.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";
import { httpSubject } from "./http-subject.ts";
import { isolatedOnnx } from "./isolated-onnx.ts";
import { oipSubject } from "./oip-subject.ts";
import { onnxSubject } from "./onnx-subject.ts";
import { answered, answeredLater, type Probe, rowsOf, type Scores, together } from "./probe.ts";

const bytes = linearModel([1, -1], 0);
const rows = rowsOf(2, Float32Array.of(1, 0, 0, 1, 0.5, 0.5));

async function code(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
  } catch (error) {
    if (error instanceof LicetError) return error.code;
    throw error;
  }
  return "nothing was thrown";
}

describe("probes", () => {
  function* summed(start: number, rounds: number): Probe<number> {
    let total = 0;
    for (let round = 0; round < rounds; round += 1) total += (yield rowsOf(1, Float32Array.of(start + round))).scores[0] ?? 0;
    return total;
  }
  const double = (asked: { rows: number; data: Float32Array }): Scores => ({ rows: asked.rows, columns: 1, scores: Float64Array.from(asked.data, (value) => 2 * value) });

  test("side by side they get what they would get alone, in as many batches as the longest needs", async () => {
    const sizes: number[] = [];
    const counted = (asked: Parameters<typeof double>[0]) => {
      sizes.push(asked.rows);
      return double(asked);
    };
    expect(answered(together([summed(1, 3), summed(10, 1), summed(5, 2)]), counted)).toEqual([12, 20, 22]);
    expect(sizes).toEqual([3, 2, 1]);
    expect(await answeredLater(summed(1, 3), async (asked) => double(asked))).toBe(12);
  });
});

describe("an ONNX model", () => {
  test("scores the same in this process and in one of its own, and both count their rows", async () => {
    await using here = onnxSubject({ id: "m", bytes, queriesMax: 4 });
    await using there = await isolatedOnnx({ id: "m", bytes, queriesMax: 4 });
    const [a, b] = [await here.scores(rows), await there.scores(rows)];
    expect([...b.scores]).toEqual([...a.scores]);
    expect([here.digest, here.budget.spent]).toEqual([there.digest, there.budget.spent]);
    expect(await code(() => there.scores(rows))).toBe("query_budget_spent");
    expect(there.budget.spent).toBe(3);
  });

  test("a damaged model, wrong rows and a hang end as coded errors, and the process with them", async () => {
    expect(await code(() => isolatedOnnx({ id: "m", bytes: Uint8Array.of(1, 2, 3), queriesMax: 9 }))).toBe("model_malformed");
    await using subject = await isolatedOnnx({ id: "m", bytes, queriesMax: 99 });
    expect(await code(() => subject.scores(rowsOf(3, new Float32Array(3))))).toBe("model_input_mismatch");
    expect((await subject.scores(rows)).rows).toBe(3);
    const slow = isolatedOnnx({ id: "m", bytes, queriesMax: 99, limits: { memoryMbMax: 512, callMsMax: 1 } });
    expect(await code(() => slow)).toBe("subject_timeout");
  });

  test("a model that takes more memory than it may is ended", async () => {
    const nodes = Array.from({ length: 40 }, (_, index) => nodeOf({ op: "Concat", in: index === 0 ? ["x", "x"] : index < 12 ? [`c${index - 1}`, `c${index - 1}`] : ["c11"], out: [index === 39 ? "y" : `c${index}`], int: { axis: 1 } }));
    const grows = modelBytes({ input: "x", width: 2, output: "y", nodes });
    const subject = isolatedOnnx({ id: "m", bytes: grows, queriesMax: 1e6, limits: { memoryMbMax: 250, callMsMax: 20_000 } });
    const outcome = async () => {
      await using running = await subject;
      await running.scores(rowsOf(2, new Float32Array(2 * 2000)));
    };
    await expect(outcome()).rejects.toThrow("took more than 250 MB of memory");
  });
});

const quick = { callMsMax: 2000, attemptsMax: 3, batchRowsMax: 2, inFlightMax: 2, queriesMax: 100 };
const answer = (body: string, version = "7") => {
  const { id, inputs } = JSON.parse(body);
  const [{ shape, data }] = inputs;
  const scores = Array.from({ length: shape[0] }, (_, row) => data[row * shape[1]] + data[row * shape[1] + 1]);
  return { model_name: "risk-net", model_version: version, id, outputs: [{ name: "y", datatype: "FP32", shape: [shape[0]], data: scores }] };
};

describe("a model behind the Open Inference Protocol", () => {
  test("is asked in batches and answers in the order of the rows", async () => {
    await using model = await startOipModel();
    model.infer = (_request, response, body) => json(response, 200, answer(body));
    await using subject = await oipSubject({ ...quick, baseUrl: model.baseUrl, model: "risk-net" });
    const asked = rowsOf(2, Float32Array.from({ length: 14 }, (_, index) => index));
    expect([...(await subject.scores(asked)).scores]).toEqual([1, 5, 9, 13, 17, 21, 25]);
    expect(model.received.filter(({ path }) => path.startsWith("POST"))).toHaveLength(4);
    await subject.settle();
  });

  test("429 and 503 are tried again with the same id; 400 and 500 are not", async () => {
    await using model = await startOipModel();
    const statuses = [429, 503, 200];
    model.infer = (_request, response, body) => {
      const status = statuses.shift() ?? 200;
      json(response, status, status === 200 ? answer(body) : {});
    };
    await using subject = await oipSubject({ ...quick, baseUrl: model.baseUrl, model: "risk-net" });
    expect((await subject.scores(rowsOf(2, Float32Array.of(1, 2)))).scores[0]).toBe(3);
    const ids = model.received.filter(({ path }) => path.startsWith("POST")).map(({ body }) => JSON.parse(body).id);
    expect([ids.length, new Set(ids).size]).toEqual([3, 1]);
    for (const [status, expected] of [[400, "subject_refused"], [500, "subject_failed"]] as const) {
      model.received.length = 0;
      model.infer = (_request, response) => json(response, status, {});
      expect(await code(() => subject.scores(rowsOf(2, Float32Array.of(1, 2))))).toBe(expected);
      expect(model.received).toHaveLength(1);
    }
  });

  test("when it says that it has too much to do, everybody waits as long as it asks", async () => {
    await using model = await startOipModel();
    const arrived: number[] = [];
    let refusedAt = Infinity;
    model.infer = (_request, response, body) => {
      arrived.push(performance.now());
      if (refusedAt < Infinity) return json(response, 200, answer(body));
      refusedAt = performance.now();
      response.setHeader("retry-after", "0.4");
      return json(response, 429, {});
    };
    await using subject = await oipSubject({ ...quick, inFlightMax: 2, baseUrl: model.baseUrl, model: "risk-net" });
    const asked = rowsOf(2, Float32Array.from({ length: 20 }, (_, index) => index));
    expect([...(await subject.scores(asked)).scores]).toEqual([1, 5, 9, 13, 17, 21, 25, 29, 33, 37]);
    // Of two at once the other was on its way; nothing new is sent.
    expect(arrived.filter((at) => at < refusedAt + 390).length).toBeLessThanOrEqual(2);
    expect(arrived).toHaveLength(6);
  });

  test("a batch that is never answered leaves its rows unassessed; when none is answered the reason is thrown", async () => {
    await using model = await startOipModel();
    model.infer = (_request, response, body) => (JSON.parse(body).inputs[0].data[0] === 4 ? undefined : json(response, 200, answer(body)));
    await using subject = await oipSubject({ ...quick, callMsMax: 300, baseUrl: model.baseUrl, model: "risk-net" });
    const scores = (await subject.scores(rowsOf(2, Float32Array.from({ length: 12 }, (_, index) => index)))).scores;
    expect([...scores]).toEqual([1, 5, Number.NaN, Number.NaN, 17, 21]);
    expect(await code(() => subject.scores(rowsOf(2, Float32Array.of(4, 5))))).toBe("subject_timeout");
  });

  test("another version in between, or other metadata at the end, is stale", async () => {
    await using model = await startOipModel();
    let version = "7";
    model.infer = (_request, response, body) => json(response, 200, answer(body, version));
    await using subject = await oipSubject({ ...quick, baseUrl: model.baseUrl, model: "risk-net" });
    await subject.scores(rowsOf(2, Float32Array.of(1, 2)));
    version = "8";
    expect(await code(() => subject.scores(rowsOf(2, Float32Array.of(1, 2))))).toBe("subject_stale");
    model.metadata = { name: "risk-net", versions: ["8"], inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }], outputs: [] };
    expect(await code(() => subject.settle())).toBe("subject_stale");
  });

  test.each([
    ["no JSON", "<html>"],
    ["another call's id", { id: "other", outputs: [{ name: "y", datatype: "FP32", shape: [1], data: [1] }] }],
    ["too few rows", { outputs: [{ name: "y", datatype: "FP32", shape: [3], data: [1, 2, 3] }] }],
    ["a shape that its data do not fill", { outputs: [{ name: "y", datatype: "FP32", shape: [1, 5], data: [1] }] }],
  ])("an answer with %s is a failure of the system, never a score", async (_name, body) => {
    await using model = await startOipModel();
    model.infer = (_request, response) => json(response, 200, body);
    await using subject = await oipSubject({ ...quick, baseUrl: model.baseUrl, model: "risk-net" });
    expect(await code(() => subject.scores(rowsOf(2, Float32Array.of(1, 2))))).toBe("subject_failed");
  });
});

describe("any HTTP interface by a mapping", () => {
  test("rows go where the mapping says and scores come from where it says; what is no number is unassessed", async () => {
    const bodies: unknown[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
      request.on("end", () => {
        const parsed = JSON.parse(body);
        bodies.push(parsed);
        json(response, 200, { result: { predictions: parsed.data.rows.map((row: { age: number }) => ({ no: 1 - row.age, yes: row.age > 5 ? "high" : row.age })) } });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/score`;
    await using subject = httpSubject({ ...quick, batchRowsMax: 10, id: "api", url, body: { data: { source: "test" } }, rowsAt: "/data/rows", features: ["age", "income"], scoresAt: "/result/predictions", scoreNames: ["no", "yes"] });
    const { columns, scores } = await subject.scores(rowsOf(2, Float32Array.of(0.25, 1, 9, 2)));
    expect([columns, ...scores]).toEqual([2, 0.75, 0.25, -8, Number.NaN]);
    expect(bodies).toEqual([{ data: { source: "test", rows: [{ age: 0.25, income: 1 }, { age: 9, income: 2 }] } }]);
    const wrong = httpSubject({ ...quick, id: "api", url, body: { data: {} }, rowsAt: "/data/rows", features: ["age"], scoresAt: "/nothing/here" });
    expect(await code(() => wrong.scores(rowsOf(2, Float32Array.of(0.25, 1))))).toBe("subject_failed");
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  });
});
