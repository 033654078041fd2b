import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { addFindings, outsideBoundary } from "./detect.ts";
import { collect, unescapedJson } from "./openai.ts";
import { refuse, type Refusal } from "./refusal.ts";
import { scanner, type Scanner, type ScannerOptions } from "./scanner.ts";
import { sseParser } from "./sse.ts";
import { Transcript, wholeKeys } from "./transcript.ts";

/** Bounds of one streamed answer. */
const heldCharactersMax = 4 * 1024 * 1024;
const lanesMax = 1024;
const reasonsMax = 16;
const knownMax = 256;

export interface Usage {
  readonly prompt: number;
  readonly completion: number;
  readonly total: number;
}

export interface GuardOptions {
  /** Data classes that the answer may hold. */
  readonly classes: readonly string[];
  /** Types that must not leave: those outside the boundary. */
  readonly blocks: ReadonlySet<string>;
  readonly wantsUsage: boolean;
  /** Whether the words that leave are recorded. */
  readonly keeps?: boolean;
}

export interface Released {
  /** Events that may go to the caller, as text; the last one of the stream is never among them. */
  readonly text: string;
  /** Why the stream must be broken off. */
  readonly refusal?: Refusal;
  /** The provider has said that the answer is complete. */
  readonly done: boolean;
}

/**
 * Stands between a streamed answer and its caller. Reads whole events, scans every text over all of its pieces, and
 * lets an event go when nothing in it can be part of something that must not leave. What goes is what was read,
 * written anew: no comment, no unread field of the framing, nothing that another parser could read differently.
 */
export interface StreamGuard {
  push(chunk: Uint8Array): Released;
  readonly found: ReadonlyMap<string, number>;
  readonly usage: Usage | null;
  readonly finishReasons: readonly string[];
  /** What left so far; empty unless it is kept. */
  readonly transcript: Transcript;
}

export const doneEvent = "data: [DONE]\n\n";

const UsageChunk = z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0), total_tokens: z.int().min(0) });
const Chunk = z.looseObject({
  choices: z.array(z.looseObject({ index: z.int().min(0).optional(), finish_reason: z.string().nullish(), delta: z.unknown().optional() })),
  usage: z.unknown().optional(),
});
type Chunk = z.output<typeof Chunk>;

export function readUsage(usage: unknown): Usage | null {
  // Absent from most events of a stream, and a failed parse costs more than all else that is done with one.
  if (usage === undefined || usage === null) {
    return null;
  }
  const parsed = UsageChunk.safeParse(usage);
  return parsed.success
    ? { prompt: parsed.data.prompt_tokens, completion: parsed.data.completion_tokens, total: parsed.data.total_tokens }
    : null;
}

/** Short, and without half a surrogate pair: the log takes no other text, and an outcome must not fail on it. */
export function readReason(reason: string): string {
  return reason.slice(0, 40).toWellFormed();
}

interface Held {
  readonly text: string;
  readonly marks: readonly Mark[];
  /** Empty unless words are kept. */
  readonly pieces: readonly Piece[];
}

interface Piece {
  readonly at: string;
  readonly text: string;
}

/** An event may go when each scanner is sure up to the end of the event's piece. */
interface Mark {
  readonly scanner: Scanner;
  readonly end: number;
}

/** State of one stream; owned by its guard. */
interface GuardState {
  readonly options: GuardOptions;
  readonly found: Map<string, number>;
  readonly lanes: Map<string, Lane>;
  readonly reasons: string[];
  /** Whole texts that were scanned already: ids and names recur in every event. */
  readonly known: Set<string>;
  readonly transcript: Transcript;
  held: Held[];
  heldCharacters: number;
  usage: Usage | null;
  done: boolean;
}

