import Anthropic from "@anthropic-ai/sdk";
import { APICallError, generateText, jsonSchema, streamText, tool, type LanguageModel } from "ai";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { failureOf, type ClientError } from "./client-checks.ts";
import { clientsRelease, startGatewayPlace, placeAt, type GatewayPlace } from "./gateway-place.ts";

let place: GatewayPlace;

beforeAll(async () => {
  place = await startGatewayPlace();
});

afterAll(() => place[Symbol.asyncDispose]());

afterEach(() => {
  place.provider.behaviour = {};
  place.stand(clientsRelease());
});

const messages = [{ role: "user" as const, content: "hi" }];
const mail = "Write to alice@example.com, she knows.";

function chat(change: object = {}) {
  return place.through.openai.chat.completions.create({ model: "gpt-sim", messages, ...change, stream: false });
}

function respond(change: object = {}) {
  return place.through.openai.responses.create({ model: "gpt-sim", input: "hi", ...change, stream: false });
}

function message(change: object = {}) {
  return place.through.anthropic.messages.create({ model: "claude-sim", max_tokens: 100, messages, ...change, stream: false });
}

interface Ours {
  readonly code: string;
  readonly param: string | null;
  readonly licet: { readonly decision: string; readonly policy: string; readonly remedy: string };
}

/** Our details where the client's caller finds them. */
function ours(error: ClientError): Ours {
  const body = error.error as Ours & { error?: Ours };
  return body.error ?? body;
}

