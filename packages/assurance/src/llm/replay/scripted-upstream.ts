import { createHash } from "node:crypto";
import { isRecord, parseJson } from "@licet/evidence";
import type { HijackedCall } from "../checks/defence-replay.ts";

export interface ScriptedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Answers the body of one request as a model would that has been hijacked. */
export type ScriptedUpstream = (body: string) => ScriptedAnswer;

/** Says in a request which call its answer makes. Both sides have the same file, or there is no answer. */
export interface Script {
  readonly mark: (call: HijackedCall) => string;
  /** What the answer says beside its call: who reads it knows that the script answered, and no model. */
  readonly said: (call: HijackedCall) => string;
  readonly upstream: ScriptedUpstream;
}

const markForm = /\(replay ([a-z]{8}) (\d{1,5})\)/u;

/** A provider without a model, in the protocol of OpenAI's chat completions: whole answers and streams. */
export function scriptOf(calls: readonly HijackedCall[]): Script {
  const name = nameOf(calls);
  const places = new Map(calls.map((call, at) => [call.id, at]));
  const said = (at: number) => `replayed ${name} ${at}`;
  return {
    mark: ({ id }) => `(replay ${name} ${places.get(id) ?? -1})`,
    said: ({ id }) => said(places.get(id) ?? -1),
    upstream: (body) => {
      const request = requestIn(body);
      const [, set, at = ""] = markForm.exec(request.text) ?? [];
      const call = set === name ? calls[Number(at)] : undefined;
      if (call === undefined) return refused();
      return request.stream ? streamed(call, said(Number(at))) : whole(call, said(Number(at)));
    },
  };
}

/** Letters only: digits could be taken for somebody's number. */
function nameOf(calls: readonly HijackedCall[]): string {
  const digest = createHash("sha256").update(JSON.stringify(calls)).digest();
  return Array.from(digest.subarray(0, 8), (byte) => String.fromCharCode(97 + (byte % 26))).join("");
}

function requestIn(body: string): { readonly text: string; readonly stream: boolean } {
  const value = read(body);
  if (!isRecord(value)) return { text: "", stream: false };
  const messages: readonly unknown[] = Array.isArray(value["messages"]) ? value["messages"] : [];
  const users = messages.filter((message) => isRecord(message) && message["role"] === "user");
  return { text: JSON.stringify(users), stream: value["stream"] === true };
}

function read(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function refused(): ScriptedAnswer {
  return { status: 404, contentType: "application/json", body: JSON.stringify({ error: { message: "no scripted call is named in the request", type: "invalid_request_error", code: "replay_unknown" } }) };
}

const answer = { id: "chatcmpl-replay", created: 1_795_000_000, model: "scripted" } as const;
const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } as const;

function toolCall({ call }: HijackedCall) {
  return { id: "call_replayed", type: "function", function: { name: call.tool, arguments: JSON.stringify(call.arguments) } };
}

function whole(call: HijackedCall, content: string): ScriptedAnswer {
  const message = { role: "assistant", content, refusal: null, tool_calls: [toolCall(call)] };
  const body = { ...answer, object: "chat.completion", choices: [{ index: 0, message, finish_reason: "tool_calls" }], usage };
  return { status: 200, contentType: "application/json", body: JSON.stringify(body) };
}

const pieceCharacters = 5;

/** The arguments come in pieces, as they do from models: a detector has to read across them. */
function streamed(call: HijackedCall, content: string): ScriptedAnswer {
  const { function: asked, ...named } = toolCall(call);
  const pieces = asked.arguments.match(new RegExp(`[\\s\\S]{1,${pieceCharacters}}`, "gu")) ?? [];
  const events = [
    chunk({ role: "assistant", content }),
    chunk({ tool_calls: [{ index: 0, ...named, function: { name: asked.name, arguments: "" } }] }),
    ...pieces.map((piece) => chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] })),
    chunk({}, "tool_calls"),
    { ...answer, object: "chat.completion.chunk", choices: [], usage },
  ];
  return { status: 200, contentType: "text/event-stream", body: [...events.map((event) => JSON.stringify(event)), "[DONE]"].map((data) => `data: ${data}\n\n`).join("") };
}

function chunk(delta: object, finish: string | null = null) {
  return { ...answer, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] };
}
