import assert from "node:assert/strict";
import { embed, embedMany, generateText, jsonSchema, Output, streamText, tool, type LanguageModel, type ToolSet } from "ai";
import Anthropic, { APIError as AnthropicError } from "@anthropic-ai/sdk";
import OpenAI, { APIError } from "openai";
import type { ResponseInput } from "openai/resources/responses/responses";
import { citySchema, clock, ticket, weather, type Place } from "./gateway-place.ts";

/** What one client does and what it sees of the answer; both ways to the provider must give the same. */
export type Check = (place: Place) => Promise<unknown>;

const messages = [{ role: "user" as const, content: "hi" }];
const gpt = { model: "gpt-sim", messages } as const;
const claude = { model: "claude-sim", max_tokens: 100, messages } as const;
const chatTools = [weather, clock].map((each) => ({ type: "function" as const, function: each }));
const responseTools = [weather, clock].map((each) => ({ type: "function" as const, strict: false, ...each }));
const claudeTools = [weather, clock].map(({ name, description, parameters: { required, ...schema } }) => ({ name, description, input_schema: { ...schema, required: [...required] } }));
const aiSchema = jsonSchema<{ city: string }>({ ...citySchema, required: [...citySchema.required] });
const aiTools: ToolSet = { weather: tool({ description: weather.description, inputSchema: aiSchema }), clock: tool({ description: clock.description, inputSchema: aiSchema }) };
const cities = [{ city: "Berlin" }, { city: "Oslo" }];
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async function collected<T>(stream: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}

export type ClientError = APIError | AnthropicError;

/** What an error is to the client's caller. */
export async function failureOf(call: Promise<unknown>): Promise<ClientError> {
  const error: unknown = await call.then(
    () => assert.fail("there was no error"),
    (reason: unknown) => reason,
  );
  if (error instanceof APIError || error instanceof AnthropicError) return error;
  throw error;
}

const seen = (error: ClientError) => ({ kind: error.constructor.name, status: error.status, requestId: error.requestID });

