/**
 * A simulator, not a model: an OpenAI-compatible endpoint on loopback with canned answers, so that the example runs
 * without an account anywhere. It labels itself in every answer and counts what reaches it.
 *
 *   PORT=4110 node simulator.ts      GET /stats tells how many requests came
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const label = "helpdesk-simulator";
const bodyBytesMax = 1024 * 1024;
const intervalMs = 25;

interface Knowledge {
  readonly words: readonly string[];
  readonly answer: string;
}

const knowledge: readonly Knowledge[] = [
  {
    words: ["printer", "print", "toner", "paper"],
    answer: "Switch the printer off, wait ten seconds, and switch it on again. Then remove it in your system settings and add it anew. If pages still do not come, note the code on its display and call extension 4100.",
  },
  {
    words: ["password", "login", "locked", "sign in", "account"],
    answer: "Open the account page from the intranet's start page and choose to reset your sign-in. You will be asked for your second factor. Never send a password to anybody, and not to me either. If your account stays locked, call extension 4100.",
  },
  {
    words: ["wifi", "wlan", "network", "internet", "vpn"],
    answer: "Turn the wireless off and on again, and choose the staff network. Outside of the office, start the VPN client before you open anything internal. If it stays away for more than five minutes, call extension 4100.",
  },
  {
    words: ["room", "projector", "screen", "meeting", "camera"],
    answer: "Press the button on the table to wake the room system, then join from its panel. For the projector, choose the input that is written on the cable. Extension 4100 can help while you wait.",
  },
  {
    words: ["laptop", "slow", "battery", "update", "restart"],
    answer: "Save your work and restart the laptop; that finishes waiting updates. If it stays slow, look which program uses most of the processor. When the battery swells or gets hot, switch off and bring it to the help desk at once.",
  },
];

const fallback = "I am not sure about that one. Please call the help desk at extension 4100, or write a ticket; they can look at your machine.";
const greeting = "I am an AI system; people at the help desk answer at extension 4100.";

export interface Simulator {
  readonly baseUrl: string;
  close(): Promise<void>;
}

/** Starts on loopback; port 0 takes a free one. */
export async function startSimulator(port: number): Promise<Simulator> {
  const stats = { requests: 0 };
  const server = createServer((request, response) => handle(stats, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return { baseUrl: `http://127.0.0.1:${portOf(server)}/v1`, close: () => closed(server) };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function handle(stats: { requests: number }, request: IncomingMessage, response: ServerResponse): void {
  const route = `${request.method} ${request.url}`;
  if (route === "GET /stats") {
    return json(response, 200, { simulator: label, requests: stats.requests });
  }
  if (request.method === "POST") {
    stats.requests++;
  }
  if (route !== "POST /v1/chat/completions") {
    return problem(response, 404, "the simulator has only POST /v1/chat/completions and GET /stats");
  }
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => {
    text += chunk;
    if (text.length > bodyBytesMax) {
      request.destroy();
    }
  });
  request.on("end", () => answer(response, text));
}

interface Asked {
  readonly model: string;
  readonly question: string;
  readonly stream: boolean;
  readonly usage: boolean;
  readonly promptWords: number;
}

function answer(response: ServerResponse, text: string): void {
  const asked = read(text);
  if (asked === undefined) {
    return problem(response, 400, "the body must be a chat completion request");
  }
  const words = `${greeting} ${answerTo(asked.question)}`.split(/(?<= )/u);
  const usage = { prompt_tokens: asked.promptWords, completion_tokens: words.length, total_tokens: asked.promptWords + words.length };
  if (asked.stream) {
    return stream(response, asked, words, usage);
  }
  const message = { role: "assistant", content: words.join(""), refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: "stop" }];
  json(response, 200, { ...head(asked.model, "chat.completion"), choices, usage });
}

function read(text: string): Asked | undefined {
  try {
    const body = JSON.parse(text) as { model: string; messages: { role: string; content: unknown }[]; stream?: boolean; stream_options?: { include_usage?: boolean } };
    const said = body.messages.map(({ content }) => (typeof content === "string" ? content : JSON.stringify(content ?? "")));
    const question = said[body.messages.findLastIndex(({ role }) => role === "user")] ?? "";
    const promptWords = said.join(" ").split(/\s+/u).length;
    return { model: body.model, question, stream: body.stream === true, usage: body.stream_options?.include_usage === true, promptWords };
  } catch {
    return undefined;
  }
}

function answerTo(question: string): string {
  const asked = question.toLowerCase();
  return knowledge.find(({ words }) => words.some((word) => asked.includes(word)))?.answer ?? fallback;
}

function head(model: string, object: string) {
  return { id: `chatcmpl-${label}`, object, created: Math.floor(Date.now() / 1000), model: `${model} (simulator)`, system_fingerprint: label };
}

function stream(response: ServerResponse, asked: Asked, words: readonly string[], usage: object): void {
  const start = head(asked.model, "chat.completion.chunk");
  const chunk = (delta: object, finish: string | null) => ({ ...start, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] });
  const chunks = [
    chunk({ role: "assistant", content: "" }, null),
    ...words.map((content) => chunk({ content }, null)),
    chunk({}, "stop"),
    ...(asked.usage ? [{ ...start, choices: [], usage }] : []),
  ].map((value) => JSON.stringify(value));
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  const events = [...chunks, "[DONE]"];
  let next = 0;
  const timer = setInterval(() => {
    response.write(`data: ${events[next++]}\n\n`);
    if (next === events.length) {
      clearInterval(timer);
      response.end();
    }
  }, intervalMs);
  response.on("close", () => clearInterval(timer));
}

function json(response: ServerResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function problem(response: ServerResponse, status: number, message: string): void {
  json(response, status, { error: { message, type: "invalid_request_error", param: null, code: null } });
}

if (import.meta.main) {
  const simulator = await startSimulator(Number(process.env["PORT"] ?? 4110));
  console.log(`simulator (not a model) on ${simulator.baseUrl}; requests so far at /stats`);
  const stop = () => void simulator.close();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}
