import { describe, expect, test } from "vitest";
import { detectionOf } from "../detect/rules.ts";
import type { Dialect, ModelCall } from "../dialect.ts";
import { messages } from "../dialects/anthropic/dialect.ts";
import { chatDialect } from "../dialects/chat/chat.ts";
import { responses } from "../dialects/responses/dialect.ts";
import { refuse } from "../refusal.ts";
import { openScan } from "../scan.ts";
import { streamGuard } from "../stream.ts";
import type { ToolJudge } from "./judged-tool.ts";

type Json = Readonly<Record<string, unknown>>;

const declared = new Set(["lookup", "ha"]);
const permitted = new Set(["server-tool:web_search", "connector:tickets"]);

/** Says no to what nobody declared; at once, or when `later` lets it. */
function judgeOf(later?: Promise<void>): ToolJudge & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    judge: (call) => {
      asked.push(call.kind === "function" ? call.name : `${call.permission}/${call.name}`);
      const good = call.kind === "function" ? declared.has(call.name) : permitted.has(call.permission) && call.name !== "";
      const verdict = good ? undefined : refuse("tool_undeclared");
      return later === undefined ? verdict : later.then(() => verdict);
    },
    judged: [],
    observed: undefined,
  };
}

function callOf(): ModelCall {
  const parsed = chatDialect.parse(Buffer.from(JSON.stringify({ model: "chat", stream: true, messages: [{ role: "user", content: "hello" }] })), () => undefined);
  if ("refusal" in parsed) throw new Error(parsed.refusal.message);
  return parsed.call;
}

function guardOf(dialect: Dialect, judge: ToolJudge) {
  const call = callOf();
  const reader = dialect.stream?.(call);
  if (reader === undefined) throw new Error("the dialect does not stream");
  const scan = openScan({ rules: detectionOf([]).rules("helpdesk"), boundary: ["public"], request: call.request, isFixed: () => false });
  return streamGuard({ reader, scan, tools: judge });
}

/** Pushes a stream in one, or byte by byte. */
function run(dialect: Dialect, stream: string, step = Infinity) {
  const judge = judgeOf();
  const guard = guardOf(dialect, judge);
  const bytes = Buffer.from(stream);
  let out = "";
  for (let at = 0; at < bytes.length; at += step) {
    const { text, refusal, ofTool, last } = guard.push(bytes.subarray(at, at + Math.min(step, bytes.length)));
    out += text;
    if (refusal !== undefined) return { out, code: refusal.code, ofTool, asked: judge.asked, whole: false };
    if (last !== undefined) return { out: out + last, code: undefined, ofTool, asked: judge.asked, whole: true };
  }
  return { out, code: undefined, asked: judge.asked, whole: false };
}

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: Json, more: { readonly index?: number; readonly finish?: string } = {}) => data({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: more.index ?? 0, delta, finish_reason: more.finish ?? null }] });
const part = (index: number, fn: Json, more: Json = {}) => ({ index, ...more, function: fn });
const tool = (fn: Json, index = 0) => chunk({ tool_calls: [part(index, fn)] });
const end = `${chunk({}, { finish: "tool_calls" })}data: [DONE]\n\n`;

/** What the two official clients make of the names that reached them: one puts the parts together, the other keeps the last. */
function namesOf(out: string): readonly [together: string, last: string] {
  const names = out.split("\n\n").flatMap((line) => {
    if (!line.startsWith("data: {")) return [];
    const value = JSON.parse(line.slice(6)) as { choices: { delta: { tool_calls?: { function?: { name?: string } }[] } }[] };
    return value.choices.flatMap(({ delta }) => (delta.tool_calls ?? []).flatMap(({ function: fn }) => fn?.name ?? []));
  });
  return [names.join(""), names.findLast((name) => name !== "") ?? ""];
}

const begun = { type: "message_start", message: { type: "message", role: "assistant", content: [], usage: { input_tokens: 1, output_tokens: 1 } } };
const sse = (events: readonly Json[]) => events.map((value) => `event: ${String(value["type"])}\n${data(value)}`).join("");
const block = (head: Json) =>
  sse([
    begun,
    { type: "content_block_start", index: 0, content_block: { id: "t", input: {}, ...head } },
    { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: '{"a":1}' } },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 2 } },
    { type: "message_stop" },
  ]);

