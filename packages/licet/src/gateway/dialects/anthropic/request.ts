import * as z from "../shape.ts";
import type { JsonObject } from "../../../ledger/entry.ts";
import type { Dialect, Instruction, JsonPath, ModelCall, Need, ParsedCall } from "../../dialect.ts";
import { refuse, type Refusal } from "../../refusal.ts";
import { textAt } from "../../texts.ts";
import { betaHeaders, type Betas } from "../betas.ts";
import { readBody } from "../reading.ts";
import { asRead } from "../wire.ts";
import { anyObject, cacheControl, content, contentNeeds, contentText, name, textBlock } from "./blocks.ts";
import { connectorNeeds, connectors, offeredTools, toolChoice, toolNeeds, tools, wireTools } from "./tools.ts";

const messagesMax = 4096;
const stopsMax = 64;
const number = z.number().nullish();
const text = z.string();

const format = z.strictObject({ type: z.literal("json_schema"), schema: anyObject }).nullish();
const system = z.union([text, z.array(textBlock).max(messagesMax)]);
const message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("user"), content }),
  z.strictObject({ role: z.literal("assistant"), content }),
  z.strictObject({ role: z.literal("system"), content: system }),
]);
const display = z.enum(["summarized", "omitted"]).nullish();
const thinking = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("enabled"), budget_tokens: z.int(), display }),
  z.strictObject({ type: z.literal("adaptive"), display }),
  z.strictObject({ type: z.literal("disabled") }),
  z.strictObject({ type: z.literal("between_tools") }),
]);

const counted = {
  model: name,
  messages: z.array(message).min(1).max(messagesMax),
  system: system.optional(),
  tools,
  tool_choice: toolChoice,
  thinking: thinking.optional(),
  output_config: z.strictObject({ effort: z.enum(["low", "medium", "high", "xhigh", "max"]).nullish(), format }).optional(),
  output_format: format,
  cache_control: cacheControl,
  speed: z.enum(["standard", "fast"]).nullish(),
  mcp_servers: connectors,
};

const CountRequest = z.strictObject(counted);
const MessagesRequest = z.strictObject({
  ...counted,
  max_tokens: z.int().min(0),
  stream: z.boolean().nullish(),
  temperature: number,
  top_p: number,
  top_k: number,
  stop_sequences: z.array(text).max(stopsMax).nullish(),
  metadata: z.strictObject({ user_id: text.max(512).nullish() }).nullish(),
  service_tier: z.enum(["auto", "standard_only"]).nullish(),
  inference_geo: name.nullish(),
  container: z.union([name, z.strictObject({ id: name.nullish(), skills: z.array(anyObject).max(stopsMax).nullish() })]).nullish(),
  context_management: anyObject.nullish(),
});
type CountRequest = z.output<typeof CountRequest>;
type MessagesRequest = z.output<typeof MessagesRequest>;

/** Trial features that change the form of requests and answers only, and open no door. */
const formBetas: ReadonlySet<string> = new Set([
  "prompt-caching-2024-07-31",
  "extended-cache-ttl-2025-04-11",
  "output-128k-2025-02-19",
  "token-efficient-tools-2025-02-19",
  "fine-grained-tool-streaming-2025-05-14",
  "interleaved-thinking-2025-05-14",
  "structured-outputs-2025-11-13",
  "mid-conversation-system-2026-04-07",
  "pdfs-2024-09-25",
]);

const defaultVersion = "2023-06-01";

interface Around {
  readonly bytes: number;
  readonly betas: Betas;
  readonly version: string;
}

type Header = (name: string) => string | undefined;

/** Reads the body of POST /anthropic/v1/messages. */
export function parseMessages(dialect: Dialect, body: Uint8Array, header: Header): ParsedCall {
  const read = readBody(MessagesRequest, body);
  const around = "refusal" in read ? read : readHeaders(header, body.length);
  return "refusal" in read ? read : "refusal" in around ? around : { call: messagesCall(dialect, read.request, around) };
}

/** Reads the body of POST /anthropic/v1/messages/count_tokens. */
export function parseCount(dialect: Dialect, body: Uint8Array, header: Header): ParsedCall {
  const read = readBody(CountRequest, body);
  const around = "refusal" in read ? read : readHeaders(header, body.length);
  return "refusal" in read ? read : "refusal" in around ? around : { call: countCall(dialect, read.request, around) };
}

function readHeaders(header: Header, bytes: number): Around | { readonly refusal: Refusal } {
  const version = header("anthropic-version") ?? defaultVersion;
  if (!/^\d{4}-\d{2}-\d{2}$/u.test(version)) {
    return { refusal: refuse("request_unreadable", { message: "the header `anthropic-version` is not a date", param: "anthropic-version" }) };
  }
  const betas = betaHeaders("anthropic-beta", header, formBetas);
  return "refusal" in betas ? betas : { bytes, betas, version };
}

