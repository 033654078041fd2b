import type { JsonObject } from "../ledger/recorder.ts";
import type { Refused } from "./answer.ts";
import type { Refusal } from "./refusal.ts";
import type { SseEvent } from "./sse.ts";

/** The protocol that a provider speaks; decides which dialects may be sent to it. */
export type ProviderKind = "openai" | "anthropic" | "oip";

/** Steps from the root of a JSON value to one of its strings. */
export type JsonPath = readonly (string | number)[];

/**
 * One surface of the gateway: how its requests are read, how its answers are scanned, how it says no. Everything else
 * (standing, policy, evidence, detection, budgets, relaying) is the pipeline's and knows no dialect.
 */
export interface Dialect {
  readonly name: string;
  /** On the data plane, as `/openai/v1/chat/completions`. */
  readonly path: string;
  readonly provider: ProviderKind;
  /** Below the provider's base URL, as `/chat/completions`. */
  readonly upstreamPath: string;
  /** True for a surface without system messages: the release's prompts are not asked of it. */
  readonly promptless?: boolean;
  /** Reads a body; what is not listed in the dialect's own schema is refused, never passed on. */
  parse(body: Uint8Array, header: (name: string) => string | undefined): ParsedCall;
  /** Reads a whole answer; undefined for a shape that this gateway does not know. */
  answer(value: unknown): AnswerShape | undefined;
  /** A reader of one streamed answer; undefined where the surface does not stream. */
  stream?(call: ModelCall): StreamReader;
  /** The dialect's own error body, with what a person needs to get on. */
  errorBody(refused: Refused): string;
  /** The dialect's own last event of a stream that is broken off, ready to be written. */
  errorEvent(refused: Refused): string;
}

export type ParsedCall = { readonly call: ModelCall } | { readonly refusal: Refusal; readonly model?: string };

/** A call to a model, read once and trusted from here on. */
export interface ModelCall {
  readonly dialect: Dialect;
  readonly model: string;
  readonly stream: boolean;
  readonly bytes: number;
  /** As the caller names its end user. */
  readonly user: string | undefined;
  /** The request as it was read: strict, without unknown fields. What goes on is this, with the model and texts replaced. */
  readonly request: JsonObject;
  /** Strings of the request that name things for the protocol (model, role, ids): scanned, never rewritten. */
  isFixed(path: JsonPath): boolean;
  /** System and developer messages in their order, each as one text. */
  readonly instructions: readonly Instruction[];
  readonly tools: readonly WireTool[];
  /** In the canonical wire form of chat completions (`{type: "json_schema", json_schema: {…}}`); undefined for plain text. */
  readonly responseFormat: unknown;
  /** By the names of the manifest's parameter bounds, with what the provider takes where the call is silent. */
  readonly parameters: Readonly<Record<string, number>>;
  /** What the release must permit by name: `store`, `background`, `conversation`, `previous-response`, `server-tool:TYPE`, `connector:NAME`, `image`, `file:ID` … */
  readonly needs: readonly Need[];
  /** Most tokens that the answer can have, of all its choices together; undefined when the call does not say. */
  readonly answerTokensMax: number | undefined;
  /** Messages for digests and recording: instructions, turns, tool results, in their order. */
  readonly messages: readonly JsonObject[];
  /** Tools that the provider defines and the caller runs, by the names that an answer calls them by: the permission of each. */
  readonly offered?: ReadonlyMap<string, string>;
  /** What goes upstream beside model and texts, such as asking for usage in a stream. */
  readonly upstreamExtras: JsonObject;
  /** Headers for the provider that the dialect allows through, such as `anthropic-version`. */
  readonly upstreamHeaders: Readonly<Record<string, string>>;
}

export interface Instruction {
  readonly role: "system" | "developer";
  readonly text: string;
  /** The field to blame, as `messages[0].content`. */
  readonly param: string;
}

export interface WireTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: unknown;
  readonly strict: boolean | undefined;
  readonly param: string;
}

