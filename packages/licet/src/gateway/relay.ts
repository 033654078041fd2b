import { z } from "zod";
import type { Outbound, OutboundCall, OutboundFailure, OutboundHeaders, OutboundRequest } from "../base/outbound.ts";
import type { AnswerHeaders, Caller, UpstreamError } from "./answer.ts";
import type { Answered } from "./content.ts";
import { detect, outsideBoundary } from "./detect.ts";
import { collect, parseJson, wellFormed } from "./openai.ts";
import { passedOn } from "./provider.ts";
import { refuse, type Refusal } from "./refusal.ts";
import { answerRefusal, readReason, readUsage, streamGuard, type GuardOptions, type StreamGuard, type Usage } from "./stream.ts";
import { addMessage, Transcript } from "./transcript.ts";

export type AbortedBy = "client" | "upstream" | "hold" | "limit" | "boundary" | "snapshot";

/** How one exchange with the provider ended. The caller has what was streamed, but neither end nor error yet. */
export interface RelayEnd {
  /** Absent when the answer is complete. */
  readonly refusal?: Refusal;
  readonly abortedBy?: AbortedBy;
  readonly upstream?: UpstreamError;
  /** The whole answer of a call that does not stream. */
  readonly body?: string;
  readonly headers: AnswerHeaders;
  readonly started: boolean;
  readonly found: ReadonlyMap<string, number>;
  readonly usage: Usage | null;
  readonly finishReasons: readonly string[];
  readonly bytes: number;
  readonly upstreamStatus: number | null;
  readonly firstByteAt: number | null;
  /** What left the gateway, where words are recorded. */
  readonly said?: Answered;
}

export interface RelayOptions {
  readonly outbound: Outbound;
  readonly request: OutboundRequest;
  readonly caller: Caller;
  readonly stream: boolean;
  readonly guard: GuardOptions;
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
  readonly guard: StreamGuard;
  readonly chunks: Uint8Array[];
  status: number | null;
  headers: AnswerHeaders;
  bytes: number;
  started: boolean;
  firstByteAt: number | null;
  ended: boolean;
}

/** What ends an exchange, beside what its state already says. */
interface Ending {
  readonly refusal?: Refusal;
  readonly abortedBy?: AbortedBy;
  readonly upstream?: UpstreamError;
  readonly body?: string;
  readonly found?: ReadonlyMap<string, number>;
  readonly usage?: Usage | null;
  readonly finishReasons?: readonly string[];
  readonly choices?: z.output<typeof Completion>["choices"];
}

export function relay(options: RelayOptions): Relay {
  const state: RelayState = {
    options,
    guard: streamGuard(options.guard),
    chunks: [],
    status: null,
    headers: {},
    bytes: 0,
    started: false,
    firstByteAt: null,
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
    onHead: (status, headers) => head(state, status, headers),
    onData: (chunk) => {
      const { ending, more } = data(state, chunk);
      if (ending !== undefined) {
        finish(ending);
      }
      // After a complete answer the connection ends by itself and is used again.
      if (ending?.refusal !== undefined) {
        call.abort();
      }
      return more;
    },
    onEnd: () => finish(whole(state)),
    onError: (failure) => finish(failed(failure)),
  });
  const cut = (refusal: Refusal, by: AbortedBy) => {
    finish({ refusal, abortedBy: by });
    call.abort();
  };
  options.caller.onGone(() => cut(refuse("upstream_unreachable", { message: "the caller has left" }), "client"));
  options.caller.onDrain(() => call.resume());
  return { ended: promise, cut };
}

function relayEnd(state: RelayState, ending: Ending): RelayEnd {
  return {
    found: state.guard.found,
    usage: state.guard.usage,
    finishReasons: state.guard.finishReasons,
    ...withoutChoices(ending),
    ...(state.options.guard.keeps && { said: said(state, ending) }),
    headers: state.headers,
    started: state.started,
    bytes: state.bytes,
    upstreamStatus: state.status,
    firstByteAt: state.firstByteAt,
  };
}

function withoutChoices(ending: Ending): Omit<Ending, "choices"> {
  const { choices: _, ...rest } = ending;
  return rest;
}

