import { hash } from "node:crypto";
import { z } from "zod";
import { refuse, shown, type Refusal } from "./refusal.ts";

/** Everything from the caller is attacker-controlled: what is not listed here is refused, not passed on. */
const messagesMax = 4096;
const toolsMax = 512;
const nameCharactersMax = 256;
/** JSON of this depth is parsed by everybody; deeper is built to break a parser. */
const depthMax = 64;

const text = z.string();
const name = z.string().min(1).max(nameCharactersMax);
const textPart = z.strictObject({ type: z.literal("text"), text });
const refusalPart = z.strictObject({ type: z.literal("refusal"), refusal: text });
const content = z.union([text, z.array(textPart)]);
const instruction = { content, name: name.optional() };

const toolCall = z.strictObject({
  id: name,
  type: z.literal("function"),
  function: z.strictObject({ name, arguments: text }),
});

const message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("system"), ...instruction }),
  z.strictObject({ role: z.literal("developer"), ...instruction }),
  z.strictObject({ role: z.literal("user"), ...instruction }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.union([text, z.array(z.union([textPart, refusalPart]))]).nullish(),
    name: name.optional(),
    refusal: text.nullish(),
    tool_calls: z.array(toolCall).max(toolsMax).optional(),
    // The official client's answers carry these; sent back empty they say nothing.
    annotations: z.array(z.never()).optional(),
    audio: z.null().optional(),
    function_call: z.null().optional(),
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

const ChatRequest = z.strictObject({
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
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).nullish(),
});
export type ChatRequest = z.output<typeof ChatRequest>;
export type ChatMessage = ChatRequest["messages"][number];
export type ChatTool = z.output<typeof tool>;

/** A call to a model, read once and trusted from here on. */
export interface ModelCall {
  readonly model: string;
  readonly request: ChatRequest;
  readonly stream: boolean;
  /** Whether the caller asked for the usage chunk; the gateway asks for it in any case. */
  readonly wantsUsage: boolean;
  readonly bytes: number;
}

export type ParsedCall = { readonly call: ModelCall } | { readonly refusal: Refusal; readonly model?: string };

export function parseChat(body: Uint8Array): ParsedCall {
  const json = parseJson(body);
  if (json === undefined) {
    return { refusal: refuse("request_unreadable", { message: "the body is not JSON in UTF-8" }) };
  }
  if (!wellFormed(json.value, depthMax)) {
    const message = `the body nests deeper than ${depthMax} levels or holds half a surrogate pair`;
    return { refusal: refuse("request_unreadable", { message }) };
  }
  const parsed = ChatRequest.safeParse(json.value);
  return parsed.success ? { call: modelCall(parsed.data, body.length) } : { refusal: issueRefusal(parsed.error) };
}

function modelCall(request: ChatRequest, bytes: number): ModelCall {
  const stream = request.stream === true;
  const wantsUsage = request.stream_options?.include_usage === true;
  return { model: request.model, request, stream, wantsUsage, bytes };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

export function parseJson(body: Uint8Array): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(body));
    return { value };
  } catch {
    return undefined;
  }
}

/** Half a surrogate pair has no UTF-8 form, so no digest: what is compared would not be what is sent. */
export function wellFormed(value: unknown, left: number = depthMax): boolean {
  if (typeof value === "string") {
    return value.isWellFormed();
  }
  if (typeof value !== "object" || value === null) {
    return true;
  }
  return left > 0 && Object.entries(value).every(([key, child]) => key.isWellFormed() && wellFormed(child, left - 1));
}

type Issue = z.core.$ZodIssue;

function issueRefusal(error: z.ZodError): Refusal {
  const issue = deepest(error.issues);
  const path = z.core.toDotPath(issue.path);
  if (issue.code === "unrecognized_keys") {
    const field = [path, issue.keys[0] ?? ""].filter((part) => part !== "").join(".");
    return refuse("field_unsupported", { message: `\`${shown(field)}\` is not a field that the gateway checks`, param: field });
  }
  if (issue.code === "invalid_union" && issue.discriminator === "type") {
    return refuse("field_unsupported", { message: `\`${path}\` is not of a kind that the gateway checks`, param: path });
  }
  const where = path === "" ? "the body" : `\`${shown(path)}\``;
  return refuse("request_unreadable", { message: `${where}: ${shown(issue.message.toLowerCase())}`, param: path });
}

/** Inside a union, the branch that got furthest says what is wrong. */
function deepest(issues: readonly Issue[]): Issue {
  const unknown = issues.find(({ code }) => code === "unrecognized_keys");
  const issue = unknown ?? issues[0];
  if (issue === undefined) {
    return { code: "custom", path: [], message: "not readable", input: undefined };
  }
  if (issue.code !== "invalid_union" || issue.errors.length === 0) {
    return issue;
  }
  const branches = issue.errors.map((branch) => deepest(branch));
  const best = branches.reduce((a, b) => (b.path.length > a.path.length ? b : a));
  return { ...best, path: [...issue.path, ...best.path] };
}

/** Every text of the call that reaches the provider, wherever it stands. */
export function callTexts(request: ChatRequest): readonly string[] {
  const found: string[] = [];
  collect(request.messages, found);
  collect(request.tools, found);
  collect(request.response_format, found);
  collect([request.stop, request.user, request.safety_identifier, request.tool_choice], found);
  return found;
}

/** The messages in several parts as the model reads them: one text each. */
export function joinedTexts(request: ChatRequest): readonly string[] {
  const inParts = request.messages.filter(({ content }) => Array.isArray(content) && content.length > 1);
  const found: string[] = [];
  collect(inParts.map((message) => messageText(message)), found);
  return found;
}

/** Keys too: a property name of a schema is text that the model reads. */
export function collect(value: unknown, into: string[]): void {
  if (typeof value === "string") {
    into.push(value);
    const unescaped = unescapedJson(value);
    if (unescaped !== value) {
      into.push(unescaped);
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      if (!Array.isArray(value)) {
        into.push(key);
      }
      collect(child, into);
    }
  }
}

const jsonEscape = /\\u([0-9a-fA-F]{4})/gu;

/** Tool arguments are JSON inside a string: `\u0040` in it is an `@` to whoever runs the tool. */
export function unescapedJson(value: string): string {
  return value.includes("\\u")
    ? value.replaceAll(jsonEscape, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : value;
}

/** The text of a message, its parts joined: what a prompt's digest is taken of. */
export function messageText(message: ChatMessage): string {
  const { content } = message;
  if (typeof content === "string") {
    return content;
  }
  return (content ?? []).map((part) => ("text" in part ? part.text : part.refusal)).join("");
}

export function digestText(value: string): string {
  return `sha256:${hash("sha256", value, "hex")}`;
}

const newestMax = 16;

/** Digests of the messages: all folded into one, and the newest one by one, so that a record stays small. */
export function messageDigests(request: ChatRequest): { readonly count: number; readonly digest: string; readonly newest: string[] } {
  const digests = request.messages.map((message) => digestText(JSON.stringify(message)));
  return { count: digests.length, digest: digestText(digests.join("\n")), newest: digests.slice(-newestMax) };
}

/** What goes to the provider: exactly what was read, the provider's model name, and usage asked for. */
export function upstreamBody(call: ModelCall, model: string): string {
  const usage = call.stream ? { stream_options: { ...call.request.stream_options, include_usage: true } } : {};
  return JSON.stringify({ ...call.request, model, ...usage });
}
