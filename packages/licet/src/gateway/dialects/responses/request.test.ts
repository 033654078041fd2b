import type { EasyInputMessage, ResponseCreateParams } from "openai/resources/responses/responses";
import { describe, expect, test } from "vitest";
import type { ModelCall } from "../../dialect.ts";
import { responses } from "./dialect.ts";

const noHeaders = () => undefined;
const user = { role: "user", content: "My printer is on fire." } as const;

function parse(body: object, header: (name: string) => string | undefined = noHeaders) {
  return responses.parse(Buffer.from(JSON.stringify(body)), header);
}

/** Typed by the official client, so that what is tested is what it sends. */
function read(body: Partial<ResponseCreateParams>): ModelCall {
  const parsed = parse({ model: "chat", input: [user], ...body });
  if ("refusal" in parsed) throw new Error(`${parsed.refusal.code}: ${parsed.refusal.message}`);
  return parsed.call;
}

function refusal(body: object) {
  const parsed = parse({ model: "chat", input: [user], ...body });
  return "refusal" in parsed ? { code: parsed.refusal.code, param: parsed.refusal.param } : undefined;
}

const permissions = (body: Partial<ResponseCreateParams>) => read(body).needs.map(({ permission }) => permission);

describe("a request for a response", () => {
  test("of a single text is one user message, and asks the provider to keep nothing", () => {
    const call = read({ input: "hello", stream: true, max_output_tokens: 50, temperature: 0.2, user: "u-1" });
    expect(call).toMatchObject({ model: "chat", stream: true, user: "u-1", answerTokensMax: 50, needs: [], messages: [{ role: "user", content: "hello" }], upstreamExtras: { store: false } });
    expect(call.parameters).toEqual({ temperature: 0.2, top_p: 1, max_tokens: 50, max_completion_tokens: 50 });
  });

  test("that is silent on bounds has those that the provider takes", () => {
    const call = read({});
    expect(call.parameters).toEqual({ temperature: 1, top_p: 1, max_tokens: Infinity, max_completion_tokens: Infinity });
    expect(call.answerTokensMax).toBeUndefined();
  });

  test("gives every system and developer text, wherever it stands, as the model reads it", () => {
    const inParts = { type: "message", role: "developer", content: [{ type: "input_text", text: "Be " }, { type: "input_text", text: "brief." }] } satisfies EasyInputMessage;
    const call = read({ instructions: "You answer.", input: [user, { role: "system", content: "No jokes." }, inParts] });
    expect(call.instructions).toEqual([
      { role: "system", text: "You answer.", param: "instructions" },
      { role: "system", text: "No jokes.", param: "input[1].content" },
      { role: "developer", text: "Be brief.", param: "input[2].content" },
    ]);
    expect(call.messages).toHaveLength(4);
  });

  test("carries on what the official client's answers hold: reasoning, calls, results", () => {
    const input: ResponseCreateParams["input"] = [
      user,
      { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "think" }], encrypted_content: "gAAA" },
      { type: "message", id: "msg_1", role: "assistant", status: "completed", content: [{ type: "output_text", text: "hm", annotations: [], logprobs: [] }] },
      { type: "function_call", id: "fc_1", call_id: "call_1", name: "lookup", arguments: "{}", status: "completed" },
      { type: "function_call_output", call_id: "call_1", output: "42" },
      { type: "custom_tool_call", call_id: "call_2", name: "sql", input: "select 1" },
      { type: "custom_tool_call_output", call_id: "call_2", output: [{ type: "input_text", text: "1" }] },
    ];
    const call = read({ input, include: ["reasoning.encrypted_content"] });
    expect(call.needs).toEqual([]);
    expect(call.request["input"]).toEqual(input);
  });

  test("has its tools in the release's own form, and its format in that of chat completions", () => {
    const schema = { type: "object", properties: { id: { type: "string" } } };
    const call = read({
      tools: [
        { type: "function", name: "lookup", description: "Looks up.", parameters: schema, strict: true },
        { type: "custom", name: "sql", description: "Runs SQL.", format: { type: "grammar", syntax: "lark", definition: "start: X" } },
      ],
      text: { format: { type: "json_schema", name: "ticket", schema, strict: true } },
    });
    expect(call.tools).toEqual([
      { name: "lookup", description: "Looks up.", parameters: schema, strict: true, param: "tools[0]" },
      { name: "sql", description: "Runs SQL.", parameters: { type: "custom", format: { type: "grammar", syntax: "lark", definition: "start: X" } }, strict: undefined, param: "tools[1]" },
    ]);
    expect(call.responseFormat).toEqual({ type: "json_schema", json_schema: { name: "ticket", schema, strict: true } });
    expect(read({ text: { format: { type: "json_object" } } }).responseFormat).toEqual({ type: "json_object" });
    expect([read({ text: { format: { type: "text" } } }).responseFormat, read({}).responseFormat]).toEqual([undefined, undefined]);
  });
});

