import { z } from "zod";
import type { Outbound, OutboundCall, OutboundFailure, OutboundHeaders, OutboundRequest } from "../base/outbound.ts";
import { scannedAnswer } from "./answer-texts.ts";
import type { AnswerHeaders, Caller, UpstreamError } from "./answer.ts";
import type { Answered } from "./content.ts";
import type { AnswerShape, ModelCall, Usage } from "./dialect.ts";
import { readJson, wellFormed } from "./json.ts";
import { passedOn } from "./provider.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { CallScan, Counting } from "./scan.ts";
import type { Observed } from "./observe-mode.ts";
import { answerRefusal, cleanWords, readReason, streamGuard, type StreamGuard } from "./stream.ts";
import { mapStrings } from "./texts.ts";
import { refusedCall, type JudgedTool, type ToolJudge } from "./tools/judged-tool.ts";
import { Transcript } from "./transcript.ts";

export type AbortedBy = "client" | "upstream" | "hold" | "limit" | "boundary" | "snapshot";

/** How one exchange with the provider ended. The caller has what was streamed, but neither end nor error yet. */
export interface RelayEnd {
  /** Absent when the answer is complete. */
  readonly refusal?: Refusal;
  readonly abortedBy?: AbortedBy;
  readonly upstream?: UpstreamError;
  /** The whole answer of a call that does not stream. */
  readonly body?: string;
  /** The event that ends a complete stream. */
  readonly last?: string;
  readonly headers: AnswerHeaders;
  readonly started: boolean;
  /** What was found in the answer and what was taken out of it. */
  readonly counting: Counting;
  readonly usage: Usage | null;
  readonly finishReasons: readonly string[];
  readonly bytes: number;
  readonly upstreamStatus: number | null;
  readonly firstByteAt: number | null;
  /** From sending to the first byte, by a monotonic clock. */
  readonly firstByteAfterMs?: number | undefined;
  /** From sending to a connection that took the request, by the same clock. */
  readonly takenAfterMs?: number | undefined;
  /** Events of a stream that were read. */
  readonly events: number;
  /** Which number an event has that ends the stream now, where events are numbered. */
  readonly nextNumber?: number | undefined;
  /** What left the gateway, where words are recorded. */
  readonly said?: Answered;
  /** The tools that the answer calls, as they were judged; absent where none could be called. */
  readonly tools?: readonly JudgedTool[];
  /** What would have refused some of them, where a waiver let them go on. */
  readonly observedTools?: Observed | undefined;
}

export interface RelayOptions {
  readonly outbound: Outbound;
  readonly request: OutboundRequest;
  readonly caller: Caller;
  readonly call: ModelCall;
  readonly scan: CallScan;
  readonly tools: ToolJudge;
  /** Whether the words that leave are recorded. */
  readonly keeps: boolean;
  /** Sent with the stream's head. */
  readonly headers: AnswerHeaders;
  readonly now: () => number;
}

export interface Relay {
  readonly ended: Promise<RelayEnd>;
  /** Ends the exchange from outside, as a hold does. */
  cut(refusal: Refusal, by: AbortedBy): void;
}

const errorBytesMax = 65_536;

/** State of one exchange; owned by its relay. */
interface RelayState {
  readonly options: RelayOptions;
  /** Absent for an answer that does not stream. */
  readonly guard: StreamGuard | undefined;
  readonly chunks: Uint8Array[];
  status: number | null;
  headers: AnswerHeaders;
  bytes: number;
  started: boolean;
  firstByteAt: number | null;
  firstByteAfterMs: number | undefined;
  takenAfterMs: number | undefined;
  readonly sentAt: number;
  ended: boolean;
}

/** What ends an exchange, beside what its state already says. */
interface Ending {
  readonly refusal?: Refusal;
  readonly abortedBy?: AbortedBy;
  readonly upstream?: UpstreamError;
  readonly body?: string;
  readonly last?: string;
  readonly counting?: Counting;
  readonly usage?: Usage | null;
  readonly finishReasons?: readonly string[];
  readonly said?: Answered;
}