export interface Need {
  readonly permission: string;
  readonly param: string;
}

export interface Usage {
  readonly prompt: number;
  readonly completion: number;
  readonly total: number;
  /** Of `prompt`: read from the provider's cache. */
  readonly cached?: number;
  /** Of `prompt`, beside `cached`: written to the provider's cache (Anthropic: `cache_creation_input_tokens`), which costs more. */
  readonly written?: number;
  readonly reasoning?: number;
}

/** A call of a tool that stands in an answer. Its name is empty where the answer says none. */
export type ToolCall =
  /** Of a function that the caller runs. */
  | { readonly kind: "function"; readonly name: string }
  /** Of a tool that stands behind a permission of the release, as `server-tool:web_search` or `connector:NAME`. */
  | { readonly kind: "power"; readonly permission: string; readonly name: string };

/** What one event of a stream says of a call of a tool. Events of one call say the same `at`. */
export interface StreamedToolCall {
  readonly at: string;
  /** Where the event says which tool it is. */
  readonly call?: ToolCall;
  /** Where it says a part of the function's name: this string goes on with the parts before it. */
  readonly piece?: JsonPath;
}

/** A whole answer. Every string of `value` is scanned; those that are not fixed are rewritten where a rule says so. */
export interface AnswerShape {
  readonly value: JsonObject;
  isFixed(path: JsonPath): boolean;
  readonly usage: Usage | null;
  readonly finishReasons: readonly string[];
  /** Every call of a tool in it: none leaves before it was judged. */
  readonly toolCalls?: readonly ToolCall[];
  /** Where a text stands in the recorded words; default: its path. */
  place?(path: JsonPath): string;
}

/** One streamed answer; owned by its relay. */
export interface StreamReader {
  /** Throws `upstream_invalid` for an event that the dialect does not know. */
  read(event: SseEvent): StreamStep;
}

export type StreamStep =
  /** An event that says nothing and is dropped, as a comment is. */
  | { readonly kind: "none" }
  /** The provider breaks off by an error of its own. */
  | { readonly kind: "failed"; readonly code?: string; readonly message?: string }
  | StreamedEvent;

export interface StreamedEvent {
  readonly kind: "event";
  /** SSE event name; empty for none. */
  readonly name: string;
  /** The event's value; null for one without JSON (`[DONE]`), written as `data`. */
  readonly value: JsonObject | null;
  /** Written as it stands when `value` is null. */
  readonly data?: string;
  /** The strings that continue a text begun in earlier events. All other strings are scanned as whole texts. */
  readonly pieces: readonly StreamPiece[];
  isFixed(path: JsonPath): boolean;
  /** Where a text stands in the recorded words; default: its path. */
  place?(path: JsonPath): string;
  /** What it says of calls of tools: it waits until each of them was judged. */
  readonly toolCalls?: readonly StreamedToolCall[];
  /** Calls of tools whose names are complete now: those that begin so. */
  readonly namesEnd?: readonly string[];
  /** Texts that no later event continues. */
  readonly closes: readonly string[];
  readonly usage?: Usage;
  readonly finishReason?: string;
  /** True for an event that only the gateway asked for: read, not passed on. */
  readonly hidden?: boolean;
  /** Of a dialect that counts its events: which one this is. */
  readonly number?: number;
  /** True for the last event of a complete answer. */
  readonly last: boolean;
}

export interface StreamPiece {
  /** Which text it continues, as `choices[0].delta.content` or `output[1].content[0].text`. */
  readonly lane: string;
  readonly path: JsonPath;
  /** True where the text of the lane is JSON in pieces, as a tool's arguments are: then it is read unescaped as well, and what is put in is escaped. */
  readonly json?: boolean;
  /** True where the text must not change, as signed thinking must not: what would have to be rewritten blocks. */
  readonly fixed?: boolean;
  /** Names the text that parts make up which come one after the other: they are scanned as one. Asked for with the first piece of a lane. */
  readonly joins?: string;
}
