import { setTimeout as wait } from "node:timers/promises";
import { LicetError } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { Rows, Scores } from "./probe.ts";
import { failed, joined, slice, unanswered } from "./subject.ts";

/** How an endpoint is called. Every bound holds for each check on its own. */
export interface EndpointOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Rows in one call. */
  readonly batchRowsMax: number;
  /** Calls under way at once; further ones wait. */
  readonly inFlightMax: number;
  /** Until the whole answer is there. */
  readonly callMsMax: number;
  /** Calls for one batch, the first included. Only 429 and 503 are tried again. */
  readonly attemptsMax: number;
  /** By `performance.now()`: no batch is begun afterwards. */
  readonly endsAt?: number | undefined;
}

/** How long everybody who asks one endpoint waits, because it said that it has too much to do; and how long they have waited until now. */
export interface Pressure {
  until: number;
  waitedMs: number;
}

export const endpointDefaults: EndpointOptions = { batchRowsMax: 256, inFlightMax: 4, callMsMax: 30_000, attemptsMax: 4 };

/** So many batches without an answer, and the rest is not tried: nor when they are more than could be missing of many. */
const silentBatchesMax = 8;
const silentShareMax = 0.05;
const answerBytesMax = 64 * 1024 * 1024;
const pauseMsMax = 20_000;
/** Of all pauses that one endpoint asks for: one that asks for them for ever does not answer. */
const waitMsMax = 300_000;
const firstPauseMs = 200;

/** An answer with status 2xx, or why there is none. */
export type Answered =
  | { readonly kind: "answer"; readonly body: unknown; /** What stands behind the JSON, where a call may be answered so. */ readonly tail?: Uint8Array }
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "timeout" };

export interface Call {
  readonly url: string;
  /** Is sent as JSON; without it the call is a GET. */
  readonly body?: unknown;
  /** Stands behind the JSON: the protocol's binary tensor data. The answer may have such a tail as well. */
  readonly tail?: Uint8Array | undefined;
  readonly options: EndpointOptions;
  readonly pressure?: Pressure;
}

/**
 * One call, tried again on 429 and 503 only, after the pause that the server asks for or a growing one. The body is
 * the same each time, its id included, so that a server can tell a repetition. Redirects are not followed.
 */
export async function callEndpoint(call: Call): Promise<Answered> {
  for (let attempt = 1; ; attempt += 1) {
    await pressureGone(call.pressure);
    const outcome = await callOnce(call);
    if (!("retry" in outcome)) return outcome;
    if (attempt >= call.options.attemptsMax) return { kind: "failed", reason: `it answered ${outcome.status} ${attempt} times` };
    const pauseMs = Math.min(pauseMsMax, outcome.retry ?? firstPauseMs * 2 ** (attempt - 1));
    if (call.pressure === undefined) await wait(pauseMs);
    else if (!press(call.pressure, pauseMs)) return { kind: "failed", reason: `it asked to wait for more than ${waitMsMax / 1000} seconds in all` };
  }
}

/** Further calls of others would only be refused as well. False when there was pause enough. */
function press(pressure: Pressure, pauseMs: number): boolean {
  const until = Date.now() + pauseMs;
  const longer = until - Math.max(pressure.until, Date.now());
  if (pressure.waitedMs + longer > waitMsMax) return false;
  if (longer > 0) {
    pressure.waitedMs += longer;
    pressure.until = until;
  }
  return true;
}

async function pressureGone(pressure: Pressure | undefined): Promise<void> {
  if (pressure === undefined) return;
  for (let left = pressure.until - Date.now(); left > 0; left = pressure.until - Date.now()) await wait(left);
}

type Tried = Answered | { readonly retry: number | undefined; readonly status: number };

async function callOnce(call: Call): Promise<Tried> {
  const { url, tail, options } = call;
  const signal = AbortSignal.timeout(options.callMsMax);
  try {
    const response = await fetch(url, { redirect: "error", signal, ...requestOf(call) });
    return await answerOf(response, tail !== undefined);
  } catch (error) {
    if (signal.aborted) return { kind: "timeout" };
    if (error instanceof LicetError) throw error;
    return { kind: "failed", reason: error instanceof SyntaxError || error instanceof RangeError ? "its answer is no JSON" : "the connection broke" };
  }
}

