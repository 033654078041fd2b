import type { JsonObject } from "../../../ledger/entry.ts";
import type { StreamedEvent, StreamPiece, StreamReader, StreamStep, Usage } from "../../dialect.ts";
import { countAt, listAt, namedEvent, objectAt, textAt, upstreamInvalid } from "../wire.ts";
import { callOf, isFixedInAnswer, readBlock, usageOf } from "./answer.ts";

const blocksMax = 4096;

/** State of one streamed message; owned by its reader. */
interface State {
  step: "waiting" | "open" | "ended";
  /** The kind of each block of content; null once it is closed. */
  readonly blocks: Map<number, string | null>;
  usage: JsonObject;
  /** Counts stretches of text: blocks that follow each other are read as one text. */
  run: number;
  /** Texts of the present stretch whose blocks have ended; what follows may go on with them. */
  ended: readonly string[];
}

/** What an event says beside being one. */
type Said = Partial<Omit<StreamedEvent, "kind">>;
type Failed = Extract<StreamStep, { readonly kind: "failed" }>;
type Read = (event: JsonObject, state: State) => Said | Failed;

const reads: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["message_start", messageStart],
  ["content_block_start", blockStart],
  ["content_block_delta", blockDelta],
  ["content_block_stop", blockStop],
  ["message_delta", messageDelta],
  ["message_stop", messageStop],
  ["ping", () => ({})],
  ["error", failure],
]);

export const eventTypes: readonly string[] = [...reads.keys()];

/** A reader of one streamed message. An index is used once, so that what a client puts together is what was scanned together. */
export function streamReader(): StreamReader {
  const state: State = { step: "waiting", blocks: new Map(), usage: {}, run: 0, ended: [] };
  return {
    read: (event) => {
      const { type, value } = namedEvent(event);
      const read = reads.get(type);
      if (read === undefined) throw upstreamInvalid("the stream holds an event of a kind that the gateway does not know");
      expectOrder(type, state);
      const step = read(value, state);
      return "kind" in step ? step : { name: type, value, pieces: [], closes: [], last: false, ...step, kind: "event", isFixed: isFixedInAnswer };
    },
  };
}

const anytime: ReadonlySet<string> = new Set(["ping", "error"]);

function expectOrder(type: string, { step }: State): void {
  const expected = type === "message_start" ? "waiting" : "open";
  if (step === "ended" || (step !== expected && !anytime.has(type))) throw upstreamInvalid("the events of the stream are out of order");
}

function messageStart(event: JsonObject, state: State): Said {
  const message = objectAt(event, "message");
  if (message === undefined || message["type"] !== "message" || listAt(message, "content").length > 0) {
    throw upstreamInvalid("the stream does not begin with an empty message");
  }
  state.step = "open";
  return noted(state, objectAt(message, "usage"));
}

/** The counts are cumulative: a later one stands in place of an earlier one. */
function noted(state: State, usage: JsonObject | undefined): { readonly usage?: Usage } {
  const given = Object.entries(usage ?? {}).filter(([, count]) => count !== null);
  state.usage = { ...state.usage, ...Object.fromEntries(given) };
  const read = usageOf(state.usage);
  return read === null ? {} : { usage: read };
}

function indexOf(event: JsonObject): number {
  const index = countAt(event, "index");
  if (index === undefined || index > blocksMax) throw upstreamInvalid("an event of the stream has no `index` that can be read");
  return index;
}

function blockStart(event: JsonObject, state: State): Said {
  const { blocks } = state;
  const index = indexOf(event);
  const block = objectAt(event, "content_block");
  const type = readBlock(block);
  if (block === undefined || type === undefined || blocks.has(index)) {
    throw upstreamInvalid("the stream begins a block that the gateway cannot read");
  }
  const closes = type === "text" && ![...blocks.values()].includes("text") ? [] : stretchEnds(state);
  blocks.set(index, type);
  // Clients append the deltas to what a block begins with.
  const begins = (beginnings[type] ?? []).filter((key) => typeof block[key] === "string");
  const call = callOf(block);
  return { ...(call !== undefined && { toolCalls: [{ at: `content[${index}]`, call }] }), closes, pieces: begins.map((key) => piece(index, { key, path: ["content_block", key] }, state)) };
}

