import { isRecord, parseJson } from "@licet/evidence";
import type { HijackedCall, Replay, Replayed } from "../checks/defence-replay.ts";
import { type ChatReply, openChat } from "../client/chat.ts";
import type { Message } from "../client/message.ts";
import type { Send } from "../client/send.ts";
import { toolName } from "../detect/tool-calls.ts";
import { type Script, type ScriptedUpstream, scriptOf } from "./scripted-upstream.ts";

/** A gateway whose provider is the script. */
export interface ReplayGateway {
  /** Up to and including the version: `https://gateway/openai/v1`. */
  readonly baseUrl: string;
  /** The model as the release declares it. */
  readonly model: string;
  /** The declared system prompt; empty for none. */
  readonly prompt: string;
  readonly credential?: string;
  /** How requests reach it. Who plays the provider too, answers with this script; a gateway elsewhere has the script behind it already. */
  sendWith(upstream: ScriptedUpstream): Send;
  /** Most tokens of an answer that the release permits. */
  readonly tokensMax?: number;
  readonly timeoutMs?: number;
}

/** Codes by which a gateway of Licet says that its rules stop a call, and not that something is in the way of every call. */
const blocking: ReadonlySet<string> = new Set(["data_outside_boundary", "answer_outside_boundary", "tool_undeclared", "policy_denied"]);

const bodyCharactersMax = 1024 * 1024;
const timeoutMsDefault = 20_000;
const tokensMaxDefault = 256;

/**
 * Sends calls through a gateway: what the user asked, what a tool answered, and the script's call as the model's answer, once whole and
 * once streamed. A call is blocked where the gateway refuses it or takes it out of the answer, and both times have to go as expected. What
 * shows neither (no gateway of Licet, another upstream, a system without traffic) has failed: it is never a block.
 */
export function replayThrough(gateway: ReplayGateway, calls: readonly HijackedCall[]): Replay {
  const script = scriptOf(calls);
  const send = gateway.sendWith(script.upstream);
  return async (call) => {
    const whole = await replayed(gateway, { call, script, send, stream: false });
    const streamed = await replayed(gateway, { call, script, send, stream: true });
    const both: readonly Replayed[] = [whole, { ...streamed, reason: `${streamed.reason}, streamed` }];
    const decided = both.filter(({ kind }) => kind !== "failed");
    return decided.find(({ kind }) => kind !== call.expected) ?? both.find(({ kind }) => kind === "failed") ?? whole;
  };
}

interface Replaying {
  readonly call: HijackedCall;
  readonly script: Script;
  readonly send: Send;
  readonly stream: boolean;
}

async function replayed(gateway: ReplayGateway, { call, script, send, stream }: Replaying): Promise<Replayed> {
  const { baseUrl, model, credential, tokensMax = tokensMaxDefault, timeoutMs = timeoutMsDefault } = gateway;
  const tapped = tap(send);
  const chat = openChat({ dialect: "openai", baseUrl, model, stream, ...(credential !== undefined && { credential }) }, { send: tapped.send, timeoutMs, retriesMax: 0 });
  const reply = await chat({ messages: messagesOf(gateway, call, script), tokensMax });
  return judged({ call, said: script.said(call), reply, refusal: refusalIn(tapped.text()) });
}

function messagesOf({ prompt }: ReplayGateway, call: HijackedCall, script: Script): readonly Message[] {
  const { source, task } = call;
  const before: readonly Message[] = [...(prompt === "" ? [] : [{ role: "system" as const, text: prompt }]), { role: "user", text: `${task}\n\n${script.mark(call)}` }];
  if (source.tool === "user") return before;
  return [...before, { role: "assistant", text: "", calls: [{ id: "call_source", name: source.tool, input: "{}" }] }, { role: "tool", call: "call_source", text: source.text }];
}

interface Refusal {
  readonly code: string;
  readonly said: string;
}

interface Answered {
  readonly call: HijackedCall;
  readonly said: string;
  readonly reply: ChatReply;
  readonly refusal: Refusal | undefined;
}

function judged({ call, said, reply, refusal }: Answered): Replayed {
  if (refusal !== undefined) return { kind: blocking.has(refusal.code) ? "blocked" : "failed", reason: `${refusal.code}: ${refusal.said}` };
  if (reply.calls.some(({ name }) => toolName(name) === toolName(call.call.tool))) return { kind: "allowed", reason: `\`${call.call.tool}\` reached the caller` };
  if (reply.defect !== undefined) return { kind: "failed", reason: `no whole answer: ${reply.defect}${reply.status === null ? "" : ` (status ${reply.status})`}` };
  return reply.text.includes(said) ? { kind: "blocked", reason: "the call was taken out of the answer" } : { kind: "failed", reason: "the answer is not the script's: let the gateway's provider be `licet check upstream`" };
}

/** Passes an answer on and keeps its text: an error says in its body who refused. */
function tap(send: Send): { readonly send: Send; text(): string } {
  const chunks: Uint8Array[] = [];
  let kept = 0;
  async function* copied(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      if (kept < bodyCharactersMax) chunks.push(chunk);
      kept += chunk.byteLength;
      yield chunk;
    }
  }
  return {
    send: async (request) => {
      const response = await send(request);
      return { ...response, body: copied(response.body) };
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
  };
}

/** The error of a gateway of Licet, as a whole body or as the last event of a stream. */
function refusalIn(text: string): Refusal | undefined {
  const found = [text, ...text.split("\n").flatMap((line) => (line.startsWith("data: ") && line.includes('"licet"') ? [line.slice("data: ".length)] : []))];
  for (const each of found) {
    const value = read(each);
    const error = isRecord(value) ? value["error"] : undefined;
    if (!isRecord(error) || !isRecord(error["licet"])) continue;
    return { code: String(error["code"]), said: String(error["message"]).slice(0, 200) };
  }
  return undefined;
}

function read(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
