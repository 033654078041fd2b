import * as z from "../shape.ts";
import type { JsonObject } from "../../../ledger/entry.ts";
import type { Need } from "../../dialect.ts";

/** Bounds of what one request may name; more is built to tire a reader. */
const partsMax = 1024;
const nameCharactersMax = 256;

const text = z.string();
export const name = z.string().min(1).max(nameCharactersMax);
const id = name.nullish();
const status = z.enum(["in_progress", "completed", "incomplete"]).nullish();
const breakpoint = z.strictObject({ mode: z.literal("explicit") }).optional();
/** Comes from `JSON.parse`, so it is JSON; every string in it is scanned. */
export const anyObject = z.custom<JsonObject>((value) => typeof value === "object" && value !== null && !Array.isArray(value), "must be an object");

const image = z.strictObject({
  type: z.literal("input_image"),
  detail: z.enum(["low", "high", "auto", "original"]).optional(),
  file_id: id,
  image_url: text.nullish(),
  prompt_cache_breakpoint: breakpoint,
});
const file = z.strictObject({
  type: z.literal("input_file"),
  detail: z.enum(["auto", "low", "high"]).optional(),
  file_data: text.nullish(),
  file_id: id,
  file_url: text.nullish(),
  filename: text.optional(),
  prompt_cache_breakpoint: breakpoint,
});
const audio = z.strictObject({
  type: z.literal("input_audio"),
  input_audio: z.strictObject({ data: text, format: z.enum(["mp3", "wav"]) }),
});
const inputText = z.strictObject({ type: z.literal("input_text"), text, prompt_cache_breakpoint: breakpoint });
const outputText = z.strictObject({
  type: z.literal("output_text"),
  text,
  annotations: z.array(anyObject).max(partsMax).nullish(),
  // The official client's answers carry it; text could hide in its tokens, so only the empty one goes back.
  logprobs: z.array(z.never()).nullish(),
  // Read from the text by the client's own helper; sent back it says nothing new.
  parsed: z.unknown().optional(),
});
const refusal = z.strictObject({ type: z.literal("refusal"), refusal: text });
const contentPart = z.discriminatedUnion("type", [inputText, outputText, refusal, image, file, audio]);
const content = z.union([text, z.array(contentPart).max(partsMax)]);
const resultContent = z.union([text, z.array(z.discriminatedUnion("type", [inputText, image, file])).max(partsMax)]);

/** Tools that run at the provider are called directly; programs that call tools are not a thing this gateway reads. */
const caller = z.strictObject({ type: z.literal("direct") }).nullish();

const message = z.strictObject({
  type: z.literal("message").optional(),
  id,
  role: z.enum(["user", "assistant", "system", "developer"]),
  content,
  status,
  phase: z.enum(["commentary", "final_answer"]).nullish(),
});
const functionCall = z.strictObject({
  type: z.literal("function_call"),
  id,
  call_id: name,
  name,
  arguments: text,
  parsed_arguments: z.unknown().optional(),
  caller,
  status,
});
const functionResult = z.strictObject({ type: z.literal("function_call_output"), id, call_id: name, output: resultContent, caller, status });
const customCall = z.strictObject({ type: z.literal("custom_tool_call"), id, call_id: name, name, input: text, caller, status });
const customResult = z.strictObject({ type: z.literal("custom_tool_call_output"), id, call_id: name, output: resultContent, caller, status });
const reasoning = z.strictObject({
  type: z.literal("reasoning"),
  id,
  summary: z.array(z.strictObject({ type: z.literal("summary_text"), text })).max(partsMax),
  content: z.array(z.strictObject({ type: z.literal("reasoning_text"), text })).max(partsMax).nullish(),
  encrypted_content: text.nullish(),
  status,
});
const reference = z.strictObject({ type: z.literal("item_reference"), id: name });
/** The words of a stored context, sealed by the provider. */
const compaction = z.strictObject({ type: z.literal("compaction"), id, encrypted_content: text });

/** Calls of tools that run at the provider or on the caller's machine by the provider's own definition, and their results. */
const toolTypes = [
  "web_search_call",
  "file_search_call",
  "code_interpreter_call",
  "image_generation_call",
  "computer_call",
  "computer_call_output",
  "local_shell_call",
  "local_shell_call_output",
  "shell_call",
  "shell_call_output",
  "apply_patch_call",
  "apply_patch_call_output",
] as const;
type ToolType = (typeof toolTypes)[number];

