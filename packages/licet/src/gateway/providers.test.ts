import { gatewayEntries } from "@licet/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { deployment, messages, startGoverned, type Governed, type Standing } from "../../../../test/unit/support/governed.ts";
import { startUpstream } from "../../../../test/unit/support/upstream.ts";

let governed: Governed;

beforeEach(async () => {
  governed = await startGoverned({ limits: { upstream: { connectMs: 1000, headersMs: 300, idleMs: 300, totalMs: 5000 } } });
});

afterEach(async () => {
  await governed[Symbol.asyncDispose]();
});

const first = { name: "chat", provider: "simulator", model: "sim-1", bounds: {} };
const second = { name: "spare", provider: "simulator", model: "sim-2", bounds: {} };

function ask(change: object = {}): Promise<Response> {
  return governed.post("/openai/v1/chat/completions", JSON.stringify({ model: "chat", messages, ...change }));
}

/** The provider fails so often, then answers. */
function failing(times: number, status = 503): void {
  let left = times;
  governed.upstream.mode = { kind: "status", status };
  governed.upstream.onRequest = () => {
    governed.upstream.mode = left-- > 0 ? { kind: "status", status } : { kind: "answer", text: "at last" };
  };
}

function models(): unknown[] {
  return governed.upstream.received.map(({ body }) => body["model"]);
}

function standing(change: Standing = {}): void {
  governed.stand({ deployment: deployment({ models: [{ ...first, fallback: ["spare"] }, second] }), ...change });
}

describe("a model in place of another", () => {
  test.each([408, 409, 429, 500, 503])("answers when the first one's provider says %i, by a decision of its own that was there before", async (status) => {
    standing();
    let left = 1;
    const decisions: number[] = [];
    governed.upstream.onRequest = () => {
      decisions.push(governed.bodies("gateway.decision").length);
      governed.upstream.mode = left-- > 0 ? { kind: "status", status } : { kind: "answer", text: "at last" };
    };
    const answer = await ask();
    expect([answer.status, models(), decisions]).toEqual([200, ["sim-1", "sim-2"], [1, 2]]);
    const [one, two] = governed.bodies("gateway.decision");
    expect(one).toMatchObject({ upstreamModel: "sim-1", decision: "allow" });
    expect(two).toMatchObject({ upstreamModel: "sim-2", decision: "allow", fallbackOf: one?.["id"] });
    expect(answer.headers.get("x-licet-decision")).toBe(two?.["id"]);
    expect(governed.bodies("gateway.outcome")).toMatchObject([{ decision: one?.["id"], finish: "failed", upstreamStatus: status }, { decision: two?.["id"], finish: "complete" }]);
  });

  test.each([400, 401, 404, 422])("is not asked when the provider says %i: that is about the call", async (status) => {
    standing();
    failing(1, status);
    expect((await ask()).status).toBe(status === 401 ? 502 : status);
    expect(models()).toEqual(["sim-1"]);
  });

  test("is not asked when the release does not declare it", async () => {
    governed.stand({ deployment: deployment({ models: [{ ...first, fallback: ["elsewhere"] }, second] }) });
    failing(1);
    expect((await ask()).status).toBe(503);
    expect(models()).toEqual(["sim-1"]);
  });

  test("is judged like any other: what refuses it stands in the log, and the caller learns of the provider's failure", async () => {
    standing({ deployment: deployment({ models: [{ ...first, fallback: ["spare"] }, { ...second, bounds: { temperature: { max: 0.1 } } }] }) });
    failing(5);
    const answer = await ask();
    expect([answer.status, models()]).toEqual([503, ["sim-1"]]);
    expect(governed.bodies("gateway.decision")[1]).toMatchObject({ decision: "deny", code: "release_mismatch" });
  });

  test("answers when the first provider is down", async () => {
    const down = await startUpstream();
    await down[Symbol.asyncDispose]();
    const dead = { id: "dead", baseUrl: down.baseUrl, region: "eu", vendor: "test", keyRef: "main/dead", allow: ["loopback"] };
    standing({ deployment: deployment({ models: [{ ...first, provider: "dead", fallback: ["spare"] }, second] }), providers: [dead] });
    expect((await ask()).status).toBe(200);
    expect(models()).toEqual(["sim-2"]);
  });

  test("is not asked once a byte of an answer went out", async () => {
    standing();
    governed.upstream.mode = { kind: "midstream", pieces: ["turn it off "], how: "reset" };
    const answer = await ask({ stream: true });
    await expect(answer.text()).rejects.toThrow("terminated");
    expect(models()).toEqual(["sim-1"]);
    expect(governed.bodies("gateway.outcome")).toMatchObject([{ finish: "failed", partial: true }]);
  });

  test("is not asked under a hold that was placed meanwhile", async () => {
    standing();
    governed.upstream.mode = { kind: "status", status: 503 };
    governed.upstream.onRequest = () => standing({ holds: [{ id: "hold_1", scope: "all", reason: "exercise" }] });
    await ask();
    expect(models()).toEqual(["sim-1"]);
    // Refused when it would have been asked, or cut by the hold before it came to that.
    expect([...governed.bodies("gateway.decision"), ...governed.bodies("gateway.outcome")].map(({ code }) => code)).toContain("held");
  });
});

