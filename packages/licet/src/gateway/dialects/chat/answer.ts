import { parseJson } from "@licet/evidence";
import type { AnswerShape, JsonPath, ModelCall, StreamPiece, StreamReader, StreamStep, Usage } from "../../dialect.ts";
import type { JsonObject, JsonValue } from "../../../ledger/entry.ts";
import type { SseEvent } from "../../sse.ts";
import { countAt, listAt, objectAt, textAt, upstreamInvalid, wireObject } from "../wire.ts";
import { callsIn, streamedCalls } from "./calls.ts";

const finishReasonsMax = 16;
const choicesMax = 128;

export function readAnswer(value: unknown): AnswerShape | undefined {
  const answer = wireObject(value);
  const choices = answer === undefined ? undefined : choicesOf(answer);
  if (answer === undefined || choices === undefined || choices.some((choice) => !isWhole(choice))) return undefined;
  const toolCalls = callsIn(choices);
  if (toolCalls === undefined) return undefined;
  return {
    // Of each token of the text, its letters again: nobody may ask for them, so nobody gets them.
    value: { ...answer, choices: choices.map(withoutLogprobs) },
    isFixed,
    usage: readUsage(answer["usage"]),
    finishReasons: choices.slice(0, finishReasonsMax).flatMap((choice) => textAt(choice, "finish_reason") ?? []),
    ...(toolCalls.length > 0 && { toolCalls }),
    place: (path) => place(choices, path, "message"),
  };
}

function choicesOf(value: JsonObject): readonly JsonObject[] | undefined {
  const list = value["choices"];
  if (!Array.isArray(list) || list.length > choicesMax) return undefined;
  const known = listAt(value, "choices").flatMap((each): readonly JsonObject[] => {
    const choice = wireObject(each);
    return choice !== undefined && isChoice(choice) ? [choice] : [];
  });
  return known.length === list.length ? known : undefined;
}

function isChoice({ index, finish_reason: reason }: JsonObject): boolean {
  return (index === undefined || countAt({ index }, "index") !== undefined) && (reason === undefined || reason === null || typeof reason === "string");
}

function isWhole({ message }: JsonObject): boolean {
  return message === undefined || wireObject(message) !== undefined;
}

function withoutLogprobs(choice: JsonObject): JsonObject {
  return choice["logprobs"] === undefined || choice["logprobs"] === null ? choice : { ...choice, logprobs: null };
}

function indexOf(choice: JsonObject | undefined, position: number): number {
  return countAt(choice, "index") ?? position;
}

/** Where the pieces of a stream would put it. */
function place(choices: readonly JsonObject[], path: JsonPath, said: "message" | "delta"): string {
  const [root, at, part, ...rest] = path;
  if (root !== "choices" || typeof at !== "number" || part !== said) return path.join(".");
  return [`${indexOf(choices[at], at)}`, ...rest.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))].join("");
}

export function readUsage(value: JsonValue | undefined): Usage | null {
  const usage = wireObject(value);
  const [prompt, completion, total] = [countAt(usage, "prompt_tokens"), countAt(usage, "completion_tokens"), countAt(usage, "total_tokens")];
  if (usage === undefined || prompt === undefined || completion === undefined || total === undefined) return null;
  const cached = countAt(objectAt(usage, "prompt_tokens_details"), "cached_tokens");
  const reasoning = countAt(objectAt(usage, "completion_tokens_details"), "reasoning_tokens");
  return { prompt, completion, total, ...(cached !== undefined && { cached }), ...(reasoning !== undefined && { reasoning }) };
}

/** Names, ids and kinds: said once, and read by programs. */
const fixedKeys: ReadonlySet<string | number> = new Set(["id", "object", "model", "role", "type", "name", "finish_reason", "system_fingerprint", "service_tier", "obfuscation"]);

function isFixed(path: JsonPath): boolean {
  return fixedKeys.has(path.at(-1) ?? "");
}

/** A reader of one streamed answer. */
export function readChatStream(call: ModelCall): StreamReader {
  const wantsUsage = objectAt(call.request, "stream_options")?.["include_usage"] === true;
  return { read: (event) => readEvent(event, wantsUsage) };
}

function readEvent({ data }: SseEvent, wantsUsage: boolean): StreamStep {
  if (data === "[DONE]") {
    return { kind: "event", name: "", value: null, data: "[DONE]", pieces: [], isFixed, closes: [], last: true };
  }
  const chunk = wireObject(parseJson(data));
  const error = chunk === undefined ? undefined : objectAt(chunk, "error");
  if (chunk !== undefined && "error" in chunk && chunk["error"] !== null) {
    return failed(error);
  }
  const choices = chunk === undefined ? undefined : choicesOf(chunk);
  if (chunk === undefined || choices === undefined) {
    throw upstreamInvalid("an event of the stream is no chunk of a completion");
  }
  return chunkStep(chunk, choices, wantsUsage);
}

function failed(error: JsonObject | undefined): StreamStep {
  const [code, message] = [error && textAt(error, "code"), error && textAt(error, "message")];
  return { kind: "failed", ...(code !== undefined && { code }), ...(message !== undefined && { message }) };
}

function chunkStep(chunk: JsonObject, choices: readonly JsonObject[], wantsUsage: boolean): StreamStep {
  const usage = readUsage(chunk["usage"]);
  const reason = choices.map((choice) => textAt(choice, "finish_reason")).find((each) => each !== undefined);
  const toolCalls = choices.flatMap((choice, position) => streamedCalls(choice, { index: indexOf(choice, position), position }));
  const namesEnd = choices.flatMap((choice, position) => (textAt(choice, "finish_reason") === undefined ? [] : [`${indexOf(choice, position)}.`]));
  const shown = wantsUsage || !("usage" in chunk) ? chunk : withoutUsage(chunk);
  return {
    kind: "event",
    name: "",
    value: choices.some((choice) => (choice["logprobs"] ?? null) !== null) ? { ...shown, choices: choices.map(withoutLogprobs) } : shown,
    pieces: choices.flatMap((choice, at) => piecesOf(choice, at)),
    isFixed,
    closes: [],
    last: false,
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(namesEnd.length > 0 && { namesEnd }),
    ...(usage !== null && { usage }),
    ...(reason !== undefined && { finishReason: reason }),
    ...(choices.length === 0 && usage !== null && !wantsUsage && { hidden: true }),
  };
}

function withoutUsage(chunk: JsonObject): JsonObject {
  const { usage: _, ...rest } = chunk;
  return rest;
}

/** Said once and not in pieces: joined over events they would look like one long word. */
const wholeKeys: ReadonlySet<string> = new Set(["role", "id", "type", "name"]);

/** Every string below a delta continues a text, whatever a provider calls it. */
function piecesOf(choice: JsonObject, position: number): readonly StreamPiece[] {
  const found: StreamPiece[] = [];
  const walk = (value: JsonValue, lane: string, path: JsonPath): void => {
    if (typeof value === "string") {
      found.push({ lane, path, json: path.at(-1) === "arguments" });
    } else if (isList(value)) {
      for (const [at, child] of value.entries()) walk(child, `${lane}[${indexOf(wireObject(child), at)}]`, [...path, at]);
    } else if (typeof value === "object" && value !== null) {
      for (const [key, child] of Object.entries(value)) {
        if (typeof child !== "string" || !wholeKeys.has(key)) walk(child, `${lane}.${key}`, [...path, key]);
      }
    }
  };
  walk(choice["delta"] ?? null, `${indexOf(choice, position)}`, ["choices", position, "delta"]);
  return found;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
