import OpenAI, { APIError } from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { credential, messages, startGoverned, type Governed } from "../../../../test/unit/support/governed.ts";
import { rawPost, rawRequest } from "../../../../test/unit/support/raw-client.ts";

let governed: Governed;

beforeEach(async () => {
  governed = await startGoverned({ limits: { requestMs: 1500, headersMs: 1000, upstream: { headersMs: 300, idleMs: 300, totalMs: 5000 } } });
});

afterEach(async () => {
  await governed[Symbol.asyncDispose]();
});

function ask() {
  return governed.client.chat.completions.create({ model: "chat", messages });
}

async function failure(call: Promise<unknown>): Promise<APIError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(APIError);
  return error as APIError;
}

/** Reads a stream to its end; the text that came, and the error that ended it. */
async function readStream(): Promise<{ text: string; error: unknown }> {
  let text = "";
  try {
    const stream = await governed.client.chat.completions.create({ model: "chat", messages, stream: true });
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
    }
  } catch (error) {
    return { text, error };
  }
  return { text, error: undefined };
}

async function eventually(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(condition()).toBe(true);
}

function outcome(): Record<string, unknown> {
  return governed.bodies("gateway.outcome").at(-1) ?? {};
}

describe("an upstream that fails", () => {
  test.each([false, true])("half a surrogate pair as finish reason costs nobody the outcome (streamed: %s)", async (stream) => {
    // Cut at 40 characters it would end between the halves of its last one; what is no word of the protocol is not kept at all.
    const choice = { index: 0, finish_reason: `${"x".repeat(39)}\u{1f600}`, delta: { content: "a" }, message: { role: "assistant", content: "a" } };
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const chunk = JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [choice], usage });
    governed.upstream.mode = { kind: "raw", contentType: stream ? "text/event-stream" : "application/json", body: stream ? `data: ${chunk}\n\ndata: [DONE]\n\n` : chunk };
    const answer = await governed.post("/openai/v1/chat/completions", JSON.stringify({ model: "chat", messages, stream }));
    expect(answer.status).toBe(200);
    await answer.text();
    expect(governed.bodies("gateway.decision")).toHaveLength(1);
    expect(outcome()).toMatchObject({ finish: "complete", finishReasons: ["other"] });
  });

  test("a hang ends in a coded timeout", async () => {
    governed.upstream.mode = { kind: "hang" };
    const error = await failure(ask());
    expect([error.status, error.code]).toEqual([504, "upstream_timeout"]);
    expect(outcome()).toMatchObject({ status: 504, code: "upstream_timeout", abortedBy: "upstream", upstreamStatus: null });
  });

  test("a reset is a coded 502", async () => {
    governed.upstream.mode = { kind: "reset" };
    const error = await failure(ask());
    expect([error.status, error.code]).toEqual([502, "upstream_unreachable"]);
    expect(outcome()).toMatchObject({ finish: "failed", code: "upstream_unreachable" });
  });

  test("a provider that is down is a coded 502", async () => {
    await governed.upstream[Symbol.asyncDispose]();
    const error = await failure(ask());
    expect([error.status, error.code]).toEqual([502, "upstream_unreachable"]);
  });

  test.each([
    [429, 429],
    [500, 500],
    [400, 400],
    [401, 502],
    [403, 502],
    [302, 502],
  ])("status %i is passed on as %i with its code and what the provider said", async (status, passed) => {
    governed.upstream.mode = { kind: "status", status, headers: { "retry-after": "7", location: "http://169.254.169.254/", "set-cookie": "a=b" } };
    const error = await failure(ask());
    expect([error.status, error.code, error.type]).toEqual([passed, "upstream_error", "upstream_error"]);
    expect(error.error).toMatchObject({ licet: { upstream: { status, code: "simulated_code" } } });
    expect(error.headers?.get("retry-after")).toBe("7");
    expect(error.headers?.get("location")).toBeNull();
    expect(error.headers?.get("set-cookie")).toBeNull();
    expect(outcome()).toMatchObject({ upstreamStatus: status, status: passed });
  });

  test("a provider's error that quotes a key is passed on without its words", async () => {
    const body = JSON.stringify({ error: { message: "Incorrect API key provided: sk-abcR7fK2mQ9xLw4Tz8Vb3Nc6Hd1", code: "invalid" } });
    governed.upstream.mode = { kind: "status", status: 401, body };
    const error = await failure(ask());
    expect(JSON.stringify(error.error)).not.toContain("sk-abc");
  });

  test.each([
    ["text that is not JSON", "not json"],
    ["JSON that is no completion", "[]"],
    ["half of a completion", '{"choices":[{"index":0,"mess'],
  ])("%s is a coded 502", async (_, body) => {
    governed.upstream.mode = { kind: "raw", contentType: "application/json", body };
    const error = await failure(ask());
    expect([error.status, error.code]).toEqual([502, "upstream_invalid"]);
  });

  test("an answer of 100 MB is a coded 502, and is not read to its end", async () => {
    governed.upstream.mode = { kind: "large", bytes: 100 * 1024 * 1024 };
    const error = await failure(ask());
    expect([error.status, error.code]).toEqual([502, "upstream_too_large"]);
    expect(outcome()).toMatchObject({ abortedBy: "limit" });
    await eventually(() => governed.upstream.aborted === 1);
  });

  test.each(["reset", "end"] as const)("a stream that breaks off (%s) is an error to the client, never an end", async (how) => {
    governed.upstream.mode = { kind: "midstream", pieces: ["first ", "second "], how };
    const { text, error } = await readStream();
    expect(error).toBeInstanceOf(Error);
    expect("first second ").toContain(text);
    expect(outcome()).toMatchObject({ finish: "failed", abortedBy: "upstream", usage: null });
  });

  test("on the wire a broken stream holds an error event, and neither [DONE] nor the end of the chunked body", async () => {
    governed.upstream.mode = { kind: "midstream", pieces: ["first ", "second "], how: "reset" };
    const body = JSON.stringify({ model: "chat", messages, stream: true });
    const { text } = await rawRequest(governed.origin, rawPost("/openai/v1/chat/completions", { credential, body }));
    expect(text).toContain('"content":"first "');
    expect(text).toContain('"code":"upstream_unreachable"');
    expect(text).not.toContain("[DONE]");
    expect(text.endsWith("0\r\n\r\n")).toBe(false);
  });

  test("nothing that a provider sends after [DONE] reaches the client", async () => {
    const chunk = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
    governed.upstream.mode = { kind: "raw", contentType: "text/event-stream", body: `${chunk("before")}data: [DONE]\n\n${chunk("after")}` };
    const body = JSON.stringify({ model: "chat", messages, stream: true });
    const { text } = await rawRequest(governed.origin, rawPost("/openai/v1/chat/completions", { credential, body }), { waitMs: 500 });
    expect(text).toMatch(/before.*\[DONE\]/su);
    expect(text).not.toContain("after");
  });

  test("a stream that is not JSON inside is an error to the client", async () => {
    governed.upstream.mode = { kind: "raw", contentType: "text/event-stream", body: "data: {not json}\n\ndata: [DONE]\n\n" };
    const { error } = await readStream();
    expect(error).toMatchObject({ status: 502, code: "upstream_invalid" });
  });
});

