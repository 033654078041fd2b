import { gatewayEntries } from "@licet/contract";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { credential, deployment, messages, startGoverned, type Governed } from "../../../../test/unit/support/governed.ts";
import { rawRequest } from "../../../../test/unit/support/raw-client.ts";
import { detectionOf } from "./detect/rules.ts";
import { dialects } from "./dialects/all.ts";

let governed: Governed;

beforeEach(async () => {
  governed = await startGoverned();
});

afterEach(async () => {
  await governed[Symbol.asyncDispose]();
});

const model = { name: "chat", provider: "simulator", model: "sim-1", bounds: {} };
const everything = { classes: ["public", "internal", "personal", "sensitive", "special"], regions: ["eu"] };

interface Coded {
  readonly type?: string;
  readonly error: { readonly code?: string; readonly type: string; readonly message: string };
}

async function coded(answer: Response | Promise<Response>): Promise<{ readonly status: number; readonly body: Coded; readonly text: string }> {
  const { status, text } = await Promise.resolve(answer).then(async (got) => ({ status: got.status, text: await got.text() }));
  return { status, text, body: JSON.parse(text) as Coded };
}

describe("embeddings", () => {
  const floats = Buffer.from(new Float32Array([0.5, -0.25]).buffer).toString("base64");
  const answer = (embedding: unknown) => JSON.stringify({ object: "list", model: "sim-1", data: [{ object: "embedding", index: 0, embedding }], usage: { prompt_tokens: 4, total_tokens: 4 } });

  test("of one text and of several come through the official client as numbers, and their usage is recorded", async () => {
    governed.upstream.mode = { kind: "raw", contentType: "application/json", body: answer(floats) };
    for (const input of ["printer on fire", ["printer", "on fire"]]) {
      const { data } = await governed.client.embeddings.create({ model: "chat", input });
      expect(data[0]?.embedding).toEqual([0.5, -0.25]);
    }
    expect(governed.upstream.received.map(({ path, body }) => [path, body["input"]])).toEqual([["/v1/embeddings", "printer on fire"], ["/v1/embeddings", ["printer", "on fire"]]]);
    expect(gatewayEntries["gateway.decision"].body.parse(governed.bodies("gateway.decision")[0])).toMatchObject({ dialect: "openai.embeddings", endpoint: "/openai/v1/embeddings", scanned: "full" });
    expect(governed.bodies("gateway.outcome")[0]).toMatchObject({ usage: { prompt: 4, completion: 0, total: 4 }, finish: "complete" });
  });

  test("every text of a list is scanned", async () => {
    const { body } = await coded(governed.post("/openai/v1/embeddings", JSON.stringify({ model: "chat", input: ["fine", "jo@example.org"] })));
    expect(body.error.code).toBe("data_outside_boundary");
    expect(governed.upstream.received).toHaveLength(0);
  });

  test.each([[[1, 2, 3]], [[[1, 2], [3]]]])("numbers of tokens are refused: %j, until the release permits them by name", async (input) => {
    const body = JSON.stringify({ model: "chat", input });
    expect((await coded(governed.post("/openai/v1/embeddings", body))).body.error.code).toBe("tokens_unscannable");
    governed.stand({ deployment: deployment({ models: [{ ...model, permissions: ["tokens"] }] }) });
    governed.upstream.mode = { kind: "raw", contentType: "application/json", body: answer([0.5]) };
    expect((await governed.post("/openai/v1/embeddings", body)).status).toBe(200);
    expect(governed.bodies("gateway.decision").at(-1)).toMatchObject({ needs: ["tokens"] });
  });

  test.each([["text", "call jo@example.org"], ["a list with text", [0.5, "jo"]], ["nothing", null]])("%s in the place of an embedding is no answer", async (_, embedding) => {
    governed.upstream.mode = { kind: "raw", contentType: "application/json", body: answer(embedding) };
    expect((await coded(governed.post("/openai/v1/embeddings", JSON.stringify({ model: "chat", input: "x" })))).body.error.code).toBe("upstream_invalid");
  });
});

