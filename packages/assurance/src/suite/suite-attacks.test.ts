import { describe, expect, test } from "vitest";
import { AssuranceSection } from "@licet/contract";
import { json, type OipModel, startOipModel } from "../../../../test/unit/support/oip-model.ts";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { linearModel } from "../../../../test/unit/support/small-models.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";
import { rederive } from "../verdict/rederive.ts";
import { suiteReport } from "./run-suite.ts";

const echo = modelBytes({ input: "x", width: 1, output: "y", nodes: [nodeOf({ op: "Identity", in: ["x"], out: ["y"] })] });
const noise = (at: number, step: number) => (at * step) % 1;

describe("privacy.epsilon over one training run", () => {
  const on = { check: "privacy.epsilon", model: "model", dataset: "canaries", target: "y", positive: 1 };
  /** Canaries with a score each: of those that were included `known` of ten are known by heart. */
  const canaries = (count: number, known: number, coin = (at: number) => noise(at + 1, 0.618034) < 0.5) =>
    ["s,y,in", ...Array.from({ length: count }, (_, at) => [coin(at) && at % 10 < known ? 0.999 : 0.2 + noise(at + 1, 0.754878) / 2, 1, Number(coin(at))].join(","))].join("\n");
  const audit = (table: string, max: number, guesses = 400) => checkResult({ ...on, max, canaries: { included: "in", guesses } }, { model: echo, canaries: table });

  test("a model that knows its canaries refutes a small epsilon, and one that knows none contradicts nothing", async () => {
    expect(await audit(canaries(1000, 10), 0.5)).toMatchObject({ verdict: "fail", interval: { method: "steinke-2023-one-run" }, inputs: [{ role: "test", id: "canaries" }] });
    expect((await audit(canaries(1000, 0), 2)).verdict).toBe("pass");
  });

  test("so few guesses that all of them right would not refute it show nothing", async () => {
    expect(await audit(canaries(1000, 0), 6, 20)).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
  });

  test("coins that are not fair break the theorem, and the record says so again", async () => {
    const unfair = await audit(canaries(1000, 0, (at) => at % 3 > 0), 2);
    expect(unfair).toMatchObject({ verdict: "insufficient_evidence", reason: "inconsistent_import" });
    const fair = await audit(canaries(1000, 0), 2);
    if (fair.basis.kind !== "statistics") throw new Error("no figures");
    const forged = { ...fair, basis: { ...fair.basis, figures: { ...fair.basis.figures, included: 900 } } };
    expect(rederive(forged).agrees).toBe(false);
  });

  test("scores without any difference are guessed by lot, whatever the order of the file", async () => {
    const sorted = ["s,y,in", ...Array.from({ length: 1000 }, (_, at) => `0.5,1,${Number(at < 500)}`)].join("\n");
    expect((await audit(sorted, 0.5)).verdict).not.toBe("fail");
  });

  test("a column that is no coin, and features that hold it, are errors; so are members and canaries together", async () => {
    expect(await audit("s,y,in\n0.5,1,2", 1)).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
    expect(await checkResult({ ...on, max: 1, features: ["in"], canaries: { included: "in", guesses: 10 } }, { model: echo, canaries: canaries(50, 0) })).toMatchObject({ verdict: "errored", error: { code: "model_input_mismatch" } });
    const both = { id: "c", ...on, max: 1, members: "train", canaries: { included: "in", guesses: 10 } };
    expect(AssuranceSection.safeParse({ checks: [both] }).success).toBe(false);
    expect(AssuranceSection.safeParse({ checks: [{ id: "c", ...on, max: 1 }] }).success).toBe(false);
  });
});

