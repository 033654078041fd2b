import * as z from "../shape.ts";

/** Everything from the caller is attacker-controlled: what is not listed here is refused, not passed on. */
const messagesMax = 4096;
const toolsMax = 512;
const partsMax = 1024;
const nameCharactersMax = 256;
const metadataMax = 16;

const nothing = z.custom<null>((value) => value === null, "must be null");
const text = z.string();
const name = z.string().min(1).max(nameCharactersMax);
const textPart = z.strictObject({ type: z.literal("text"), text });
const refusalPart = z.strictObject({ type: z.literal("refusal"), refusal: text });
const mediaParts = [
  z.strictObject({ type: z.literal("image_url"), image_url: z.strictObject({ url: text, detail: z.enum(["auto", "low", "high"]).optional() }) }),
  z.strictObject({ type: z.literal("input_audio"), input_audio: z.strictObject({ data: text, format: z.enum(["wav", "mp3"]) }) }),
  z.strictObject({ type: z.literal("file"), file: z.strictObject({ file_data: text.optional(), file_id: name.optional(), filename: name.optional() }) }),
] as const;
const content = z.union([text, z.array(textPart).max(partsMax)]);
const userContent = z.union([text, z.array(z.discriminatedUnion("type", [textPart, ...mediaParts])).max(partsMax)]);
const instruction = { content, name: name.optional() };

const toolCall = z.strictObject({
  id: name,
  type: z.literal("function"),
  function: z.strictObject({ name, arguments: text }),
});

const message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("system"), ...instruction }),
  z.strictObject({ role: z.literal("developer"), ...instruction }),
  z.strictObject({ role: z.literal("user"), content: userContent, name: name.optional() }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.union([text, z.array(z.union([textPart, refusalPart])).max(partsMax)]).nullish(),
    name: name.optional(),
    refusal: text.nullish(),
    tool_calls: z.array(toolCall).max(toolsMax).optional(),
    // The official client's answers carry these; sent back empty they say nothing.
    annotations: z.array(z.never()).optional(),
    audio: nothing.optional(),
    function_call: nothing.optional(),
  }),
  z.strictObject({ role: z.literal("tool"), content, tool_call_id: name }),
]);

const tool = z.strictObject({
  type: z.literal("function"),
  function: z.strictObject({
    name,
    description: text.optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
    strict: z.boolean().nullish(),
  }),
});

const responseFormat = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text") }),
  z.strictObject({ type: z.literal("json_object") }),
  z.strictObject({
    type: z.literal("json_schema"),
    json_schema: z.strictObject({
      name,
      description: text.optional(),
      schema: z.record(z.string(), z.unknown()).optional(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const number = z.number().nullish();

export const ChatRequest = z.strictObject({
  model: name,
  messages: z.array(message).min(1).max(messagesMax),
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
    .nullish(),
  tools: z.array(tool).max(toolsMax).optional(),
  tool_choice: z
    .union([
      z.enum(["none", "auto", "required"]),
      z.strictObject({ type: z.literal("function"), function: z.strictObject({ name }) }),
    ])
    .optional(),
  parallel_tool_calls: z.boolean().optional(),
  response_format: responseFormat.optional(),
  temperature: number,
  top_p: number,
  max_tokens: number,
  max_completion_tokens: number,
  n: number,
  presence_penalty: number,
  frequency_penalty: number,
  seed: number,
  stop: z.union([text, z.array(text).max(16)]).nullish(),
  user: name.optional(),
  safety_identifier: name.optional(),
  prompt_cache_key: name.optional(),
  prompt_cache_retention: z.enum(["in-memory", "in_memory", "24h"]).nullish(),
  metadata: z.record(z.string().max(64), z.string().max(512)).max(metadataMax).nullish(),
  modalities: z.array(z.literal("text")).nullish(),
  service_tier: z.enum(["auto", "default", "flex", "scale", "priority"]).nullish(),
  store: z.boolean().nullish(),
  verbosity: z.enum(["low", "medium", "high"]).nullish(),
  web_search_options: z.strictObject({ search_context_size: z.enum(["low", "medium", "high"]).optional() }).optional(),
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).nullish(),
});
export type ChatRequest = z.output<typeof ChatRequest>;
export type ChatMessage = ChatRequest["messages"][number];