/** The 22 checks of the shared bench, in our words. */
export const commonChecks: Readonly<Record<string, Check>> = {
  "openai: chat": async ({ openai }) => {
    const { choices, usage } = await openai.chat.completions.create(gpt);
    assert.ok((choices[0]?.message.content?.length ?? 0) > 200);
    return { choices, usage };
  },
  "openai: request id of a chat": async ({ openai }) => {
    const { data, request_id } = await openai.chat.completions.create(gpt).withResponse();
    assert.equal(request_id, "req_simulated");
    return [request_id, data.id];
  },
  "openai: chat, streamed": async ({ openai }) => {
    const chunks = await collected(await openai.chat.completions.create({ ...gpt, stream: true }));
    assert.equal(chunks.length, 52);
    return chunks;
  },
  "openai: usage of a streamed chat": async ({ openai }) => {
    const chunks = await collected(await openai.chat.completions.create({ ...gpt, stream: true, stream_options: { include_usage: true } }));
    const last = chunks.filter(({ choices }) => choices.length === 0);
    assert.equal(last.length, 1);
    return last;
  },
  "openai: tools of a streamed chat, by the helper": async ({ openai }) => {
    const final = await openai.chat.completions.stream({ ...gpt, tools: chatTools }).finalChatCompletion();
    const call = final.choices[0]?.message.tool_calls?.[0];
    assert.ok(call?.type === "function");
    assert.deepEqual(JSON.parse(call.function.arguments), { city: "Berlin", unit: "celsius" });
    return final;
  },
  "openai: response": async ({ openai }) => {
    const { output, output_text, usage } = await openai.responses.create({ model: "gpt-sim", input: "hi" });
    assert.ok(output_text.length > 200);
    return { output, output_text, usage };
  },
  "openai: response, streamed": async ({ openai }) => {
    const events = await collected(await openai.responses.create({ model: "gpt-sim", input: "hi", stream: true }));
    assert.equal(events.at(-1)?.type, "response.completed");
    return events;
  },
  "openai: response, by the stream helper": async ({ openai }) => {
    const { output_text, usage } = await openai.responses.stream({ model: "gpt-sim", input: "hi" }).finalResponse();
    assert.ok(output_text.length > 200);
    return { output_text, usage };
  },
  "openai: embeddings, base64 by default": async ({ openai }) => {
    const { data } = await openai.embeddings.create({ model: "emb", input: ["a", "b"] });
    assert.equal(data[1]?.embedding.length, 256);
    return data;
  },
  "openai: models": async ({ openai }) => {
    const { data } = await openai.models.list();
    return data.some(({ id }) => id === "gpt-sim");
  },
  "openai: error 429": async ({ openai, provider }) => {
    provider.behaviour = { status: 429 };
    const error = await failureOf(openai.chat.completions.create(gpt));
    assert.ok(error instanceof OpenAI.RateLimitError);
    return seen(error);
  },
  "openai: a provider that dies in the middle is an error, not a clean end": async ({ openai, provider }) => {
    provider.behaviour = { cut: "reset" };
    const chunks: unknown[] = [];
    const ended = (async () => {
      for await (const chunk of await openai.chat.completions.create({ ...gpt, stream: true })) chunks.push(chunk);
    })();
    await assert.rejects(ended);
    return chunks.length > 0;
  },
  "openai: abort": async ({ openai, provider }) => {
    provider.behaviour = { intervalMs: 5 };
    const before = provider.aborted;
    const controller = new AbortController();
    let count = 0;
    for await (const _ of await openai.chat.completions.create({ ...gpt, stream: true }, { signal: controller.signal })) {
      if (++count === 5) controller.abort();
    }
    await eventually(() => provider.aborted === before + 1);
    return count;
  },
  "anthropic: message": async ({ anthropic }) => {
    const { content, usage } = await anthropic.messages.create(claude);
    return { content, usage };
  },
  "anthropic: message, by the stream helper": async ({ anthropic }) => {
    const stream = anthropic.messages.stream(claude);
    let texts = 0;
    stream.on("text", () => texts++);
    const { content, stop_reason, usage } = await stream.finalMessage();
    assert.equal(stop_reason, "end_turn");
    return { texts, content, usage };
  },
  "anthropic: tools, streamed": async ({ anthropic }) => {
    const final = await anthropic.messages.stream({ ...claude, tools: claudeTools }).finalMessage();
    const use = final.content.find(({ type }) => type === "tool_use");
    assert.deepEqual(use?.type === "tool_use" && use.input, { city: "Berlin" });
    return [final.content, final.stop_reason];
  },
  "ai: openai chat": async ({ ai }) => (await generateText({ model: ai.openai.chat("gpt-sim"), prompt: "hi", maxRetries: 0 })).text,
  "ai: openai responses": async ({ ai }) => (await generateText({ model: ai.openai("gpt-sim"), prompt: "hi", maxRetries: 0 })).text,
  "ai: openai-compatible, streamed": async ({ ai }) => {
    const result = streamText({ model: ai.compatible("gpt-sim"), prompt: "hi", maxRetries: 0 });
    const parts = await collected(result.textStream);
    const { totalTokens } = await result.usage;
    assert.equal(totalTokens, 92);
    return { parts, totalTokens };
  },
  "ai: anthropic, streamed": async ({ ai }) => collected(streamText({ model: ai.anthropic("claude-sim"), prompt: "hi", maxRetries: 0 }).textStream),
  "ai: a tool call": async ({ ai }) => {
    const { toolCalls } = await generateText({ model: ai.openai.chat("gpt-sim"), prompt: "hi", maxRetries: 0, tools: aiTools });
    assert.equal(toolCalls[0]?.toolName, "weather");
    return toolCalls.map(({ toolName, input }) => ({ toolName, input }));
  },
  "ai: an embedding": async ({ ai }) => (await embed({ model: ai.openai.embedding("emb"), value: "a", maxRetries: 0 })).embedding,
};

