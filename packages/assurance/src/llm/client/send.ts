/** One HTTP exchange as the client needs it. `url` is absolute, and made from the declared base address only. */
export interface SendRequest {
  readonly method: "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Ends the exchange; what arrives afterwards is not read. */
  readonly signal: AbortSignal;
}

export interface SendResponse {
  readonly status: number;
  readonly contentType: string;
  /** Seconds or an HTTP date, when the server says when to try again. */
  readonly retryAfter: string | undefined;
  /** Throws when the connection ends before the answer does. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * How requests leave the process. The product passes its own guarded way out; the default is `fetchSend`. An implementation MUST NOT
 * follow redirects, MUST reject when `signal` fires, and MUST NOT write request bodies or headers to a log.
 */
export type Send = (request: SendRequest) => Promise<SendResponse>;

/** Sends by the platform's `fetch`, without redirects. It dials whatever it is told: only for addresses that a person typed. */
export const fetchSend: Send = async ({ url, headers, body, signal }) => {
  const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
  return {
    status: response.status,
    contentType: response.headers.get("content-type") ?? "",
    retryAfter: response.headers.get("retry-after") ?? undefined,
    body: response.body ?? nothing(),
  };
};

async function* nothing(): AsyncGenerator<Uint8Array> {
  yield* [];
}