export function relay(options: RelayOptions): Relay {
  const state: RelayState = {
    options,
    guard: guardOf(options),
    chunks: [],
    status: null,
    headers: {},
    bytes: 0,
    started: false,
    firstByteAt: null,
    firstByteAfterMs: undefined,
    takenAfterMs: undefined,
    sentAt: performance.now(),
    ended: false,
  };
  const { promise, resolve } = Promise.withResolvers<RelayEnd>();
  const finish = (ending: Ending) => {
    if (!state.ended) {
      state.ended = true;
      resolve(relayEnd(state, ending));
    }
  };
  const call: OutboundCall = options.outbound.send(options.request, {
    onTaken: () => {
      state.takenAfterMs = performance.now() - state.sentAt;
    },
    onHead: (status, headers) => head(state, status, headers),
    onData: (chunk) => {
      const more = take(data(state, chunk));
      void afterJudging(state, take);
      return more;
    },
    onEnd: () => void whole(state, take).then(finish, () => finish({ refusal: refuse("internal") })),
    onError: (failure) => finish(failed(failure)),
  });
  const take = ({ ending, more }: Taken): boolean => {
    if (ending !== undefined) {
      finish(ending);
    }
    // After a complete answer the connection ends by itself and is used again.
    if (ending?.refusal !== undefined) {
      call.abort();
    }
    return more;
  };
  const cut = (refusal: Refusal, by: AbortedBy) => {
    finish({ refusal, abortedBy: by });
    call.abort();
  };
  options.caller.onGone(() => cut(refuse("upstream_unreachable", { message: "the caller has left" }), "client"));
  options.caller.onDrain(() => call.resume());
  return { ended: promise, cut };
}

type Take = (taken: Taken) => boolean;
const noBytes = new Uint8Array();

/** What waits for its tools to be judged goes on when they are. */
async function afterJudging(state: RelayState, take: Take): Promise<void> {
  const { guard } = state;
  const { judging } = guard ?? {};
  if (guard === undefined || judging === undefined) return;
  await judging;
  if (state.ended) return;
  try {
    take(streamData(state, guard, noBytes));
  } catch {
    take({ ending: { refusal: refuse("upstream_invalid"), abortedBy: "upstream" }, more: true });
  }
}

function guardOf({ call, scan, tools, keeps }: RelayOptions): StreamGuard | undefined {
  const reader = call.stream ? call.dialect.stream?.(call) : undefined;
  return reader === undefined ? undefined : streamGuard({ reader, scan, tools, keeps });
}

function unread(): Pick<StreamGuard, "counting" | "usage" | "finishReasons" | "events"> {
  return { counting: { found: new Map(), taken: new Map() }, usage: null, finishReasons: [], events: 0 };
}

const nothing: Answered = { texts: [], truncated: false };

/** Of a stream what was let go, of a whole answer all of it: what was held back is not recorded either. */
function relayEnd(state: RelayState, { said = state.guard?.transcript ?? nothing, ...ending }: Ending): RelayEnd {
  const { counting, usage, finishReasons, events } = state.guard ?? unread();
  return {
    counting,
    usage,
    finishReasons,
    events,
    ...ending,
    ...(state.options.keeps && { said }),
    headers: state.headers,
    started: state.started,
    bytes: state.bytes,
    upstreamStatus: state.status,
    firstByteAt: state.firstByteAt,
    firstByteAfterMs: state.firstByteAfterMs,
    takenAfterMs: state.takenAfterMs,
    nextNumber: state.guard?.nextNumber,
    tools: state.options.tools.judged,
    observedTools: state.options.tools.observed,
  };
}

function head(state: RelayState, status: number, headers: OutboundHeaders): void {
  state.status = status;
  state.headers = cleanHeaders(state.options.scan, passedOn(headers));
  state.firstByteAt = state.options.now();
  state.firstByteAfterMs = performance.now() - state.sentAt;
}

/** A header that holds what is looked for says nothing that its reader needs. */
function cleanHeaders(scan: CallScan, headers: AnswerHeaders): AnswerHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => scan.isClean(value)));
}

interface Taken {
  readonly ending?: Ending;
  /** False to wait until the caller has read. */
  readonly more: boolean;
}

function data(state: RelayState, chunk: Uint8Array): Taken {
  if (state.ended) {
    return { more: true };
  }
  state.bytes += chunk.length;
  if (state.status !== 200) {
    return errorData(state, chunk);
  }
  if (state.guard === undefined) {
    state.chunks.push(chunk);
    return { more: true };
  }
  return streamData(state, state.guard, chunk);
}

/** Of an error only the beginning is read; the rest could be anything. */
function errorData(state: RelayState, chunk: Uint8Array): Taken {
  if (state.bytes > errorBytesMax) {
    return { ending: upstreamError(state), more: true };
  }
  state.chunks.push(chunk);
  return { more: true };
}