export function streamGuard(options: GuardOptions): StreamGuard {
  const parser = sseParser();
  const state: GuardState = {
    options,
    found: new Map(),
    lanes: new Map(),
    reasons: [],
    known: new Set(),
    transcript: new Transcript(),
    held: [],
    heldCharacters: 0,
    usage: null,
    done: false,
  };
  return {
    push: (chunk) => {
      try {
        return pushed(state, parser.push(chunk).map(({ data }) => data));
      } catch (error) {
        const code = error instanceof LicetError ? error.code : "upstream_invalid";
        return { text: "", refusal: refuse(code), done: false };
      }
    },
    found: state.found,
    get usage() {
      return state.usage;
    },
    finishReasons: state.reasons,
    transcript: state.transcript,
  };
}

function pushed(state: GuardState, events: readonly string[]): Released {
  for (const data of events) {
    if (state.done) {
      break;
    }
    const refusal = data === "[DONE]" ? finished(state) : take(state, data);
    if (refusal !== undefined) {
      // What was still held goes nowhere: it may hold, or have been waiting on, the reason.
      return { text: "", refusal, done: false };
    }
  }
  return { text: released(state), done: state.done };
}

function finished(state: GuardState): Refusal | undefined {
  for (const lane of state.lanes.values()) {
    lane.finish();
  }
  state.done = true;
  return blocked(state);
}

function take(state: GuardState, data: string): Refusal | undefined {
  const json: unknown = JSON.parse(data);
  if (typeof json === "object" && json !== null && "error" in json) {
    return refuse("upstream_error");
  }
  const chunk = Chunk.parse(json);
  note(state, chunk);
  const text = rewritten(state, chunk);
  if (text === undefined) {
    return undefined;
  }
  state.held.push({ text, ...scanned(state, chunk) });
  state.heldCharacters += text.length;
  return state.heldCharacters > heldCharactersMax ? refuse("upstream_too_large") : blocked(state);
}

function note(state: GuardState, chunk: Chunk): void {
  state.usage = readUsage(chunk.usage) ?? state.usage;
  for (const { finish_reason: reason } of chunk.choices) {
    if (typeof reason === "string" && state.reasons.length < reasonsMax) {
      state.reasons.push(readReason(reason));
    }
  }
}

/** The event as it goes on; undefined for the usage chunk that only the gateway asked for. */
function rewritten(state: GuardState, chunk: Chunk): string | undefined {
  const usageOnly = chunk.choices.length === 0 && readUsage(chunk.usage) !== null;
  if (state.options.wantsUsage) {
    return `data: ${JSON.stringify(chunk)}\n\n`;
  }
  const { usage: _, ...rest } = chunk;
  return usageOnly ? undefined : `data: ${JSON.stringify(rest)}\n\n`;
}

/** Texts that grow piece by piece get a lane each; everything else is whole in its event. */
function scanned(state: GuardState, chunk: Chunk): Pick<Held, "marks" | "pieces"> {
  const { choices, ...whole } = chunk;
  const marks: Mark[] = [];
  const pieces: Piece[] = [];
  const standing: string[] = [];
  collect(whole, standing);
  for (const [position, { delta, ...choice }] of choices.entries()) {
    collect(choice, standing);
    walk({ state, marks, pieces, standing }, `${choice.index ?? position}`, delta);
  }
  for (const text of standing.filter((it) => !state.known.has(it))) {
    addFindings(state.found, text);
    if (state.known.size < knownMax) {
      state.known.add(text);
    }
  }
  return { marks, pieces };
}

interface Walk {
  readonly state: GuardState;
  readonly marks: Mark[];
  readonly pieces: Piece[];
  readonly standing: string[];
}

function walk(at: Walk, path: string, value: unknown): void {
  if (typeof value === "string") {
    at.marks.push(...laneAt(at.state, path).push(value));
    keep(at, path, value);
  } else if (Array.isArray(value)) {
    for (const [position, child] of value.entries()) {
      walk(at, `${path}[${itemIndex(child) ?? position}]`, child);
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      // Said once, not in pieces: joined over events they would look like one long word.
      if (typeof child === "string" && wholeKeys.has(key)) {
        at.standing.push(child);
        keepWhole(at, path, { key, child });
      } else {
        walk(at, `${path}.${key}`, child);
      }
    }
  }
}

/** Of what is said once only a tool's name belongs to the words. */
function keepWhole(at: Walk, path: string, { key, child }: { readonly key: string; readonly child: string }): void {
  if (key === "name") {
    keep(at, `${path}.name`, child);
  }
}