const toolItem = z.looseObject({ type: z.enum(toolTypes) });

const connectorItem = z.looseObject({ type: z.enum(["mcp_list_tools", "mcp_call", "mcp_approval_request"]), server_label: name });
const approval = z.strictObject({
  type: z.literal("mcp_approval_response"),
  id,
  approval_request_id: name,
  approve: z.boolean(),
  reason: text.nullish(),
});

export const item = z.discriminatedUnion("type", [
  message,
  functionCall,
  functionResult,
  customCall,
  customResult,
  reasoning,
  reference,
  compaction,
  connectorItem,
  approval,
  toolItem,
]);
export type Item = z.output<typeof item>;

/** The power that an item of each other kind is; null for words that are scanned like any other. */
const permissions: Readonly<Record<Exclude<NonNullable<Item["type"]>, ToolType>, string | null>> = {
  message: null,
  function_call: null,
  function_call_output: null,
  custom_tool_call: null,
  custom_tool_call_output: null,
  reasoning: null,
  item_reference: "item-reference",
  compaction: "compaction",
  mcp_list_tools: "connector",
  mcp_call: "connector",
  mcp_approval_request: "connector",
  mcp_approval_response: "connector-approval",
};

/** Every kind of item that this gateway can read. */
export const itemTypes: readonly string[] = [...Object.keys(permissions), ...toolTypes];

/** A call of a tool and its result are one power, named by the tool. */
function permissionOf(type: NonNullable<Item["type"]>): string | null {
  return isToolType(type) ? `server-tool:${type.replace(/_call(?:_output)?$/u, "")}` : permissions[type];
}

function isToolType(type: NonNullable<Item["type"]>): type is ToolType {
  const tools: readonly string[] = toolTypes;
  return tools.includes(type);
}

/** The permission that a tool of the provider stands behind, by the kind of its item; undefined for every other item. */
export function toolPermission(type: string): string | undefined {
  const known = toolTypes.find((each) => each === type);
  return known === undefined ? undefined : (permissionOf(known) ?? undefined);
}

/** What the release must permit before this item may pass: bytes nobody can scan, addresses that others fetch, stored words. */
export function itemNeeds(item: Item, param: string): readonly Need[] {
  if (item.type === undefined || item.type === "message") return contentNeeds(item.content, `${param}.content`);
  if (item.type === "function_call_output" || item.type === "custom_tool_call_output") return contentNeeds(item.output, `${param}.output`);
  if (item.type === "mcp_list_tools" || item.type === "mcp_call" || item.type === "mcp_approval_request") {
    return [{ permission: `connector:${item.server_label}`, param }];
  }
  const permission = permissionOf(item.type);
  return permission === null ? [] : [{ permission, param }];
}

type Content = z.output<typeof content>;

function contentNeeds(content: Content, param: string): readonly Need[] {
  return typeof content === "string" ? [] : content.flatMap((part, at) => partNeeds(part, `${param}[${at}]`));
}

function partNeeds(part: z.output<typeof contentPart>, param: string): readonly Need[] {
  if (part.type === "input_image") return [...fileIdNeeds(part.file_id, param), ...addressNeeds(part.image_url, "image", param)];
  if (part.type === "input_audio") return [{ permission: "audio", param }];
  if (part.type !== "input_file") return [];
  const inline = typeof part.file_data === "string" ? [{ permission: "file", param }] : [];
  return [...fileIdNeeds(part.file_id, param), ...addressNeeds(part.file_url, "file", param), ...inline];
}

function fileIdNeeds(fileId: string | null | undefined, param: string): readonly Need[] {
  return typeof fileId === "string" ? [{ permission: `file:${fileId}`, param }] : [];
}

/** Bytes in the request itself need the plain permission; an address makes the provider fetch, which is another power. */
function addressNeeds(address: string | null | undefined, kind: "image" | "file", param: string): readonly Need[] {
  if (typeof address !== "string") return [];
  return [{ permission: address.startsWith("data:") ? kind : `${kind}-url`, param }];
}

/** The text of a message as the model reads it: its parts in one. */
export function contentText(content: Content): string {
  if (typeof content === "string") return content;
  return content.map((part) => ("text" in part ? part.text : "refusal" in part ? part.refusal : "")).join("");
}
