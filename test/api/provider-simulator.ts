import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { answerFor, type Body } from "./provider-answers.ts";

/** How the next answers go; everything is whole, fast and plain where nothing is said. */
export interface Behaviour {
  /** The words of the answer. */
  readonly text?: string;
  /** Calls of tools in place of words, one for each set of arguments. */
  readonly calls?: readonly object[];
  /** The answer is what the caller said last. */
  readonly echo?: boolean;
  /** Signed thinking before the words of a message. */
  readonly thinking?: string;
  /** An error answer with this status; `times` of them, then whole answers. */
  readonly status?: number;
  readonly times?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
  /** Between two events of a stream. */
  readonly intervalMs?: number;
  /** How a stream ends before its end: the connection breaks, or closes as if all were well. */
  readonly cut?: "reset" | "end";
}

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Body;
}

/** A provider of both families, as its clients see it: chat completions, responses, embeddings, models, messages, tokens. */
export interface ProviderSimulator extends AsyncDisposable {
  /** Without a path, as Anthropic's client wants it. */
  readonly origin: string;
  behaviour: Behaviour;
  readonly received: Received[];
  /** Requests whose connection closed before their answer ended. */
  aborted: number;
}

export async function startProvider(): Promise<ProviderSimulator> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => void serve(simulator, request, response));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const simulator: ProviderSimulator = {
    origin: await listen(server),
    behaviour: {},
    received: [],
    aborted: 0,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return simulator;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}") as Body;
}

async function serve(simulator: ProviderSimulator, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const path = (request.url ?? "").split("?")[0] ?? "";
  const { behaviour } = simulator;
  simulator.received.push({ method: request.method ?? "", path, headers: request.headers, body });
  response.on("close", () => {
    simulator.aborted += response.writableFinished ? 0 : 1;
  });
  const failure = failureOf(simulator);
  await wait(behaviour.delayMs ?? 0);
  const head = { "x-request-id": "req_simulated", "request-id": "req_simulated", ...behaviour.headers };
  const answer = failure === undefined ? answerFor(path, body, behaviour) : undefined;
  if (answer === undefined) return json(response, { status: failure ?? 404, head }, errorOf(path));
  return body["stream"] === true ? streamed(response, answer.events, { ...behaviour, head }) : json(response, { status: 200, head }, answer.whole);
}

/** The status of a failure that is due, counted down. */
function failureOf(simulator: ProviderSimulator): number | undefined {
  const { status, times = Infinity } = simulator.behaviour;
  if (status === undefined || times <= 0) return undefined;
  simulator.behaviour = { ...simulator.behaviour, times: times - 1 };
  return status;
}

function errorOf(path: string): object {
  const error = { message: "simulated", type: path.includes("messages") ? "rate_limit_error" : "simulated", param: null, code: "simulated" };
  return path.includes("messages") ? { type: "error", error, request_id: "req_simulated" } : { error };
}

function json(response: ServerResponse, { status, head }: { readonly status: number; readonly head: object }, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json", ...head });
  response.end(JSON.stringify(value));
}

async function streamed(response: ServerResponse, events: readonly string[], { head, intervalMs, cut }: Behaviour & { readonly head: object }): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", ...head });
  const sent = cut === undefined ? events : events.slice(0, events.length / 2);
  for (const event of sent) {
    if (response.destroyed) return;
    response.write(event);
    if (intervalMs !== undefined) await wait(intervalMs);
  }
  // What was written is on its way before the connection breaks, as it is with a provider that dies.
  if (cut === "reset") await wait(20);
  if (cut === "reset") response.socket?.resetAndDestroy();
  else response.end();
}
