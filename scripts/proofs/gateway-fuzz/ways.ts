import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gatewayEntries } from "@licet/contract";
import { canonicalize } from "@licet/evidence";
import { manualClock } from "../../../packages/licet/src/base/clock.ts";
import type { Outbound, OutboundHandler, OutboundRequest } from "../../../packages/licet/src/base/outbound.ts";
import type { PipelineParts } from "../../../packages/licet/src/gateway/admission.ts";
import type { AnswerHeaders, Caller, Inbound } from "../../../packages/licet/src/gateway/answer.ts";
import { BoundIds } from "../../../packages/licet/src/gateway/files/bound-ids.ts";
import { ExternalLines } from "../../../packages/licet/src/gateway/detect/external.ts";
import { modelEndpoint } from "../../../packages/licet/src/gateway/endpoints.ts";
import { inflightCalls } from "../../../packages/licet/src/gateway/inflight.ts";
import { noObserver } from "../../../packages/licet/src/gateway/observe/observer.ts";
import { oipApi } from "../../../packages/licet/src/gateway/oip/mount.ts";
import { decisionRecord } from "../../../packages/licet/src/gateway/record.ts";
import { createGateway } from "../../../packages/licet/src/gateway/serve.ts";
import { snapshotHolder, type SnapshotInput } from "../../../packages/licet/src/gateway/snapshot.ts";
import { strangerLimit } from "../../../packages/licet/src/gateway/stranger-limit.ts";
import type { Draft, LoggedEntry } from "../../../packages/licet/src/ledger/recorder.ts";
import { credential, start } from "../../../test/unit/support/governed.ts";

/** What the provider answers, as bytes. */
export interface ProviderAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Buffer[];
  readonly ending: "end" | "reset";
}

export interface Exchange {
  readonly path: string;
  readonly anthropic: boolean;
  readonly body: Buffer;
  /** Asked once the provider has the request. */
  readonly answer: (request: string) => ProviderAnswer;
  /** Whether the caller reads more slowly than it is written to; asked at every write. */
  readonly slow: () => boolean;
}

/** Everything that left the gateway in one exchange. */
export interface Seen {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
  readonly ending: "clean" | "broken";
  readonly sent: readonly string[];
}

export type Way = (exchange: Exchange) => Promise<Seen>;

/** One gateway, with a log in memory and a standing for every case. */
export interface World {
  readonly direct: Way;
  readonly sockets: Way;
  readonly entries: LoggedEntry[];
  /** Requests that left while no decision to allow them stood in the log. */
  undecided: number;
  readonly failures: unknown[];
  stand(input: Omit<SnapshotInput, "version">): void;
  close(): Promise<void>;
}

const inferenceMs = 10_000;

export function openWorld(): World {
  const clock = manualClock(start);
  const snapshots = snapshotHolder(clock);
  const entries: LoggedEntry[] = [];
  const failures: unknown[] = [];
  const ledger = {
    append: async (draft: Draft): Promise<LoggedEntry> => {
      readBack(draft, failures);
      const entry = { ...draft, id: `ent_${entries.length}`, v: 1, time: clock.now(), index: entries.length };
      entries.push(entry);
      return entry;
    },
    now: () => clock.now(),
  };
  const options = { clock, ledger, snapshots, providerKey: async () => "provider-key", gateway: "gw_fuzz", endUser: async () => "subject" };
  const allowed = () => entries.filter(({ kind, body }) => kind === "gateway.decision" && body["decision"] === "allow").length;
  const current: { exchange?: Exchange; sent: string[] } = { sent: [] };
  const received = (body: string): ProviderAnswer | undefined => {
    current.sent.push(body);
    if (allowed() < current.sent.length) world.undecided++;
    return current.exchange?.answer(body);
  };
  const direct = directWay({ ...options, received, current });
  const sockets = socketWay({ ...options, received, current, failures });
  const world: World = {
    direct,
    sockets: sockets.way,
    entries,
    failures,
    undecided: 0,
    stand: (input) => {
      entries.length = 0;
      snapshots.publish({ ...input, version: 1, spaces: input.spaces.map((space) => ({ ...space, providers: space.providers.map((provider) => ({ ...provider, baseUrl: sockets.baseUrl() })) })) });
    },
    close: sockets.close,
  };
  return world;
}