/** What comes now is no part of the text before it. */
function stretchEnds(state: State): readonly string[] {
  const closes = state.ended;
  state.ended = [];
  state.run++;
  return closes;
}

const beginnings: Readonly<Record<string, readonly string[]>> = { text: ["text"], thinking: ["thinking", "signature"] };

function piece(index: number, { key, path }: { readonly key: string; readonly path: StreamPiece["path"] }, { run }: State): StreamPiece {
  const lane = `content[${index}].${key}`;
  if (key === "input") return { lane, path, json: true };
  return key === "text" ? { lane, path, joins: `text ${run}` } : { lane, path, fixed: true };
}

interface Delta {
  /** Where the text goes in the block; null for a delta whose strings are whole. */
  readonly key: string | null;
  readonly from: string;
  readonly blocks: ReadonlySet<string>;
}

const deltas: ReadonlyMap<string | undefined, Delta> = new Map<string | undefined, Delta>([
  ["text_delta", { key: "text", from: "text", blocks: new Set(["text"]) }],
  ["citations_delta", { key: null, from: "citation", blocks: new Set(["text"]) }],
  ["thinking_delta", { key: "thinking", from: "thinking", blocks: new Set(["thinking"]) }],
  ["signature_delta", { key: "signature", from: "signature", blocks: new Set(["thinking"]) }],
  ["input_json_delta", { key: "input", from: "partial_json", blocks: new Set(["tool_use", "server_tool_use", "mcp_tool_use"]) }],
]);

function blockDelta(event: JsonObject, state: State): Said {
  const index = indexOf(event);
  const delta = objectAt(event, "delta");
  const rule = deltas.get(delta && textAt(delta, "type"));
  if (delta === undefined || rule === undefined || !rule.blocks.has(state.blocks.get(index) ?? "")) {
    throw upstreamInvalid("the stream goes on with a block that the gateway cannot read");
  }
  if (rule.key === null) return {};
  if (typeof delta[rule.from] !== "string") throw upstreamInvalid(`a delta of the stream has no text \`${rule.from}\``);
  return { pieces: [piece(index, { key: rule.key, path: ["delta", rule.from] }, state)] };
}

function blockStop(event: JsonObject, state: State): Said {
  const { blocks } = state;
  const index = indexOf(event);
  const type = blocks.get(index) ?? null;
  if (type === null) throw upstreamInvalid("the stream ends a block that is not open");
  blocks.set(index, null);
  if (type !== "text") return { closes: lanesOf(index, type) };
  state.ended = [...state.ended, ...lanesOf(index, type)];
  return {};
}

function lanesOf(index: number, type: string): readonly string[] {
  const keys = [...deltas.values()].filter(({ key, blocks }) => key !== null && blocks.has(type)).map(({ key }) => key);
  return keys.map((key) => `content[${index}].${key}`);
}

function messageDelta(event: JsonObject, state: State): Said {
  const delta = objectAt(event, "delta");
  const reason = delta && textAt(delta, "stop_reason");
  return { closes: stretchEnds(state), ...noted(state, objectAt(event, "usage")), ...(reason !== undefined && { finishReason: reason }) };
}

function messageStop(_: JsonObject, state: State): Said {
  state.step = "ended";
  return { last: true };
}

function failure(event: JsonObject): Failed {
  const error = objectAt(event, "error");
  const code = error && textAt(error, "type");
  const message = error && textAt(error, "message");
  return { kind: "failed", ...(code !== undefined && { code }), ...(message !== undefined && { message }) };
}
