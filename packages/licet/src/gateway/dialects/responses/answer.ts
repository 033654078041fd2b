import type { JsonObject, JsonValue } from "../../../ledger/entry.ts";
import type { AnswerShape, JsonPath, Usage } from "../../dialect.ts";
import { countAt, listAt, objectAt, textAt, wireObject } from "../wire.ts";
import { callsIn } from "./calls.ts";
import { itemTypes } from "./items.ts";

/** Kinds of output that this gateway can read. What is not here is not passed on; a reference is only ever asked with. */
const outputTypes: ReadonlySet<string> = new Set(itemTypes.filter((type) => type !== "item_reference"));

const outputsMax = 4096;

/** Reads a whole response; undefined for a shape that this gateway does not know. */
export function readAnswer(value: unknown): AnswerShape | undefined {
  const response = readResponse(wireObject(value));
  if (response === undefined) return undefined;
  const toolCalls = callsIn(response);
  return { value: response, isFixed: isFixedInAnswer, usage: usageOf(response), finishReasons: finishReasons(response), ...(toolCalls.length > 0 && { toolCalls }) };
}

/** The response with what cannot be scanned taken out; undefined when it is none. */
export function readResponse(response: JsonObject | undefined): JsonObject | undefined {
  const known = response !== undefined && response["object"] === "response" && Array.isArray(response["output"]);
  if (!known) return undefined;
  const output = listAt(response, "output");
  const read = output.map((item) => readItem(wireObject(item)));
  const items = read.filter((item) => item !== undefined);
  return items.length < output.length || output.length > outputsMax ? undefined : { ...response, output: items };
}

/** An item of output, or undefined for a kind that nobody has read. */
export function readItem(item: JsonObject | undefined): JsonObject | undefined {
  const type = item === undefined ? undefined : textAt(item, "type");
  if (item === undefined || type === undefined || !outputTypes.has(type)) return undefined;
  return type === "message" ? { ...item, content: listAt(item, "content").map(withoutLogprobs) } : item;
}

/** Log probabilities repeat the text in tokens and bytes, past every detector. Nobody could ask for them. */
export function withoutLogprobs(part: JsonValue): JsonValue {
  const object = wireObject(part);
  return object?.["logprobs"] === undefined ? part : { ...object, logprobs: [] };
}

export function usageOf(response: JsonObject): Usage | null {
  const usage = objectAt(response, "usage");
  const prompt = countAt(usage, "input_tokens");
  const completion = countAt(usage, "output_tokens");
  if (usage === undefined || prompt === undefined || completion === undefined) return null;
  const cached = countAt(objectAt(usage, "input_tokens_details"), "cached_tokens");
  const reasoning = countAt(objectAt(usage, "output_tokens_details"), "reasoning_tokens");
  return {
    prompt,
    completion,
    total: countAt(usage, "total_tokens") ?? prompt + completion,
    ...(cached !== undefined && { cached }),
    ...(reasoning !== undefined && { reasoning }),
  };
}

/** Why the response ended: its status, or what it lacks to be complete. */
export function finishReason(response: JsonObject): string | undefined {
  const details = objectAt(response, "incomplete_details");
  const lacking = details === undefined ? undefined : textAt(details, "reason");
  return lacking ?? textAt(response, "status");
}

function finishReasons(response: JsonObject): readonly string[] {
  const reason = finishReason(response);
  return reason === undefined ? [] : [reason];
}

const fixedKeys: ReadonlySet<string> = new Set([
  "type",
  "object",
  "id",
  "item_id",
  "call_id",
  "approval_request_id",
  "role",
  "status",
  "phase",
  "model",
  "name",
  "server_label",
  "encrypted_content",
  "file_id",
  "container_id",
  "obfuscation",
  "result",
  "partial_image_b64",
  "service_tier",
  "truncation",
  "previous_response_id",
  "prompt_cache_key",
]);

/** What a response repeats of its request's definitions is structure. */
export function isFixedInAnswer(path: JsonPath): boolean {
  const last = path.at(-1);
  if (path.includes("metadata")) return false;
  return path.includes("tools") || path.includes("format") || typeof last !== "string" || fixedKeys.has(last);
}