describe("privacy.extraction", () => {
  const model = linearModel([4, -2], 0);
  const rows = (count: number, from: number) => ["a,b,y", ...Array.from({ length: count }, (_, at) => [noise(at + from, 0.618034) - 0.5, noise(at + from, 0.754878) - 0.5, 0].join(","))].join("\n");
  const copied = (max: number, test_ = rows(400, 5000), more = {}) => checkResult({ check: "privacy.extraction", model: "model", dataset: "test", attacker: "theirs", target: "y", max, ...more }, { model, test: test_, theirs: rows(300, 1) });

  test("a linear rule is copied with few questions: a low limit fails, and one that allows it passes", async () => {
    const result = await copied(0.7);
    expect(result).toMatchObject({ verdict: "fail", inputs: [{ role: "test" }, { role: "reference", id: "theirs" }], cost: { queries: 700 } });
    expect(result.estimate).toBeGreaterThan(0.9);
    expect((await copied(0.7, rows(400, 5000), { queries: 4 })).estimate).toBeLessThan(result.estimate ?? 0);
    expect((await copied(1)).verdict).toBe("pass");
  });

  test("rows that were asked are not unseen, few rows say nothing, and a wrong column is an error", async () => {
    expect(await copied(0.7, rows(300, 1))).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
    expect((await copied(0.95, rows(8, 5000))).verdict).toBe("insufficient_evidence");
    expect(await copied(0.7, "a,c\n1,2")).toMatchObject({ verdict: "errored" });
  });
});

describe("privacy.attribute", () => {
  /** The first feature is secret; the model's answer is the secret, or has nothing to do with it. */
  const rows = (count: number) => ["secret,other,y", ...Array.from({ length: count }, (_, at) => {
    const secret = Number(noise(at + 1, 0.618034) < 0.5);
    return [secret, noise(at + 1, 0.754878), secret].join(",");
  })].join("\n");
  const told = (weights: readonly number[], count: number, more = {}) => checkResult({ check: "privacy.attribute", model: "model", dataset: "test", target: "y", positive: 1, attribute: "secret", ...more }, { model: linearModel(weights, weights[0] === 0 ? 0.1 : -4), test: rows(count) });

  test("a model that gives the secret away fails, one that does not know it passes, and few rows are open", async () => {
    expect(await told([8, 0], 500)).toMatchObject({ verdict: "fail" });
    expect(await told([0, 0.2], 900)).toMatchObject({ verdict: "pass" });
    expect((await told([8, 0], 3)).verdict).toBe("insufficient_evidence");
  });

  test("an attribute that the model does not take, or with a value for every row, is an error", async () => {
    expect(await told([8, 0], 200, { attribute: "nobody" })).toMatchObject({ verdict: "errored", error: { code: "table_column_missing" } });
    expect(await told([8, 0], 200, { attribute: "other" })).toMatchObject({ verdict: "errored", error: { code: "table_value_invalid" } });
  });
});