const response = (output: readonly Json[]) => ({ object: "response", status: "completed", output });
const item = (head: Json, { first = head, completed = head, deltas = true }: { readonly first?: Json; readonly completed?: Json; readonly deltas?: boolean } = {}) =>
  sse([
    { type: "response.created", response: response([]) },
    { type: "response.output_item.added", output_index: 0, item: { id: "i", call_id: "c", arguments: "", ...first } },
    ...(deltas ? [{ type: "response.function_call_arguments.delta", output_index: 0, item_id: "i", delta: '{"a":1}' }] : []),
    { type: "response.output_item.done", output_index: 0, item: { id: "i", call_id: "c", arguments: '{"a":1}', ...head } },
    { type: "response.completed", response: response([{ id: "i", call_id: "c", arguments: '{"a":1}', ...completed }]) },
  ]);

const passes: [title: string, dialect: Dialect, stream: string][] = [
  ["chat: a declared name", chatDialect, tool({ name: "lookup", arguments: "" }) + tool({ arguments: "{}" }) + end],
  ["chat: all of a call in one event", chatDialect, chunk({ tool_calls: [part(0, { name: "lookup", arguments: "{}" }, { id: "c" })] }) + end],
  ["chat: parallel calls that take turns", chatDialect, tool({ name: "lookup" }) + tool({ name: "ha" }, 1) + tool({ arguments: "{" }) + tool({ arguments: "{}" }, 1) + tool({ arguments: "}" }) + end],
  ["chat: a name after its arguments", chatDialect, tool({ arguments: "{}" }) + tool({ name: "lookup" }) + end],
  ["chat: a name in parts", chatDialect, tool({ name: "lo", arguments: "" }) + tool({ name: "ok" }) + tool({ name: "up" }) + tool({ arguments: "{}" }) + end],
  ["chat: parts of names that take turns", chatDialect, tool({ name: "look" }) + tool({ name: "h" }, 1) + tool({ name: "up" }) + tool({ name: "a" }, 1) + end],
  ["chat: a name that every event repeats", chatDialect, tool({ name: "lookup", arguments: "{" }) + tool({ name: "lookup", arguments: "}" }) + end],
  ["chat: the old single call", chatDialect, chunk({ function_call: { name: "lookup", arguments: "{}" } }) + end],
  ["messages: a declared name", messages, block({ type: "tool_use", name: "lookup" })],
  ["messages: a permitted tool of the provider", messages, block({ type: "server_tool_use", name: "web_search" })],
  ["messages: a tool of a permitted connector", messages, block({ type: "mcp_tool_use", server_name: "tickets", name: "close" })],
  ["responses: a declared name", responses, item({ type: "function_call", name: "lookup" })],
  ["responses: a name that comes late", responses, item({ type: "function_call", name: "lookup" }, { first: { type: "function_call", name: "" } })],
  ["responses: a custom tool", responses, item({ type: "custom_tool_call", name: "lookup" }, { deltas: false })],
  ["responses: a permitted tool of the provider", responses, item({ type: "web_search_call", status: "completed" }, { deltas: false })],
  ["responses: a tool of a permitted connector", responses, item({ type: "mcp_call", server_label: "tickets", name: "close" }, { deltas: false })],
];

