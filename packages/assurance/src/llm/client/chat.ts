import { parseJson } from "@licet/evidence";
import type { UnassessedReason } from "../outcome.ts";
import type { Reply } from "../reply.ts";
import { anthropicDialect } from "./anthropic.ts";
import type { Dialect, Finish, Reading } from "./dialect.ts";
import type { ChatRequest, IdentifiedCall } from "./message.ts";
import { openaiDialect } from "./openai.ts";
import { fetchSend, type Send, type SendRequest, type SendResponse } from "./send.ts";
import { sseData } from "./sse.ts";

/** A model behind an HTTP endpoint. */
export interface Endpoint {
  readonly dialect: "openai" | "anthropic";
  /** Up to and including the version, without the last slash: `https://host/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** Sent as the dialect says; never stored or logged. */
  readonly credential?: string;
  readonly stream?: boolean;
  /** How the server wants the bound on the answer called; newer models of OpenAI refuse the older name. Default: `max_tokens`. */
  readonly tokensField?: "max_tokens" | "max_completion_tokens";
}

export interface ChatOptions {
  readonly send?: Send;
  readonly timeoutMs?: number;
  /** Repeats after status 429 and 503 only: these say that nothing was computed. */
  readonly retriesMax?: number;
  readonly signal?: AbortSignal;
}

/** A reply, and the calls with their ids, which a next turn needs. */
export interface ChatReply extends Reply {
  readonly calls: readonly IdentifiedCall[];
  /** The name under which the model answered; absent where it says none. */
  readonly model?: string;
}

/** Asks a model. Never throws: whatever goes wrong is a reply that cannot be assessed. */
export type Chat = (request: ChatRequest) => Promise<ChatReply>;

const dialects = { openai: openaiDialect, anthropic: anthropicDialect } as const;
const answerBytesMax = 4 * 1024 * 1024;
const timeoutMsDefault = 120_000;
const retriesMaxDefault = 2;
const retryMsMax = 20_000;

export function openChat(endpoint: Endpoint, options: ChatOptions = {}): Chat {
  const retriesMax = options.retriesMax ?? retriesMaxDefault;
  return async (request) => {
    for (let attempt = 0; ; attempt += 1) {
      const { reply, retryMs } = await once(endpoint, request, options);
      const again = reply.status === 429 || reply.status === 503;
      if (!again || attempt >= retriesMax || options.signal?.aborted === true) return reply;
      await pause(Math.min(retryMsMax, retryMs ?? 500 * 2 ** attempt), options.signal);
    }
  };
}

interface Once {
  readonly reply: ChatReply;
  readonly retryMs: number | undefined;
}

const nothingRead: Reading = { text: "", calls: [], finish: "unfinished", usage: null };

async function once(endpoint: Endpoint, request: ChatRequest, options: ChatOptions): Promise<Once> {
  const started = performance.now();
  const dialect = dialects[endpoint.dialect];
  const timeout = AbortSignal.timeout(options.timeoutMs ?? timeoutMsDefault);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  const finished = (reading: Reading, status: number | null, defect: UnassessedReason | undefined): ChatReply => ({
    text: reading.text,
    calls: reading.calls,
    usage: reading.usage,
    ...(reading.model !== undefined && { model: reading.model }),
    status,
    defect,
    wallMs: Math.round(performance.now() - started),
  });
  let response: SendResponse;
  try {
    response = await (options.send ?? fetchSend)(wireRequest(endpoint, request, signal));
  } catch {
    return { reply: finished(nothingRead, null, aborted(timeout, options.signal) ?? "unreachable"), retryMs: undefined };
  }
  if (response.status < 200 || response.status >= 300) {
    await drain(response);
    return { reply: finished(nothingRead, response.status, "http_status"), retryMs: retryMsOf(response.retryAfter) };
  }
  const read = response.contentType.includes("event-stream") ? readStream : readWhole;
  const { reading, defect } = await read(dialect, response);
  return { reply: finished(reading, response.status, aborted(timeout, options.signal) ?? defect ?? defectOfFinish(reading.finish)), retryMs: undefined };
}

function wireRequest(endpoint: Endpoint, request: ChatRequest, signal: AbortSignal): SendRequest {
  const dialect = dialects[endpoint.dialect];
  const stream = endpoint.stream ?? false;
  return {
    method: "POST",
    url: `${endpoint.baseUrl.replace(/\/+$/u, "")}${dialect.path}`,
    headers: { "content-type": "application/json", accept: stream ? "text/event-stream" : "application/json", ...dialect.headers(endpoint.credential) },
    body: JSON.stringify(dialect.body(request, { model: endpoint.model, stream, ...(endpoint.tokensField !== undefined && { tokensField: endpoint.tokensField }) })),
    signal,
  };
}

function aborted(timeout: AbortSignal, outer: AbortSignal | undefined): UnassessedReason | undefined {
  if (outer?.aborted === true) return "aborted";
  return timeout.aborted ? "timeout" : undefined;
}

function defectOfFinish(finish: Finish): UnassessedReason | undefined {
  if (finish === "length") return "length";
  if (finish === "content_filter") return "content_filter";
  return undefined;
}

interface Read {
  readonly reading: Reading;
  readonly defect: UnassessedReason | undefined;
}

async function readWhole(dialect: Dialect, response: SendResponse): Promise<Read> {
  const bytes = await collected(response.body);
  if (typeof bytes === "string") return { reading: nothingRead, defect: bytes };
  let value: unknown;
  try {
    value = parseJson(bytes.toString("utf8"));
  } catch {
    return { reading: nothingRead, defect: "malformed" };
  }
  try {
    const reading = dialect.answer(value);
    return reading === undefined ? { reading: nothingRead, defect: "malformed" } : { reading, defect: undefined };
  } catch (cause) {
    return { reading: nothingRead, defect: cause instanceof RangeError ? "too_large" : "malformed" };
  }
}

/** A stream that ends without saying so was cut, whatever it said before. */
async function readStream(dialect: Dialect, response: SendResponse): Promise<Read> {
  const reader = dialect.stream();
  try {
    for await (const data of sseData(bounded(response.body))) {
      if (!reader.event(data)) return { reading: reader.reading(), defect: "malformed" };
      if (reader.ended) break;
    }
  } catch (cause) {
    return { reading: reader.reading(), defect: cause instanceof RangeError ? "too_large" : "stream_cut" };
  }
  const reading = reader.reading();
  return { reading, defect: reader.ended || reading.finish !== "unfinished" ? undefined : "stream_cut" };
}

async function collected(body: AsyncIterable<Uint8Array>): Promise<Buffer | UnassessedReason> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of bounded(body)) chunks.push(chunk);
  } catch (cause) {
    return cause instanceof RangeError ? "too_large" : "stream_cut";
  }
  return Buffer.concat(chunks);
}

async function* bounded(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > answerBytesMax) throw new RangeError("the answer is too large");
    yield chunk;
  }
}

/** The body of an error says nothing that is judged; reading it frees the connection. */
async function drain(response: SendResponse): Promise<void> {
  await collected(response.body);
}

function retryMsOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}