describe("sending again", () => {
  test.each([0, 1, 2])("happens %i times where the release says so, and each sending stands in the outcome", async (retries) => {
    governed.stand({ deployment: deployment({ models: [{ ...first, retries }] }) });
    failing(retries);
    const answer = await ask();
    expect([answer.status, models()]).toEqual([200, Array.from({ length: retries + 1 }, () => "sim-1")]);
    const outcome = gatewayEntries["gateway.outcome"].body.parse(governed.bodies("gateway.outcome")[0]);
    expect(outcome.attempts?.map(({ upstreamStatus }) => upstreamStatus)).toEqual(retries === 0 ? undefined : [...Array.from({ length: retries }, () => 503), 200]);
    expect(governed.bodies("gateway.decision")).toHaveLength(1);
  });

  test("ends with the provider's answer when all of them failed", async () => {
    governed.stand({ deployment: deployment({ models: [{ ...first, retries: 1 }] }) });
    failing(9);
    expect((await ask()).status).toBe(503);
    expect(models()).toHaveLength(2);
  });
});

describe("keys travel as each kind of provider takes them, and nothing of the caller's does", () => {
  test.each([
    ["openai", {}, { authorization: "Bearer sk-provider-key" }, "/v1/chat/completions"],
    ["azure", { apiVersion: "2024-10-21" }, { "api-key": "sk-provider-key" }, "/v1/chat/completions?api-version=2024-10-21"],
  ] as const)("%s", async (kind, more, expected, path) => {
    governed.stand({ provider: { kind, ...more } });
    const answer = await governed.post("/openai/v1/chat/completions", JSON.stringify({ model: "chat", messages }), { "x-api-key": "caller", "openai-organization": "org", cookie: "a=b" });
    expect(answer.status).toBe(200);
    const [request] = governed.upstream.received;
    const { authorization, "api-key": azure, "x-api-key": anthropic } = request?.headers ?? {};
    expect(JSON.parse(JSON.stringify({ authorization, "api-key": azure, "x-api-key": anthropic }))).toEqual(expected);
    expect([request?.path, request?.headers["openai-organization"], request?.headers.cookie]).toEqual([path, undefined, undefined]);
  });

  test("anthropic, with its version, to the caller that sent its credential as `x-api-key`", async () => {
    governed.stand({ deployment: deployment({ prompts: [] }), provider: { kind: "anthropic" } });
    const message = { id: "msg_1", type: "message", role: "assistant", model: "sim-1", content: [{ type: "text", text: "hello" }], stop_reason: "end_turn", stop_sequence: null, usage: { input_tokens: 3, output_tokens: 2 } };
    governed.upstream.mode = { kind: "raw", contentType: "application/json", body: JSON.stringify(message) };
    const body = JSON.stringify({ model: "chat", max_tokens: 10, messages: [{ role: "user", content: "hello" }] });
    const answer = await fetch(`${governed.origin}/anthropic/v1/messages`, { method: "POST", headers: { "x-api-key": "lic_0123456789abcdefghij", "content-type": "application/json" }, body });
    expect([answer.status, await answer.json()]).toEqual([200, message]);
    const [request] = governed.upstream.received;
    expect([request?.path, request?.headers["x-api-key"], request?.headers["anthropic-version"], request?.headers.authorization]).toEqual(["/v1/messages", "sk-provider-key", "2023-06-01", undefined]);
    expect(governed.bodies("gateway.outcome")[0]).toMatchObject({ finish: "complete", usage: { prompt: 3, completion: 2, total: 5 } });
  });

  test("a model that the release declares for scores is not asked in words", async () => {
    const { models } = deployment({});
    governed.stand({ deployment: deployment({ models: models.map((model) => ({ ...model, scores: true })) }) });
    const answer = await ask();
    expect([answer.status, await answer.json()]).toMatchObject([403, { error: { code: "provider_mismatch", message: expect.stringContaining("asked for scores, not in words") } }]);
    expect(governed.upstream.received).toHaveLength(0);
  });

  test("a call in one protocol to a provider of the other is refused", async () => {
    governed.stand({ provider: { kind: "anthropic" } });
    const answer = await ask();
    expect([answer.status, await answer.json()]).toMatchObject([403, { error: { code: "provider_mismatch" } }]);
    expect(governed.upstream.received).toHaveLength(0);
  });
});

test("limits and ids of both vendors come back, and no other header", async () => {
  const kept = { "x-request-id": "r1", "request-id": "r2", "retry-after": "3", "x-ratelimit-remaining-requests": "4", "anthropic-ratelimit-tokens-remaining": "5" };
  governed.upstream.mode = { kind: "status", status: 429, headers: { ...kept, "openai-organization": "org", "set-cookie": "a=b", server: "x" } };
  const { headers } = await ask();
  for (const [name, value] of Object.entries(kept)) expect(headers.get(name)).toBe(value);
  expect([headers.get("openai-organization"), headers.get("set-cookie"), headers.get("server")]).toEqual([null, null, null]);
});

test("a trace goes on to the provider with the gateway's own span as parent", async () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  await governed.post("/openai/v1/chat/completions", JSON.stringify({ model: "chat", messages }), { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
  const parent = String(governed.upstream.received[0]?.headers["traceparent"]);
  expect(parent.slice(0, 35)).toBe(`00-${traceId}`);
  expect(parent).not.toContain("b7ad6b7169203331");
});

test("the record tells how long a call waited for a connection, and nothing of it where none came about", async () => {
  const timings = (): unknown => governed.bodies("gateway.outcome").at(-1)?.["timings"];
  await ask();
  expect(timings()).toHaveProperty("connectionMs");
  governed.stand({ provider: { baseUrl: "http://127.0.0.1:9/v1" } });
  expect((await ask()).status).toBe(502);
  expect(timings()).not.toHaveProperty("connectionMs");
});
