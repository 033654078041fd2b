import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { FileStore } from "../../unit/support/file-store.ts";
import { answerFor, type Body, type Said } from "../provider-answers.ts";

/** How the provider answers, or does not. */
export type Fault =
  | { readonly kind: "answer"; readonly said?: Said; readonly status?: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: "raw"; readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string | Uint8Array }
  /** The connection breaks before a byte of an answer. */
  | { readonly kind: "no answer"; readonly how: "reset" | "end" }
  | { readonly kind: "silence" }
  /** The first half, then the connection breaks, ends as if all were well, stays silent, or goes on byte by byte. */
  | { readonly kind: "half"; readonly next: "reset" | "end" | "silence" | "drip" }
  /** The whole answer, and after its end more. */
  | { readonly kind: "more"; readonly said: string }
  /** The middle of an answer again and again, more than anybody takes at once. */
  | { readonly kind: "flood"; readonly bytes: number };

export interface Request {
  readonly path: string;
  readonly text: string;
  readonly headers: IncomingMessage["headers"];
  /** Entries in the log when the request had come. */
  readonly logSize: number;
}

/** Plays every provider. Notes how long the gateway's log was when a request came. */
export interface FaultyProvider extends AsyncDisposable {
  readonly origin: string;
  fault: Fault;
  readonly received: Request[];
  /** Its files and batches. */
  readonly store: FileStore;
  /** Requests whose connection closed before their answer ended. */
  aborted: number;
  onRequest: () => void;
  /** A broken answer goes on to break when its first half has reached the caller. */
  reached: () => Promise<void>;
}

export async function startFaultyProvider(logSize: () => number): Promise<FaultyProvider> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("error", () => undefined);
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      provider.received.push({ path: request.url ?? "", text, headers: request.headers, logSize: logSize() });
      response.on("close", () => (provider.aborted += response.writableFinished ? 0 : 1));
      provider.onRequest();
      const stored = provider.store.serves(request.url ?? "");
      if (stored && provider.fault.kind === "answer") void provider.store.answer(request, Buffer.concat(chunks), response);
      else void answer(provider, { path: (request.url ?? "").split("?")[0] ?? "", body: stored ? {} : (JSON.parse(text || "{}") as Body), response });
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  const provider: FaultyProvider = {
    origin: await listen(server),
    fault: { kind: "answer" },
    received: [],
    store: new FileStore(),
    aborted: 0,
    onRequest: () => undefined,
    reached: async () => undefined,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return provider;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Asked {
  readonly path: string;
  readonly body: Body;
  readonly response: ServerResponse;
}

/** The pieces of a whole answer as they go over the wire. */
interface Wire {
  readonly type: string;
  readonly pieces: readonly string[];
}

const stream = "text/event-stream; charset=utf-8";

function wireOf({ path, body }: Asked, said: Said): Wire {
  if (path.startsWith("/v2/")) return { type: "application/json", pieces: halves(scored(body, said)) };
  const { whole, events } = answerFor(path, body, said) ?? { whole: {}, events: [] };
  return body["stream"] === true ? { type: stream, pieces: events } : { type: "application/json", pieces: halves(JSON.stringify(whole)) };
}

function halves(text: string): readonly string[] {
  return [text.slice(0, text.length / 2), text.slice(text.length / 2)];
}

interface Tensors {
  readonly inputs: readonly { readonly data: readonly unknown[] }[];
}

/** A model of the Open Inference Protocol that says its words, or those that it was asked with. */
function scored(body: Body, said: Said): string {
  const { inputs } = body as unknown as Tensors;
  const data = said.echo === true ? (inputs[0]?.data ?? []) : [said.text ?? "fine"];
  return JSON.stringify({ model_name: "risk-net", model_version: "7", outputs: [{ name: "y", shape: [data.length], datatype: "BYTES", data }] });
}

async function answer(provider: FaultyProvider, asked: Asked): Promise<void> {
  const { fault } = provider;
  const { response } = asked;
  switch (fault.kind) {
    case "answer":
      return whole(response, wireOf(asked, fault.said ?? {}), fault);
    case "raw":
      return whole(response, { type: asked.body["stream"] === true ? stream : "application/json", pieces: [fault.body] }, fault);
    case "no answer":
      return noAnswer(response, fault.how);
    case "silence":
      return undefined;
    case "half":
      return half(provider, asked, fault.next);
    case "more": {
      const { type, pieces } = wireOf(asked, {});
      return whole(response, { type, pieces: [[...pieces, fault.said].join("")] }, {});
    }
    case "flood":
      return flood(response, wireOf(asked, {}), fault.bytes);
    default:
      return fault satisfies never;
  }
}

function noAnswer({ socket }: ServerResponse, how: "reset" | "end"): void {
  if (how === "reset") socket?.resetAndDestroy();
  else socket?.end();
}

function whole(response: ServerResponse, { type, pieces }: { readonly type: string; readonly pieces: readonly (string | Uint8Array)[] }, { status = 200, headers }: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> }): void {
  response.writeHead(status, { "content-type": type, ...headers });
  for (const piece of pieces) response.write(piece);
  response.end();
}

async function half(provider: FaultyProvider, asked: Asked, next: "reset" | "end" | "silence" | "drip"): Promise<void> {
  const { response } = asked;
  const { type, pieces } = wireOf(asked, {});
  response.writeHead(200, { "content-type": type });
  for (const piece of pieces.slice(0, pieces.length / 2)) response.write(piece);
  if (type === stream) await provider.reached();
  if (next === "reset") response.socket?.resetAndDestroy();
  if (next === "end") response.end();
  if (next === "drip") drip(response, type === stream ? ": alive\n\n" : " ");
}

/** Never silent for long, and never done. */
function drip(response: ServerResponse, piece: string): void {
  const timer = setInterval(() => response.write(piece), 30);
  response.on("close", () => clearInterval(timer));
}

async function flood(response: ServerResponse, { type, pieces }: Wire, bytes: number): Promise<void> {
  const middle = Math.floor(pieces.length / 2);
  const block = (pieces[middle] ?? "").repeat(300);
  response.writeHead(200, { "content-type": type });
  response.write(pieces.slice(0, middle).join(""));
  for (let left = bytes; left > 0 && !response.destroyed; left -= block.length) {
    if (!response.write(block)) await new Promise<void>((resolve) => response.once("drain", resolve).once("close", resolve));
  }
  response.end();
}