describe("ops.latency", () => {
  const table = ["x1,x2", ...Array.from({ length: 50 }, (_, at) => `${at},${at % 3}`)].join("\n");
  const answer = (body: string) => {
    const { id, inputs } = JSON.parse(body);
    return { id, model_name: "risk-net", outputs: [{ name: "y", datatype: "FP32", shape: [inputs[0].shape[0], 1], data: Array.from({ length: inputs[0].shape[0] }, () => 0.5) }] };
  };
  const timed = (model: OipModel, more: object = {}) => checkResult({ check: "ops.latency", model: "model", dataset: "test", calls: 100, max: 60, ...more }, { test: table }, "s", { models: { served: { model: { address: model.baseUrl, model: "risk-net", digest: `sha256:${"ab".repeat(32)}`, scoring: { protocol: "oip", timeoutMs: 500 } } } } });

  test("a quick endpoint passes, a slow one fails, and few calls cannot pass", async () => {
    await using model = await startOipModel();
    model.infer = (_request, response, body) => json(response, 200, answer(body));
    expect(await timed(model, { max: 400, inFlight: 4 })).toMatchObject({ verdict: "pass", counts: { attempted: 100, unassessed: 0 }, subject: { kind: "oip" } });
    expect(await timed(model, { max: 400, calls: 20 })).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few", requiredN: 59 });
    model.infer = (_request, response, body) => setTimeout(() => json(response, 200, answer(body)), 30);
    expect(await timed(model, { max: 10, inFlight: 16 })).toMatchObject({ verdict: "fail" });
  });

  test("a system gains nothing by not answering, and one that never answers shows nothing", async () => {
    await using model = await startOipModel();
    let calls = 0;
    model.infer = (request, response, body) => ((calls += 1) % 5 === 0 ? void request.socket.destroy() : json(response, 200, answer(body)));
    const result = await timed(model, { max: 400, warmUp: 0, inFlight: 4 });
    expect(result).toMatchObject({ verdict: "fail", estimate: null });
    expect(result.notes.join()).toContain("20 without an answer");
    model.infer = (request) => void request.socket.destroy();
    expect(await timed(model)).toMatchObject({ verdict: "insufficient_evidence", reason: "unanswered" });
    expect(model.received.filter(({ path }) => path.startsWith("POST")).length).toBeLessThan(150);
  });

  test("how fast a file runs here says nothing", async () => {
    expect(await checkResult({ check: "ops.latency", model: "model", dataset: "test", max: 60 }, { test: table, model: linearModel([1, 1], 0) })).toMatchObject({ verdict: "errored", error: { code: "endpoint_unknown" } });
  });
});

describe("data.poison", () => {
  /** Ten rows of class b stand apart from it, among those of class a. */
  const table = ["u,v,label", ...Array.from({ length: 200 }, (_, at) => {
    const planted = at >= 100 && at < 110;
    const centre = at < 100 || planted ? 0 : 10;
    return [centre + noise(at + 1, 0.618034), centre + noise(at + 1, 0.754878), at < 100 ? "a" : "b"].join(",");
  })].join("\n");
  const looked = (check: object, test_ = table) => checkResult({ advisory: true, dataset: "test", label: "label", ...check }, { test: test_ });

  test.each(["data.poison.spectral", "data.poison.clusters", "data.poison.neighbours"])("%s names planted rows by their place in the table and decides nothing", async (check) => {
    const found = await looked({ check });
    expect(found).toMatchObject({ verdict: "insufficient_evidence", reason: "advisory", inputs: [{ role: "train", rows: 200 }] });
    expect(found.notes.join()).toMatch(/look first at rows .*\b10[1-9]\b/u);
    expect(found.estimate).toBeGreaterThanOrEqual(10);
  });

  test("a run's verdict is that of the other checks, and there is none without them", async () => {
    const [found, other] = [await looked({ check: "data.poison.neighbours" }), await checkResult({ check: "data.missing", dataset: "test", max: 0.05 }, { test: table })];
    const verdict = (results: Parameters<typeof suiteReport>[0]) => suiteReport(results, { release: null, seed: "s", startedAt: "2024-01-01T00:00:00Z", finishedAt: "2024-01-01T00:00:00Z" }).verdict;
    expect([other.verdict, verdict([other, found]), verdict([found])]).toEqual(["pass", "pass", "insufficient_evidence"]);
  });

  test.each(["data.poison.spectral", "data.poison.clusters", "data.poison.neighbours"])("%s passes nothing where there is nothing, and takes bad input as an error", async (check) => {
    expect((await looked({ check }, "u,v,label\n1,2,a")).verdict).toBe("insufficient_evidence");
    expect(await looked({ check, columns: ["label"] })).toMatchObject({ verdict: "errored" });
    expect(await looked({ check, label: "nobody" })).toMatchObject({ verdict: "errored", error: { code: "table_column_missing" } });
    expect(AssuranceSection.safeParse({ checks: [{ id: "c", check, dataset: "test", label: "label" }] }).success).toBe(false);
    expect(AssuranceSection.safeParse({ checks: [{ id: "c", check, dataset: "test", label: "label", advisory: false }] }).success).toBe(false);
  });
});
