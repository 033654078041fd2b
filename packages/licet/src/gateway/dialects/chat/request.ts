import type { Dialect, Instruction, JsonPath, ModelCall, Need, ParsedCall } from "../../dialect.ts";
import { readBody, tierNeeds } from "../reading.ts";
import { asRead } from "../wire.ts";
import { ChatRequest, type ChatMessage } from "./schema.ts";

/** Reads a request of chat completions. */
export function parseChat(dialect: Dialect, body: Uint8Array): ParsedCall {
  const read = readBody(ChatRequest, body);
  return "refusal" in read ? read : { call: modelCall(dialect, read.request, body.length) };
}

function modelCall(dialect: Dialect, request: ChatRequest, bytes: number): ModelCall {
  const stream = request.stream === true;
  return {
    dialect,
    model: request.model,
    stream,
    bytes,
    user: request.safety_identifier ?? request.user,
    request: asRead(request),
    isFixed,
    instructions: request.messages.flatMap(instruction),
    tools: (request.tools ?? []).map(({ function: { name, description = "", parameters = {}, strict } }, at) => ({ name, description, parameters, strict: strict ?? undefined, param: `tools[${at}]` })),
    responseFormat: request.response_format,
    parameters: parametersOf(request),
    needs: needsOf(request),
    answerTokensMax: answerTokensMax(request),
    messages: request.messages.map((message) => asRead(message)),
    // The gateway needs the usage in any case; the caller sees it where it asked.
    upstreamExtras: stream ? { stream_options: { ...asRead(request.stream_options ?? {}), include_usage: true } } : {},
    upstreamHeaders: {},
  };
}

function instruction(message: ChatMessage, at: number): readonly Instruction[] {
  const { role } = message;
  return role === "system" || role === "developer" ? [{ role, text: messageText(message), param: `messages[${at}].content` }] : [];
}

/** The text of a message, its parts joined: what a prompt's digest is taken of. */
function messageText({ content }: ChatMessage): string {
  return typeof content === "string" ? content : (content ?? []).map(partText).join("");
}

function partText(part: object): string {
  if ("text" in part && typeof part.text === "string") return part.text;
  return "refusal" in part && typeof part.refusal === "string" ? part.refusal : "";
}

/** What a provider takes for a parameter that the call leaves out (OpenAI API reference); of an answer's length, no end. */
function parametersOf(request: ChatRequest): Readonly<Record<string, number>> {
  const { max_tokens: old, max_completion_tokens: length } = request;
  const unbounded = typeof old !== "number" && typeof length !== "number";
  return {
    temperature: request.temperature ?? 1,
    top_p: request.top_p ?? 1,
    n: request.n ?? 1,
    presence_penalty: request.presence_penalty ?? 0,
    frequency_penalty: request.frequency_penalty ?? 0,
    ...(typeof old === "number" && { max_tokens: old }),
    ...(typeof length === "number" && { max_completion_tokens: length }),
    ...(unbounded && { max_tokens: Infinity }),
  };
}

function answerTokensMax({ max_tokens: old, max_completion_tokens: length, n }: ChatRequest): number | undefined {
  const sent = [old, length].filter((each) => typeof each === "number");
  // Providers read one of the two; which one is theirs to say, so the larger is the bound.
  return sent.length === 0 ? undefined : Math.max(...sent) * Math.max(1, n ?? 1);
}

function needsOf(request: ChatRequest): readonly Need[] {
  const parts = request.messages.flatMap(({ content }, at) => (Array.isArray(content) ? content.flatMap((part, position) => partNeed(part, `messages[${at}].content[${position}]`)) : []));
  return [
    ...parts,
    ...(request.store === true ? [{ permission: "store", param: "store" }] : []),
    ...tierNeeds(request.service_tier),
    ...(request.web_search_options === undefined ? [] : [{ permission: "server-tool:web_search", param: "web_search_options" }]),
  ];
}

type UserPart = Exclude<Extract<ChatMessage, { readonly role: "user" }>["content"], string>[number];

/** Bytes in the call itself need the plain permission; an address makes the provider fetch, an id brings in what was stored. */
function partNeed(part: UserPart | { readonly type: "refusal" }, at: string): readonly Need[] {
  const param = `${at}.${part.type}`;
  if (part.type === "image_url") return [{ permission: part.image_url.url.startsWith("data:") ? "image" : "image-url", param }];
  if (part.type === "input_audio") return [{ permission: "audio", param }];
  if (part.type !== "file") return [];
  return [{ permission: part.file.file_id === undefined ? "file" : `file:${part.file.file_id}`, param }];
}

const fixedKeys: ReadonlySet<string | number> = new Set(["role", "type", "id", "name", "tool_call_id", "model", "user", "safety_identifier", "prompt_cache_key", "url", "data", "file_data", "file_id", "filename", "detail", "format"]);
const fixedRoots: ReadonlySet<string | number> = new Set(["tools", "tool_choice", "response_format", "metadata", "service_tier", "verbosity", "reasoning_effort", "prompt_cache_retention", "modalities", "web_search_options"]);

/** A definition is declared in the release word for word; changed, it would be another. So are names and ids. */
function isFixed(path: JsonPath): boolean {
  return fixedRoots.has(path[0] ?? "") || fixedKeys.has(path.at(-1) ?? "");
}