describe("an answer that must not leave", () => {
  test.each([
    ["in one piece", ["write to jo.secret@example.com now"]],
    ["over many pieces", ["write to jo.sec", "ret@", "exam", "ple.c", "om now"]],
    ["at the very end", ["write to jo.secret@example.c", "om"]],
  ])("an address %s never reaches the client, and the stream ends in an error", async (_, pieces) => {
    governed.upstream.mode = { kind: "answer", pieces };
    const { text, error } = await readStream();
    expect("write to ").toContain(text);
    expect(error).toBeInstanceOf(APIError);
    expect((error as APIError).code).toBe("answer_outside_boundary");
    expect(outcome()).toMatchObject({ finish: "refused", abortedBy: "boundary", findings: [{ type: "email", dataClass: "personal", count: 1 }] });
  });

  test.each([
    ["plain", ['{"to":"jo.sec', 'ret@example.com"}']],
    ["escaped", ['{"to":"jo.secret\\u00', '40example.com"}']],
  ])("an address in %s tool arguments never reaches the client", async (_, toolArguments) => {
    governed.upstream.mode = { kind: "answer", toolArguments };
    const body = JSON.stringify({ model: "chat", messages, stream: true });
    const { text } = await rawRequest(governed.origin, rawPost("/openai/v1/chat/completions", { credential, body }));
    expect(text).not.toContain("secret");
    expect(text).toContain("answer_outside_boundary");
  });
});

