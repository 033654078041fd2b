import * as z from "../shape.ts";
import type { JsonObject } from "../../../ledger/entry.ts";
import type { Dialect, Instruction, JsonPath, ModelCall, Need, ParsedCall } from "../../dialect.ts";
import { betaHeaders } from "../betas.ts";
import { readBody, tierNeeds } from "../reading.ts";
import { asRead } from "../wire.ts";
import { anyObject, contentText, item, itemNeeds, name, type Item } from "./items.ts";
import { toolChoice, toolNeeds, tools, wireTools } from "./tools.ts";

const itemsMax = 4096;
const number = z.number().nullish();
const flag = z.boolean().nullish();
const text = z.string();

const format = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text") }),
  z.strictObject({ type: z.literal("json_object") }),
  z.strictObject({ type: z.literal("json_schema"), name, description: text.optional(), schema: anyObject, strict: flag }),
]);
type Format = z.output<typeof format>;

/** Log probabilities repeat the answer token by token, which no detector could put together: they are not listed. */
const include = z.enum([
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
  "reasoning.encrypted_content",
]);

const ResponsesRequest = z.strictObject({
  model: name,
  input: z.union([text, z.array(item).min(1).max(itemsMax)]),
  instructions: text.nullish(),
  stream: flag,
  stream_options: z.strictObject({ include_obfuscation: z.boolean().optional() }).nullish(),
  store: flag,
  background: flag,
  conversation: z.union([name, z.strictObject({ id: name })]).nullish(),
  previous_response_id: name.nullish(),
  prompt: z.strictObject({ id: name, version: name.nullish(), variables: z.record(z.string(), text).nullish() }).nullish(),
  context_management: z.array(z.strictObject({ type: z.literal("compaction"), compact_threshold: number })).max(1).nullish(),
  include: z.array(include).max(include.options.length).nullish(),
  tools,
  tool_choice: toolChoice,
  parallel_tool_calls: flag,
  max_tool_calls: number,
  max_output_tokens: number,
  temperature: number,
  top_p: number,
  top_logprobs: z.literal(0).nullish(),
  text: z.strictObject({ format: format.optional(), verbosity: z.enum(["low", "medium", "high"]).nullish() }).nullish(),
  reasoning: z
    .strictObject({
      effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]).nullish(),
      summary: z.enum(["auto", "concise", "detailed"]).nullish(),
      generate_summary: z.enum(["auto", "concise", "detailed"]).nullish(),
      context: z.enum(["auto", "current_turn", "all_turns"]).nullish(),
      mode: z.enum(["standard", "pro"]).optional(),
    })
    .nullish(),
  truncation: z.enum(["auto", "disabled"]).nullish(),
  service_tier: z.enum(["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]).nullish(),
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
  user: name.nullish(),
  safety_identifier: name.nullish(),
  prompt_cache_key: name.nullish(),
  prompt_cache_retention: z.enum(["in_memory", "24h"]).nullish(),
  prompt_cache_options: z.strictObject({ mode: z.enum(["implicit", "explicit"]).optional(), ttl: z.enum(["30m", "12h"]).optional() }).optional(),
});
type ResponsesRequest = z.output<typeof ResponsesRequest>;

/** Reads the body of POST /openai/v1/responses. */
export function parseResponses(dialect: Dialect, body: Uint8Array, header: (name: string) => string | undefined): ParsedCall {
  const read = readBody(ResponsesRequest, body);
  if ("refusal" in read) return read;
  const betas = betaHeaders("openai-beta", header);
  return "refusal" in betas ? betas : { call: modelCall(dialect, read.request, { bytes: body.length, betas }) };
}

interface Around {
  readonly bytes: number;
  readonly betas: { readonly needs: readonly Need[]; readonly headers: Readonly<Record<string, string>> };
}

function modelCall(dialect: Dialect, request: ResponsesRequest, { bytes, betas }: Around): ModelCall {
  const max = request.max_output_tokens ?? undefined;
  const bound = max ?? Infinity;
  return {
    dialect,
    model: request.model,
    stream: request.stream === true,
    bytes,
    user: request.safety_identifier ?? request.user ?? undefined,
    request: asRead(request),
    isFixed: isFixedInRequest,
    instructions: instructionsOf(request),
    tools: wireTools(request.tools ?? []),
    responseFormat: canonicalFormat(request.text?.format),
    parameters: { temperature: request.temperature ?? 1, top_p: request.top_p ?? 1, max_tokens: bound, max_completion_tokens: bound },
    needs: [...fieldNeeds(request), ...listNeeds(request), ...betas.needs],
    answerTokensMax: max,
    messages: messagesOf(request),
    // Silence means `true` to the provider, which would keep the words; here it means that nobody asked for it.
    upstreamExtras: { store: request.store === true },
    upstreamHeaders: betas.headers,
  };
}

