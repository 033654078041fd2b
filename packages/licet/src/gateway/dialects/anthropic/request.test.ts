import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import { describe, expect, test } from "vitest";
import type { ModelCall } from "../../dialect.ts";
import { countTokens, messages } from "./dialect.ts";

type Header = (name: string) => string | undefined;
const noHeaders: Header = () => undefined;
const user = { role: "user", content: "My printer is on fire." } as const;

function parse(body: object, header: Header = noHeaders) {
  return messages.parse(Buffer.from(JSON.stringify({ model: "claude", max_tokens: 100, messages: [user], ...body })), header);
}

/** Typed by the official client, so that what is tested is what it sends. */
function read(body: Partial<MessageCreateParams>, header: Header = noHeaders): ModelCall {
  const parsed = parse(body, header);
  if ("refusal" in parsed) throw new Error(`${parsed.refusal.code}: ${parsed.refusal.message}`);
  return parsed.call;
}

function refusal(body: object, header: Header = noHeaders) {
  const parsed = parse(body, header);
  return "refusal" in parsed ? { code: parsed.refusal.code, param: parsed.refusal.param } : undefined;
}

const permissions = (body: Partial<MessageCreateParams>) => read(body).needs.map(({ permission }) => permission);
const content = (...blocks: Extract<MessageCreateParams["messages"][number]["content"], readonly unknown[]>): Partial<MessageCreateParams> => ({ messages: [{ role: "user", content: blocks }] });

describe("a request for a message", () => {
  test("has its bounds, its user, its instructions and its turns", () => {
    const system = [{ type: "text", text: "You ", cache_control: { type: "ephemeral", ttl: "1h" } }, { type: "text", text: "answer." }] as const;
    const call = read({ system: [...system], stream: true, metadata: { user_id: "u-1" }, messages: [user, { role: "system", content: "Be brief." }, user] });
    expect(call).toMatchObject({ model: "claude", stream: true, user: "u-1", answerTokensMax: 100, needs: [] });
    expect(call.parameters).toEqual({ temperature: 1, top_p: 1, max_tokens: 100, max_completion_tokens: 100 });
    expect(call.instructions).toEqual([
      { role: "system", text: "You answer.", param: "system" },
      { role: "system", text: "Be brief.", param: "messages[1].content" },
    ]);
    expect(call.messages[0]).toEqual({ role: "system", content: "You answer." });
    expect(call.request["system"]).toEqual(system);
  });

  test("names the version of its interface to the provider, and nothing else of its headers", () => {
    const headers: Readonly<Record<string, string>> = { "anthropic-version": "2023-06-01", "x-api-key": "secret", "user-agent": "x" };
    expect(read({}, (name) => headers[name]).upstreamHeaders).toEqual({ "anthropic-version": "2023-06-01" });
    expect(read({}).upstreamHeaders).toEqual({ "anthropic-version": "2023-06-01" });
    expect(refusal({}, () => "today\r\nx: y")).toEqual({ code: "request_unreadable", param: "anthropic-version" });
  });

  test("carries on what the official client's answers hold: thinking, calls, results", () => {
    const turns: MessageCreateParams["messages"] = [
      user,
      { role: "assistant", content: [{ type: "thinking", thinking: "hm", signature: "sig" }, { type: "redacted_thinking", data: "enc" }, { type: "text", text: "let me look", citations: null }, { type: "tool_use", id: "t", name: "lookup", input: { id: "alice@example.com" }, caller: { type: "direct" } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "42" }], is_error: false }] },
    ];
    const call = read({ messages: turns, thinking: { type: "enabled", budget_tokens: 1024 } });
    expect(call.needs).toEqual([]);
    expect(call.request["messages"]).toEqual(turns);
    expect(call.isFixed(["messages", 1, "content", 0, "thinking"])).toBe(true);
    expect(call.isFixed(["messages", 1, "content", 0, "signature"])).toBe(true);
    expect(call.isFixed(["messages", 1, "content", 3, "name"])).toBe(true);
    expect(call.isFixed(["messages", 1, "content", 3, "input", "id"])).toBe(false);
    expect(call.isFixed(["messages", 2, "content", 0, "content", 0, "text"])).toBe(false);
  });

  test("has its tools in the release's own form, examples counted, and its format in that of chat completions", () => {
    const schema = { type: "object" as const, properties: { city: { type: "string" } } };
    const call = read({
      tools: [{ name: "weather", description: "w", input_schema: schema, strict: true }, { type: "custom", name: "bare", input_schema: { type: "object" }, input_examples: [{ city: "Berlin" }] }],
      output_config: { format: { type: "json_schema", schema } },
    });
    expect(call.tools).toEqual([
      { name: "weather", description: "w", parameters: schema, strict: true, param: "tools[0]" },
      { name: "bare", description: "", parameters: { type: "object", examples: [{ city: "Berlin" }] }, strict: undefined, param: "tools[1]" },
    ]);
    expect(call.responseFormat).toEqual({ type: "json_schema", json_schema: { schema } });
    expect(read({}).responseFormat).toBeUndefined();
  });

  test("that only counts its tokens is read by the same rules", () => {
    const body = { model: "claude", messages: [{ role: "user", content: [{ type: "image", source: { type: "url", url: "https://x.example" } }] }], tools: [{ name: "w", input_schema: { type: "object" } }] };
    const parsed = countTokens.parse(Buffer.from(JSON.stringify(body)), noHeaders);
    expect("call" in parsed && parsed.call).toMatchObject({ stream: false, answerTokensMax: 0, parameters: {}, needs: [{ permission: "image-url" }], tools: [{ name: "w" }] });
    expect("refusal" in countTokens.parse(Buffer.from(JSON.stringify({ ...body, max_tokens: 5 })), noHeaders)).toBe(true);
    expect(countTokens.answer({ input_tokens: 12 })).toMatchObject({ value: { input_tokens: 12 }, usage: { total: 0 } });
    expect([countTokens.answer({}), countTokens.answer([]), countTokens.answer({ input_tokens: "12" })]).toEqual([undefined, undefined, undefined]);
  });
});

