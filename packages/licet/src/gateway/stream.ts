import { LicetError } from "../base/errors.ts";
import type { JsonObject } from "../ledger/recorder.ts";
import { wholeTexts, type WholeTexts } from "./answer-texts.ts";
import type { UpstreamError } from "./answer.ts";
import type { JsonPath, StreamReader, StreamedEvent, StreamStep, Usage } from "./dialect.ts";
import { openLane, type Lane } from "./lane.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { CallScan, Counting, TextForm } from "./scan.ts";
import { sseParser, type SseEvent } from "./sse.ts";
import { isJsonText, mapStrings, textAt, withTextAt } from "./texts.ts";
import type { ToolJudge } from "./tools/judged-tool.ts";
import { StreamCalls, type Waiting } from "./tools/stream-calls.ts";
import { Transcript } from "./transcript.ts";

/** Bounds of one streamed answer. */
const heldCharactersMax = 4 * 1024 * 1024;
const lanesMax = 1024;
const reasonsMax = 16;
const reasonCharactersMax = 40;

export interface GuardOptions {
  readonly reader: StreamReader;
  readonly scan: CallScan;
  readonly tools: ToolJudge;
  /** Whether the words that leave are recorded. */
  readonly keeps?: boolean;
}

export interface Released {
  /** Events that may go to the caller, as text; the last one of the stream is never among them. */
  readonly text: string;
  /** Why the stream must be broken off. */
  readonly refusal?: Refusal;
  /** True where it is a call of a tool that may not leave. */
  readonly ofTool?: boolean;
  /** What the provider said when it broke off by itself. */
  readonly upstream?: UpstreamError;
  /** The event that ends the answer, once the provider has sent it; it goes when the outcome is recorded. */
  readonly last?: string;
}

/**
 * Stands between a streamed answer and its caller. Reads whole events, scans every text over all of its pieces, and
 * lets an event go when nothing in it can be part of something that must not leave, or must change. What goes is what
 * was read, written anew: no comment, no unread field of the framing, nothing that another parser could read differently.
 */
export interface StreamGuard {
  /** Of no bytes: what may go by now. */
  push(chunk: Uint8Array): Released;
  /** Settles when tools are judged that events wait for; then more may go. */
  readonly judging: Promise<void> | undefined;
  readonly counting: Counting;
  readonly usage: Usage | null;
  readonly finishReasons: readonly string[];
  readonly events: number;
  /** Which number the next event to the caller has, where events are numbered. */
  readonly nextNumber: number | undefined;
  /** What left so far; empty unless it is kept. */
  readonly transcript: Transcript;
}

const plainReason = /^[a-zA-Z][a-zA-Z_-]*$/u;

/** The words of the protocols are letters. Whatever else stands there is the provider's text, which the log does not keep in clear. */
export function readReason(reason: string): string {
  return reason.length <= reasonCharactersMax && plainReason.test(reason) ? reason : "other";
}

interface Held {
  readonly event: StreamedEvent;
  readonly value: JsonObject | null;
  readonly pieces: readonly HeldPiece[];
  /** The calls of tools that it says something of. */
  readonly calls: Waiting;
  /** Of what is said once only a tool's name belongs to the words. */
  readonly names: readonly { readonly at: string; readonly text: string }[];
  readonly characters: number;
}

