import { lookup as systemLookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { Pool, type Dispatcher } from "undici";
import { classifyAddress, mayDial } from "./address.ts";
import { LicetError } from "./errors.ts";

/** The bounds of one connection; each can be set lower or higher by who opens it. */
export interface OutboundLimits {
  readonly connectMs: number;
  /** From the request sent to the answer's headers. */
  readonly headersMs: number;
  /** Between two pieces of the answer. */
  readonly idleMs: number;
  /** The whole exchange. */
  readonly totalMs: number;
  readonly headerBytesMax: number;
  readonly answerBytesMax: number;
}

export const outboundLimits: OutboundLimits = {
  connectMs: 10_000,
  headersMs: 120_000,
  idleMs: 120_000,
  totalMs: 600_000,
  headerBytesMax: 16_384,
  answerBytesMax: 32 * 1024 * 1024,
};

export interface OutboundOptions {
  /** Origin and path prefix. `https:`, or `http:` to a loopback address. */
  readonly baseUrl: string;
  /** What may be dialled beside public addresses: `loopback`, `private`, an address, a CIDR range. */
  readonly allow?: readonly string[];
  readonly limits?: Partial<OutboundLimits>;
  /** All addresses of a host name. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string;
}

export interface OutboundRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Appended to the path of the base URL. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export type OutboundHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Why an exchange ended before its end. */
export type OutboundFailure = "timeout" | "unreachable" | "reset" | "too_large" | "aborted";

/** A throw of `onHead` or `onData` ends the exchange, reported to `onError` as a reset. Exactly one of `onEnd` and `onError` is called, last. */
export interface OutboundHandler {
  /** A connection, new or free, takes the request: what came before was waiting and connecting. */
  onTaken?(): void;
  onHead(status: number, headers: OutboundHeaders): void;
  /** Answering false pauses the exchange until `resume()`. */
  onData(chunk: Uint8Array): boolean;
  onEnd(): void;
  onError(failure: OutboundFailure, cause: Error): void;
}

export interface OutboundCall {
  /** Ends the exchange, also when it still waits for a connection. The handler gets `aborted`. */
  abort(): void;
  resume(): void;
}

export interface Outbound {
  readonly origin: string;
  /** The one address that every connection of this client goes to. */
  readonly address: string;
  send(request: OutboundRequest, handler: OutboundHandler): OutboundCall;
  close(): Promise<void>;
}

/**
 * Opens a client for one origin: the name is resolved once, the address is checked and pinned, redirects are not
 * followed. Throws `outbound_refused` for what may not be dialled and `unreachable` for a name without address.
 */
export async function openOutbound(options: OutboundOptions): Promise<Outbound> {
  const url = outboundUrl(options.baseUrl);
  const address = await pinnedAddress(url, options);
  requireTls(url, address);
  const limits = { ...outboundLimits, ...options.limits };
  const pool = new Pool(url.origin, {
    connections: null,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 60_000,
    headersTimeout: limits.headersMs,
    bodyTimeout: limits.idleMs,
    maxHeaderSize: limits.headerBytesMax,
    connect: {
      timeout: limits.connectMs,
      lookup: pinnedLookup(address),
      ...(options.ca !== undefined && { ca: options.ca }),
    },
  });
  const prefix = url.pathname.replace(/\/+$/u, "");
  return {
    origin: url.origin,
    address,
    send: (request, handler) => exchange({ pool, prefix, limits }, request, handler),
    close: () => pool.destroy(),
  };
}

function outboundUrl(baseUrl: string): URL {
  const url = URL.parse(baseUrl);
  const plain = url !== null && (url.protocol === "https:" || url.protocol === "http:");
  if (!plain || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new LicetError("outbound_refused", {
      message: "an outbound address must be an http or https URL without credentials, query and fragment",
    });
  }
  return url;
}

async function pinnedAddress(url: URL, options: OutboundOptions): Promise<string> {
  const host = url.hostname.replaceAll(/[[\]]/gu, "");
  const addresses = isIP(host) === 0 ? await resolved(host, options.resolve ?? resolveAll) : [host];
  const [first] = addresses;
  // One bad address among good ones is how a rebinding name looks: all must pass.
  const refused = addresses.find((address) => !mayDial(address, options.allow ?? []));
  if (refused !== undefined) {
    throw new LicetError("outbound_refused", {
      message: `\`${host}\` leads to a ${classifyAddress(refused)} address, which the operator has not allowed`,
      at: { host },
    });
  }
  if (first === undefined) {
    throw new LicetError("unreachable", { message: `\`${host}\` has no address`, at: { host } });
  }
  return first;
}

async function resolved(host: string, resolve: (host: string) => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await resolve(host);
  } catch (cause) {
    throw new LicetError("unreachable", { message: `\`${host}\` cannot be resolved`, at: { host }, cause });
  }
}

async function resolveAll(host: string): Promise<readonly string[]> {
  const found = await systemLookup(host, { all: true, order: "ipv4first" });
  return found.map(({ address }) => address);
}

function requireTls(url: URL, address: string): void {
  if (url.protocol !== "https:" && classifyAddress(address) !== "loopback") {
    throw new LicetError("outbound_refused", {
      message: `\`${url.hostname}\` must be reached over https: only loopback goes without`,
      at: { host: url.hostname },
    });
  }
}

function pinnedLookup(address: string): LookupFunction {
  const family = isIP(address);
  return (_host, options, callback) => {
    if (options.all === true) {
      callback(null, [{ address, family }]);
    } else {
      callback(null, address, family);
    }
  };
}

interface Line {
  readonly pool: Pool;
  readonly prefix: string;
  readonly limits: OutboundLimits;
}

/** State of one exchange; owned by `exchange` alone. */
interface Exchange {
  controller: Dispatcher.DispatchController | undefined;
  ending: OutboundFailure | undefined;
  settled: boolean;
  bytes: number;
}

function exchange(line: Line, request: OutboundRequest, handler: OutboundHandler): OutboundCall {
  const state: Exchange = { controller: undefined, ending: undefined, settled: false, bytes: 0 };
  const stop = (failure: OutboundFailure) => {
    state.ending ??= failure;
    state.controller?.abort(new Error(failure));
  };
  const timer = setTimeout(() => stop("timeout"), line.limits.totalMs);
  const settle = (last: () => void) => {
    if (!state.settled) {
      state.settled = true;
      clearTimeout(timer);
      last();
    }
  };
  const fail = (cause: Error) => settle(() => handler.onError(state.ending ?? failureOf(cause), cause));
  const guarded = (step: () => void) => {
    try {
      step();
    } catch {
      stop("reset");
    }
  };
  const take = (chunk: Buffer) => {
    state.bytes += chunk.length;
    if (state.bytes > line.limits.answerBytesMax) {
      stop("too_large");
    } else if (!handler.onData(chunk)) {
      state.controller?.pause();
    }
  };
  const dispatched = {
    path: line.prefix + request.path,
    method: request.method,
    headers: request.headers,
    body: request.body ?? null,
  };
  try {
    line.pool.dispatch(dispatched, {
      onRequestStart: (controller) => {
        state.controller = controller;
        // Latched: a request that still waited for a connection when its caller left must end here, or it would be
        // paused for ever on a caller that never drains, and hold its connection.
        if (state.ending !== undefined) {
          controller.abort(new Error(state.ending));
        } else {
          guarded(() => handler.onTaken?.());
        }
      },
      onResponseStart: (_controller, status, headers) => {
        if (status < 200) {
          return;
        }
        const length = Number(headers["content-length"] ?? 0);
        if (length > line.limits.answerBytesMax) {
          stop("too_large");
        } else {
          guarded(() => handler.onHead(status, headers));
        }
      },
      onResponseData: (_controller, chunk) => {
        if (state.ending === undefined) {
          guarded(() => take(chunk));
        }
      },
      onResponseEnd: () => (state.ending === undefined ? settle(() => handler.onEnd()) : fail(new Error(state.ending))),
      onResponseError: (_controller, error) => fail(error),
    });
  } catch (error) {
    fail(error instanceof Error ? error : new Error("dispatch failed"));
  }
  return { abort: () => stop("aborted"), resume: () => state.controller?.resume() };
}

const unreachableCodes = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "EPROTO",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

function failureOf(error: Error): OutboundFailure {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
    return "timeout";
  }
  return unreachableCodes.has(code) ? "unreachable" : "reset";
}

export interface OutboundAnswer {
  readonly status: number;
  readonly headers: OutboundHeaders;
  readonly body: Uint8Array;
}

/** One whole exchange. Throws `unreachable` for anything but a complete answer; the status is the caller's to judge. */
export function fetchOutbound(outbound: Outbound, request: OutboundRequest): Promise<OutboundAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let head: { status: number; headers: OutboundHeaders } = { status: 0, headers: {} };
    outbound.send(request, {
      onHead: (status, headers) => {
        head = { status, headers };
      },
      onData: (chunk) => {
        chunks.push(chunk);
        return true;
      },
      onEnd: () => resolve({ ...head, body: Buffer.concat(chunks) }),
      onError: (failure, cause) => {
        const message = `\`${outbound.origin}\` gave no whole answer: ${failure}`;
        reject(new LicetError("unreachable", { message, at: { failure }, cause }));
      },
    });
  });
}