function keep({ state, pieces }: Walk, at: string, text: string): void {
  if (state.options.keeps === true) {
    pieces.push({ at, text });
  }
}

function itemIndex(value: unknown): number | undefined {
  const indexed = typeof value === "object" && value !== null && "index" in value;
  return indexed && typeof value.index === "number" ? value.index : undefined;
}

/** One text of the answer over all its pieces. Arguments are JSON in a string, so they are scanned unescaped as well. */
interface Lane {
  push(piece: string): readonly Mark[];
  finish(): void;
}

function laneAt(state: GuardState, path: string): Lane {
  const known = state.lanes.get(path);
  if (known !== undefined) {
    return known;
  }
  if (state.lanes.size >= lanesMax) {
    throw new LicetError("upstream_too_large", { message: "the stream carries more texts at once than the limit" });
  }
  const options = { blocks: state.options.blocks, found: state.found };
  const lane = path.endsWith(".arguments") ? argumentsLane(options) : textLane(options);
  state.lanes.set(path, lane);
  return lane;
}

function textLane(options: ScannerOptions): Lane {
  const text = scanner(options);
  return {
    push: (piece) => {
      text.push(piece);
      return [{ scanner: text, end: text.length }];
    },
    finish: () => text.finish(),
  };
}

const partialEscape = /\\(?:u[0-9a-fA-F]{0,3})?$/u;

function argumentsLane({ blocks, found }: ScannerOptions): Lane {
  const inRaw = new Map<string, number>();
  const inDecoded = new Map<string, number>();
  const raw = scanner({ blocks, found: inRaw });
  const decoded = scanner({ blocks, found: inDecoded });
  let tail = "";
  const settle = reporter({ inRaw, inDecoded, found });
  return {
    push: (piece) => {
      const text = tail + piece;
      tail = partialEscape.exec(text)?.[0] ?? "";
      raw.push(piece);
      decoded.push(unescapedJson(text.slice(0, text.length - tail.length)));
      settle();
      const waiting = tail === "" ? 0 : 1;
      return [
        { scanner: raw, end: raw.length },
        { scanner: decoded, end: decoded.length + waiting },
      ];
    },
    finish: () => {
      decoded.push(`${tail} `);
      decoded.finish();
      raw.finish();
      settle();
    },
  };
}

/** What is found in both forms is one finding: the larger count of the two is reported, once. */
function reporter({ inRaw, inDecoded, found }: Record<"inRaw" | "inDecoded" | "found", Map<string, number>>): () => void {
  const reported = new Map<string, number>();
  return () => {
    for (const type of new Set([...inRaw.keys(), ...inDecoded.keys()])) {
      const count = Math.max(inRaw.get(type) ?? 0, inDecoded.get(type) ?? 0);
      found.set(type, (found.get(type) ?? 0) + count - (reported.get(type) ?? 0));
      reported.set(type, count);
    }
  };
}

function blocked(state: GuardState): Refusal | undefined {
  if (state.found.size === 0) {
    return undefined;
  }
  const outside = outsideBoundary(state.found, state.options.classes);
  return outside.length > 0 ? answerRefusal(outside) : undefined;
}

export function answerRefusal(outside: readonly string[]): Refusal {
  const classes = outside.length === 0 ? "" : `: ${outside.join(", ")}`;
  return refuse("answer_outside_boundary", { message: `the model's answer holds data outside the declared boundary${classes}` });
}

/** Takes the events from the front that are free to go. */
function released(state: GuardState): string {
  const blockedAt = state.held.findIndex(({ marks }) => marks.some(({ scanner, end }) => scanner.safe < end));
  const free = state.held.slice(0, blockedAt < 0 ? state.held.length : blockedAt);
  state.held = state.held.slice(free.length);
  for (const { at, text } of free.flatMap(({ pieces }) => pieces)) state.transcript.add(at, text);
  const text = free.map((event) => event.text).join("");
  state.heldCharacters -= text.length;
  return text;
}