function itemsOf({ input }: ResponsesRequest): readonly Item[] {
  return typeof input === "string" ? [] : input;
}

function instructionsOf(request: ResponsesRequest): readonly Instruction[] {
  const own = typeof request.instructions === "string" ? [{ role: "system" as const, text: request.instructions, param: "instructions" }] : [];
  const inItems = itemsOf(request).flatMap((item, at) => {
    const instructs = "role" in item && (item.role === "system" || item.role === "developer");
    return instructs && (item.type === "message" || item.type === undefined)
      ? [{ role: item.role === "developer" ? ("developer" as const) : ("system" as const), text: contentText(item.content), param: `input[${at}].content` }]
      : [];
  });
  return [...own, ...inItems];
}

/** The same format in the words of chat completions, in which releases declare it. */
function canonicalFormat(format: Format | undefined): unknown {
  if (format === undefined || format.type === "text") return undefined;
  if (format.type === "json_object") return { type: "json_object" };
  const { name, schema, strict, description } = format;
  const more = { ...(typeof strict === "boolean" && { strict }), ...(description !== undefined && { description }) };
  return { type: "json_schema", json_schema: { name, schema, ...more } };
}

/** What leaves words at the provider, brings in words that nobody here has read, or acts later. */
function fieldNeeds({ store, background, conversation, previous_response_id: previous, prompt, ...request }: ResponsesRequest): readonly Need[] {
  const asked: readonly (readonly [boolean, Need])[] = [
    [store === true, { permission: "store", param: "store" }],
    [background === true, { permission: "background", param: "background" }],
    [isGiven(conversation), { permission: "conversation", param: "conversation" }],
    [isGiven(previous), { permission: "previous-response", param: "previous_response_id" }],
    [isGiven(prompt), { permission: `prompt:${prompt?.id ?? ""}`, param: "prompt" }],
    [(request.context_management ?? []).length > 0, { permission: "compaction", param: "context_management" }],
    [request.prompt_cache_retention === "24h", { permission: "prompt-cache-24h", param: "prompt_cache_retention" }],
  ];
  return [...asked.flatMap(([given, need]) => (given ? [need] : [])), ...tierNeeds(request.service_tier)];
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function listNeeds(request: ResponsesRequest): readonly Need[] {
  return [
    ...itemsOf(request).flatMap((item, at) => itemNeeds(item, `input[${at}]`)),
    ...(request.tools ?? []).flatMap((tool, at) => toolNeeds(tool, `tools[${at}]`)),
  ];
}

function messagesOf(request: ResponsesRequest): readonly JsonObject[] {
  const own = typeof request.instructions === "string" ? [{ role: "system", content: request.instructions }] : [];
  const turns = typeof request.input === "string" ? [{ role: "user", content: request.input }] : request.input.map((item) => asRead(item));
  return [...own, ...turns];
}

const fixedKeys: ReadonlySet<string> = new Set([
  "type",
  "id",
  "call_id",
  "role",
  "status",
  "model",
  "name",
  "phase",
  "detail",
  "encrypted_content",
  "previous_response_id",
  "conversation",
  "file_id",
  "image_url",
  "file_url",
  "file_data",
  "data",
  "format",
  "server_label",
  "server_url",
  "connector_id",
  "approval_request_id",
  "prompt_cache_key",
]);

/** Definitions are the release's own words, of which a model reads the descriptions as text; all else in them is structure. */
function isFixedInRequest(path: JsonPath): boolean {
  const [top] = path;
  const last = path.at(-1);
  if (top === "metadata") return false;
  if (top === "tools" || top === "text") return last !== "description";
  if (top === "prompt") return path[1] !== "variables";
  return typeof last !== "string" || fixedKeys.has(last) || fixedTops.has(String(top));
}

const fixedTops: ReadonlySet<string> = new Set(["tool_choice", "include", "reasoning", "truncation", "service_tier", "stream_options"]);