describe("a refusal is an error of the client's own class, with its code and its decision", () => {
  const surfaces = [
    ["chat completions", OpenAI, chat],
    ["responses", OpenAI, respond],
    ["messages", Anthropic, message],
  ] as const;

  test.each(surfaces)("an undeclared model, by %s", async (_, sdk, call) => {
    const error = await failureOf(call({ model: "gpt-other" }));
    expect(error).toBeInstanceOf(sdk.PermissionDeniedError);
    expect(ours(error)).toMatchObject({ code: "model_undeclared", param: "model", licet: { decision: expect.stringMatching(/^dec_/u), policy: "gateway.model_undeclared" } });
    expect(error.headers?.get("x-licet-decision")).toBe(ours(error).licet.decision);
  });

  test.each(surfaces)("a field that nobody checks, by %s", async (_, sdk, call) => {
    const error = await failureOf(call({ surprise: true }));
    expect(error).toBeInstanceOf(sdk.PermissionDeniedError);
    expect(ours(error)).toMatchObject({ code: "field_unsupported", param: "surprise" });
  });

  test.each(surfaces)("a field that cannot be read, by %s", async (_, sdk, call) => {
    const error = await failureOf(call({ temperature: "warm" }));
    expect(error).toBeInstanceOf(sdk.BadRequestError);
    expect(ours(error)).toMatchObject({ code: "request_unreadable", param: "temperature" });
  });

  test.each(surfaces)("data outside the boundary in the request, which then does not leave, by %s", async (_, sdk, call) => {
    const before = place.provider.received.length;
    const error = await failureOf(call(call === respond ? { input: mail } : { messages: [{ role: "user", content: mail }] }));
    expect(error).toBeInstanceOf(sdk.PermissionDeniedError);
    expect(ours(error).code).toBe("data_outside_boundary");
    expect(place.provider.received).toHaveLength(before);
  });

  test.each(surfaces)("data outside the boundary in the answer, by %s", async (_, sdk, call) => {
    place.provider.behaviour = { text: mail };
    const error = await failureOf(call());
    expect(error).toBeInstanceOf(sdk.PermissionDeniedError);
    expect(ours(error).code).toBe("answer_outside_boundary");
    expect(JSON.stringify(error)).not.toContain("alice");
  });

  test.each(surfaces)("a release that is not authorised, by %s", async (_, sdk, call) => {
    place.stand({ ...clientsRelease(), active: false });
    const error = await failureOf(call());
    expect(error).toBeInstanceOf(sdk.PermissionDeniedError);
    expect(ours(error).code).toBe("deployment_inactive");
  });

  test("an unknown key, by both clients and both of their headers", async () => {
    const { openai, anthropic } = placeAt({ openai: `${place.governed.origin}/openai/v1`, anthropic: `${place.governed.origin}/anthropic`, key: "lic_unknown" }, place.provider);
    expect(await failureOf(openai.responses.create({ model: "gpt-sim", input: "hi" }))).toBeInstanceOf(OpenAI.AuthenticationError);
    const error = await failureOf(anthropic.messages.create({ model: "claude-sim", max_tokens: 1, messages }));
    expect(error).toBeInstanceOf(Anthropic.AuthenticationError);
    expect(error).toMatchObject({ type: "authentication_error", errorCode: "credential_invalid" });
    const bearer = new Anthropic({ apiKey: null, authToken: "lic_unknown", baseURL: `${place.governed.origin}/anthropic`, maxRetries: 0 });
    expect(await failureOf(bearer.messages.create({ model: "claude-sim", max_tokens: 1, messages }))).toBeInstanceOf(Anthropic.AuthenticationError);
  });

  test("Anthropic's client finds type, code and request id where it looks for them", async () => {
    const error = await failureOf(message({ model: "other" }));
    expect(error).toMatchObject({ type: "permission_error", errorCode: "model_undeclared", requestID: ours(error).licet.decision });
  });

  test("endpoints that nobody checks", async () => {
    expect(await failureOf(place.through.openai.completions.create({ model: "gpt-sim", prompt: "hi" }))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await failureOf(place.through.openai.responses.retrieve("resp_1"))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(ours(await failureOf(place.through.openai.files.list().asResponse())).code).toBe("permission_undeclared");
    expect(ours(await failureOf(place.through.openai.batches.list().asResponse())).code).toBe("permission_undeclared");
    expect(ours(await failureOf(place.through.openai.files.retrieve("file-1"))).code).toBe("file_unknown");
    expect(ours(await failureOf(place.through.openai.uploads.create({ bytes: 1, filename: "a.txt", mime_type: "text/plain", purpose: "user_data" }))).code).toBe("files_denied");
    expect(ours(await failureOf(place.through.anthropic.messages.batches.list().asResponse())).code).toBe("files_denied");
    expect(await failureOf(place.through.anthropic.post("/v1/complete", { body: {} }))).toBeInstanceOf(Anthropic.NotFoundError);
  });
});

describe("what the release does not permit by name is refused", () => {
  test.each([
    ["words kept at the provider", { store: true }, "store"],
    ["an answer that comes later", { background: true }, "background"],
    ["an earlier response", { previous_response_id: "resp_1" }, "previous-response"],
    ["a conversation", { conversation: "conv_1" }, "conversation"],
    ["a search of the web", { tools: [{ type: "web_search" }] }, "server-tool:web_search"],
    ["a connector", { tools: [{ type: "mcp", server_label: "crm", server_url: "https://crm.example" }] }, "connector:crm"],
  ])("%s", async (_, change, permission) => {
    const error = await failureOf(respond(change));
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(ours(error).code).toBe("permission_undeclared");
    expect(error.message).toContain(permission);
  });

  test.each([
    ["a search of the web", { tools: [{ type: "web_search_20250305", name: "web_search" }] }, "server-tool:web_search"],
    ["a container", { container: "container_1" }, "container:container_1"],
  ])("%s, by messages", async (_, change, permission) => {
    const error = await failureOf(message(change));
    expect(error).toBeInstanceOf(Anthropic.PermissionDeniedError);
    expect(error.message).toContain(permission);
  });

  test("and goes through when it is named", async () => {
    const release = clientsRelease();
    place.stand({ ...release, models: release.models.map((model) => ({ ...model, permissions: ["store", "server-tool:web_search", "beta:files-api-2025-04-14"] })) });
    await respond({ store: true, tools: [{ type: "web_search" }] });
    expect(place.provider.received.at(-1)?.body).toMatchObject({ store: true, tools: [{ type: "web_search" }] });
    await place.through.anthropic.messages.create({ model: "claude-sim", max_tokens: 1, messages }, { headers: { "anthropic-beta": "files-api-2025-04-14" } });
    expect(place.provider.received.at(-1)?.headers["anthropic-beta"]).toBe("files-api-2025-04-14");
  });

  test("and a provider is asked to keep nothing where the caller does not say", async () => {
    await respond();
    expect(place.provider.received.at(-1)?.body["store"]).toBe(false);
  });

  test("a tool that is not the one declared, by every client", async () => {
    const parameters = { type: "object", properties: { other: { type: "string" } } };
    const calls = [
      chat({ tools: [{ type: "function", function: { name: "weather", description: "w", parameters } }] }),
      respond({ tools: [{ type: "function", name: "weather", description: "w", parameters, strict: null }] }),
      message({ tools: [{ name: "weather", description: "w", input_schema: parameters }] }),
    ];
    for (const error of await Promise.all(calls.map(failureOf))) expect(ours(error)).toMatchObject({ code: "release_mismatch", licet: { component: "tool:weather" } });
  });
});

async function streamed(model: LanguageModel, said: string[], errors: unknown[]): Promise<void> {
  for await (const part of streamText({ model, prompt: "hi", maxRetries: 0, onError: () => undefined }).fullStream) {
    if (part.type === "error") errors.push(part.error);
    if (part.type === "text-delta") said.push(part.text);
  }
}

describe("a stream that must not go on ends in the client's own error", () => {
  const partly = `${"word ".repeat(40)}alice@example.com ${"more ".repeat(20)}`;

  test("responses", async () => {
    place.provider.behaviour = { text: partly };
    let text = "";
    const ended = (async () => {
      for await (const event of await place.through.openai.responses.create({ model: "gpt-sim", input: "hi", stream: true })) text += event.type === "response.output_text.delta" ? event.delta : "";
    })();
    const error = await failureOf(ended);
    expect(ours(error).code).toBe("answer_outside_boundary");
    expect(text).toMatch(/^word /u);
    expect(text).not.toContain("alice");
  });

  test("messages", async () => {
    place.provider.behaviour = { text: partly };
    const stream = place.through.anthropic.messages.stream({ model: "claude-sim", max_tokens: 100, messages });
    let text = "";
    stream.on("text", (piece) => (text += piece));
    const error = await failureOf(stream.finalMessage());
    expect(error).toMatchObject({ type: "permission_error", errorCode: "answer_outside_boundary" });
    expect(text).toMatch(/^word /u);
    expect(text).not.toContain("alice");
  });

  test("arguments of a tool, cut in the middle, by responses and messages", async () => {
    place.provider.behaviour = { calls: [{ city: "alice@example.com" }] };
    const asked = { model: "gpt-sim", input: "hi" } as const;
    const error = await failureOf(place.through.openai.responses.stream(asked).finalResponse());
    expect(ours(error).code).toBe("answer_outside_boundary");
    const stream = place.through.anthropic.messages.stream({ model: "claude-sim", max_tokens: 100, messages });
    expect(await failureOf(stream.finalMessage())).toMatchObject({ errorCode: "answer_outside_boundary" });
  });

  test("of the ai package, over all three protocols", async () => {
    for (const model of [place.through.ai.openai.chat("gpt-sim"), place.through.ai.openai("gpt-sim"), place.through.ai.anthropic("claude-sim")]) {
      place.provider.behaviour = { text: partly };
      const said: string[] = [];
      const errors: unknown[] = [];
      // First the error that the gateway says, then that of the connection which it breaks.
      await streamed(model, said, errors).catch((error: unknown) => errors.push(error));
      expect(JSON.stringify(errors[0])).toMatch(/answer_outside_boundary|permission_error/u);
      expect(said.join("")).toMatch(/^word /u);
      expect(said.join("")).not.toContain("alice");
    }
  });

  test("the ai package sees the status and the code of a refusal", async () => {
    const asked = generateText({ model: place.through.ai.anthropic("claude-other"), prompt: "hi", maxRetries: 0, tools: { weather: tool({ inputSchema: jsonSchema({ type: "object" }) }) } });
    const error: unknown = await asked.catch((reason: unknown) => reason);
    expect(APICallError.isInstance(error) && [error.statusCode, error.responseBody]).toEqual([403, expect.stringContaining("model_undeclared")]);
  });
});