/** What else these clients can do. */
export const furtherChecks: Readonly<Record<string, Check>> = {
  "openai: structured output of a chat": async ({ openai, provider }) => {
    provider.behaviour = { text: JSON.stringify({ title: "Printer" }) };
    const response_format = { type: "json_schema", json_schema: { name: "ticket", schema: ticket, strict: true } } as const;
    const { choices } = await openai.chat.completions.parse({ ...gpt, model: "gpt-ticket", response_format });
    return choices[0]?.message.content;
  },
  "openai: structured output of a response": async ({ openai, provider }) => {
    provider.behaviour = { text: JSON.stringify({ title: "Printer" }) };
    const { output_text } = await openai.responses.parse({ model: "gpt-ticket", input: "hi", text: { format: { type: "json_schema", name: "ticket", schema: ticket, strict: true } } });
    assert.deepEqual(JSON.parse(output_text), { title: "Printer" });
    return output_text;
  },
  "anthropic: structured output": async ({ anthropic, provider }) => {
    provider.behaviour = { text: JSON.stringify({ title: "Printer" }) };
    const { content } = await anthropic.messages.create({ ...claude, model: "claude-ticket", output_config: { format: { type: "json_schema", schema: ticket } } });
    return content;
  },
  "ai: structured output": async ({ ai, provider }) => {
    provider.behaviour = { text: JSON.stringify({ title: "Printer" }) };
    const { output } = await generateText({ model: ai.openai("gpt-ticket"), prompt: "hi", maxRetries: 0, output: Output.object({ name: "ticket", schema: jsonSchema({ ...ticket, required: [...ticket.required] }) }) });
    assert.deepEqual(output, { title: "Printer" });
    return output;
  },
  "openai: parallel tools of a chat, streamed": async ({ openai, provider }) => {
    provider.behaviour = { calls: cities };
    const { choices } = await openai.chat.completions.stream({ ...gpt, tools: chatTools, parallel_tool_calls: true }).finalChatCompletion();
    const calls = choices[0]?.message.tool_calls ?? [];
    assert.deepEqual(calls.map((call) => call.type === "function" && [call.function.name, JSON.parse(call.function.arguments)]), [["weather", cities[0]], ["clock", cities[1]]]);
    return calls;
  },
  "openai: parallel tools of a response, and their results": async ({ openai, provider }) => {
    provider.behaviour = { calls: cities };
    const first = await openai.responses.stream({ model: "gpt-sim", input: "hi", tools: responseTools }).finalResponse();
    const calls = first.output.filter(({ type }) => type === "function_call");
    assert.equal(calls.length, 2);
    provider.behaviour = { text: "done" };
    const results = calls.map((call) => ({ type: "function_call_output" as const, call_id: call.type === "function_call" ? call.call_id : "", output: "sunny" }));
    const input = [{ role: "user", content: "hi" }, ...first.output, ...results] as ResponseInput;
    return (await openai.responses.create({ model: "gpt-sim", input, tools: responseTools })).output_text;
  },
  "anthropic: parallel tools, and their results": async ({ anthropic, provider }) => {
    provider.behaviour = { calls: cities };
    const first = await anthropic.messages.stream({ ...claude, tools: claudeTools }).finalMessage();
    assert.equal(first.content.length, 2);
    provider.behaviour = { text: "done" };
    const results = first.content.map((use) => ({ type: "tool_result" as const, tool_use_id: use.type === "tool_use" ? use.id : "", content: "sunny" }));
    const turns: Anthropic.MessageParam[] = [...messages, { role: "assistant", content: first.content }, { role: "user", content: results }];
    return (await anthropic.messages.create({ ...claude, tools: claudeTools, messages: turns })).content;
  },
  "ai: tools of a stream, over both protocols": async ({ ai }) => {
    const of = async (model: LanguageModel) => {
      const calls = await streamText({ model, prompt: "hi", maxRetries: 0, tools: aiTools }).toolCalls;
      return calls.map(({ toolName, input }) => ({ toolName, input }));
    };
    const both = [await of(ai.openai("gpt-sim")), await of(ai.anthropic("claude-sim"))];
    assert.deepEqual(both, [[{ toolName: "weather", input: { city: "Berlin" } }], [{ toolName: "weather", input: { city: "Berlin" } }]]);
    return both;
  },
  "openai: a picture in a chat": async ({ openai, provider }) => {
    const content = [{ type: "text" as const, text: "what is it?" }, { type: "image_url" as const, image_url: { url: `data:image/png;base64,${png}` } }];
    const { choices } = await openai.chat.completions.create({ model: "gpt-sim", messages: [{ role: "user", content }] });
    return [choices, provider.received.at(-1)?.body["messages"]];
  },
  "openai: a picture in a response": async ({ openai, provider }) => {
    const input: ResponseInput = [{ role: "user", content: [{ type: "input_text", text: "what is it?" }, { type: "input_image", detail: "auto", image_url: `data:image/png;base64,${png}` }] }];
    const { output_text } = await openai.responses.create({ model: "gpt-sim", input });
    return [output_text, provider.received.at(-1)?.body["input"]];
  },
  "anthropic: a picture in a message": async ({ anthropic, provider }) => {
    const content: Anthropic.ContentBlockParam[] = [{ type: "image", source: { type: "base64", media_type: "image/png", data: png } }, { type: "text", text: "what is it?" }];
    const answer = await anthropic.messages.create({ ...claude, messages: [{ role: "user", content }] });
    return [answer.content, provider.received.at(-1)?.body["messages"]];
  },
  "anthropic: prompt caching": async ({ anthropic, provider }) => {
    const content: Anthropic.ContentBlockParam[] = [{ type: "text", text: "a long document", cache_control: { type: "ephemeral", ttl: "1h" } }, { type: "text", text: "hi" }];
    const { usage } = await anthropic.messages.create({ ...claude, messages: [{ role: "user", content }] });
    assert.equal(usage.cache_read_input_tokens, 8);
    return [usage, provider.received.at(-1)?.body["messages"]];
  },
  "openai: prompt caching": async ({ openai, provider }) => {
    const { usage } = await openai.responses.create({ model: "gpt-sim", input: "hi", prompt_cache_key: "helpdesk" });
    assert.equal(provider.received.at(-1)?.body["prompt_cache_key"], "helpdesk");
    return usage;
  },
  "anthropic: tokens counted": async ({ anthropic }) => {
    const counted = await anthropic.messages.countTokens({ model: "claude-sim", messages, tools: claudeTools });
    assert.equal(counted.input_tokens, 42);
    return counted;
  },
  "anthropic: version of the interface": async ({ anthropic, provider }) => {
    await anthropic.messages.create(claude);
    return provider.received.at(-1)?.headers["anthropic-version"];
  },
  "anthropic: abort": async ({ anthropic, provider }) => {
    provider.behaviour = { intervalMs: 5 };
    const before = provider.aborted;
    const stream = anthropic.messages.stream(claude);
    stream.on("text", () => stream.abort());
    await assert.rejects(stream.finalMessage(), Anthropic.APIUserAbortError);
    await eventually(() => provider.aborted === before + 1);
    return "aborted";
  },
  "openai: time out": async ({ openai, provider }) => {
    provider.behaviour = { delayMs: 300 };
    return seen(await failureOf(openai.responses.create({ model: "gpt-sim", input: "hi" }, { timeout: 60 })));
  },
  "anthropic: time out": async ({ anthropic, provider }) => {
    provider.behaviour = { delayMs: 300 };
    return seen(await failureOf(anthropic.messages.create(claude, { timeout: 60 })));
  },
  "openai: tried again by the client": async ({ openai, provider }) => {
    provider.behaviour = { status: 500, times: 1, headers: { "retry-after-ms": "1" } };
    const before = count(provider, "try again");
    await openai.responses.create({ model: "gpt-sim", input: "try again" }, { maxRetries: 1 });
    assert.equal(count(provider, "try again") - before, 2);
  },
  "anthropic: tried again by the client": async ({ anthropic, provider }) => {
    provider.behaviour = { status: 529, times: 1, headers: { "retry-after-ms": "1" } };
    const before = count(provider, "try again");
    await anthropic.messages.create({ ...claude, messages: [{ role: "user", content: "try again" }] }, { maxRetries: 1 });
    assert.equal(count(provider, "try again") - before, 2);
  },
  "request ids": async ({ openai, anthropic }) => {
    const ids = [(await openai.responses.create({ model: "gpt-sim", input: "hi" }))._request_id, (await anthropic.messages.create(claude))._request_id];
    assert.deepEqual(ids, ["req_simulated", "req_simulated"]);
    return ids;
  },
  "rate limits of the provider": async ({ openai, anthropic, provider }) => {
    provider.behaviour = { headers: { "x-ratelimit-remaining-requests": "7", "anthropic-ratelimit-requests-remaining": "9" } };
    const one = await openai.chat.completions.create(gpt).withResponse();
    const other = await anthropic.messages.create(claude).withResponse();
    const limits = [one.response.headers.get("x-ratelimit-remaining-requests"), other.response.headers.get("anthropic-ratelimit-requests-remaining")];
    assert.deepEqual(limits, ["7", "9"]);
    return limits;
  },
  "the provider's errors, each by its class": async ({ openai, anthropic, provider }) => {
    const kinds: unknown[] = [];
    for (const status of [400, 404, 409, 422, 429, 500, 529]) {
      provider.behaviour = { status };
      kinds.push(seen(await failureOf(openai.responses.create({ model: "gpt-sim", input: "hi" }))), seen(await failureOf(anthropic.messages.create(claude))));
    }
    return kinds;
  },
  "a stream of messages that ends before its end": async ({ anthropic, provider }) => {
    provider.behaviour = { cut: "reset" };
    await assert.rejects(anthropic.messages.stream(claude).finalMessage());
    return "an error";
  },
  "a stream of a response that ends before its end": async ({ openai, provider }) => {
    provider.behaviour = { cut: "reset" };
    await assert.rejects((async () => collected(await openai.responses.create({ model: "gpt-sim", input: "hi", stream: true })))());
    return "an error";
  },
  "ai: many embeddings": async ({ ai }) => (await embedMany({ model: ai.openai.embedding("emb"), values: ["a", "b"], maxRetries: 0 })).embeddings.length,
  "ai: anthropic": async ({ ai }) => (await generateText({ model: ai.anthropic("claude-sim"), prompt: "hi", maxRetries: 0 })).text,
  "ai: openai responses, streamed": async ({ ai }) => collected(streamText({ model: ai.openai("gpt-sim"), prompt: "hi", maxRetries: 0 }).textStream),
};

/** How many requests with these words have arrived. */
function count({ received }: Place["provider"], words: string): number {
  return received.filter(({ body }) => JSON.stringify(body).includes(words)).length;
}

async function eventually(holds: () => boolean): Promise<void> {
  const until = Date.now() + 3000;
  while (!holds()) {
    assert.ok(Date.now() < until, "it did not come to hold");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