describe("stopping", () => {
  const endless = Array.from({ length: 1000 }, (_, i) => `word${i} `);

  async function streaming(): Promise<{ next: () => Promise<IteratorResult<unknown>> }> {
    governed.upstream.mode = { kind: "paced", pieces: endless, intervalMs: 20 };
    const stream = await governed.client.chat.completions.create({ model: "chat", messages, stream: true });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    return { next: () => iterator.next() };
  }

  async function untilError(stream: { next: () => Promise<IteratorResult<unknown>> }): Promise<unknown> {
    try {
      for (let next = await stream.next(); next.done !== true; next = await stream.next()) {
        // reads on until the stream is cut
      }
    } catch (error) {
      return error;
    }
    return undefined;
  }

  test("cutting a system ends its streams with the reason, and the provider is let go", async () => {
    const stream = await streaming();
    expect(governed.gateway.cut({ space: "main", system: "another" })).toBe(0);
    expect(governed.gateway.cut({ space: "other" })).toBe(0);
    expect(governed.gateway.cut({ space: "main", system: "helpdesk" })).toBe(1);
    expect(await untilError(stream)).toMatchObject({ code: "held" });
    await eventually(() => governed.upstream.aborted === 1);
    await eventually(() => governed.gateway.inFlight === 0);
    expect(outcome()).toMatchObject({ finish: "refused", abortedBy: "hold", code: "held" });
  });

  test("a hold in the snapshot reaches a stream in flight though nobody calls cut", async () => {
    const stream = await streaming();
    governed.stand({ holds: [{ id: "hold_1", scope: "system", system: "helpdesk", reason: "wrong answers" }] });
    expect(await untilError(stream)).toMatchObject({ code: "held" });
  });

  test("a stream is cut when the change feed stays silent", async () => {
    const stream = await streaming();
    governed.clock.advance(1000);
    expect(await untilError(stream)).toMatchObject({ code: "snapshot_stale" });
    await eventually(() => outcome()["abortedBy"] === "snapshot");
  });

  test("a hold placed while the decision is being written stops the call before it is sent", async () => {
    governed.ledger.delayMs = 100;
    const call = failure(ask());
    await eventually(() => governed.gateway.inFlight === 1);
    governed.gateway.cut({ space: "main" });
    expect(await call).toMatchObject({ code: "held" });
    expect(governed.upstream.received).toHaveLength(0);
  });

  test("a standing that falls while the decision is being written stops the call, though nobody cuts it and no sweep comes", async () => {
    await governed[Symbol.asyncDispose]();
    governed = await startGoverned({ limits: { sweepMs: 60_000 } });
    governed.ledger.delayMs = 100;
    const call = failure(ask());
    await eventually(() => governed.gateway.inFlight === 1);
    governed.stand({ holds: [{ id: "hold_1", scope: "system", system: "helpdesk", reason: "wrong answers" }] });
    expect(await call).toMatchObject({ code: "held" });
    expect(governed.upstream.received).toHaveLength(0);
    expect(outcome()).toMatchObject({ code: "held" });
  });

  test("a client that leaves ends the exchange with the provider, and the outcome is recorded", async () => {
    governed.upstream.mode = { kind: "paced", pieces: endless, intervalMs: 20 };
    const abort = new AbortController();
    const stream = await governed.client.chat.completions.create({ model: "chat", messages, stream: true }, { signal: abort.signal });
    await stream[Symbol.asyncIterator]().next();
    abort.abort();
    await eventually(() => governed.upstream.aborted === 1);
    await eventually(() => outcome()["abortedBy"] === "client");
    expect(outcome()).toMatchObject({ finish: "aborted", status: 499, code: null, usage: null });
  });

  test("a client that leaves before its call is sent neither reaches the provider nor holds a place", async () => {
    governed.ledger.delayMs = 100;
    const abort = new AbortController();
    const call = governed.client.chat.completions.create({ model: "chat", messages }, { signal: abort.signal });
    await eventually(() => governed.gateway.inFlight === 1);
    abort.abort();
    await expect(call).rejects.toThrow("aborted");
    await eventually(() => governed.gateway.inFlight === 0);
    expect(governed.upstream.received).toHaveLength(0);
    expect(outcome()).toMatchObject({ abortedBy: "client" });
  });

  test("many clients that leave at once do not stop the gateway", async () => {
    governed.upstream.mode = { kind: "paced", pieces: endless, intervalMs: 5 };
    const leaving = Array.from({ length: 60 }, async (_, i) => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), i % 30);
      const signal = abort.signal;
      const stream = await governed.client.chat.completions.create({ model: "chat", messages, stream: true }, { signal });
      for await (const _chunk of stream) {
        // reads until it leaves
      }
    });
    await Promise.allSettled(leaving);
    await eventually(() => governed.gateway.inFlight === 0);
    governed.upstream.mode = { kind: "answer" };
    expect((await ask()).choices[0]?.message.content).toBe("hello");
    const allowed = governed.bodies("gateway.decision").filter(({ decision }) => decision === "allow");
    expect(governed.bodies("gateway.outcome")).toHaveLength(allowed.length);
    expect(governed.failures).toEqual([]);
  });

  test("closing waits for a call in flight and its outcome", async () => {
    governed.upstream.mode = { kind: "answer" };
    governed.ledger.delayMs = 50;
    const call = ask();
    await eventually(() => governed.gateway.inFlight === 1);
    const closed = governed.gateway.close();
    expect((await call).choices[0]?.message.content).toBe("hello");
    await closed;
    expect(governed.bodies("gateway.outcome")).toHaveLength(1);
  });
});

