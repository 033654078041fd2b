import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { Usage } from "../reply.ts";
import type { Dialect, Finish, Reading, StreamReader } from "./dialect.ts";
import type { IdentifiedCall, Message } from "./message.ts";

const version = "2023-06-01";
const blocksMax = 1000;
const charsMax = 1_000_000;

const Block = z.looseObject({ type: z.string(), text: z.string().optional(), id: z.string().optional(), name: z.string().optional(), input: z.unknown().optional() });
const Tokens = z.looseObject({ input_tokens: z.int().nonnegative().nullish(), output_tokens: z.int().nonnegative().nullish() });
const ModelName = z.string().min(1).max(500).optional().catch(undefined);
const Answer = z.looseObject({ type: z.literal("message"), model: ModelName, content: z.array(Block).max(blocksMax), stop_reason: z.string().nullish(), usage: Tokens.nullish().catch(null) });
const Event = z.looseObject({
  type: z.string(),
  index: z.int().nonnegative().max(blocksMax).optional(),
  message: z.looseObject({ model: ModelName, usage: Tokens.nullish().catch(null) }).optional(),
  content_block: Block.optional(),
  delta: z.looseObject({ type: z.string().optional(), text: z.string().optional(), partial_json: z.string().optional(), stop_reason: z.string().nullish() }).optional(),
  usage: Tokens.nullish().catch(null),
});

/** Anthropic's messages. Source: docs.anthropic.com/en/api/messages and /messages-streaming, version 2023-06-01. */
export const anthropicDialect: Dialect = {
  path: "/messages",
  headers: (credential) => ({ "anthropic-version": version, ...(credential !== undefined && { "x-api-key": credential }) }),
  body: (request, { model, stream }) => ({
    model,
    max_tokens: request.tokensMax,
    stream,
    messages: turns(request.messages),
    ...systemOf(request.messages),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.tools !== undefined &&
      request.tools.length > 0 && { tools: request.tools.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters })) }),
  }),
  answer: (value) => {
    const answer = Answer.safeParse(value).data;
    if (answer === undefined) return undefined;
    const text = answer.content.map((block) => (block.type === "text" ? (block.text ?? "") : "")).join("");
    const calls = answer.content.filter((block) => block.type === "tool_use").map((block, index) => callOf(block, index, JSON.stringify(block.input ?? {})));
    return { text, calls, finish: finishOf(answer.stop_reason), usage: usageOf(answer.usage, null), model: answer.model };
  },
  stream: () => new EventReader(),
};

function systemOf(messages: readonly Message[]): { readonly system?: string } {
  const texts = messages.filter((message) => message.role === "system").map(({ text }) => text);
  return texts.length === 0 ? {} : { system: texts.join("\n\n") };
}

/** Results of tools are blocks of a user's turn, and turns of one role in a row are one turn. */
function turns(messages: readonly Message[]): readonly unknown[] {
  const merged: { role: "user" | "assistant"; content: unknown[] }[] = [];
  for (const message of messages) {
    if (message.role === "system") continue;
    const role = message.role === "assistant" ? "assistant" : "user";
    const last = merged.at(-1);
    if (last?.role === role) last.content.push(...blocks(message));
    else merged.push({ role, content: [...blocks(message)] });
  }
  return merged;
}

function blocks(message: Message): readonly unknown[] {
  if (message.role === "tool") return [{ type: "tool_result", tool_use_id: message.call, content: message.text }];
  const text = message.text === "" ? [] : [{ type: "text", text: message.text }];
  const calls = message.role === "assistant" ? (message.calls ?? []) : [];
  return [...text, ...calls.map(({ id, name, input }) => ({ type: "tool_use", id, name, input: parsed(input) ?? {} }))];
}

function finishOf(reason: string | null | undefined): Finish {
  if (reason === null || reason === undefined) return "unfinished";
  if (reason === "max_tokens" || reason === "model_context_window_exceeded") return "length";
  return reason === "refusal" ? "content_filter" : "stop";
}

function usageOf(tokens: z.infer<typeof Tokens> | null | undefined, before: Usage | null): Usage | null {
  if (tokens === null || tokens === undefined) return before;
  return { promptTokens: tokens.input_tokens ?? before?.promptTokens ?? 0, completionTokens: tokens.output_tokens ?? before?.completionTokens ?? 0 };
}

function callOf(block: z.infer<typeof Block>, index: number, input: string): IdentifiedCall {
  return { id: block.id ?? `call_${index}`, name: block.name ?? "", input };
}

function textOf(delta: z.infer<typeof Event>["delta"]): string {
  return delta?.text ?? delta?.partial_json ?? "";
}

class EventReader implements StreamReader {
  readonly #blocks: { block: z.infer<typeof Block>; text: string }[] = [];
  #finish: Finish = "unfinished";
  #usage: Usage | null = null;
  #model: string | undefined;
  #ended = false;
  #chars = 0;

  get ended(): boolean {
    return this.#ended;
  }

  event(data: string): boolean {
    const event = Event.safeParse(parsed(data)).data;
    if (event === undefined || event.type === "error") return false;
    this.#usage = usageOf(event.usage, usageOf(event.message?.usage, this.#usage));
    this.#model ??= event.message?.model;
    this.#take(event);
    return true;
  }

  #take({ type, index, content_block: block, delta }: z.infer<typeof Event>): void {
    if (type === "message_stop") this.#ended = true;
    else if (type === "content_block_start" && index !== undefined && block !== undefined) this.#blocks[index] = { block, text: block.text ?? "" };
    else if (type === "content_block_delta") this.#delta(index ?? 0, textOf(delta));
    else if (type === "message_delta") this.#finish = finishOf(delta?.stop_reason);
  }

  reading(): Reading {
    const known = this.#blocks.filter((entry) => entry !== undefined);
    const text = known.map(({ block, text }) => (block.type === "text" ? text : "")).join("");
    const calls = known.filter(({ block }) => block.type === "tool_use").map(({ block, text }, index) => callOf(block, index, text === "" ? JSON.stringify(block.input ?? {}) : text));
    return { text, calls, finish: this.#finish, usage: this.#usage, model: this.#model };
  }

  #delta(index: number, text: string): void {
    this.#chars += text.length;
    if (this.#chars > charsMax) throw new RangeError("the answer is too large");
    const entry = this.#blocks[index];
    if (entry !== undefined) entry.text += text;
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
