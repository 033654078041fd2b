import type { JsonObject } from "../../../ledger/entry.ts";
import type { ModelCall, StreamedEvent, StreamPiece, StreamReader, StreamStep } from "../../dialect.ts";
import { countAt, namedEvent, objectAt, textAt, upstreamInvalid } from "../wire.ts";
import { finishReason, isFixedInAnswer, readItem, readResponse, usageOf } from "./answer.ts";
import { continuedCall, itemCall, repeatedCalls } from "./calls.ts";
import { commandLane, commandOutputLane, contentLane, indexAt, itemLane, itemPieces, partPieces, responsePieces, summaryLane } from "./lanes.ts";

/** State of one streamed response; owned by its reader. */
interface State {
  readonly call: ModelCall;
  /** Texts that are open, by the item that they belong to. */
  readonly open: Map<string, Set<string>>;
  /** Texts that were said to be whole: more of them would have gone past what was decided. */
  readonly closed: Set<string>;
  /** Parts that follow each other are read as one text: by that text, the stretch that the newest part belongs to. */
  readonly runs: Map<string, { part: string; run: number }>;
  ended: boolean;
}

/** What an event says beside being one. */
type Said = Partial<Omit<StreamedEvent, "kind">>;
type Failed = Extract<StreamStep, { readonly kind: "failed" }>;
type Read = (event: JsonObject, state: State) => Said | Failed;

/** Everything that the official client's types list; what is not here is not passed on. */
const reads: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["response.created", beginning],
  ["response.in_progress", beginning],
  ["response.queued", beginning],
  ["response.completed", ending],
  ["response.incomplete", ending],
  ["response.failed", (event) => failure(objectAt(objectAt(event, "response") ?? {}, "error"))],
  ["error", (event) => failure(objectAt(event, "error") ?? event)],
  ["response.output_item.added", itemAdded],
  ["response.output_item.done", itemDone],
  ["response.content_part.added", partAdded],
  ["response.content_part.done", partDone],
  ["response.reasoning_summary_part.added", (event) => ({ pieces: partPieces(objectAt(event, "part"), summaryLane(event), ["part"]) })],
  ["response.reasoning_summary_part.done", whole],
  ["response.output_text.delta", (event) => ({ value: bare(event), pieces: deltaOf(event, `${contentLane(event)}.text`) })],
  ["response.output_text.done", (event, state) => ({ value: bare(event), closes: close(state, [`${contentLane(event)}.text`]) })],
  ["response.output_text.annotation.added", whole],
  ...lane("response.refusal", (event) => `${contentLane(event)}.refusal`),
  ...lane("response.reasoning_text", (event) => `${contentLane(event)}.text`),
  ...lane("response.reasoning_summary_text", (event) => `${summaryLane(event)}.text`),
  ...lane("response.function_call_arguments", (event) => `${itemLane(event)}.arguments`),
  ...lane("response.mcp_call_arguments", (event) => `${itemLane(event)}.arguments`),
  ...lane("response.custom_tool_call_input", (event) => `${itemLane(event)}.input`),
  ...lane("response.code_interpreter_call_code", (event) => `${itemLane(event)}.code`),
  ...lane("response.shell_call_command", commandLane),
  ["response.shell_call_command.added", (event) => ({ pieces: pieceAt(event, "command", commandLane(event)) })],
  ["response.shell_call_output_content.delta", (event) => ({ pieces: outputPieces(event) })],
  ["response.shell_call_output_content.done", (event, state) => ({ closes: close(state, outputLanes(event)) })],
  ...lane("response.audio.transcript", () => "audio.transcript"),
  ["response.audio.delta", unscannable],
  ["response.audio.done", whole],
  ["response.compaction.compacting", whole],
  ...["in_progress", "interpreting", "completed"].map((step) => quiet(`response.code_interpreter_call.${step}`)),
  ...["in_progress", "searching", "completed"].map((step) => quiet(`response.file_search_call.${step}`)),
  ...["in_progress", "searching", "completed"].map((step) => quiet(`response.web_search_call.${step}`)),
  ...["in_progress", "generating", "completed"].map((step) => quiet(`response.image_generation_call.${step}`)),
  ["response.image_generation_call.partial_image", partialImage],
  ...["in_progress", "completed", "failed"].map((step) => quiet(`response.mcp_call.${step}`)),
  ...["in_progress", "completed", "failed"].map((step) => quiet(`response.mcp_list_tools.${step}`)),
]);

