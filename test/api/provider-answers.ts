/** What the simulated provider says on each surface, whole and in events. Shapes as the providers' references have them. */
export interface Answer {
  readonly whole: unknown;
  readonly events: readonly string[];
}

export type Body = Readonly<Record<string, unknown>>;

export interface Said {
  readonly text?: string;
  readonly calls?: readonly object[];
  /** Which tool they call, in place of the first of the request's. */
  readonly tool?: string;
  readonly echo?: boolean;
  readonly thinking?: string;
}

const created = 1_795_000_000;
const words = "every answer that leaves this provider carries several ordinary words without names numbers or addresses".split(" ");

/** So many words that an answer is longer than any window. */
const defaultText = Array.from({ length: 50 }, (_, i) => words[i % words.length]).join(" ");
const embeddingLength = 256;

export function answerFor(path: string, body: Body, said: Said): Answer | undefined {
  const surfaces: Readonly<Record<string, (body: Body, said: Said) => Answer>> = {
    "/v1/chat/completions": chat,
    "/v1/responses": response,
    "/v1/messages": message,
    "/v1/messages/count_tokens": () => whole({ input_tokens: 42 }),
    "/v1/embeddings": embeddings,
    "/v1/models": () => whole({ object: "list", data: [{ id: "gpt-sim", object: "model", created, owned_by: "sim" }] }),
  };
  return surfaces[path]?.(body, said.echo === true ? { ...said, ...echoed(body), ...(said.thinking !== undefined && { thinking: echoed(body).text ?? "" }) } : said);
}

/** What the caller said last, as words, or as arguments of the first of its tools. */
function echoed(body: Body): Said {
  const turns = (body["messages"] ?? body["input"]) as string | readonly { readonly content: string }[];
  const text = typeof turns === "string" ? turns : (turns.at(-1)?.content ?? "");
  return Array.isArray(body["tools"]) ? { calls: [{ city: text }] } : { text };
}

function whole(value: unknown): Answer {
  return { whole: value, events: [] };
}

/** Words and the white space behind them, as tokens come. */
function pieces(text: string): readonly string[] {
  return text.match(/\S+\s*/gu) ?? [];
}

/** Cut in the middle of names and values, as arguments come. */
function cut(json: string): readonly string[] {
  return json.match(/.{1,4}/gsu) ?? [];
}

interface Tool {
  readonly name?: string;
  readonly function?: { readonly name: string };
}

function toolName(body: Body, at: number, named?: string): string {
  if (named !== undefined) return named;
  const tools = (body["tools"] ?? []) as readonly Tool[];
  const tool = tools[at % tools.length];
  return tool?.function?.name ?? tool?.name ?? "unnamed";
}

/** With tools in the request and nothing else said, one call of the first. */
function callsOf(body: Body, { text, calls }: Said, fallback: object): readonly object[] {
  const tools = (body["tools"] ?? []) as readonly Tool[];
  const callable = tools.some((tool) => tool.function?.name !== undefined || tool.name !== undefined);
  return calls ?? (callable && text === undefined ? [fallback] : []);
}

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const named = (type: string, value: object) => `event: ${type}\n${data({ type, ...value })}`;

function chat(body: Body, said: Said): Answer {
  const calls = callsOf(body, said, { city: "Berlin", unit: "celsius" });
  const text = said.text ?? defaultText;
  const usage = { prompt_tokens: 42, completion_tokens: 50, total_tokens: 92, prompt_tokens_details: { cached_tokens: 8 }, completion_tokens_details: { reasoning_tokens: 0 } };
  const base = { id: "chatcmpl-sim", created, model: "gpt-sim", system_fingerprint: "fp_sim" };
  const reason = calls.length > 0 ? "tool_calls" : "stop";
  const tool_calls = calls.map((args, at) => ({ id: `call_${at}`, type: "function", function: { name: toolName(body, at, said.tool), arguments: JSON.stringify(args) } }));
  const content = calls.length > 0 ? null : text;
  const message = { role: "assistant", content, refusal: null, annotations: [], ...(calls.length > 0 && { tool_calls }) };
  const asked = (body["stream_options"] as { include_usage?: boolean } | undefined)?.include_usage === true;
  const chunk = (delta: object, finish_reason: string | null = null) =>
    data({ ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...(asked && { usage: null }) });
  const events = [
    chunk({ role: "assistant", content: calls.length > 0 ? null : "" }),
    ...(calls.length > 0 ? [] : pieces(text).map((piece) => chunk({ content: piece }))),
    ...tool_calls.map(({ function: { name }, ...call }, index) => chunk({ tool_calls: [{ index, ...call, function: { name, arguments: "" } }] })),
    ...interleaved(tool_calls.map(({ function: { arguments: args } }) => cut(args))).map(({ at, piece }) => chunk({ tool_calls: [{ index: at, function: { arguments: piece } }] })),
    chunk({}, reason),
    ...(asked ? [data({ ...base, object: "chat.completion.chunk", choices: [], usage })] : []),
    "data: [DONE]\n\n",
  ];
  return { whole: { ...base, object: "chat.completion", choices: [{ index: 0, message, logprobs: null, finish_reason: reason }], usage }, events };
}

/** Pieces of several texts in turn, as parallel calls come. */
function interleaved(texts: readonly (readonly string[])[]): readonly { readonly at: number; readonly piece: string }[] {
  const longest = Math.max(0, ...texts.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => texts.flatMap((pieces, at) => (pieces[i] === undefined ? [] : [{ at, piece: pieces[i] }]))).flat();
}