const jsonLength = "inference-header-content-length";

function requestOf({ body, tail, options }: Call): RequestInit {
  const headers = { accept: "application/json", ...options.headers };
  if (body === undefined) return { method: "GET", headers };
  const json = JSON.stringify(body);
  if (tail === undefined) return { method: "POST", headers: { "content-type": "application/json", ...headers }, body: json };
  const front = Buffer.from(json);
  return { method: "POST", headers: { ...headers, accept: "*/*", "content-type": "application/octet-stream", [jsonLength]: String(front.length) }, body: Buffer.concat([front, tail]) };
}

async function answerOf(response: Response, mayHaveTail: boolean): Promise<Tried> {
  const bytes = await boundedBytes(response);
  const { status } = response;
  if (status === 429 || status === 503) return { retry: pauseOf(response), status };
  if (status >= 400 && status < 500) return { kind: "refused", status };
  if (!response.ok) return { kind: "failed", reason: `it answered ${status}` };
  const length = mayHaveTail ? response.headers.get(jsonLength) : null;
  if (length === null) return { kind: "answer", body: parseJson(bytes.toString("utf8")) };
  const front = /^\d{1,10}$/u.test(length) ? Number(length) : Infinity;
  if (front > bytes.length) throw failed("its answer has less than the JSON that it says");
  return { kind: "answer", body: parseJson(bytes.toString("utf8", 0, front)), tail: bytes.subarray(front) };
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function pauseOf(response: Response): number | undefined {
  const asked = response.headers.get("retry-after") ?? "";
  const milliseconds = /^\d/u.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - Date.now();
  return milliseconds > 0 ? milliseconds : undefined;
}

async function boundedBytes(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw failed(`its answer has more than ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Scores rows in batches, a few at once, results in the order of the rows. Batches without an answer are rows without
 * scores (NaN), and so are those that are not tried any more because too many before had none. When no batch has an
 * answer, the reason is thrown: `subject_refused`, `subject_timeout` or `subject_failed`; `query_budget_spent` when the time is up.
 */
export async function inBatches(rows: Rows, options: EndpointOptions, score: (part: Rows) => Promise<Answered & { scores?: Scores }>): Promise<Scores> {
  const starts = Array.from({ length: Math.max(1, Math.ceil(rows.rows / options.batchRowsMax)) }, (_, index) => index * options.batchRowsMax);
  const parts = new Map<number, Scores>();
  const reasons: Answered[] = [];
  const batches = starts.length;
  let answers = 0;
  const silentMax = Math.max(silentBatchesMax, Math.floor(silentShareMax * batches));
  const partOf = (start: number) => slice(rows, start, Math.min(rows.rows, start + options.batchRowsMax));
  const worker = async () => {
    for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
      const outcome = await timely(options, () => score(partOf(start))).catch((error: unknown) => {
        // What is wrong with one answer is wrong with the check: nothing further is sent.
        starts.length = 0;
        throw error;
      });
      if (outcome.scores === undefined) reasons.push(outcome);
      else answers += 1;
      parts.set(start, outcome.scores ?? unanswered(partOf(start).rows));
      if (reasons.length > silentMax || (answers === 0 && reasons.length >= silentBatchesMax)) {
        for (const left of starts.splice(0)) parts.set(left, unanswered(partOf(left).rows));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.inFlightMax, batches) }, worker));
  const [reason] = reasons;
  if (reason !== undefined && answers === 0) throw thrown(reason);
  return joined([...parts].sort(([a], [b]) => a - b).map(([, part]) => part));
}

async function timely<T>({ endsAt = Infinity }: EndpointOptions, act: () => Promise<T>): Promise<T> {
  if (performance.now() > endsAt) throw new LicetError("query_budget_spent", { message: "the time of the run is up and the check is not done: raise `--budget time=`, or give it fewer rows" });
  return act();
}

export function thrown(reason: Answered): LicetError {
  if (reason.kind === "timeout") return new LicetError("subject_timeout");
  if (reason.kind === "refused") return new LicetError("subject_refused", { message: `the system under test refused the rows with status ${reason.status}: compare them with the inputs that it declares`, at: { status: reason.status } });
  return failed(reason.kind === "failed" ? reason.reason : "its answer holds no scores");
}