export const eventTypes: readonly string[] = [...reads.keys()];

export function streamReader(call: ModelCall): StreamReader {
  const state: State = { call, open: new Map(), closed: new Set(), runs: new Map(), ended: false };
  return {
    read: (event) => {
      // Compatible providers end as chat completions do; the official one does not.
      if (event.data === "[DONE]" && state.ended) return { kind: "none" };
      const { type, value } = namedEvent(event);
      const read = reads.get(type);
      if (read === undefined) throw upstreamInvalid("the stream holds an event of a kind that the gateway does not know");
      if (state.ended) throw upstreamInvalid("the stream goes on after its end");
      const step = read(value, state);
      const continued = "kind" in step || step.toolCalls !== undefined ? [] : continuedCall(type, value);
      return "kind" in step ? step : noted(state, streamed(type, value, continued.length === 0 ? step : { ...step, toolCalls: continued }));
    },
  };
}

function streamed(name: string, value: JsonObject, step: Said): StreamedEvent {
  const number = countAt(value, "sequence_number");
  return { name, value, pieces: [], closes: [], last: false, ...(number !== undefined && { number }), ...step, kind: "event", isFixed: isFixedInAnswer };
}

function noted(state: State, event: StreamedEvent): StreamedEvent {
  for (const { lane } of event.pieces) {
    if (state.closed.has(lane)) throw upstreamInvalid("a text of the stream goes on after its end");
    const item = itemOf(lane);
    const open = state.open.get(item) ?? new Set();
    state.open.set(item, open.add(lane));
  }
  state.ended = event.last;
  return event.pieces.length === 0 ? event : { ...event, pieces: event.pieces.map((piece) => joined(state, piece)) };
}

/** The piece with the text that its part goes on with, unless the part before has not ended. */
function joined({ runs, closed }: State, piece: StreamPiece): StreamPiece {
  const text = partText(piece.lane);
  if (text === undefined) return piece;
  const before = runs.get(text);
  const run = before === undefined ? 0 : before.part === piece.lane || closed.has(before.part) ? before.run : before.run + 1;
  runs.set(text, { part: piece.lane, run });
  return { ...piece, joins: `${text} ${run}` };
}

/** Of a lane of a part the text that all parts make up. */
function partText(lane: string): string | undefined {
  const part = /\.(?:content|summary)\[\d+\]\.(?:text|refusal)$/u.exec(lane);
  return part === null ? undefined : `${lane.slice(0, part.index)}${part[0].replace(/\d+/u, "")}`;
}

function itemOf(lane: string): string {
  const end = lane.indexOf("]");
  return end < 0 ? lane : lane.slice(0, end + 1);
}

/** Marks texts as whole; the ones that had begun are closed, but for a part, with which the next may go on until its item ends. */
function close(state: State, lanes: readonly string[]): readonly string[] {
  return lanes.filter((lane) => {
    state.closed.add(lane);
    return partText(lane) === undefined && state.open.get(itemOf(lane))?.delete(lane) === true;
  });
}

/** Two events for one text: its pieces, and the whole of it. */
function lane(prefix: string, laneOf: (event: JsonObject) => string): [string, Read][] {
  return [
    [`${prefix}.delta`, (event) => ({ pieces: deltaOf(event, laneOf(event)) })],
    [`${prefix}.done`, (event, state) => ({ closes: close(state, [laneOf(event)]) })],
  ];
}

function quiet(type: string): [string, Read] {
  return [type, whole];
}

/** No text of it continues another: every string is scanned by itself. */
function whole(): Said {
  return {};
}

function deltaOf(event: JsonObject, lane: string): readonly StreamPiece[] {
  return pieceAt(event, "delta", lane);
}

