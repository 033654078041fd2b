import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../base/clock.ts";
import type { OutboundLimits } from "../base/outbound.ts";
import { answerRefusal, type AnswerHeaders, type Caller, type DataPlaneMount, type ErrorForm, type Inbound } from "./answer.ts";
import { inflightCalls, type CutScope } from "./inflight.ts";
import type { PipelineParts } from "./admission.ts";
import { deniedEndpoint, formOf, modelEndpoint, ownForm } from "./endpoints.ts";
import type { Budgets } from "./budgets/budgets.ts";
import { ExternalLines } from "./detect/external.ts";
import { BoundIds } from "./files/bound-ids.ts";
import { heldBatches } from "./files/held-batches.ts";
import { noObserver, type CallObserver } from "./observe/observer.ts";
import { mounts, oipApi } from "./oip/mount.ts";
import { unsupported } from "./pipeline.ts";
import { providerLines } from "./provider.ts";
import { decisionRecord, type GatewayLedger } from "./record.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { SnapshotSource } from "./snapshot.ts";
import { strangerLimit } from "./stranger-limit.ts";

/** Bounds of the listener. What comes in is attacker-controlled until its credential is known. */
export interface GatewayLimits {
  readonly bodyBytesMax: number;
  /** Of all bodies held at once. */
  readonly bufferedBytesMax: number;
  readonly callsMax: number;
  readonly connectionsMax: number;
  readonly headerBytesMax: number;
  readonly headersMax: number;
  readonly headersMs: number;
  /** To receive a whole request, so that a slow sender holds nothing for long. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  /** A connection on which nothing moves; longer than any exchange with a provider. */
  readonly silenceMs: number;
  readonly sweepMs: number;
  readonly upstream: Partial<OutboundLimits>;
}

export const gatewayLimits: GatewayLimits = {
  bodyBytesMax: 10 * 1024 * 1024,
  bufferedBytesMax: 256 * 1024 * 1024,
  callsMax: 1024,
  connectionsMax: 8192,
  headerBytesMax: 16_384,
  headersMax: 100,
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
  silenceMs: 660_000,
  sweepMs: 250,
  upstream: {},
};

/** What is asked for below `/log/`, by GET or HEAD. */
export interface LogRequest {
  readonly path: string;
  readonly ifNoneMatch: string | undefined;
  readonly acceptEncoding: string | undefined;
}

/** One file of the public log as it travels, or why there is none. */
export type LogAnswer =
  | { readonly status: 200 | 304; readonly headers: AnswerHeaders; readonly body: Uint8Array }
  | { readonly refused: "not_found" | "log_pruned"; readonly message: string };

export interface GatewayOptions {
  readonly clock: Clock;
  readonly ledger: GatewayLedger;
  readonly snapshots: SnapshotSource;
  readonly providerKey: (space: string, provider: string) => Promise<string>;
  /** Id of this run of the gateway: a new one for every start. */
  readonly gateway: string;
  /** Where calls are recorded that no credential names; default `main`. */
  readonly space?: string;
  /** Origin as callers see it; default: where it listens. */
  readonly publicUrl?: string;
  /** Made once: what else the data plane serves, the decision API. It sees every request before the gateway's own paths end. */
  readonly mount?: (mounting: { readonly parts: PipelineParts; readonly origin: () => string }) => DataPlaneMount;
  /** The subject that an end user's words are sealed under; see `decisionRecord`. */
  readonly endUser?: (space: string, user: string) => Promise<string>;
  /** GET and HEAD /log/PATH; undefined for what is no path of a log. */
  readonly logFile?: (request: LogRequest) => Promise<LogAnswer | undefined>;
  /** Told of every call: metrics, spans. */
  readonly observer?: CallObserver;
  /** What may be spent; nothing is limited without. */
  readonly budgets?: Budgets | undefined;
  /** Files and batches that were stored before; without, those of this run. */
  readonly boundIds?: BoundIds | undefined;
  /** Origin of the console: refusals say where their decision is explained. */
  readonly consoleUrl?: string | undefined;
  /** Failures that no caller may see in full. */
  readonly onFailure?: (error: unknown) => void;
  readonly limits?: Partial<GatewayLimits>;
}