/** The real log takes canonical JSON only, and a body that its kind cannot read back would keep a directory from opening. */
function readBack({ kind, body }: Draft, failures: unknown[]): void {
  try {
    canonicalize(body);
    if (Object.hasOwn(gatewayEntries, kind)) gatewayEntries[kind as keyof typeof gatewayEntries].body.parse(body);
  } catch (error) {
    failures.push(error);
    throw error;
  }
}

interface Own {
  readonly clock: PipelineParts["clock"];
  readonly ledger: PipelineParts["ledger"];
  readonly snapshots: PipelineParts["snapshots"];
  readonly providerKey: PipelineParts["providerKey"];
  readonly gateway: string;
  readonly endUser: (space: string, user: string) => Promise<string>;
  readonly received: (body: string) => ProviderAnswer | undefined;
  readonly current: { exchange?: Exchange; sent: string[] };
}

function directWay(own: Own): Way {
  const outbound = fakeOutbound(own.received);
  const parts: PipelineParts = {
    ...own,
    record: decisionRecord(own),
    lines: { open: async () => outbound, forget: () => undefined, close: async () => undefined },
    inflight: inflightCalls(own.snapshots, 1024),
    strangers: strangerLimit(() => own.clock.now()),
    observer: noObserver,
    external: new ExternalLines(),
    boundIds: new BoundIds(),
  };
  const oip = oipApi()({ parts });
  return async (exchange) => {
    own.current.exchange = exchange;
    own.current.sent = [];
    const caller = new FakeCaller(exchange.slow);
    const inbound = inboundOf(exchange);
    await timed(modelEndpoint(parts, inbound, caller) ?? oip(inbound, caller) ?? Promise.reject(new Error("no endpoint")));
    if (caller.ending === undefined) throw new Error("the caller was never answered");
    return { status: caller.status, headers: JSON.stringify(caller.headers), body: caller.body, ending: caller.ending, sent: own.current.sent };
  };
}

