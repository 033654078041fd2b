import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { FileStore } from "./file-store.ts";

/** What the next answers are: whole, or broken in one of the ways that providers break. */
export type UpstreamMode =
  | { readonly kind: "answer"; readonly text?: string; readonly pieces?: readonly string[]; readonly toolArguments?: readonly string[] }
  | { readonly kind: "paced"; readonly pieces: readonly string[]; readonly intervalMs: number }
  | { readonly kind: "status"; readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }
  | { readonly kind: "raw"; readonly contentType: string; readonly body: string; readonly later?: string }
  | { readonly kind: "large"; readonly bytes: number }
  | { readonly kind: "midstream"; readonly pieces: readonly string[]; readonly how: "reset" | "end" }
  | { readonly kind: "hang" }
  | { readonly kind: "reset" };

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown>;
}

/** A real HTTP server that plays a provider; `received` holds every request that reached it. */
export interface Upstream extends AsyncDisposable {
  readonly baseUrl: string;
  mode: UpstreamMode;
  readonly received: Received[];
  /** Its files and batches, below `/v1/files` and `/v1/batches`. */
  readonly store: FileStore;
  /** Requests whose connection closed before their answer ended. */
  aborted: number;
  /** Called when a request has arrived whole, before it is answered. */
  onRequest: () => void;
}

export async function startUpstream(): Promise<Upstream> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const bytes = Buffer.concat(chunks);
      const stored = upstream.store.serves(request.url ?? "");
      const body = stored ? {} : (JSON.parse(bytes.toString("utf8") || "{}") as Record<string, unknown>);
      upstream.received.push({ path: request.url ?? "", headers: request.headers, body });
      response.on("close", () => {
        upstream.aborted += response.writableFinished ? 0 : 1;
      });
      upstream.onRequest();
      answer(upstream.mode, response, () => (stored ? void upstream.store.answer(request, bytes, response) : answered(upstream.mode, response, body)));
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const upstream: Upstream = {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    mode: { kind: "answer" },
    received: [],
    store: new FileStore(),
    aborted: 0,
    onRequest: () => undefined,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return upstream;
}

function answer(mode: UpstreamMode, response: ServerResponse, said: () => void): void {
  switch (mode.kind) {
    case "answer":
      return said();
    case "paced":
      return paced(mode, response);
    case "status":
      response.writeHead(mode.status, { "content-type": "application/json", ...mode.headers });
      return void response.end(mode.body ?? JSON.stringify({ error: { message: "simulated", code: "simulated_code" } }));
    case "raw":
      response.writeHead(200, { "content-type": mode.contentType });
      if (mode.later === undefined) return void response.end(mode.body);
      response.write(mode.body);
      return void setTimeout(() => response.end(mode.later), 30);
    case "large":
      return large(mode.bytes, response);
    case "midstream":
      return midstream(mode, response);
    case "hang":
      return undefined;
    case "reset":
      return void response.socket?.resetAndDestroy();
    default:
      return mode satisfies never;
  }
}

function answered(mode: UpstreamMode, response: ServerResponse, body: Record<string, unknown>): void {
  if (mode.kind !== "answer") return;
  if (body["stream"] === true) streamed(mode, response, body);
  else json(response, completion(mode));
}

const base = { id: "chatcmpl-test", created: 1_795_000_000, model: "test-model" };
const usage = { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 };

type Answer = Extract<UpstreamMode, { kind: "answer" }>;

function completion({ text = "hello", pieces, toolArguments }: Answer) {
  const calls = toolArguments && {
    tool_calls: [{ id: "call_1", type: "function", function: { name: "lookup", arguments: toolArguments.join("") } }],
  };
  const content = calls === undefined ? (pieces?.join("") ?? text) : null;
  const message = { role: "assistant", content, refusal: null, ...calls };
  return { ...base, object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }], usage };
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json", "x-request-id": "req_test" });
  response.end(JSON.stringify(value));
}

function event(delta: Record<string, unknown>, finish: string | null = null): string {
  const chunk = { ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

const streamHead = { "content-type": "text/event-stream; charset=utf-8" };

function streamed(mode: Answer, response: ServerResponse, body: Record<string, unknown>): void {
  response.writeHead(200, streamHead);
  response.write(event({ role: "assistant", content: "" }));
  for (const [i, piece] of (mode.toolArguments ?? []).entries()) {
    const head = i === 0 ? { id: "call_1", type: "function" } : {};
    const named = { ...(i === 0 && { name: "lookup" }), arguments: piece };
    response.write(event({ tool_calls: [{ index: 0, ...head, function: named }] }));
  }
  for (const piece of mode.toolArguments === undefined ? (mode.pieces ?? [mode.text ?? "hello"]) : []) {
    response.write(event({ content: piece }));
  }
  response.write(event({}, "stop"));
  if ((body["stream_options"] as { include_usage?: boolean } | undefined)?.include_usage === true) {
    response.write(`data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", choices: [], usage })}\n\n`);
  }
  response.end("data: [DONE]\n\n");
}

function paced({ pieces, intervalMs }: Extract<UpstreamMode, { kind: "paced" }>, response: ServerResponse): void {
  response.writeHead(200, streamHead);
  let i = 0;
  const timer = setInterval(() => {
    const piece = pieces[i++];
    if (piece === undefined) {
      clearInterval(timer);
      response.end(`${event({}, "stop")}data: [DONE]\n\n`);
    } else {
      response.write(event({ content: piece }));
    }
  }, intervalMs);
  response.on("close", () => clearInterval(timer));
}

function large(bytes: number, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const block = Buffer.alloc(1024 * 1024, 0x61);
  let left = bytes;
  const more = () => {
    while (left > 0 && !response.destroyed) {
      left -= block.length;
      if (!response.write(block)) {
        response.once("drain", more);
        return;
      }
    }
    response.end();
  };
  more();
}

function midstream({ pieces, how }: Extract<UpstreamMode, { kind: "midstream" }>, response: ServerResponse): void {
  response.writeHead(200, streamHead);
  for (const piece of pieces) {
    response.write(event({ content: piece }));
  }
  setTimeout(() => (how === "end" ? response.end() : response.socket?.resetAndDestroy()), 50);
}