describe("models", () => {
  test("one of the release is shown by its name, another is not there", async () => {
    expect(await governed.client.models.retrieve("chat")).toMatchObject({ id: "chat", object: "model", owned_by: "simulator" });
    await expect(governed.client.models.retrieve("gpt-other")).rejects.toMatchObject({ status: 404, code: "model_undeclared" });
    await expect(governed.client.models.retrieve("%")).rejects.toMatchObject({ status: 404 });
  });

  test("in Anthropic's form, to a credential in `x-api-key`", async () => {
    const answer = await fetch(`${governed.origin}/anthropic/v1/models`, { headers: { "x-api-key": credential } });
    expect(await answer.json()).toEqual({
      data: ["chat", "capped"].map((id) => ({ type: "model", id, display_name: id, created_at: "1970-01-01T00:00:00Z" })),
      has_more: false,
      first_id: "chat",
      last_id: "capped",
    });
  });
});

describe("a credential", () => {
  const post = (path: string, headers: Record<string, string>) => fetch(governed.origin + path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: "{}" });

  test("in `x-api-key` counts on Anthropic's surface only", async () => {
    expect((await post("/openai/v1/chat/completions", { "x-api-key": credential })).status).toBe(401);
    expect((await post("/anthropic/v1/messages", { "x-api-key": credential })).status).toBe(400);
  });

  test("given twice is none: which of the two would be believed is nothing to guess at", async () => {
    expect((await post("/anthropic/v1/messages", { "x-api-key": credential, authorization: `Bearer ${credential}` })).status).toBe(401);
  });
});

describe("what no one checks is denied in the form of the surface that it was tried on", () => {
  test.each([
    ["PUT", "/openai/v1/files", "files_denied"],
    ["GET", "/openai/v1/files/file-1/parts", "files_denied"],
    ["POST", "/openai/v1/uploads", "files_denied"],
    ["DELETE", "/openai/v1/batches/b1", "files_denied"],
    ["POST", "/openai/v1/images/generations", "endpoint_unsupported"],
    ["GET", "/openai/v1/chat/completions", "endpoint_unsupported"],
    ["GET", "/openai/v1/responses/resp_1", "endpoint_unsupported"],
    ["DELETE", "/openai/v1/models/chat", "endpoint_unsupported"],
    ["POST", "/openai/v1/filesystem", "endpoint_unsupported"],
  ])("%s %s: %s", async (method, path, code) => {
    const answer = await fetch(governed.origin + path, { method, headers: { authorization: `Bearer ${credential}` } });
    expect((await coded(answer)).body.error).toMatchObject({ code, type: "licet_refused" });
    expect(governed.bodies("gateway.decision").at(-1)).toMatchObject({ code, endpoint: `${method} ${path}`, action: "unknown" });
    expect(governed.upstream.received).toHaveLength(0);
  });

  test.each(["/anthropic/v1/messages/batches", "/anthropic/v1/files", "/anthropic/v1/complete"])("%s", async (path) => {
    const answer = await fetch(governed.origin + path, { method: "POST", headers: { "x-api-key": credential }, body: "{}" });
    const { body, text } = await coded(answer);
    expect(body.type).toBe("error");
    expect(text).toMatch(/files_denied|endpoint_unsupported/u);
    expect(governed.upstream.received).toHaveLength(0);
  });

  test("a WebSocket, with the code that says why", async () => {
    const upgrade = "GET /openai/v1/responses HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    expect((await rawRequest(governed.origin, upgrade)).text).toMatch(/^HTTP\/1\.1 403 .*websocket_denied/su);
  });
});

