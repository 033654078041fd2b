import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { Usage } from "../reply.ts";
import type { Dialect, Finish, Reading, StreamReader } from "./dialect.ts";
import type { ChatRequest, Message } from "./message.ts";

const Parts = z.array(z.looseObject({ text: z.string().optional(), refusal: z.string().optional() }));
const Content = z.union([z.string(), Parts]).nullish();
const Call = z.looseObject({
  index: z.int().nonnegative().optional(),
  id: z.string().nullish(),
  function: z.looseObject({ name: z.string().nullish(), arguments: z.unknown().optional() }).optional(),
});
const Said = z.looseObject({ content: Content, refusal: z.string().nullish(), tool_calls: z.array(Call).nullish(), function_call: Call.shape.function.nullable() });
const Tokens = z.looseObject({ prompt_tokens: z.int().nonnegative(), completion_tokens: z.int().nonnegative() }).nullish();
const ModelName = z.string().min(1).max(500).optional().catch(undefined);
const Answer = z.looseObject({
  choices: z.array(z.looseObject({ message: Said, finish_reason: z.string().nullish() })).min(1),
  model: ModelName,
  usage: Tokens.catch(null),
});
const Chunk = z.looseObject({
  choices: z.array(z.looseObject({ delta: Said.nullish(), finish_reason: z.string().nullish() })).optional(),
  model: ModelName,
  usage: Tokens.catch(null),
});

const callsMax = 200;
const charsMax = 1_000_000;

/** OpenAI's chat completions, as most servers speak them. Source: platform.openai.com/docs/api-reference/chat, July 2025. */
export const openaiDialect: Dialect = {
  path: "/chat/completions",
  headers: (credential) => (credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
  body: (request, { model, stream, tokensField }) => ({
    model,
    messages: request.messages.map(wireMessage),
    [tokensField ?? "max_tokens"]: request.tokensMax,
    stream,
    ...(stream && { stream_options: { include_usage: true } }),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(request.tools !== undefined && request.tools.length > 0 && { tools: wireTools(request) }),
  }),
  answer: (value) => {
    const answer = Answer.safeParse(value).data;
    const choice = answer?.choices[0];
    if (answer === undefined || choice === undefined) return undefined;
    const collected = new Collector();
    collected.add(choice.message);
    return { ...collected.said(), finish: finishOf(choice.finish_reason), usage: usageOf(answer.usage), model: answer.model };
  },
  stream: () => new ChunkReader(),
};

function wireMessage(message: Message): Readonly<Record<string, unknown>> {
  switch (message.role) {
    case "tool":
      return { role: "tool", tool_call_id: message.call, content: message.text };
    case "assistant": {
      const calls = (message.calls ?? []).map(({ id, name, input }) => ({ id, type: "function", function: { name, arguments: input } }));
      return { role: "assistant", content: message.text === "" && calls.length > 0 ? null : message.text, ...(calls.length > 0 && { tool_calls: calls }) };
    }
    case "system":
    case "user":
      return { role: message.role, content: message.text };
    default:
      return message satisfies never;
  }
}

function wireTools(request: ChatRequest): unknown {
  return request.tools?.map(({ name, description, parameters }) => ({ type: "function", function: { name, description, parameters } }));
}

function finishOf(reason: string | null | undefined): Finish {
  if (reason === null || reason === undefined) return "unfinished";
  if (reason === "length" || reason === "max_tokens") return "length";
  return reason === "content_filter" ? "content_filter" : "stop";
}

function usageOf(tokens: z.infer<typeof Tokens>): Usage | null {
  return tokens === null || tokens === undefined ? null : { promptTokens: tokens.prompt_tokens, completionTokens: tokens.completion_tokens };
}

/** Text and calls, put together from one message or from many deltas. */
class Collector {
  readonly #texts: string[] = [];
  readonly #calls: { id: string; name: string; input: string }[] = [];
  #chars = 0;

  add(said: z.infer<typeof Said>): void {
    const text = `${textOf(said.content)}${said.refusal ?? ""}`;
    this.#chars += text.length;
    if (this.#chars > charsMax) throw new RangeError("the answer is too large");
    this.#texts.push(text);
    for (const [position, call] of (said.tool_calls ?? []).entries()) this.#call(call.index ?? position, call.id, call.function);
    if (said.function_call !== undefined && said.function_call !== null) this.#call(0, undefined, said.function_call);
  }

  said(): Pick<Reading, "text" | "calls"> {
    return { text: this.#texts.join(""), calls: this.#calls.filter((call) => call !== undefined).map((call) => ({ ...call })) };
  }

  #call(index: number, id: string | null | undefined, part: z.infer<typeof Call>["function"]): void {
    if (index >= callsMax) throw new RangeError("the answer asks for too many calls");
    const call = (this.#calls[index] ??= { id: id ?? `call_${index}`, name: "", input: "" });
    const input = part?.arguments;
    call.name += part?.name ?? "";
    call.input += typeof input === "string" ? input : input === undefined || input === null ? "" : JSON.stringify(input);
    this.#chars += call.input.length > charsMax ? charsMax : 0;
    if (call.input.length > charsMax) throw new RangeError("the arguments of a call are too large");
  }
}

function textOf(content: z.infer<typeof Content>): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => part.text ?? part.refusal ?? "").join("");
}

class ChunkReader implements StreamReader {
  readonly #collected = new Collector();
  #finish: Finish = "unfinished";
  #usage: Usage | null = null;
  #model: string | undefined;
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }

  event(data: string): boolean {
    if (data.trim() === "[DONE]") {
      this.#ended = true;
      return true;
    }
    const chunk = parsedChunk(data);
    if (chunk === undefined) return false;
    this.#usage = usageOf(chunk.usage) ?? this.#usage;
    this.#model ??= chunk.model;
    const choice = chunk.choices?.[0];
    if (choice === undefined) return chunk.choices !== undefined || chunk.usage !== undefined;
    if (choice.delta !== null && choice.delta !== undefined) this.#collected.add(choice.delta);
    const finish = finishOf(choice.finish_reason);
    if (finish !== "unfinished") this.#finish = finish;
    return true;
  }

  reading(): Reading {
    return { ...this.#collected.said(), finish: this.#finish, usage: this.#usage, model: this.#model };
  }
}

function parsedChunk(data: string): z.infer<typeof Chunk> | undefined {
  try {
    return Chunk.safeParse(parseJson(data)).data;
  } catch {
    return undefined;
  }
}