/** An event may go when each lane is safe to the end of the event's piece. */
interface HeldPiece {
  readonly at: string;
  readonly lane: Lane;
  readonly path: JsonPath;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** State of one stream; owned by its guard. */
interface GuardState {
  readonly options: GuardOptions;
  readonly counting: Counting;
  readonly lanes: Map<string, Lane>;
  /** Lanes that go on over several parts. */
  readonly joined: Map<string, Lane>;
  readonly whole: WholeTexts;
  readonly calls: StreamCalls;
  /** What blocks in a name that came in parts. */
  nameBlocked: string | undefined;
  readonly reasons: string[];
  readonly transcript: Transcript;
  readonly held: Held[];
  heldCharacters: number;
  events: number;
  usage: Usage | null;
  nextNumber: number | undefined;
  done: boolean;
}

export function streamGuard(options: GuardOptions): StreamGuard {
  const parser = sseParser();
  const counting = { found: new Map<string, number>(), taken: new Map<string, number>() };
  const whole = wholeTexts(options.scan, counting);
  const state: GuardState = {
    options,
    counting,
    lanes: new Map(),
    joined: new Map(),
    whole,
    calls: new StreamCalls(options.tools, (name) => {
      state.nameBlocked ??= whole.scan(name, said).blocked;
    }),
    nameBlocked: undefined,
    reasons: [],
    transcript: new Transcript(),
    held: [],
    heldCharacters: 0,
    events: 0,
    usage: null,
    nextNumber: undefined,
    done: false,
  };
  return {
    push: (chunk) => {
      try {
        return pushed(state, parser.push(chunk));
      } catch (error) {
        // What was still held goes nowhere.
        return { text: "", refusal: refuse(error instanceof LicetError ? error.code : "upstream_invalid") };
      }
    },
    get judging() {
      return state.calls.judging;
    },
    counting,
    get usage() {
      return state.usage;
    },
    get events() {
      return state.events;
    },
    get nextNumber() {
      return state.nextNumber;
    },
    finishReasons: state.reasons,
    transcript: state.transcript,
  };
}

type Stop = Pick<Released, "refusal" | "ofTool" | "upstream">;

function pushed(state: GuardState, events: readonly SseEvent[]): Released {
  const { refusal } = state.calls;
  if (refusal !== undefined) return { text: "", refusal, ofTool: true };
  for (const event of events) {
    if (state.done) {
      break;
    }
    state.events++;
    const stop = taken(state, state.options.reader.read(event), event.data.length);
    if (stop !== undefined) {
      // What was still held goes nowhere: it may hold, or have been waiting on, the reason.
      return { text: "", ...stop };
    }
  }
  return released(state);
}

function taken(state: GuardState, step: StreamStep, characters: number): Stop | undefined {
  if (step.kind === "none") {
    return undefined;
  }
  if (step.kind === "failed") {
    return { refusal: refuse("upstream_error"), upstream: { status: 200, ...cleanWords(state.options.scan, step) } };
  }
  note(state, step);
  const blocked = step.hidden === true ? undefined : hold(state, step, characters);
  for (const lane of step.last ? state.lanes.values() : step.closes.flatMap((name) => state.lanes.get(name) ?? [])) {
    lane.finish();
  }
  state.done = step.last;
  if (blocked !== undefined || state.nameBlocked !== undefined || blockedLane(state)) {
    return { refusal: answerRefusal(state.options.scan, state.counting) };
  }
  const { refusal } = state.calls;
  if (refusal !== undefined) return { refusal, ofTool: true };
  return state.heldCharacters > heldCharactersMax ? { refusal: refuse("upstream_too_large") } : undefined;
}

/** What the provider says helps the caller, unless it quotes data or keys. */
export function cleanWords(scan: CallScan, said: { readonly code?: string; readonly message?: string }): Omit<UpstreamError, "status"> {
  const clean = [said.code ?? "", said.message ?? ""].every((text) => scan.isClean(text));
  return clean
    ? {
        ...(said.code !== undefined && { code: said.code.slice(0, codeCharactersMax).toWellFormed() }),
        ...(said.message !== undefined && { message: said.message.slice(0, messageCharactersMax).toWellFormed() }),
      }
    : {};
}

const codeCharactersMax = 100;
const messageCharactersMax = 500;

function note(state: GuardState, { usage, finishReason }: StreamedEvent): void {
  state.usage = usage ?? state.usage;
  if (finishReason !== undefined && state.reasons.length < reasonsMax) {
    state.reasons.push(readReason(finishReason));
  }
}

/** Scans one event and puts it behind those that still wait. Answers what blocks it. */
function hold(state: GuardState, event: StreamedEvent, characters: number): string | undefined {
  const pieces = event.value === null ? [] : piecesOf(state, event, event.value);
  const scanned = event.value === null ? { value: null, names: [], blocked: undefined } : wholesOf(state, event, event.value);
  const calls = state.calls.take(event, event.value);
  state.held.push({ event, value: scanned.value, names: scanned.names, pieces, calls, characters });
  state.heldCharacters += characters;
  return scanned.blocked;
}

function piecesOf(state: GuardState, event: StreamedEvent, value: JsonObject): readonly HeldPiece[] {
  return event.pieces.map(({ lane: at, path, json = isJsonText(path), fixed = false, joins }) => {
    const text = textAt(value, path);
    const lane = laneAt(state, { at, joins }, { json, fixed });
    if (text === undefined || lane.finished) {
      throw new LicetError("upstream_invalid", { message: "the stream goes on with a text that it has ended" });
    }
    const start = lane.length;
    lane.push(text);
    return { at, lane, path, text, start, end: lane.length };
  });
}

function laneAt(state: GuardState, { at, joins }: { readonly at: string; readonly joins: string | undefined }, form: TextForm): Lane {
  const known = state.lanes.get(at);
  if (known !== undefined) {
    return known;
  }
  if (state.lanes.size >= lanesMax) {
    throw new LicetError("upstream_too_large", { message: "the stream carries more texts at once than the limit" });
  }
  const before = joins === undefined ? undefined : state.joined.get(joins);
  const goesOn = before !== undefined && !before.finished;
  const lane = goesOn ? before : openLane({ scan: state.options.scan, counting: state.counting, joined: joins !== undefined, ...form });
  if (goesOn) lane.nextPart();
  state.lanes.set(at, lane);
  if (joins !== undefined) state.joined.set(joins, lane);
  return lane;
}

interface Wholes {
  readonly value: JsonObject;
  readonly names: Held["names"];
  readonly blocked: string | undefined;
}

/** Every string that no other event continues, and every key. */
function wholesOf(state: GuardState, event: StreamedEvent, value: JsonObject): Wholes {
  let blocked: string | undefined;
  const names: Held["names"][number][] = [];
  const keeps = state.options.keeps === true;
  const next = mapStrings(value, {
    text: (text, path) => {
      if (isPiece(event, path)) return text;
      const scanned = state.whole.scan(text, { fixed: event.isFixed(path), json: isJsonText(path) });
      blocked ??= scanned.blocked;
      if (keeps && path.at(-1) === "name") names.push({ at: event.place?.(path) ?? path.join("."), text: scanned.text });
      return scanned.text;
    },
    key: (key) => {
      blocked ??= state.whole.scan(key, said).blocked;
    },
  });
  return { value: next, names, blocked };
}

const said = { fixed: true, json: false } as const;

function isPiece({ pieces }: StreamedEvent, path: JsonPath): boolean {
  for (const piece of pieces) {
    if (samePath(piece.path, path)) return true;
  }
  return false;
}

function samePath(one: JsonPath, other: JsonPath): boolean {
  if (one.length !== other.length) return false;
  for (let at = one.length - 1; at >= 0; at--) {
    if (one[at] !== other[at]) return false;
  }
  return true;
}

function blockedLane({ lanes }: GuardState): boolean {
  for (const lane of lanes.values()) {
    if (lane.blocked !== undefined) return true;
  }
  return false;
}

export function answerRefusal(scan: CallScan, { found }: Counting): Refusal {
  const stopped = scan.stopped(found);
  const classes = stopped.length === 0 ? "" : `: ${stopped.join(", ")}`;
  return refuse("answer_outside_boundary", { message: `the model's answer holds data outside the declared boundary${classes}` });
}

/** Takes the events from the front that are free to go. */
function released(state: GuardState): Released {
  const waiting = state.held.findIndex(isWaiting);
  // Of thousands that wait none is moved.
  const free = waiting === 0 ? [] : state.held.splice(0, waiting < 0 ? state.held.length : waiting);
  let text = "";
  let last = "";
  for (const held of free) {
    state.heldCharacters -= held.characters;
    text += last;
    last = written(state, held);
    const { number } = held.event;
    // The last event of a complete answer has not gone yet: what goes in its place has its number.
    if (number !== undefined) state.nextNumber = held.event.last ? number : number + 1;
  }
  return state.done && state.held.length === 0 && last !== "" ? { text, last } : { text: text + last };
}

function isWaiting({ pieces, calls }: Held): boolean {
  return calls.gates.some(({ open }) => !open) || pieces.some(({ lane, end }) => lane.safe < end);
}

function written(state: GuardState, { event, value, pieces, calls, names }: Held): string {
  for (const { at, text } of names) state.transcript.add(at, text);
  const name = event.name === "" ? "" : `event: ${event.name}\n`;
  return `${name}data: ${value === null ? (event.data ?? "") : JSON.stringify(withNames(withPieces(state, value, pieces), calls))}\n\n`;
}

function withNames(value: JsonObject, { names }: Waiting): JsonObject {
  let next = value;
  for (const { path, text } of names) {
    const whole = text();
    if (whole !== undefined) next = withTextAt(next, path, whole);
  }
  return next;
}

function withPieces(state: GuardState, value: JsonObject, pieces: readonly HeldPiece[]): JsonObject {
  let next = value;
  for (const { at, lane, path, text, start } of pieces) {
    const out = lane.released(start, text);
    if (out !== text) next = withTextAt(next, path, out);
    if (state.options.keeps === true) state.transcript.add(at, out);
  }
  return next;
}
