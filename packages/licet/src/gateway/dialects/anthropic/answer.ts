import type { JsonObject } from "../../../ledger/entry.ts";
import type { AnswerShape, JsonPath, ToolCall, Usage } from "../../dialect.ts";
import { countAt, listAt, objectAt, textAt, wireObject } from "../wire.ts";
import { toolFamily } from "./blocks.ts";

/** Kinds of content that this gateway can read. What is not here is not passed on. */
const blockTypes: ReadonlySet<string> = new Set([
  "text",
  "thinking",
  "redacted_thinking",
  "tool_use",
  "server_tool_use",
  "web_search_tool_result",
  "web_fetch_tool_result",
  "code_execution_tool_result",
  "bash_code_execution_tool_result",
  "text_editor_code_execution_tool_result",
  "tool_search_tool_result",
  "mcp_tool_use",
  "mcp_tool_result",
  "container_upload",
]);

const blocksMax = 4096;

/** Reads a whole message; undefined for a shape that this gateway does not know. */
export function readMessage(value: unknown): AnswerShape | undefined {
  const message = wireObject(value);
  const known = message !== undefined && message["type"] === "message" && message["role"] === "assistant" && Array.isArray(message["content"]);
  if (!known) return undefined;
  const blocks = listAt(message, "content");
  if (blocks.length > blocksMax || !blocks.every((block) => readBlock(wireObject(block)) !== undefined)) return undefined;
  const reason = textAt(message, "stop_reason");
  const toolCalls = blocks.flatMap((block) => callOf(wireObject(block)) ?? []);
  return { value: message, isFixed: isFixedInAnswer, usage: usageOf(objectAt(message, "usage")), finishReasons: reason === undefined ? [] : [reason], ...(toolCalls.length > 0 && { toolCalls }) };
}

/** The tool that a block calls; undefined for a block that calls none. */
export function callOf(block: JsonObject | undefined): ToolCall | undefined {
  if (block === undefined) return undefined;
  const name = textAt(block, "name") ?? "";
  if (block["type"] === "tool_use") return { kind: "function", name };
  if (block["type"] === "server_tool_use") return { kind: "power", permission: `server-tool:${toolFamily(name)}`, name: toolFamily(name) };
  return block["type"] === "mcp_tool_use" ? { kind: "power", permission: `connector:${textAt(block, "server_name") ?? ""}`, name } : undefined;
}

/** A count of tokens says nothing and is not billed. */
export function readCount(value: unknown): AnswerShape | undefined {
  const count = wireObject(value);
  if (countAt(count, "input_tokens") === undefined || count === undefined) return undefined;
  return { value: count, isFixed: isFixedInAnswer, usage: { prompt: 0, completion: 0, total: 0 }, finishReasons: [] };
}

/** The kind of a block of content, or undefined for one that nobody has read. */
export function readBlock(block: JsonObject | undefined): string | undefined {
  const type = block === undefined ? undefined : textAt(block, "type");
  return type !== undefined && blockTypes.has(type) ? type : undefined;
}

/** The provider counts what it reads from its cache, and what it writes to it, beside the other input. */
export function usageOf(usage: JsonObject | undefined): Usage | null {
  const input = countAt(usage, "input_tokens");
  const completion = countAt(usage, "output_tokens");
  if (usage === undefined || input === undefined || completion === undefined) return null;
  const cached = countAt(usage, "cache_read_input_tokens") ?? 0;
  const written = countAt(usage, "cache_creation_input_tokens") ?? 0;
  const prompt = input + cached + written;
  const reasoning = countAt(objectAt(usage, "output_tokens_details"), "thinking_tokens");
  return { prompt, completion, total: prompt + completion, cached, written, ...(reasoning !== undefined && { reasoning }) };
}

const fixedKeys: ReadonlySet<string> = new Set([
  "type",
  "id",
  "role",
  "model",
  "name",
  "tool_use_id",
  "server_name",
  "file_id",
  "stop_reason",
  "thinking",
  "signature",
  "data",
  "encrypted_content",
  "encrypted_index",
  "service_tier",
  "inference_geo",
]);

/** Signed thinking cannot be rewritten, nor what names something; what a tool is called with is the model's own words. */
export function isFixedInAnswer(path: JsonPath): boolean {
  const last = path.at(-1);
  return !path.slice(0, -1).includes("input") && (typeof last !== "string" || fixedKeys.has(last));
}