describe("what the release must permit by name", () => {
  test.each<[string, Partial<ResponseCreateParams>, string[]]>([
    ["words kept at the provider", { store: true }, ["store"]],
    ["nothing kept", { store: false }, []],
    ["an answer that comes later", { background: true }, ["background"]],
    ["a stored conversation", { conversation: "conv_1" }, ["conversation"]],
    ["an earlier response", { previous_response_id: "resp_1" }, ["previous-response"]],
    ["a tier of service that costs more", { service_tier: "priority" }, ["service-tier:priority"]],
    ["a stored prompt", { prompt: { id: "pmpt_1" } }, ["prompt:pmpt_1"]],
    ["a stored item", { input: [{ type: "item_reference", id: "msg_1" }] }, ["item-reference"]],
    ["a search of the web, in any of its dated forms", { tools: [{ type: "web_search_preview_2025_03_11" }, { type: "web_search" }] }, ["server-tool:web_search", "server-tool:web_search"]],
    ["a search in stored files", { tools: [{ type: "file_search", vector_store_ids: ["vs_1"] }] }, ["server-tool:file_search", "vector-store:vs_1"]],
    ["code that runs at the provider, with its files", { tools: [{ type: "code_interpreter", container: { type: "auto", file_ids: ["file_1"] } }] }, ["server-tool:code_interpreter", "file:file_1"]],
    ["a computer", { tools: [{ type: "computer_use_preview", display_height: 1, display_width: 1, environment: "linux" }] }, ["server-tool:computer"]],
    ["pictures made", { tools: [{ type: "image_generation" }] }, ["server-tool:image_generation"]],
    ["a shell", { tools: [{ type: "shell" }, { type: "local_shell" }, { type: "apply_patch" }] }, ["server-tool:shell", "server-tool:local_shell", "server-tool:apply_patch"]],
    ["a connector, by the caller's word for it and by where it is", { tools: [{ type: "mcp", server_label: "crm", server_url: "https://crm.example/mcp" }] }, ["connector:crm", "connector:https://crm.example/mcp"]],
    ["a connector of the provider", { tools: [{ type: "mcp", server_label: "files", connector_id: "connector_dropbox" }] }, ["connector:files", "connector:connector_dropbox"]],
    ["what a server's tool said before", { input: [{ type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "q" } }] as never }, ["server-tool:web_search"]],
    ["a picture in the request", { input: [{ role: "user", content: [{ type: "input_image", detail: "auto", image_url: "data:image/png;base64,AAAA" }] }] }, ["image"]],
    ["a picture that the provider fetches", { input: [{ role: "user", content: [{ type: "input_image", detail: "auto", image_url: "https://x.example/?q=secret" }] }] }, ["image-url"]],
    ["a stored file", { input: [{ role: "user", content: [{ type: "input_file", file_id: "file_1" }] }] }, ["file:file_1"]],
    ["a file in a tool's result", { input: [{ type: "function_call_output", call_id: "c", output: [{ type: "input_file", file_data: "AAAA", filename: "a.pdf" }] }] }, ["file"]],
  ])("%s", (_, body, expected) => {
    expect(permissions(body)).toEqual(expected);
  });

  test("a trial feature, which then goes on to the provider", () => {
    const parsed = parse({ model: "chat", input: "x" }, (name) => (name === "openai-beta" ? "responses=v2" : undefined));
    expect("call" in parsed && [parsed.call.needs, parsed.call.upstreamHeaders]).toEqual([[{ permission: "beta:responses=v2", param: "openai-beta" }], { "openai-beta": "responses=v2" }]);
  });
});

describe("what nobody has read is refused", () => {
  test.each<[string, object, string, string]>([
    ["an unknown field", { surprise: 1 }, "field_unsupported", "surprise"],
    ["an unknown item", { input: [{ type: "program", code: "x" }] }, "field_unsupported", "input[0].type"],
    ["tools that come in the middle of a conversation", { input: [{ type: "additional_tools", role: "developer", tools: [] }] }, "field_unsupported", "input[0].type"],
    ["an unknown tool", { tools: [{ type: "teleport" }] }, "field_unsupported", "tools[0].type"],
    ["a tool that a program may call", { tools: [{ type: "function", name: "f", parameters: {}, strict: null, allowed_callers: ["programmatic"] }] }, "request_unreadable", "tools[0].allowed_callers[0]"],
    ["log probabilities, which repeat the text past every detector", { top_logprobs: 5 }, "request_unreadable", "top_logprobs"],
    ["log probabilities by the other name", { include: ["message.output_text.logprobs"] }, "request_unreadable", "include[0]"],
    ["an unknown field deep inside", { input: [{ role: "user", content: [{ type: "input_text", text: "x", hidden: "y" }] }] }, "field_unsupported", "input[0].content[0].hidden"],
    ["an item whose kind is the name of something inherited", { input: [{ type: "constructor" }] }, "field_unsupported", "input[0].type"],
  ])("%s", (_, body, code, param) => {
    expect(refusal(body)).toEqual({ code, param });
  });

  test("half a surrogate pair, and JSON that is built to break a parser", () => {
    expect(refusal({ input: "\ud800" })?.code).toBe("request_unreadable");
    const deep: object = Array.from({ length: 100 }).reduce<object>((inner) => ({ inner }), {});
    expect(refusal({ tools: [{ type: "function", name: "f", strict: null, parameters: deep }] })?.code).toBe("request_unreadable");
  });
});

test("names of things are fixed, words are not", () => {
  const call = read({});
  expect([["model"], ["input", 0, "role"], ["input", 0, "call_id"], ["tools", 0, "parameters", "required", 0], ["input", 0, "encrypted_content"]].every((path) => call.isFixed(path))).toBe(true);
  expect([["input"], ["instructions"], ["input", 0, "content", 0, "text"], ["input", 0, "arguments"], ["input", 0, "output"], ["tools", 0, "description"], ["metadata", "id"], ["user"]].some((path) => call.isFixed(path))).toBe(false);
});