function timed<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no end within ${inferenceMs} ms`)), inferenceMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function headersOf({ anthropic }: Exchange): Readonly<Record<string, string>> {
  return anthropic ? { "x-api-key": credential } : { authorization: `Bearer ${credential}` };
}

function inboundOf(exchange: Exchange): Inbound {
  const headers = headersOf(exchange);
  return { method: "POST", path: exchange.path, authorization: headers["authorization"], requestId: undefined, header: (name) => headers[name], address: "127.0.0.1", body: async () => ({ bytes: exchange.body }) };
}

/** A caller in memory. */
class FakeCaller implements Caller {
  status = 0;
  headers: AnswerHeaders = {};
  body = "";
  ending: "clean" | "broken" | undefined;
  readonly gone = false;
  readonly #slow: () => boolean;
  #drain: () => void = () => undefined;

  constructor(slow: () => boolean) {
    this.#slow = slow;
  }

  onGone(): void {}

  json(status: number, headers: AnswerHeaders, body: string): void {
    this.#once();
    Object.assign(this, { status, headers, body, ending: "clean" });
  }

  startStream(headers: AnswerHeaders): void {
    if (this.status !== 0) throw new Error("an answer began twice");
    Object.assign(this, { status: 200, headers });
  }

  write(text: string): boolean {
    this.#once();
    this.body += text;
    if (!this.#slow()) return true;
    setImmediate(() => this.#drain());
    return false;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  end(): void {
    this.#once();
    this.ending = "clean";
  }

  breakOff(lastEvent: string): void {
    this.#once();
    this.body += lastEvent;
    this.ending = "broken";
  }

  #once(): void {
    if (this.ending !== undefined) throw new Error("an answer went on after its end");
  }
}

function fakeOutbound(received: Own["received"]): Outbound {
  const send = ({ body }: OutboundRequest, handler: OutboundHandler) => {
    const delivery = new Delivery(handler);
    const answer = received(String(body));
    queueMicrotask(() => delivery.begin(answer));
    return delivery;
  };
  return { origin: "http://provider.test", address: "127.0.0.1", send, close: async () => undefined };
}

/** One answer on its way, with the promises of the real client: an end or an error, once and last. */
class Delivery {
  readonly #handler: OutboundHandler;
  #answer: ProviderAnswer | undefined;
  #next = 0;
  #over = false;
  #paused = false;

  constructor(handler: OutboundHandler) {
    this.#handler = handler;
  }

  begin(answer: ProviderAnswer | undefined): void {
    this.#answer = answer;
    if (answer === undefined) return this.#fail("unreachable");
    try {
      this.#handler.onHead(answer.status, answer.headers);
    } catch {
      return this.#fail("reset");
    }
    this.#go();
  }

  abort(): void {
    this.#fail("aborted");
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#go();
  }

  #go(): void {
    const { chunks = [], ending } = this.#answer ?? {};
    while (!this.#over && !this.#paused && this.#next < chunks.length) {
      const chunk = chunks[this.#next++] ?? Buffer.alloc(0);
      try {
        this.#paused = !this.#handler.onData(chunk);
      } catch {
        return this.#fail("reset");
      }
    }
    if (this.#over || this.#paused) return;
    if (ending === "reset") return this.#fail("reset");
    this.#over = true;
    this.#handler.onEnd();
  }

  #fail(failure: "unreachable" | "reset" | "aborted"): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler.onError(failure, new Error(failure));
  }
}

interface Sockets {
  readonly way: Way;
  readonly baseUrl: () => string;
  readonly close: () => Promise<void>;
}

/** Opened at the first call. */
function socketWay(own: Own & { readonly failures: unknown[] }): Sockets {
  const gateway = createGateway({ ...own, onFailure: (error) => own.failures.push(error) });
  const provider = providerServer(own.received);
  let origins: Promise<readonly [string, string]> | undefined;
  let base = "http://127.0.0.1:9/v1";
  const listening = async (): Promise<readonly [string, string]> => {
    const origin = await gateway.listen({ host: "127.0.0.1", port: 0 });
    await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;
    return [origin, base];
  };
  return {
    baseUrl: () => base,
    way: async (exchange) => {
      const before = base;
      origins ??= listening();
      const [origin] = await origins;
      if (before !== base) return { status: 0, headers: "", body: "", ending: "broken", sent: [] };
      own.current.exchange = exchange;
      own.current.sent = [];
      return { ...(await timed(posted(origin, exchange))), sent: own.current.sent };
    },
    close: async () => {
      await gateway.close(0);
      provider.closeAllConnections();
      if (origins !== undefined) await new Promise((resolve) => provider.close(resolve));
    },
  };
}

function providerServer(received: Own["received"]): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const answer = received(Buffer.concat(chunks).toString("utf8"));
      if (answer === undefined) {
        response.socket?.resetAndDestroy();
        return;
      }
      response.writeHead(answer.status, answer.headers);
      for (const chunk of answer.chunks) response.write(chunk);
      if (answer.ending === "end") response.end();
      else setImmediate(() => response.socket?.resetAndDestroy());
    });
  });
}

function posted(origin: string, exchange: Exchange): Promise<Omit<Seen, "sent">> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(origin + exchange.path, { method: "POST", headers: { ...headersOf(exchange), "content-type": "application/json", "content-length": String(exchange.body.length) } }, (response) => {
      const chunks: Buffer[] = [];
      const ended = (ending: "clean" | "broken") => resolve({ status: response.statusCode ?? 0, headers: JSON.stringify(response.headers), body: Buffer.concat(chunks).toString("utf8"), ending });
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => ended(response.complete ? "clean" : "broken"));
      response.on("error", () => ended("broken"));
    });
    request.on("error", reject);
    request.end(exchange.body);
  });
}