export interface Gateway {
  /** Starts the listener; answers its origin. */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>;
  /** Ends what a hold was just placed on; answers how many calls. */
  cut(scope: CutScope): number;
  readonly inFlight: number;
  /** Takes no more calls, gives those in flight `graceMs`, then cuts them; resolves when every outcome is recorded. */
  close(graceMs?: number): Promise<void>;
}

interface Listener {
  readonly options: GatewayOptions;
  readonly limits: GatewayLimits;
  readonly parts: PipelineParts;
  readonly active: Set<Promise<void>>;
  /** Bytes of bodies held now; owned by `readBody`. */
  readonly buffered: { bytes: number };
  readonly mounted: DataPlaneMount | undefined;
  /** What is asked on a connection at present, for what goes wrong on the connection itself. */
  readonly asked: WeakMap<object, Asked>;
  origin: string;
}

interface Asked {
  readonly form: ErrorForm;
  /** Ends the wait for a body that does not come in time; absent when nobody waits for one. */
  readonly late?: () => void;
}

export function createGateway(options: GatewayOptions): Gateway {
  const limits = { ...gatewayLimits, ...options.limits };
  const { clock, ledger, snapshots, providerKey } = options;
  const inflight = inflightCalls(snapshots, limits.callsMax);
  const lines = providerLines(limits.upstream);
  const external = new ExternalLines();
  const parts: PipelineParts = { external, boundIds: options.boundIds ?? new BoundIds(), observer: options.observer ?? noObserver, budgets: options.budgets, clock, ledger, snapshots, providerKey, record: decisionRecord(options), strangers: strangerLimit(() => clock.now()), lines, inflight };
  const mounted = mounts(oipApi(), ...(options.mount === undefined ? [] : [options.mount]))({ parts, origin: () => options.publicUrl ?? listener.origin });
  const listener: Listener = { options, limits, parts, active: new Set(), buffered: { bytes: 0 }, mounted, asked: new WeakMap(), origin: "" };
  const server = httpServer(listener);
  const batches = heldBatches(parts);
  const sweeper = setInterval(() => {
    inflight.sweep(clock.now());
    void batches.sweep().catch((error: unknown) => options.onFailure?.(error));
  }, limits.sweepMs).unref();
  return {
    listen: async (at) => {
      listener.origin = await listening(server, at);
      return listener.origin;
    },
    cut: (scope) => inflight.cut(scope),
    get inFlight() {
      return inflight.size;
    },
    close: async (graceMs = 5000) => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const grace = setTimeout(() => inflight.cut({}, refuse("upstream_unreachable", { message: "the gateway is stopping" })), graceMs);
      while (listener.active.size > 0) {
        await Promise.allSettled(listener.active);
      }
      clearTimeout(grace);
      clearInterval(sweeper);
      server.closeAllConnections();
      await closed;
      await Promise.all([lines.close(), external.close()]);
    },
  };
}

function httpServer(listener: Listener): Server {
  const { limits } = listener;
  const server = createServer({
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersMs),
  });
  server.maxConnections = limits.connectionsMax;
  server.maxHeadersCount = limits.headersMax;
  server.setTimeout(limits.silenceMs);
  server.on("request", (request, response) => handle(listener, request, response));
  // Whatever would leave plain HTTP is not governed: no WebSocket, no tunnel.
  server.on("upgrade", (request, socket) => refuseConnection(listener, request, { socket, refusal: refuse("websocket_denied") }));
  server.on("connect", (request, socket) => refuseConnection(listener, request, { socket, refusal: refuse("endpoint_unsupported") }));
  server.on("clientError", (error: ClientError, socket) => {
    const asked = listener.asked.get(socket);
    if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && asked?.late !== undefined) {
      asked.late();
    } else if (socket.writable) {
      const refusal = refuse("request_unreadable", { message: "this is not an HTTP request within the limits" });
      socket.end(rawAnswer(refusal.status, {}, (asked?.form ?? guessedForm(error)).errorBody({ refusal })));
    } else {
      socket.destroy();
    }
  });
  return server;
}

interface ClientError extends Error {
  readonly code?: string;
  /** What could not be parsed. */
  readonly rawPacket?: Uint8Array;
}

const pathCharactersMax = 100;

