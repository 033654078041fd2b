import type { Chat, ChatReply } from "../client/chat.ts";
import type { ChatRequest, IdentifiedCall, Message } from "../client/message.ts";
import type { Judgement } from "../outcome.ts";
import type { Reply } from "../reply.ts";

/** One attempt: what is said to a model, and how what came back is judged. */
export interface Exchange {
  /** Unique in its plan and the same whenever the plan is made again from its seed. */
  readonly id: string;
  /** The sampling unit: attempts with one cluster are repeats or variations of one prompt. */
  readonly cluster: string;
  readonly request: ChatRequest;
  /** What the person says next, whatever the model answers. */
  readonly followUps?: readonly string[];
  /** What every call is answered with; without it, a call ends the turn. */
  readonly toolResult?: (call: IdentifiedCall) => string;
  readonly judge: (conversation: Conversation) => Judgement | Promise<Judgement>;
}

export interface Conversation {
  readonly replies: readonly ChatReply[];
  /** All replies as one: their texts in lines, their calls in order, cut where the last one was cut. */
  readonly whole: Reply;
}

const toolRoundsMax = 8;

/** Holds one conversation. A reply that is cut or refused by the server ends it. */
export async function converse(chat: Chat, exchange: Exchange): Promise<Conversation> {
  const messages: Message[] = [...exchange.request.messages];
  const followUps = [...(exchange.followUps ?? [])];
  const replies: ChatReply[] = [];
  let rounds = 0;
  for (;;) {
    const reply = await chat({ ...exchange.request, messages });
    replies.push(reply);
    if (reply.defect !== undefined) break;
    const answering = reply.calls.length > 0 && exchange.toolResult !== undefined && rounds < toolRoundsMax;
    const next = answering ? undefined : followUps.shift();
    if (!answering && next === undefined) break;
    rounds += 1;
    messages.push(...turnAfter(reply, exchange), ...(next === undefined ? [] : [{ role: "user" as const, text: next }]));
  }
  return { replies, whole: joined(replies) };
}

/** The reply as a message, and what its calls are answered with. */
function turnAfter(reply: ChatReply, { toolResult }: Exchange): readonly Message[] {
  const results = reply.calls.map((call) => ({ role: "tool" as const, call: call.id, text: toolResult?.(call) ?? "not available" }));
  return [{ role: "assistant", text: reply.text, calls: reply.calls }, ...results];
}

function joined(replies: readonly ChatReply[]): Reply {
  const last = replies.at(-1);
  const usages = replies.flatMap(({ usage }) => (usage === null ? [] : [usage]));
  return {
    text: replies.map(({ text }) => text).join("\n"),
    calls: replies.flatMap(({ calls }) => calls),
    defect: last?.defect ?? undefined,
    // What earlier turns gave away is kept, so only a conversation that never began has a status.
    status: replies.length === 1 ? (last?.status ?? null) : null,
    usage:
      usages.length === 0
        ? null
        : {
            promptTokens: usages.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
            completionTokens: usages.reduce((sum, { completionTokens }) => sum + completionTokens, 0),
          },
    wallMs: replies.reduce((sum, { wallMs }) => sum + wallMs, 0),
  };
}