/** Of a stream what was let go, of a whole answer all of it: what was held back is not recorded either. */
function said({ guard, options }: RelayState, { choices = [] }: Ending): Answered {
  if (options.stream) return guard.transcript;
  const transcript = new Transcript();
  for (const [position, { index, message }] of choices.entries()) addMessage(transcript, `${index ?? position}`, message);
  return transcript;
}

function head(state: RelayState, status: number, headers: OutboundHeaders): void {
  state.status = status;
  state.headers = passedOn(headers);
  state.firstByteAt = state.options.now();
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
  if (!state.options.stream) {
    state.chunks.push(chunk);
    return { more: true };
  }
  return streamData(state, chunk);
}

/** Of an error only the beginning is read; the rest could be anything. */
function errorData(state: RelayState, chunk: Uint8Array): Taken {
  if (state.bytes > errorBytesMax) {
    return { ending: upstreamError(state), more: true };
  }
  state.chunks.push(chunk);
  return { more: true };
}

function streamData(state: RelayState, chunk: Uint8Array): Taken {
  const { text, refusal, done } = state.guard.push(chunk);
  const more = text === "" || write(state, text);
  if (refusal !== undefined) {
    return { ending: { refusal, abortedBy: reasonFor(refusal) }, more };
  }
  if (!done) {
    return { more };
  }
  if (!state.started) {
    start(state);
  }
  return { ending: {}, more: true };
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
function whole(state: RelayState): Ending {
  if (state.status !== 200) {
    return upstreamError(state);
  }
  if (state.options.stream) {
    // Without [DONE] nobody can tell an end from a cut.
    const message = "the provider ended the stream before it was complete";
    return { refusal: refuse("upstream_unreachable", { message }), abortedBy: "upstream" };
  }
  return jsonAnswer(state);
}

const Completion = z.looseObject({
  choices: z.array(z.looseObject({ index: z.int().min(0).optional(), message: z.unknown().optional(), finish_reason: z.string().nullish() })),
  usage: z.unknown().optional(),
});

const finishReasonsMax = 16;

function jsonAnswer(state: RelayState): Ending {
  const json = parseJson(Buffer.concat(state.chunks));
  const parsed = Completion.safeParse(json?.value);
  if (!parsed.success || !wellFormed(json?.value)) {
    return { refusal: refuse("upstream_invalid"), abortedBy: "upstream" };
  }
  const texts: string[] = [];
  collect(parsed.data, texts);
  const found = detect(texts);
  const reasons = parsed.data.choices.flatMap(({ finish_reason: reason }) => (typeof reason === "string" ? [readReason(reason)] : []));
  const read = { found, usage: readUsage(parsed.data.usage), finishReasons: reasons.slice(0, finishReasonsMax) };
  const outside = outsideBoundary(found, state.options.guard.classes);
  return outside.length > 0
    ? { ...read, refusal: answerRefusal(outside), abortedBy: "boundary" }
    : { ...read, body: JSON.stringify(parsed.data), choices: parsed.data.choices };
}

const ErrorAnswer = z.object({ error: z.object({ message: z.string().optional(), code: z.string().nullish() }) });
const messageCharactersMax = 500;

/** The provider's status goes on; 401 and 403 would look like the caller's own credential, and redirects are not followed. */
function upstreamError(state: RelayState): Ending {
  const status = state.status ?? 502;
  const ours = status < 400 || status === 401 || status === 403;
  const refusal = refuse("upstream_error", { message: `the provider answered with status ${status}`, status: ours ? 502 : status });
  return { refusal, upstream: { status, ...providerWords(state) } };
}

/** What the provider says helps the caller, unless it quotes data or keys. */
function providerWords(state: RelayState): { readonly code?: string; readonly message?: string } {
  const parsed = ErrorAnswer.safeParse(parseJson(Buffer.concat(state.chunks))?.value);
  if (!parsed.success) {
    return {};
  }
  const { message, code } = parsed.data.error;
  const clean = detect([message ?? "", code ?? ""]).size === 0;
  const words = {
    ...(typeof code === "string" && { code: code.slice(0, 100) }),
    ...(message !== undefined && { message: message.slice(0, messageCharactersMax) }),
  };
  return clean ? words : {};
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