function response(body: Body, said: Said): Answer {
  const calls = callsOf(body, said, { city: "Berlin" });
  const text = said.text ?? defaultText;
  const usage = { input_tokens: 42, input_tokens_details: { cached_tokens: 8, cache_write_tokens: 0 }, output_tokens: 50, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 92 };
  const whole = (status: string, output: readonly object[]) => ({
    id: "resp_sim",
    object: "response",
    created_at: created,
    status,
    model: "gpt-sim",
    output,
    parallel_tool_calls: true,
    tool_choice: "auto",
    tools: body["tools"] ?? [],
    error: null,
    incomplete_details: null,
    instructions: body["instructions"] ?? null,
    metadata: {},
    temperature: 1,
    top_p: 1,
    usage: status === "completed" ? usage : null,
  });
  const part = { type: "output_text", text, annotations: [], logprobs: [] };
  const message = { id: "msg_sim", type: "message", status: "completed", role: "assistant", content: [part] };
  const items = calls.map((args, at) => ({ id: `fc_${at}`, type: "function_call", status: "completed", call_id: `call_${at}`, name: toolName(body, at, said.tool), arguments: JSON.stringify(args) }));
  const output = calls.length > 0 ? items : [message];
  const at = { item_id: "msg_sim", output_index: 0, content_index: 0 };
  const says: readonly (readonly [string, object])[] = [
    ["output_item.added", { output_index: 0, item: { ...message, status: "in_progress", content: [] } }],
    ["content_part.added", { ...at, part: { ...part, text: "" } }],
    ...pieces(text).map((delta) => ["output_text.delta", { ...at, delta, logprobs: [] }] as const),
    ["output_text.done", { ...at, text, logprobs: [] }],
    ["content_part.done", { ...at, part }],
    ["output_item.done", { output_index: 0, item: message }],
  ];
  const callsTool = items.flatMap((item, output_index): readonly (readonly [string, object])[] => [
    ["output_item.added", { output_index, item: { ...item, status: "in_progress", arguments: "" } }],
    ...cut(item.arguments).map((delta) => ["function_call_arguments.delta", { item_id: item.id, output_index, delta }] as const),
    ["function_call_arguments.done", { item_id: item.id, output_index, name: item.name, arguments: item.arguments }],
    ["output_item.done", { output_index, item }],
  ]);
  const all = [["created", { response: whole("in_progress", []) }] as const, ["in_progress", { response: whole("in_progress", []) }] as const, ...(calls.length > 0 ? callsTool : says), ["completed", { response: whole("completed", output) }] as const];
  return { whole: whole("completed", output), events: all.map(([type, value], sequence_number) => named(`response.${type}`, { sequence_number, ...value })) };
}

function message(body: Body, said: Said): Answer {
  const calls = callsOf(body, said, { city: "Berlin" });
  const text = said.text ?? defaultText;
  const base = { id: "msg_sim", type: "message", role: "assistant", model: body["model"] };
  const before = { input_tokens: 42, cache_creation_input_tokens: 5, cache_read_input_tokens: 8 };
  const uses = calls.map((input, at) => ({ type: "tool_use", id: `toolu_${at}`, name: toolName(body, at, said.tool), input }));
  const stop_reason = calls.length > 0 ? "tool_use" : "end_turn";
  const thoughts = said.thinking === undefined ? [] : [{ type: "thinking", thinking: said.thinking, signature: "c2lnbmF0dXJl" }];
  const content = [...thoughts, ...(calls.length > 0 ? uses : [{ type: "text", text, citations: null }])];
  const first = thoughts.length;
  const block = (index: number, content_block: object, deltas: readonly object[]) => [
    named("content_block_start", { index, content_block }),
    ...deltas.map((delta) => named("content_block_delta", { index, delta })),
    named("content_block_stop", { index }),
  ];
  const events = [
    named("message_start", { message: { ...base, content: [], stop_reason: null, stop_sequence: null, usage: { ...before, output_tokens: 1 } } }),
    named("ping", {}),
    ...thoughts.flatMap(({ thinking, signature }) =>
      block(0, { type: "thinking", thinking: "", signature: "" }, [...pieces(thinking).map((piece) => ({ type: "thinking_delta", thinking: piece })), { type: "signature_delta", signature }]),
    ),
    ...(calls.length > 0
      ? uses.flatMap(({ input, ...use }, at) => block(first + at, { ...use, input: {} }, ["", ...cut(JSON.stringify(input))].map((partial_json) => ({ type: "input_json_delta", partial_json }))))
      : block(first, { type: "text", text: "" }, pieces(text).map((piece) => ({ type: "text_delta", text: piece })))),
    named("message_delta", { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 50 } }),
    named("message_stop", {}),
  ];
  return { whole: { ...base, content, stop_reason, stop_sequence: null, usage: { ...before, output_tokens: 50 } }, events };
}

function embeddings(body: Body): Answer {
  const input = Array.isArray(body["input"]) ? body["input"] : [body["input"]];
  const floats = Float32Array.from({ length: embeddingLength }, (_, i) => Math.fround(Math.sin(i)));
  const embedding = body["encoding_format"] === "base64" ? Buffer.from(floats.buffer).toString("base64") : Array.from(floats);
  return whole({ object: "list", data: input.map((_, index) => ({ object: "embedding", index, embedding })), model: body["model"], usage: { prompt_tokens: 8, total_tokens: 8 } });
}