const stops: [title: string, dialect: Dialect, stream: string, code?: string][] = [
  ["chat: an undeclared name", chatDialect, tool({ name: "erase", arguments: "" }) + tool({ arguments: "{}" }) + end],
  ["chat: all of a call in one event", chatDialect, chunk({ tool_calls: [part(0, { name: "erase", arguments: "{}" }, { id: "c" })] }) + end],
  ["chat: the second of two calls", chatDialect, tool({ name: "lookup", arguments: "{}" }) + tool({ name: "erase", arguments: "{}" }, 1) + end],
  ["chat: two in one event", chatDialect, chunk({ tool_calls: [part(0, { name: "lookup" }), part(1, { name: "erase" })] }) + end],
  ["chat: of another choice", chatDialect, chunk({ content: "hello " }) + chunk({ tool_calls: [part(0, { name: "erase" })] }, { index: 1 }) + chunk({}, { index: 1, finish: "stop" }) + end],
  ["chat: a name after its arguments", chatDialect, tool({ arguments: "{}" }) + tool({ name: "erase" }) + end],
  ["chat: a name in parts", chatDialect, tool({ name: "er" }) + tool({ name: "ase" }) + tool({ arguments: "{}" }) + end],
  ["chat: a declared name that goes on", chatDialect, tool({ name: "lookup" }) + tool({ name: "_erase" }) + tool({ arguments: "{}" }) + end],
  ["chat: an index that is used again", chatDialect, tool({ name: "lookup", arguments: "" }) + tool({ arguments: "{}" }) + tool({ name: "erase", arguments: "{}" }) + end, "upstream_invalid"],
  ["chat: no name", chatDialect, tool({ arguments: "{}" }) + end],
  ["chat: an empty name", chatDialect, tool({ name: "", arguments: "{}" }) + end],
  ["chat: a name that is no text", chatDialect, chunk({ tool_calls: [part(0, { name: ["erase"] })] }) + end, "upstream_invalid"],
  ["chat: calls that are no list", chatDialect, chunk({ tool_calls: { 0: part(0, { name: "erase" }) } }) + end, "upstream_invalid"],
  ["chat: two names", chatDialect, chunk({ tool_calls: [{ ...part(0, { name: "lookup" }), custom: { name: "erase" } }] }) + end, "upstream_invalid"],
  ["chat: a custom tool", chatDialect, chunk({ tool_calls: [{ index: 0, type: "custom", custom: { name: "erase", input: "" } }] }) + end],
  ["chat: the old single call", chatDialect, chunk({ function_call: { name: "erase", arguments: "{}" } }) + end],
  ["chat: a message in place of a delta", chatDialect, data({ object: "chat.completion.chunk", choices: [{ index: 0, message: { tool_calls: [part(0, { name: "erase" })] } }] }) + end],
  ["messages: an undeclared name", messages, block({ type: "tool_use", name: "erase" })],
  ["messages: no name", messages, block({ type: "tool_use" })],
  ["messages: a tool of the provider", messages, block({ type: "server_tool_use", name: "code_execution" })],
  ["messages: a connector", messages, block({ type: "mcp_tool_use", server_name: "bank", name: "erase" })],
  ["messages: a connector's tool without a name", messages, block({ type: "mcp_tool_use", server_name: "tickets" })],
  ["responses: an undeclared name", responses, item({ type: "function_call", name: "erase" })],
  ["responses: a name that comes late", responses, item({ type: "function_call", name: "erase" }, { first: { type: "function_call" } })],
  ["responses: a name that never comes", responses, item({ type: "function_call" })],
  ["responses: another name at its end", responses, item({ type: "function_call", name: "erase" }, { first: { type: "function_call", name: "lookup" } })],
  ["responses: another name in the whole response", responses, item({ type: "function_call", name: "lookup" }, { completed: { type: "function_call", name: "erase" } })],
  ["responses: another name with its arguments", responses, item({ type: "function_call", name: "lookup" }).replace("event: response.output_item.done", `event: response.function_call_arguments.done\n${data({ type: "response.function_call_arguments.done", output_index: 0, name: "erase", arguments: "{}" })}event: response.output_item.done`)],
  ["responses: a custom tool", responses, item({ type: "custom_tool_call", name: "erase" }, { deltas: false })],
  ["responses: a tool of the provider", responses, item({ type: "code_interpreter_call", code: "erase" }, { deltas: false })],
  ["responses: code of a tool of the provider whose item never came", responses, sse([{ type: "response.code_interpreter_call_code.delta", output_index: 0, delta: "erase" }])],
  ["responses: a connector", responses, item({ type: "mcp_call", server_label: "bank", name: "erase" }, { deltas: false })],
  ["responses: a connector that asks for approval", responses, item({ type: "mcp_approval_request", server_label: "bank", name: "erase" }, { deltas: false })],
  ["responses: a call in a response that only begins", responses, sse([{ type: "response.created", response: response([{ type: "function_call", id: "i", call_id: "c", name: "erase", arguments: "" }]) }])],
];

describe.each([["in one", Infinity], ["split at every byte", 1]])("a stream that calls tools, %s", (_, step) => {
  test.each(passes)("goes on whole where the release has the tool: %s", (__, dialect, stream) => {
    const { code, whole, asked } = run(dialect, stream, step);
    expect([code, whole]).toEqual([undefined, true]);
    expect(asked.length).toBeGreaterThan(0);
  });

  test.each(stops)("ends before anything of the call left where it has not: %s", (__, dialect, stream, expected = "tool_undeclared") => {
    const { code, out, ofTool } = run(dialect, stream, step);
    expect([code, ofTool]).toEqual([expected, expected === "tool_undeclared" ? true : undefined]);
    for (const word of ["erase", '"er"', '"ase"']) expect(out).not.toContain(word);
  });
});