describe("a refusal of every surface", () => {
  test.each(dialects.map(({ path }) => path))("%s: an unreadable body, an unknown credential and a stale snapshot are refused in its own form, and recorded", async (path) => {
    const anthropic = path.startsWith("/anthropic/");
    const check = async (answer: Promise<Response>, code: string) => {
      const { text, body } = await coded(answer);
      expect(text).toContain(code);
      expect(body.type).toBe(anthropic ? "error" : undefined);
      expect(governed.bodies("gateway.decision").at(-1)).toMatchObject({ code, decision: "deny", endpoint: path });
    };
    await check(governed.post(path, "{"), "request_unreadable");
    await check(governed.post(path, "{}", { authorization: "Bearer lic_other" }), "credential_invalid");
    governed.clock.advance(1000);
    await check(governed.post(path, "{}"), "snapshot_stale");
  });
});

describe("powers beside a question and its answer", () => {
  const image = { role: "user" as const, content: [{ type: "image_url" as const, image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } }] };
  const asks: readonly [string, object][] = [
    ["store", { store: true }],
    ["service-tier:priority", { service_tier: "priority" }],
    ["image", { messages: [...messages, image] }],
    ["server-tool:web_search", { web_search_options: {} }],
  ];

  test.each(asks)("%s is refused unless the release names it, and then recorded", async (permission, change) => {
    const body = JSON.stringify({ model: "chat", messages, ...change });
    expect((await coded(governed.post("/openai/v1/chat/completions", body))).body.error.code).toBe("permission_undeclared");
    governed.stand({ deployment: deployment({ models: [{ ...model, permissions: [permission] }] }) });
    expect((await governed.post("/openai/v1/chat/completions", body)).status).toBe(200);
    expect(governed.bodies("gateway.decision").at(-1)).toMatchObject({ decision: "allow", needs: [permission] });
  });
});

describe("a class that the organisation has redacted", () => {
  const redacting = detectionOf([{ pack: "test", section: { actions: [{ of: "email", action: "redact" }] } }]);
  const ask = (client: OpenAI, content: string, stream: boolean) => client.chat.completions.create({ model: "chat", messages: [...messages, { role: "user", content }], stream });
  /** The provider says the caller's last message back. */
  const echo = () => {
    governed.upstream.onRequest = () => {
      const said = governed.upstream.received.at(-1)?.body["messages"] as { content: string }[];
      governed.upstream.mode = { kind: "answer", pieces: (said.at(-1)?.content ?? "").match(/.{1,3}/gsu) ?? [] };
    };
  };

  test.each([false, true])("leaves as a placeholder and comes back as it was, to its caller only (streamed: %s)", async (stream) => {
    governed.stand({ detection: redacting });
    echo();
    const answer = await ask(governed.client, "write to jo.secret@example.org today", stream);
    let text = "";
    if ("choices" in answer) text = answer.choices[0]?.message.content ?? "";
    else for await (const chunk of answer) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe("write to jo.secret@example.org today");
    expect(JSON.stringify(governed.upstream.received)).not.toContain("secret");
    expect(JSON.stringify(governed.ledger.entries)).not.toContain("secret");
    expect(governed.bodies("gateway.decision")[0]).toMatchObject({ decision: "allow", redactions: [{ type: "email", count: 1 }], findings: [{ type: "email", action: "redact" }] });
  });

  test("out of a tool's arguments comes back as its value: plain in words, escaped once in arguments", async () => {
    const key = ["-----BEGIN PRIVATE KEY-----", "MIIEowIBAAKCAQEA75", "qrdXoqs7hYAQAB==", "-----END PRIVATE KEY-----"].join("\n");
    governed.stand({ deployment: deployment({ tools: [{ name: "save", digest: "sha256:save" }] }), detection: detectionOf([{ pack: "test", section: { actions: [{ of: "secret", action: "redact" }] } }]) });
    const call = { id: "call_1", type: "function", function: { name: "save", arguments: JSON.stringify({ key }) } };
    governed.upstream.onRequest = () => {
      const [placeholder = ""] = /\[private-key_[^\]]+\]/u.exec(JSON.stringify(governed.upstream.received.at(-1)?.body)) ?? [];
      const message = { role: "assistant", content: `it is ${placeholder}`, tool_calls: [{ ...call, function: { name: "save", arguments: `{"key":"${placeholder}"}` } }] };
      governed.upstream.mode = { kind: "raw", contentType: "application/json", body: JSON.stringify({ id: "c", object: "chat.completion", created: 1, model: "sim-1", choices: [{ index: 0, message, finish_reason: "stop" }] }) };
    };
    const history = [...messages, { role: "assistant", tool_calls: [call] }, { role: "tool", tool_call_id: "call_1", content: "saved" }];
    const answer = await governed.post("/openai/v1/chat/completions", JSON.stringify({ model: "chat", messages: history }));
    const { message } = (await answer.json()).choices[0];
    expect(message.content).toBe(`it is ${key}`);
    expect(JSON.parse(message.tool_calls[0].function.arguments)).toEqual({ key });
    expect(JSON.stringify(governed.upstream.received)).not.toContain("MIIEow");
  });

  test("is blocked where it stands in a name that cannot be rewritten", async () => {
    governed.stand({ detection: redacting });
    const body = JSON.stringify({ model: "chat", messages: [messages[0], { role: "user", name: "jo.secret@example.org", content: "hello" }] });
    expect((await coded(governed.post("/openai/v1/chat/completions", body))).body.error.code).toBe("data_outside_boundary");
    expect(governed.upstream.received).toHaveLength(0);
  });

  test("that the model makes up is masked in the answer, and counted", async () => {
    governed.stand({ detection: redacting, deployment: deployment({ boundary: everything }) });
    governed.upstream.mode = { kind: "answer", text: "ask ann@example.org" };
    const answer = await governed.client.chat.completions.create({ model: "chat", messages });
    expect(answer.choices[0]?.message.content).toBe("ask [email]");
    expect(governed.bodies("gateway.outcome")[0]).toMatchObject({ redactions: [{ type: "email", count: 1 }] });
  });
});