function countCall(dialect: Dialect, request: CountRequest, { bytes, betas, version }: Around): ModelCall {
  const read = asRead(request);
  return {
    dialect,
    model: request.model,
    stream: false,
    bytes,
    user: undefined,
    request: read,
    isFixed: (path) => isFixedIn(read, path),
    instructions: instructionsOf(request),
    tools: wireTools(request.tools ?? []),
    offered: offeredTools(request.tools ?? []),
    responseFormat: canonicalFormat(request),
    parameters: {},
    needs: [...needsOf(request), ...betas.needs],
    answerTokensMax: 0,
    messages: messagesOf(request),
    upstreamExtras: {},
    upstreamHeaders: { "anthropic-version": version, ...betas.headers },
  };
}

function messagesCall(dialect: Dialect, request: MessagesRequest, around: Around): ModelCall {
  const call = countCall(dialect, request, around);
  return {
    ...call,
    stream: request.stream === true,
    user: request.metadata?.user_id ?? undefined,
    parameters: {
      temperature: request.temperature ?? 1,
      top_p: request.top_p ?? 1,
      max_tokens: request.max_tokens,
      max_completion_tokens: request.max_tokens,
    },
    needs: [...call.needs, ...messagesNeeds(request)],
    answerTokensMax: request.max_tokens,
  };
}

function instructionsOf({ system, messages }: CountRequest): readonly Instruction[] {
  const own = system === undefined ? [] : [{ role: "system" as const, text: contentText(system), param: "system" }];
  const between = messages.flatMap((message, at) =>
    message.role === "system" ? [{ role: "system" as const, text: contentText(message.content), param: `messages[${at}].content` }] : [],
  );
  return [...own, ...between];
}

/** The same format in the words of chat completions, in which releases declare it. This dialect gives it no name. */
function canonicalFormat({ output_config: config, output_format: older }: CountRequest): unknown {
  const format = config?.format ?? older ?? undefined;
  return format === undefined ? undefined : { type: "json_schema", json_schema: { schema: format.schema } };
}

function needsOf(request: CountRequest): readonly Need[] {
  return [
    ...request.messages.flatMap(({ content }, at) => contentNeeds(content, `messages[${at}].content`)),
    ...(request.tools ?? []).flatMap((tool, at) => toolNeeds(tool, `tools[${at}]`)),
    ...connectorNeeds(request.mcp_servers),
    ...(request.speed === "fast" ? [{ permission: "speed:fast", param: "speed" }] : []),
  ];
}

/** Where the provider computes, what it keeps, and what it takes out of the words by itself. */
function messagesNeeds({ container, inference_geo: geo, context_management: management }: MessagesRequest): readonly Need[] {
  return [
    ...(geo === undefined || geo === null ? [] : [{ permission: `inference-geo:${geo}`, param: "inference_geo" }]),
    ...(container === undefined || container === null ? [] : [{ permission: containerPermission(container), param: "container" }]),
    ...(management === undefined || management === null ? [] : [{ permission: "context-management", param: "context_management" }]),
  ];
}

function containerPermission(container: NonNullable<MessagesRequest["container"]>): string {
  const id = typeof container === "string" ? container : container.id;
  return id === undefined || id === null ? "container" : `container:${id}`;
}

function messagesOf({ system, messages }: CountRequest): readonly JsonObject[] {
  const own = system === undefined ? [] : [{ role: "system", content: contentText(system) }];
  return [...own, ...messages.map((message) => asRead(message))];
}

const fixedKeys: ReadonlySet<string> = new Set([
  "type",
  "id",
  "role",
  "model",
  "name",
  "tool_use_id",
  "file_id",
  "media_type",
  "url",
  "data",
  "thinking",
  "signature",
  "encrypted_content",
  "encrypted_index",
  "server_name",
  "ttl",
]);

const definitions: ReadonlySet<string | number> = new Set(["tools", "output_config", "output_format"]);
const words: ReadonlySet<string | number> = new Set(["metadata", "stop_sequences"]);

/** Signed thinking cannot be rewritten, nor what names something; what a tool was called with is the caller's own words. */
function isFixedIn(request: JsonObject, path: JsonPath): boolean {
  const [top = "", , , , inBlock] = path;
  const last = path.at(-1);
  if (definitions.has(top)) return last !== "description";
  if (words.has(top) || (top === "messages" && inBlock === "input")) return false;
  // The same field holds the bytes of a file and the words of a plain text.
  if (last === "data" && textAt(request, [...path.slice(0, -1), "type"]) === "text") return false;
  return typeof last !== "string" || fixedKeys.has(last);
}