describe("a name in parts", () => {
  test.each([
    ["in three", tool({ name: "lo", arguments: "" }) + tool({ name: "ok" }) + tool({ name: "up" }) + tool({ arguments: "{}" }) + end, "lookup"],
    ["repeated by every event", tool({ name: "lookup", arguments: "{" }) + tool({ name: "lookup", arguments: "}" }) + end, "lookup"],
    ["whose parts are alike", tool({ name: "ha" }) + tool({ name: "ha" }) + end, "ha"],
  ])("reaches every client as the one name that was judged: %s", (_, stream, name) => {
    const { out, asked } = run(chatDialect, stream);
    expect(namesOf(out)).toEqual([name, name]);
    expect(asked).toEqual([name]);
  });
});

test("what comes before a call leaves at once, the call and what follows when it was judged", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const guard = guardOf(chatDialect, judgeOf(promise));
  const said = guard.push(Buffer.from(chunk({ content: "one moment . " }) + chunk({ content: "so . " })));
  expect(said.text).toContain("one moment");
  const held = guard.push(Buffer.from(tool({ name: "lookup", arguments: "" }) + tool({ arguments: "{}" }) + chunk({ content: "after . " }) + end));
  expect(held.text).not.toContain("lookup");
  expect(held.text).not.toContain("after");
  expect(held.last).toBeUndefined();
  const { judging } = guard;
  resolve();
  await judging;
  const { text, last } = guard.push(new Uint8Array());
  expect(text).toContain("lookup");
  expect(text.indexOf("after")).toBeGreaterThan(text.indexOf("lookup"));
  expect(last).toContain("[DONE]");
  expect(guard.judging).toBeUndefined();
});

test("a call is judged once however often its events say it", () => {
  expect(run(responses, item({ type: "function_call", name: "lookup" })).asked).toEqual(["lookup"]);
});

describe("a whole answer", () => {
  const calls = (dialect: Dialect, value: Json) => dialect.answer(value)?.toolCalls;
  const completion = (message: Json) => ({ object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] });

  test("of chat completions names every call, the old form and nameless ones too", () => {
    const tool_calls = [{ function: { name: "lookup" } }, { type: "custom", custom: { name: "erase" } }, { function: {} }];
    expect(calls(chatDialect, completion({ tool_calls, function_call: { name: "old" } }))?.map(({ name }) => name)).toEqual(["lookup", "erase", "", "old"]);
    expect(calls(chatDialect, completion({ content: "hello", tool_calls: null }))).toBeUndefined();
  });

  test.each([{ tool_calls: {} }, { tool_calls: ["erase"] }, { tool_calls: [{ function: { name: 7 } }] }, { tool_calls: [{ function: "erase" }] }, { function_call: "erase" }])("of chat completions with calls that nobody can read is none: %j", (message) => {
    expect(chatDialect.answer(completion(message))).toBeUndefined();
  });

  test("of responses names functions, custom tools, tools of the provider and connectors", () => {
    const output = [{ type: "message", content: [] }, { type: "function_call", name: "lookup" }, { type: "custom_tool_call", name: "shout" }, { type: "web_search_call" }, { type: "computer_call" }, { type: "mcp_call", server_label: "bank", name: "pay" }, { type: "mcp_list_tools", server_label: "bank" }, { type: "function_call_output" }];
    expect(calls(responses, response(output))?.map((call) => (call.kind === "function" ? call.name : `${call.permission}/${call.name}`))).toEqual(["lookup", "shout", "server-tool:web_search/web_search", "server-tool:computer/computer", "connector:bank/pay", "connector:bank/bank"]);
  });

  test("of messages names functions, tools of the provider and connectors", () => {
    const content = [{ type: "text", text: "x" }, { type: "tool_use", name: "lookup" }, { type: "server_tool_use", name: "bash_code_execution" }, { type: "mcp_tool_use", server_name: "bank", name: "pay" }];
    const found = calls(messages, { type: "message", role: "assistant", content });
    expect(found?.map((call) => (call.kind === "function" ? call.name : `${call.permission}/${call.name}`))).toEqual(["lookup", "server-tool:code_execution/code_execution", "connector:bank/pay"]);
  });
});