describe("hostile senders", () => {
  test("headers that never end are cut off", async () => {
    const answer = await rawRequest(governed.origin, "POST /openai/v1/chat/completions HTTP/1.1\r\nhost: x\r\n");
    expect(answer.ended).not.toBe("timeout");
  });

  test("a body that never ends is cut off, and no call is left behind", async () => {
    const head = rawPost("/openai/v1/chat/completions", { credential, body: "" }).replace("content-length: 0", "content-length: 500");
    const answer = await rawRequest(governed.origin, `${head}{"model":`);
    expect(answer.ended).not.toBe("timeout");
    await eventually(() => governed.gateway.inFlight === 0);
  });

  test("a header of 20 KB is refused in JSON", async () => {
    const answer = await rawRequest(governed.origin, `GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: ${"a".repeat(20_000)}\r\n\r\n`);
    expect(answer.text).toContain("request_unreadable");
  });

  test("a WebSocket upgrade is refused in JSON", async () => {
    const upgrade = "GET /openai/v1/responses HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGVzdA==\r\nsec-websocket-version: 13\r\n\r\n";
    const answer = await rawRequest(governed.origin, upgrade);
    expect(answer.text).toMatch(/^HTTP\/1\.1 403 .*websocket_denied/su);
  });

  test("a declared length over the limit is refused before a byte of the body is read", async () => {
    const head = rawPost("/openai/v1/chat/completions", { credential, body: "" }).replace("content-length: 0", "content-length: 99999999");
    const answer = await rawRequest(governed.origin, head);
    expect(answer.text).toContain("body_too_large");
  });

  test("more calls than the gateway may carry are refused", async () => {
    await using small = await startGoverned({ limits: { callsMax: 1 } });
    small.upstream.mode = { kind: "hang" };
    const first = small.client.chat.completions.create({ model: "chat", messages }).catch(() => undefined);
    await eventually(() => small.upstream.received.length === 1);
    const client = new OpenAI({ baseURL: `${small.origin}/openai/v1`, apiKey: credential, maxRetries: 0 });
    expect(await failure(client.chat.completions.create({ model: "chat", messages }))).toMatchObject({ status: 503, code: "gateway_busy" });
    small.gateway.cut({});
    await first;
  });
});