function streamData(state: RelayState, guard: StreamGuard, chunk: Uint8Array): Taken {
  const { text, refusal, ofTool, upstream, last } = guard.push(chunk);
  const more = text === "" || write(state, text);
  if (refusal !== undefined) {
    return { ending: { refusal, abortedBy: ofTool === true ? "boundary" : reasonFor(refusal), ...(upstream !== undefined && { upstream }) }, more };
  }
  if (last === undefined) {
    return { more };
  }
  if (!state.started) {
    start(state);
  }
  return { ending: { last }, more: true };
}

function reasonFor({ code }: Refusal): AbortedBy {
  if (code === "answer_outside_boundary") {
    return "boundary";
  }
  return code === "upstream_too_large" ? "limit" : "upstream";
}

function write(state: RelayState, text: string): boolean {
  if (!state.started) {
    start(state);
  }
  return state.options.caller.write(text);
}

function start(state: RelayState): void {
  state.started = true;
  state.options.caller.startStream({ ...state.headers, ...state.options.headers });
}

/** The provider has ended its answer: whole or not. */
async function whole(state: RelayState, take: Take): Promise<Ending> {
  if (state.status !== 200) {
    return upstreamError(state);
  }
  if (state.guard !== undefined) {
    while (state.guard.judging !== undefined && !state.ended) await afterJudging(state, take);
    // Without its last event nobody can tell an end from a cut.
    const message = "the provider ended the stream before it was complete";
    return { refusal: refuse("upstream_unreachable", { message }), abortedBy: "upstream" };
  }
  return jsonAnswer(state);
}

const finishReasonsMax = 16;

async function jsonAnswer(state: RelayState): Promise<Ending> {
  const { call, scan, tools } = state.options;
  const json = readJson(Buffer.concat(state.chunks));
  const shape = json !== undefined && wellFormed(json.value) ? call.dialect.answer(json.value) : undefined;
  if (shape === undefined) {
    return { refusal: refuse("upstream_invalid"), abortedBy: "upstream" };
  }
  const counting = { found: new Map<string, number>(), taken: new Map<string, number>() };
  const { value, blocked } = scannedAnswer(scan, counting, shape);
  const read = { counting, usage: shape.usage, finishReasons: shape.finishReasons.slice(0, finishReasonsMax).map(readReason) };
  const refusal = blocked === undefined ? shape.toolCalls && (await refusedCall(tools, shape.toolCalls)) : answerRefusal(scan, counting);
  return refusal === undefined
    ? { ...read, body: JSON.stringify(value), ...(state.options.keeps && { said: spoken({ ...shape, value }) }) }
    : { ...read, refusal, abortedBy: "boundary" };
}

/** The words of a whole answer; of what names things, a tool's name. */
function spoken(shape: AnswerShape): Answered {
  const transcript = new Transcript();
  mapStrings(shape.value, {
    text: (text, path) => {
      if (!shape.isFixed(path) || path.at(-1) === "name") transcript.add(shape.place?.(path) ?? path.join("."), text);
      return text;
    },
  });
  return transcript;
}

const ErrorAnswer = z.object({ error: z.object({ message: z.string().optional(), code: z.unknown().optional(), type: z.unknown().optional() }) });

/** The provider's status goes on; 401 and 403 would look like the caller's own credential, and redirects are not followed. */
function upstreamError(state: RelayState): Ending {
  const status = state.status ?? 502;
  const ours = status < 400 || status === 401 || status === 403;
  const refusal = refuse("upstream_error", { message: `the provider answered with status ${status}`, status: ours ? 502 : status });
  return { refusal, upstream: { status, ...providerWords(state) } };
}

function providerWords(state: RelayState): Omit<UpstreamError, "status"> {
  const parsed = ErrorAnswer.safeParse(readJson(Buffer.concat(state.chunks))?.value);
  if (!parsed.success) {
    return {};
  }
  const { message, code: named, type } = parsed.data.error;
  const code = [named, type].find((each) => typeof each === "string");
  return cleanWords(state.options.scan, { ...(code !== undefined && { code }), ...(message !== undefined && { message }) });
}

const failures = {
  timeout: { code: "upstream_timeout", by: "upstream" },
  unreachable: { code: "upstream_unreachable", by: "upstream" },
  reset: { code: "upstream_unreachable", by: "upstream" },
  too_large: { code: "upstream_too_large", by: "limit" },
  aborted: { code: "upstream_unreachable", by: "upstream" },
} as const;

function failed(failure: OutboundFailure): Ending {
  const { code, by } = failures[failure];
  return { refusal: refuse(code), abortedBy: by };
}