/** Of what could not be parsed the first line may still say which surface was meant. */
function guessedForm({ rawPacket }: ClientError): ErrorForm {
  const line = Buffer.from(rawPacket?.subarray(0, pathCharactersMax) ?? []).toString("latin1");
  return formOf(/^[A-Z]+ (\/[\w/]*)/u.exec(line)?.[1] ?? "");
}

function rawAnswer(status: number, headers: AnswerHeaders, body: string): string {
  const all = { "content-type": "application/json", ...always, ...headers, connection: "close", "content-length": String(Buffer.byteLength(body)) };
  return `HTTP/1.1 ${status} Refused\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}

/** A known workload that tries is recorded, as with every endpoint that nobody governs. */
function refuseConnection(listener: Listener, request: IncomingMessage, { socket, refusal }: { readonly socket: Duplex; readonly refusal: Refusal }): void {
  const asking = inbound(listener, request);
  const form = formOf(asking.path);
  socket.on("error", () => socket.destroy());
  const json: Caller["json"] = (status, headers, body) => void socket.end(rawAnswer(status, headers, body));
  const caller: Caller = { ...silentCaller, consoleUrl: listener.options.consoleUrl, json };
  const work = unsupported(listener.parts, asking, caller, { refusal, form }).catch((error: unknown) => {
    listener.options.onFailure?.(error);
    answerRefusal(caller, { refusal: refuse("internal") }, {}, form);
  });
  listener.active.add(work);
  void work.finally(() => listener.active.delete(work));
}

/** Takes one answer and nothing else. */
const silentCaller: Omit<Caller, "json"> = { gone: false, onGone: () => undefined, startStream: () => undefined, write: () => true, onDrain: () => undefined, end: () => undefined, breakOff: () => undefined };

function listening(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve(originOf(server.address()));
    });
  });
}

function originOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === "string") {
    return "";
  }
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}

function handle(listener: Listener, request: IncomingMessage, response: ServerResponse): void {
  const caller = socketCaller(request, response, listener.options.consoleUrl);
  const asking = inbound(listener, request);
  const form = formOf(asking.path);
  listener.asked.set(request.socket, { form });
  const work = route(listener, asking, caller).catch((error: unknown) => {
    // In doubt nothing passes: an answer that has begun is broken off, any other is an error.
    listener.options.onFailure?.(error);
    const refusal = refuse("internal");
    if (response.headersSent) {
      caller.breakOff(form.errorEvent({ refusal }));
    } else {
      answerRefusal(caller, { refusal }, {}, form);
    }
  });
  listener.active.add(work);
  void work.finally(() => listener.active.delete(work));
}

async function route(listener: Listener, request: SocketInbound, caller: SocketCaller): Promise<void> {
  const { parts, mounted } = listener;
  if (request.method === "GET" && request.path === "/healthz") {
    return health(parts, caller);
  }
  return modelEndpoint(parts, request, caller) ?? mounted?.(request, caller) ?? logOrUnsupported(listener, request, caller);
}

function health(parts: PipelineParts, caller: Caller): void {
  const fresh = parts.snapshots.current() !== undefined;
  caller.json(fresh ? 200 : 503, {}, JSON.stringify({ status: fresh ? "ok" : "snapshot_stale" }));
}

const logPrefix = "/log/";

async function logOrUnsupported({ options, parts }: Listener, request: SocketInbound, caller: SocketCaller): Promise<void> {
  const wanted = ["GET", "HEAD"].includes(request.method) && request.path.startsWith(logPrefix);
  const { ifNoneMatch, acceptEncoding } = request;
  const answer = wanted ? await options.logFile?.({ path: request.path.slice(logPrefix.length), ifNoneMatch, acceptEncoding }) : undefined;
  if (answer === undefined) {
    return deniedEndpoint(parts, request, caller);
  }
  if ("refused" in answer) {
    return answerRefusal(caller, { refusal: refuse(answer.refused, { message: answer.message }) });
  }
  caller.file(answer.status, answer.headers, answer.body);
}

interface SocketInbound extends Inbound {
  readonly ifNoneMatch: string | undefined;
  readonly acceptEncoding: string | undefined;
}

function inbound(listener: Listener, request: IncomingMessage): SocketInbound {
  const { headers } = request;
  const [path = "", query] = (request.url ?? "").split("?", 2);
  const id = headers["x-request-id"];
  return {
    method: request.method ?? "",
    path,
    query,
    authorization: headers.authorization,
    requestId: typeof id === "string" && /^[\t\x20-\x7E\x80-\xFF]{1,1024}$/u.test(id) ? id : undefined,
    header: (name) => {
      const value = headers[name];
      return typeof value === "object" ? value.join(", ") : value;
    },
    address: request.socket.remoteAddress ?? "",
    ifNoneMatch: headers["if-none-match"],
    acceptEncoding: [headers["accept-encoding"]].flat().join(","),
    body: (media) => readBody(listener, request, media),
  };
}

type Body = Awaited<ReturnType<Inbound["body"]>>;

/** Never rejects: a sender that breaks off is a refusal like any other. */
function readBody({ limits, buffered, asked }: Listener, request: IncomingMessage, media = "application/json"): Promise<Body> {
  const { headers, socket } = request;
  const form = asked.get(socket)?.form ?? ownForm;
  const [type = ""] = (headers["content-type"] ?? "").split(";", 1);
  if (type.trim().toLowerCase() !== media || (headers["content-encoding"] ?? "identity") !== "identity") {
    const message = `the body must be plain ${media}`;
    return Promise.resolve({ refusal: refuse("request_unreadable", { message }) });
  }
  if (Number(headers["content-length"] ?? 0) > limits.bodyBytesMax) {
    return Promise.resolve({ refusal: refuse("body_too_large") });
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (body: Body) => {
      request.off("data", take);
      asked.set(socket, { form });
      buffered.bytes -= bytes;
      bytes = 0;
      resolve(body);
    };
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      buffered.bytes += chunk.length;
      if (bytes > limits.bodyBytesMax) {
        settle({ refusal: refuse("body_too_large") });
      } else if (buffered.bytes > limits.bufferedBytesMax) {
        settle({ refusal: refuse("gateway_busy") });
      } else {
        chunks.push(chunk);
      }
    };
    asked.set(socket, { form, late: () => settle({ refusal: refuse("request_unreadable", { message: "the body did not come in time" }) }) });
    request.on("data", take);
    request.once("end", () => settle({ bytes: Buffer.concat(chunks) }));
    request.once("error", () => settle({ refusal: refuse("request_unreadable", { message: "the body broke off" }) }));
    request.once("close", () => settle({ refusal: refuse("request_unreadable", { message: "the body broke off" }) }));
  });
}

interface SocketCaller extends Caller {
  file(status: number, headers: AnswerHeaders, body: Uint8Array): void;
}

const always = { "x-content-type-options": "nosniff", "cache-control": "no-store" };
/** A client that does not read the last event within this time will not read it at all. */
const lastEventMs = 1000;
/** What a refused sender may still send before its connection ends; it could not read the answer otherwise. */
const drainMs = 2000;

function socketCaller(request: IncomingMessage, response: ServerResponse, consoleUrl: string | undefined): SocketCaller {
  const finish = (status: number, headers: AnswerHeaders, body: string | Uint8Array) => {
    if (response.destroyed || response.headersSent) {
      return;
    }
    const unread = !request.complete;
    const length = { "content-length": String(Buffer.byteLength(body)) };
    response.writeHead(status, { ...always, ...headers, ...length, ...(unread && { connection: "close" }) });
    response.end(body);
    if (unread) {
      request.resume();
      setTimeout(() => request.destroy(), drainMs).unref();
    }
  };
  return {
    consoleUrl,
    get gone() {
      return response.destroyed;
    },
    onGone: (listener) => {
      if (response.destroyed) {
        listener();
      }
      response.once("close", () => {
        if (!response.writableFinished) {
          listener();
        }
      });
    },
    json: (status, headers, body) => finish(status, { "content-type": "application/json", ...headers }, body),
    file: finish,
    startStream: (headers) => {
      if (!response.destroyed) {
        const stream = { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" };
        response.writeHead(200, { ...always, ...headers, ...stream });
      }
    },
    write: (text) => response.destroyed || response.write(text),
    onDrain: (listener) => void response.on("drain", listener),
    end: () => void response.end(),
    breakOff: (lastEvent) => {
      const destroy = () => void response.destroy();
      response.write(lastEvent, destroy);
      setTimeout(destroy, lastEventMs).unref();
    },
  };
}
