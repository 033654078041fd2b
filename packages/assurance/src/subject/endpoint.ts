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
}

/** How long everybody who asks one endpoint waits, because it said that it has too much to do. */
export interface Pressure {
  until: number;
}

export const endpointDefaults: EndpointOptions = { batchRowsMax: 256, inFlightMax: 4, callMsMax: 30_000, attemptsMax: 4 };

/** So many batches without any answer, and the rest is not tried. */
const silentBatchesMax = 8;
const answerBytesMax = 64 * 1024 * 1024;
const pauseMsMax = 20_000;
const firstPauseMs = 200;

/** An answer with status 2xx, or why there is none. */
export type Answered =
  | { readonly kind: "answer"; readonly body: unknown }
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "timeout" };

export interface Call {
  readonly url: string;
  readonly body?: unknown;
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
    // Further calls of others would only be refused as well.
    if (call.pressure !== undefined) call.pressure.until = Math.max(call.pressure.until, Date.now() + pauseMs);
    else await wait(pauseMs);
  }
}

async function pressureGone(pressure: Pressure | undefined): Promise<void> {
  if (pressure === undefined) return;
  for (let left = pressure.until - Date.now(); left > 0; left = pressure.until - Date.now()) await wait(left);
}

async function callOnce({ url, body, options }: Call): Promise<Answered | { retry: number | undefined; status: number }> {
  const signal = AbortSignal.timeout(options.callMsMax);
  try {
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST", redirect: "error", signal,
      headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }), ...options.headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return await answerOf(response);
  } catch (error) {
    if (signal.aborted) return { kind: "timeout" };
    if (error instanceof LicetError) throw error;
    return { kind: "failed", reason: error instanceof SyntaxError || error instanceof RangeError ? "its answer is no JSON" : "the connection broke" };
  }
}

async function answerOf(response: Response): Promise<Answered | { retry: number | undefined; status: number }> {
  const text = await boundedText(response);
  const { status } = response;
  if (status === 429 || status === 503) return { retry: pauseOf(response), status };
  if (status >= 400 && status < 500) return { kind: "refused", status };
  return response.ok ? { kind: "answer", body: parseJson(text) } : { kind: "failed", reason: `it answered ${status}` };
}

function pauseOf(response: Response): number | undefined {
  const seconds = Number(response.headers.get("retry-after") ?? "");
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw failed(`its answer has more than ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * Scores rows in batches, a few at once, results in the order of the rows. Batches without an answer are rows without
 * scores (NaN); when no batch has one, the reason is thrown: `subject_refused`, `subject_timeout` or `subject_failed`.
 */
export async function inBatches(rows: Rows, options: EndpointOptions, score: (part: Rows) => Promise<Answered & { scores?: Scores }>): Promise<Scores> {
  const starts = Array.from({ length: Math.max(1, Math.ceil(rows.rows / options.batchRowsMax)) }, (_, index) => index * options.batchRowsMax);
  const parts = new Map<number, Scores>();
  const reasons: Answered[] = [];
  const batches = starts.length;
  const worker = async () => {
    for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
      const part = slice(rows, start, Math.min(rows.rows, start + options.batchRowsMax));
      const outcome = await score(part).catch((error: unknown) => {
        // What is wrong with one answer is wrong with the check: nothing further is sent.
        starts.length = 0;
        throw error;
      });
      if (outcome.scores === undefined) reasons.push(outcome);
      parts.set(start, outcome.scores ?? unanswered(part.rows));
      if (reasons.length === parts.size && reasons.length >= silentBatchesMax) starts.length = 0;
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.inFlightMax, batches) }, worker));
  const [reason] = reasons;
  if (reason !== undefined && reasons.length === parts.size) throw thrown(reason);
  return joined([...parts].sort(([a], [b]) => a - b).map(([, part]) => part));
}

export function thrown(reason: Answered): LicetError {
  if (reason.kind === "timeout") return new LicetError("subject_timeout");
  if (reason.kind === "refused") return new LicetError("subject_refused", { message: `the system under test refused the rows with status ${reason.status}: compare them with the inputs that it declares`, at: { status: reason.status } });
  return failed(reason.kind === "failed" ? reason.reason : "its answer holds no scores");
}
