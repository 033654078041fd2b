import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { type ChatOptions, type ChatReply, type Endpoint, openChat } from "./chat.ts";
import type { ChatRequest } from "./message.ts";
import type { SendResponse } from "./send.ts";
import { sseData } from "./sse.ts";

type Handler = (body: Readonly<Record<string, unknown>>, response: ServerResponse, request: IncomingMessage) => void;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => handler(JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>, response, request));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/v1`;
}

const hello: ChatRequest = { messages: [{ role: "system", text: "Be kind." }, { role: "user", text: "Hello" }], tokensMax: 64 };

async function ask(handler: Handler, endpoint: Partial<Endpoint> = {}, options: ChatOptions = {}): Promise<ChatReply> {
  const baseUrl = await serve(handler);
  return openChat({ dialect: "openai", model: "m", baseUrl, ...endpoint }, { timeoutMs: 5000, retriesMax: 0, ...options })(hello);
}

const json = (value: unknown): Handler => (_, response) => response.setHeader("content-type", "application/json").end(JSON.stringify(value));
const stream = (events: readonly unknown[], end: (response: ServerResponse) => unknown = (response) => response.end("data: [DONE]\n\n")): Handler => (_, response) => {
  response.setHeader("content-type", "text/event-stream");
  for (const event of events) response.write(`data: ${JSON.stringify(event)}\n\n`);
  end(response);
};
const choice = (message: unknown, finish: string | null = "stop") => ({ choices: [{ message, finish_reason: finish }], usage: { prompt_tokens: 3, completion_tokens: 2 } });
const delta = (value: unknown, finish: string | null = null) => ({ choices: [{ delta: value, finish_reason: finish }] });

describe("an OpenAI-compatible answer", () => {
  test("gives its text, its calls and its tokens, and the request carried model, messages and credential", async () => {
    let seen: unknown;
    const reply = await ask((body, response, request) => {
      seen = { body, path: request.url, authorization: request.headers.authorization };
      json(choice({ content: "Hi!", tool_calls: [{ id: "c1", type: "function", function: { name: "look", arguments: '{"at":1}' } }] }, "tool_calls"))(body, response, request);
    }, { credential: "secret" });
    expect(reply).toMatchObject({ text: "Hi!", calls: [{ id: "c1", name: "look", input: '{"at":1}' }], defect: undefined, status: 200, usage: { promptTokens: 3, completionTokens: 2 } });
    expect(seen).toMatchObject({ path: "/v1/chat/completions", authorization: "Bearer secret", body: { model: "m", max_tokens: 64, messages: [{ role: "system", content: "Be kind." }, { role: "user", content: "Hello" }] } });
  });

  test("may come in parts, as a refusal, or with a call of the old form", async () => {
    expect((await ask(json(choice({ content: [{ type: "text", text: "a" }, { type: "text", text: "b" }] })))).text).toBe("ab");
    expect((await ask(json(choice({ content: null, refusal: "I will not." })))).text).toBe("I will not.");
    expect((await ask(json(choice({ content: null, function_call: { name: "look", arguments: "{}" } })))).calls).toMatchObject([{ name: "look", input: "{}" }]);
  });

  test("is put together from a stream, its calls from their pieces", async () => {
    const events = [delta({ role: "assistant" }), delta({ content: "He" }), delta({ content: "llo" }), delta({ tool_calls: [{ index: 0, id: "c", function: { name: "look", arguments: '{"a' } }] }), delta({ tool_calls: [{ index: 0, function: { arguments: '":1}' } }] }), delta({}, "tool_calls"), { choices: [], usage: { prompt_tokens: 7, completion_tokens: 9 } }];
    expect(await ask(stream(events), { stream: true })).toMatchObject({ text: "Hello", calls: [{ name: "look", input: '{"a":1}' }], defect: undefined, usage: { promptTokens: 7, completionTokens: 9 } });
  });

  test.each([
    ["a stream that breaks off", stream([delta({ content: "Hel" })], (response) => setTimeout(() => response.destroy(), 30)), "stream_cut", "Hel"],
    ["a stream that ends without saying so", stream([delta({ content: "Hel" })], (response) => response.end()), "stream_cut", "Hel"],
    ["a stream of something else", stream([{ error: { message: "no" } }]), "malformed", ""],
    ["an answer cut for its length", json(choice({ content: "Hel" }, "length")), "length", "Hel"],
    ["an answer that was filtered", json(choice({ content: null }, "content_filter")), "content_filter", ""],
    ["an answer of no known form", json({ hello: "world" }), "malformed", ""],
    ["an answer that is no JSON", (_: unknown, response: ServerResponse) => response.end("<html>"), "malformed", ""],
    ["a body that breaks off", (_: unknown, response: ServerResponse) => (response.writeHead(200, { "content-length": "1000" }), response.write("{"), setTimeout(() => response.destroy(), 20)), "stream_cut", ""],
    ["an answer that never ends", (_: unknown, response: ServerResponse) => response.end(`{"choices":[{"message":{"content":"${"x".repeat(5_000_000)}"}}]}`), "too_large", ""],
    ["a connection that is closed", (_: unknown, response: ServerResponse) => response.destroy(), "unreachable", ""],
    ["a server error", (_: unknown, response: ServerResponse) => response.writeHead(500).end("{}"), "http_status", ""],
    ["a redirect", (_: unknown, response: ServerResponse) => response.writeHead(307, { location: "http://127.0.0.1:1/" }).end(), "http_status", ""],
  ] as readonly (readonly [string, Handler, string, string])[])("that cannot be judged says so: %s", async (_, handler, defect, text) => {
    expect(await ask(handler, { stream: handler.toString().includes("event-stream") })).toMatchObject({ defect, text });
  });

  test("is waited for as long as allowed, and no longer", async () => {
    expect(await ask(() => undefined, {}, { timeoutMs: 60 })).toMatchObject({ defect: "timeout", status: null });
    const slow = (_: unknown, response: ServerResponse) => (response.setHeader("content-type", "text/event-stream"), response.write(`data: ${JSON.stringify(delta({ content: "Hel" }))}\n\n`));
    expect(await ask(slow, { stream: true }, { timeoutMs: 120 })).toMatchObject({ defect: "timeout", text: "Hel" });
    expect(await ask(() => undefined, {}, { signal: AbortSignal.abort() })).toMatchObject({ defect: "aborted" });
  });

  test("is asked for again after 429 and 503 only, and at most as often as allowed", async () => {
    for (const [status, calls] of [[429, 3], [503, 3], [500, 1], [400, 1]] as const) {
      let asked = 0;
      const reply = await ask((_, response) => ((asked += 1), response.writeHead(status, { "retry-after": "0" }).end("{}")), {}, { retriesMax: 2 });
      expect([status, asked, reply.defect]).toEqual([status, calls, "http_status"]);
    }
  });
});

describe("an Anthropic-compatible answer", () => {
  const anthropic = { dialect: "anthropic", credential: "secret" } as const;
  const message = (content: unknown, stop = "end_turn") => ({ type: "message", role: "assistant", content, stop_reason: stop, usage: { input_tokens: 3, output_tokens: 2 } });

  test("gives its text, its calls and its tokens, and the system prompt went where it belongs", async () => {
    let seen: unknown;
    const reply = await ask((body, response, request) => {
      seen = { body, path: request.url, key: request.headers["x-api-key"], version: request.headers["anthropic-version"] };
      json(message([{ type: "text", text: "Hi!" }, { type: "tool_use", id: "t1", name: "look", input: { at: 1 } }], "tool_use"))(body, response, request);
    }, anthropic);
    expect(reply).toMatchObject({ text: "Hi!", calls: [{ id: "t1", name: "look", input: '{"at":1}' }], defect: undefined, usage: { promptTokens: 3, completionTokens: 2 } });
    expect(seen).toMatchObject({ path: "/v1/messages", key: "secret", version: "2023-06-01", body: { system: "Be kind.", messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }] } });
  });

  test("is put together from a stream", async () => {
    const events = [
      { type: "message_start", message: { usage: { input_tokens: 4, output_tokens: 1 } } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hel" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "lo" } },
      { type: "content_block_start", index: 1, content_block: { type: "tool_use", id: "t", name: "look", input: {} } },
      { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: '{"a":1}' } },
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 8 } },
      { type: "message_stop" },
    ];
    expect(await ask(stream(events, (response) => response.end()), { ...anthropic, stream: true })).toMatchObject({ text: "Hello", calls: [{ id: "t", name: "look", input: '{"a":1}' }], defect: undefined, usage: { promptTokens: 4, completionTokens: 8 } });
  });

  test.each([
    ["cut for its length", json(message([{ type: "text", text: "Hel" }], "max_tokens")), "length"],
    ["filtered", json(message([], "refusal")), "content_filter"],
    ["of no known form", json({ type: "error", error: {} }), "malformed"],
  ])("that cannot be judged says so: %s", async (_, handler, defect) => {
    expect(await ask(handler, anthropic)).toMatchObject({ defect });
  });
});

test("events of a stream are the same however their bytes are cut", async () => {
  const text = 'data: {"a":"ü"}\n\n: comment\r\n\r\nevent: x\r\ndata: one\r\ndata: two\r\n\r\ndata:[DONE]\n\ndata: lost';
  const bytes = new TextEncoder().encode(text);
  const expected = ['{"a":"ü"}', "one\ntwo", "[DONE]"];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 10 }), async (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((end, index) => bytes.slice(places[index], end));
      const found: string[] = [];
      for await (const data of sseData(from(chunks))) found.push(data);
      expect(found).toEqual(expected);
    }),
  );
});

test("a server that sends anything at all is answered by a reply, never by an exception", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.constantFrom("application/json", "text/event-stream", ""), fc.constantFrom("openai" as const, "anthropic" as const), async (bytes, contentType, dialect) => {
      const send = async (): Promise<SendResponse> => ({ status: 200, contentType, retryAfter: undefined, body: from([bytes]) });
      const reply = await openChat({ dialect, baseUrl: "https://model.example/v1", model: "m" }, { send })(hello);
      expect(reply.defect).toBeDefined();
    }),
    { numRuns: 200 },
  );
});

async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