function pieceAt(event: JsonObject, key: string, lane: string): readonly StreamPiece[] {
  if (typeof event[key] !== "string") throw upstreamInvalid(`an event of the stream has no text \`${key}\``);
  return [{ lane, path: [key] }];
}

function bare(event: JsonObject): JsonObject {
  return event["logprobs"] === undefined ? event : { ...event, logprobs: [] };
}

function responseOf(event: JsonObject): JsonObject {
  const response = readResponse(objectAt(event, "response"));
  if (response === undefined) throw upstreamInvalid("an event of the stream has no response that the gateway can read");
  return response;
}

function beginning(event: JsonObject): Said {
  const response = responseOf(event);
  return { value: { ...event, response }, pieces: responsePieces(response), toolCalls: repeatedCalls(response) };
}

function ending(event: JsonObject, state: State): Said {
  const response = responseOf(event);
  const usage = usageOf(response);
  const reason = finishReason(response);
  const closes = [...state.open.values()].flatMap((lanes) => [...lanes]);
  return {
    value: { ...event, response },
    closes,
    last: true,
    toolCalls: repeatedCalls(response),
    ...(usage !== null && { usage }),
    ...(reason !== undefined && { finishReason: reason }),
  };
}

function failure(error: JsonObject | undefined): Failed {
  const code = error && textAt(error, "code");
  const message = error && textAt(error, "message");
  return { kind: "failed", ...(code !== undefined && { code }), ...(message !== undefined && { message }) };
}

function itemAt(event: JsonObject): JsonObject {
  const item = readItem(objectAt(event, "item"));
  if (item === undefined) throw upstreamInvalid("the stream holds an item of a kind that the gateway does not know");
  return item;
}

function itemAdded(event: JsonObject): Said {
  const item = itemAt(event);
  return { value: { ...event, item }, pieces: itemPieces(item, itemLane(event), ["item"]), toolCalls: itemCall(event, item, false) };
}

function itemDone(event: JsonObject, state: State): Said {
  const open = [...(state.open.get(itemLane(event)) ?? [])];
  for (const lane of open) state.closed.add(lane);
  state.open.delete(itemLane(event));
  const item = itemAt(event);
  return { value: { ...event, item }, closes: open, toolCalls: itemCall(event, item, true) };
}

function partAdded(event: JsonObject): Said {
  const part = partOf(event);
  return { value: { ...event, part }, pieces: partPieces(part, contentLane(event), ["part"]) };
}

function partDone(event: JsonObject, state: State): Said {
  const lane = contentLane(event);
  return { value: { ...event, part: partOf(event) }, closes: close(state, [`${lane}.text`, `${lane}.refusal`]) };
}

const partTypes: ReadonlySet<string | undefined> = new Set(["output_text", "refusal", "reasoning_text"]);

function partOf(event: JsonObject): JsonObject {
  const part = objectAt(event, "part");
  if (part === undefined || !partTypes.has(textAt(part, "type"))) {
    throw upstreamInvalid("the stream holds a part of a kind that the gateway does not know");
  }
  return { ...part, ...(part["logprobs"] !== undefined && { logprobs: [] }) };
}

const outputKeys = ["stdout", "stderr"] as const;

function outputPieces(event: JsonObject): readonly StreamPiece[] {
  const delta = objectAt(event, "delta");
  const lane = commandOutputLane(event);
  return outputKeys.flatMap((key) => (typeof delta?.[key] === "string" ? [{ lane: `${lane}.${key}`, path: ["delta", key] }] : []));
}

function outputLanes(event: JsonObject): readonly string[] {
  const lane = commandOutputLane(event);
  return outputKeys.map((key) => `${lane}.${key}`);
}

/** Sound that arrives in pieces: nobody can ask for it here, and no detector could hear it. */
function unscannable(): Said {
  throw upstreamInvalid("the stream holds sound, which cannot be scanned");
}

/** An image that nobody can scan goes only to a call whose release permits the tool that makes images. */
function partialImage(event: JsonObject, { call }: State): Said {
  indexAt(event, "output_index");
  if (call.needs.some(({ permission }) => permission === "server-tool:image_generation")) return {};
  throw upstreamInvalid("the stream holds an image that the call did not ask for");
}