describe("the event that breaks off a stream of responses", () => {
  const at = { item_id: "msg_1", output_index: 0, content_index: 0 };
  const opened = { id: "resp_1", object: "response", created_at: 1, model: "sim-1", status: "in_progress", output: [] };
  const delta = (text: string) => ({ type: "response.output_text.delta", ...at, delta: text });
  interface Said {
    readonly type: string;
    readonly [key: string]: unknown;
  }
  const numbered = (events: readonly Said[], from = 0) => events.map((event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: from + at })}\n\n`).join("");
  const streamed = async (events: readonly Said[], later: readonly Said[] = []): Promise<{ readonly type: string; readonly sequence_number: number }[]> => {
    governed.stand({ deployment: deployment({ prompts: [] }) });
    governed.upstream.mode = { kind: "raw", contentType: "text/event-stream", body: numbered(events), later: numbered(later, events.length) };
    const answer = await governed.post("/openai/v1/responses", JSON.stringify({ model: "chat", input: "hello", stream: true }));
    let text = "";
    // The connection breaks off after the event, so that nobody takes the answer for whole.
    await answer.body?.pipeThrough(new TextDecoderStream()).pipeTo(new WritableStream({ write: (chunk) => void (text += chunk) })).catch(() => undefined);
    return [...text.matchAll(/^data: (.+)$/gmu)].map(([, data = ""]) => JSON.parse(data));
  };

  test("goes on with the numbers of those that the caller has", async () => {
    const read = await streamed([{ type: "response.created", response: opened }, delta("it "), delta("says ")], [delta("that "), delta("jo@example.org "), delta("there ")]);
    expect(read.at(-1)?.type).toBe("error");
    expect(read.length).toBeGreaterThan(1);
    expect(read.map(({ sequence_number }) => sequence_number)).toEqual(read.map((_, number) => number));
  });

  test("has the number of the end that the record did not take", async () => {
    const done = { type: "response.completed", response: { ...opened, status: "completed" } };
    governed.upstream.onRequest = () => {
      governed.ledger.broken = true;
    };
    const read = await streamed([{ type: "response.created", response: opened }, done]);
    expect(read.map(({ type, sequence_number }) => [type, sequence_number])).toEqual([["response.created", 0], ["error", 1]]);
  });
});
