import { toolName } from "./tools.ts";
import { Text, type Garden, type Tree } from "./tree.ts";

/** Whole answers of each surface, with texts everywhere that providers have any. */
export const answers: Readonly<Record<string, (garden: Garden) => Tree>> = { chat, responses, messages, count, embeddings, oip };

export const usage = { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 };
export const responseUsage = { input_tokens: 12, output_tokens: 5, total_tokens: 17 };

function chat(garden: Garden): Tree {
  const { chance } = garden;
  const message = (): Tree =>
    chance.maybe(0.7)
      ? { role: "assistant", content: garden.text(), refusal: chance.maybe(0.1) ? garden.text() : null, ...(chance.maybe(0.2) && { reasoning_content: garden.text() }), ...(chance.maybe(0.1) && { x_vendor: { [`note`]: garden.text(), list: [garden.text()] } }) }
      : { role: "assistant", content: null, tool_calls: chance.some(1, 3, (at) => ({ id: `call_${at}`, type: "function", function: { name: toolName(garden), arguments: garden.json() } })) };
  const choices = chance.some(1, 2, (index) => ({ index, message: message(), finish_reason: "stop" }));
  return { id: garden.name("chatcmpl"), object: "chat.completion", created: 1, model: garden.name("sim"), choices, usage };
}

function responses(garden: Garden): Tree {
  return response(garden.name("resp"), garden.chance.some(1, 3, (at) => item(garden, at).done));
}

export function response(id: Tree, output: readonly Tree[], status = "completed"): { readonly [key: string]: Tree } {
  return { id, object: "response", created_at: 1, status, model: "sim-1", output, ...(status === "completed" && { usage: responseUsage }), metadata: {} };
}

export interface ItemLane {
  readonly text: Tree;
  /** The events of its pieces, as `response.output_text`. */
  readonly event: string;
  /** What the events carry beside the text. */
  readonly at: { readonly [key: string]: Tree };
  /** The key of the whole text in its last event. */
  readonly whole: string;
  /** The part that holds it, where there is one. */
  readonly part?: (text: Tree) => Tree;
}

/** An item of output: as it begins, the texts that come in pieces, and the whole of it. */
export function item(garden: Garden, at: number): { readonly begun: Tree; readonly done: Tree; readonly lanes: readonly ItemLane[] } {
  const { chance } = garden;
  const lane = (event: string, text: Tree, more: Omit<ItemLane, "event" | "text">): ItemLane => ({ event, text, ...more });
  const id = `item_${at}`;
  const kind = chance.below(6);
  if (kind === 5) {
    const server = chance.maybe(0.8) ? { type: "web_search_call", id, status: "completed", action: { type: "search", query: garden.text() } } : { type: "code_interpreter_call", id, status: "completed", code: garden.text(), outputs: [] };
    return { begun: { ...server, status: "in_progress" }, done: server, lanes: [] };
  }
  if (kind === 1) {
    const text = garden.json();
    const head = { type: "function_call", id, call_id: `c${at}`, name: toolName(garden), status: "completed" };
    return { begun: { ...head, ...(chance.maybe(0.1) && { name: "" }), arguments: "" }, done: { ...head, arguments: text }, lanes: [lane("response.function_call_arguments", text, { at: {}, whole: "arguments" })] };
  }
  if (kind === 2) {
    const texts = chance.some(1, 2, () => garden.text());
    const part = (text: Tree) => ({ type: "summary_text", text });
    const head = { type: "reasoning", id };
    return { begun: { ...head, summary: [] }, done: { ...head, summary: texts.map(part) }, lanes: texts.map((text, summary) => lane("response.reasoning_summary_text", text, { at: { summary_index: summary }, whole: "text", part })) };
  }
  if (kind === 3) {
    const text = garden.text();
    const head = { type: "custom_tool_call", id, call_id: `c${at}`, name: "shout" };
    return { begun: { ...head, input: "" }, done: { ...head, input: text }, lanes: [lane("response.custom_tool_call_input", text, { at: {}, whole: "input" })] };
  }
  const refusal = kind === 4 && chance.maybe(0.3);
  const [type, key] = refusal ? ["refusal", "refusal"] : ["output_text", "text"];
  const part = (text: Tree): Tree => ({ type, [key]: text, ...(!refusal && { annotations: [] }) });
  const texts: Text[] = chance.some(1, 3, () => garden.text());
  if (texts.length > 1) garden.groups.push(texts);
  const head = { type: "message", id, role: "assistant", status: "completed" };
  return { begun: { ...head, content: [] }, done: { ...head, content: texts.map(part) }, lanes: texts.map((text, index) => lane(`response.${refusal ? "refusal" : "output_text"}`, text, { at: { content_index: index }, whole: key, part })) };
}

/** One block of a message; of each the texts that come in pieces. */
export function block(garden: Garden, at: number): { readonly begun: Tree; readonly done: Tree; readonly lanes: readonly (readonly [delta: string, key: string, text: Tree])[]; readonly texts: readonly Text[] } {
  const { chance } = garden;
  const kind = chance.below(5);
  if (kind === 1) {
    const head = { type: "tool_use", id: `t${at}`, name: toolName(garden) };
    const input = garden.json();
    return { begun: { ...head, input: {} }, done: { ...head, input: input.value }, lanes: [["input_json_delta", "partial_json", input]], texts: [] };
  }
  if (kind === 2) {
    const [thinking, signature] = [garden.text("fixed"), new Text("c2lnbmVk", "fixed")];
    return { begun: { type: "thinking", thinking: "", signature: "" }, done: { type: "thinking", thinking, signature }, lanes: [["thinking_delta", "thinking", thinking], ["signature_delta", "signature", signature]], texts: [] };
  }
  const text = garden.text();
  return { begun: { type: "text", text: "" }, done: { type: "text", text }, lanes: [["text_delta", "text", text]], texts: [text] };
}

function messages(garden: Garden): Tree {
  const blocks = garden.chance.some(1, 3, (at) => block(garden, at));
  const texts = blocks.flatMap((each) => each.texts);
  if (texts.length > 1) garden.groups.push(texts);
  return { id: garden.name("msg"), type: "message", role: "assistant", model: "sim-1", content: blocks.map(({ done }) => done), stop_reason: "end_turn", stop_sequence: null, usage: { input_tokens: 12, output_tokens: 5 } };
}

function count(garden: Garden): Tree {
  return { input_tokens: 12, ...(garden.chance.maybe(0.2) && { note: garden.text() }) };
}

function embeddings(garden: Garden): Tree {
  return { object: "list", model: garden.name("sim"), data: [{ object: "embedding", index: 0, embedding: [0.5, -0.25] }], usage: { prompt_tokens: 4, total_tokens: 4 } };
}

function oip(garden: Garden): Tree {
  const { chance } = garden;
  const data = garden.parts((text) => text);
  const outputs = [{ name: "y", shape: [1, 2], datatype: "FP32", data: [0.5, 2] }, { name: "notes", shape: [data.length], datatype: "BYTES", data }];
  return { model_name: "sim-1", ...(chance.maybe(0.5) && { model_version: garden.name("v") }), ...(chance.maybe(0.3) && { id: garden.name("r") }), ...(chance.maybe(0.2) && { parameters: { note: garden.text("fixed", false) } }), outputs };
}