describe("what the release must permit by name", () => {
  const base64 = { type: "base64", media_type: "image/png", data: "AAAA" } as const;
  test.each<[string, Partial<MessageCreateParams>, string[]]>([
    ["a picture in the request", content({ type: "image", source: base64 }), ["image"]],
    ["a picture that the provider fetches", content({ type: "image", source: { type: "url", url: "https://x.example/?q=secret" } }), ["image-url"]],
    ["a stored picture", content({ type: "image", source: { type: "file", file_id: "file_1" } }), ["file:file_1"]],
    ["a file", content({ type: "document", source: { type: "base64", media_type: "application/pdf", data: "AAAA" } }), ["file"]],
    ["not a plain text, which is scanned", content({ type: "document", source: { type: "text", media_type: "text/plain", data: "words" } }), []],
    ["a picture inside a document inside a result", content({ type: "tool_result", tool_use_id: "t", content: [{ type: "document", source: { type: "content", content: [{ type: "image", source: base64 }] } }] }), ["image"]],
    ["a search of the web, in any of its dated forms", { tools: [{ type: "web_search_20250305", name: "web_search" }, { type: "web_search_20260209", name: "web_search" }] }, ["server-tool:web_search", "server-tool:web_search"]],
    ["code that runs at the provider", { tools: [{ type: "code_execution_20250825", name: "code_execution" }] }, ["server-tool:code_execution"]],
    ["tools that the provider defines and the caller runs", { tools: [{ type: "bash_20250124", name: "bash" }, { type: "text_editor_20250728", name: "str_replace_based_edit_tool" }, { type: "memory_20250818", name: "memory" }] }, ["server-tool:bash", "server-tool:text_editor", "server-tool:memory"]],
    ["a tool that programs may call", { tools: [{ type: "web_search_20260209", name: "web_search", allowed_callers: ["code_execution_20260120"] }] }, ["server-tool:web_search", "server-tool:code_execution"]],
    ["a tool nobody has heard of yet", { tools: [{ type: "teleport_20300101", name: "t" }] as never }, ["server-tool:teleport"]],
    ["what a server's tool said before", content({ type: "server_tool_use", id: "s", name: "bash_code_execution", input: {} }), ["server-tool:code_execution"]],
    ["a connector, by the caller's word for it and by where it is", { mcp_servers: [{ type: "url", name: "crm", url: "https://crm.example/sse" }] } as never, ["connector:crm", "connector:https://crm.example/sse"]],
    ["a container", { container: "container_1" }, ["container:container_1"]],
    ["a place where the provider computes", { inference_geo: "us" }, ["inference-geo:us"]],
    ["a faster, dearer answer", { speed: "fast" }, ["speed:fast"]],
    ["words taken out by the provider", { context_management: { edits: [] } } as never, ["context-management"]],
  ])("%s", (_, body, expected) => {
    expect(permissions(body)).toEqual(expected);
  });

  test("a trial feature that opens a door, but not one that only changes the form; both go on", () => {
    const call = read({}, (name) => (name === "anthropic-beta" ? "files-api-2025-04-14, fine-grained-tool-streaming-2025-05-14" : undefined));
    expect(call.needs).toEqual([{ permission: "beta:files-api-2025-04-14", param: "anthropic-beta" }]);
    expect(call.upstreamHeaders["anthropic-beta"]).toBe("files-api-2025-04-14,fine-grained-tool-streaming-2025-05-14");
  });
});

describe("what nobody has read is refused", () => {
  test.each<[string, object, string, string]>([
    ["an unknown field", { surprise: 1 }, "field_unsupported", "surprise"],
    ["an unknown block", { messages: [{ role: "user", content: [{ type: "hologram" }] }] }, "field_unsupported", "messages[0].content[0].type"],
    ["an unknown field deep inside", { messages: [{ role: "user", content: [{ type: "text", text: "x", hidden: "y" }] }] }, "field_unsupported", "messages[0].content[0].hidden"],
    ["a tool of the caller that says more than the release could", { tools: [{ name: "f", input_schema: {}, hidden: "x" }] }, "field_unsupported", "tools[0].hidden"],
    ["a tool of the caller that code at the provider may call", { tools: [{ name: "f", input_schema: {}, allowed_callers: ["code_execution_20250825"] }] }, "request_unreadable", "tools[0].allowed_callers[0]"],
    ["a request without a bound", { max_tokens: undefined }, "request_unreadable", "max_tokens"],
    ["a role of its own", { messages: [{ role: "developer", content: "x" }] }, "request_unreadable", "messages[0].role"],
  ])("%s", (_, body, code, param) => {
    expect(refusal(body)).toEqual({ code, param });
  });
});

test("the words of a plain text are words, the bytes of a file are fixed", () => {
  const call = read(content({ type: "document", source: { type: "text", media_type: "text/plain", data: "words" } }, { type: "document", source: { type: "base64", media_type: "application/pdf", data: "AAAA" } }));
  expect(call.isFixed(["messages", 0, "content", 0, "source", "data"])).toBe(false);
  expect(call.isFixed(["messages", 0, "content", 1, "source", "data"])).toBe(true);
});
