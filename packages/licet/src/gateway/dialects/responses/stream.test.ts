import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import fc from "fast-check";
import type { Response, ResponseOutputMessage } from "openai/resources/responses/responses";
import { describe, expect, test } from "vitest";
import type { ModelCall, StreamedEvent, StreamStep } from "../../dialect.ts";
import type { JsonObject } from "../../../ledger/entry.ts";
import { textAt } from "../../texts.ts";
import { responses } from "./dialect.ts";
import { eventTypes, streamReader } from "./stream.ts";

function callOf(body: object = {}): ModelCall {
  const parsed = responses.parse(Buffer.from(JSON.stringify({ model: "chat", input: "x", stream: true, ...body })), () => undefined);
  if ("refusal" in parsed) throw new Error(parsed.refusal.message);
  return parsed.call;
}

/** An event as it comes over the wire. */
interface Wire {
  readonly type: string;
  readonly [key: string]: unknown;
}

function wire(value: Wire) {
  return { event: value.type, data: JSON.stringify(value) };
}

function steps(events: readonly Wire[], by = call): StreamStep[] {
  const reader = streamReader(by);
  return events.map((event) => reader.read(wire(event)));
}

const call = callOf();

const isEvent = (step: StreamStep): step is StreamedEvent => step.kind === "event";

/** What a client puts together of each text. */
function texts(read: readonly StreamStep[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { pieces, value } of read.filter(isEvent)) {
    for (const { lane, path } of pieces) found[lane] = (found[lane] ?? "") + (textAt(value as JsonObject, path) ?? "");
  }
  return found;
}

const usage = { input_tokens: 42, input_tokens_details: { cached_tokens: 10, cache_write_tokens: 0 }, output_tokens: 7, output_tokens_details: { reasoning_tokens: 3 }, total_tokens: 49 };
const response = (status: Response["status"], output: Response["output"] = []) => ({ id: "resp_1", object: "response", status, model: "m", output, error: null, incomplete_details: null, usage: status === "in_progress" ? null : usage });
const message = (text: string): ResponseOutputMessage => ({ id: "msg_1", type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text, annotations: [], logprobs: [] }] });
const at = { item_id: "msg_1", output_index: 0, content_index: 0 };

function recorded(pieces: readonly string[]): readonly Wire[] {
  const text = pieces.join("");
  const events = [
    { type: "response.created", response: response("in_progress") },
    { type: "response.output_item.added", output_index: 0, item: { ...message(""), content: [] } },
    { type: "response.content_part.added", ...at, part: { type: "output_text", text: "", annotations: [], logprobs: [] } },
    ...pieces.map((delta) => ({ type: "response.output_text.delta", ...at, delta, logprobs: [] })),
    { type: "response.output_text.done", ...at, text, logprobs: [] },
    { type: "response.content_part.done", ...at, part: message(text).content[0] },
    { type: "response.output_item.done", output_index: 0, item: message(text) },
    { type: "response.completed", response: response("completed", [message(text)]) },
  ];
  return events.map((event, sequence_number) => ({ ...event, sequence_number }));
}

/** The kinds of events in the types of the official client. */
function officialTypes(): readonly string[] {
  const file = createRequire(import.meta.url).resolve("openai/resources/responses/responses").replace(/\.m?js$/u, ".d.ts");
  const source = readFileSync(file, "utf8");
  const union = /export type ResponseStreamEvent = ([^;]+);/u.exec(source)?.[1] ?? "";
  return union.split("|").map((name) => {
    const declared = source.slice(source.indexOf(`export interface ${name.trim()} {`));
    return /\n {4}type: '([^']+)';/u.exec(declared)?.[1] ?? `no type of ${name}`;
  });
}

describe("a streamed response", () => {
  test("may hold every kind of event that the official client's types list, and no other", () => {
    const official = officialTypes();
    expect(official.length).toBeGreaterThan(50);
    expect(eventTypes.toSorted()).toEqual(official.toSorted());
  });

  test("is put together as the client does, with its number of each event, usage and end", () => {
    const read = steps(recorded(["Turn ", "it off."]));
    expect(texts(read)).toEqual({ "output[0].content[0].text": "Turn it off." });
    expect(read.filter(isEvent).map(({ value }) => value?.["sequence_number"])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    // A text stays open until its item ends: the next part could go on with it.
    expect(read.filter(isEvent).map(({ closes }) => closes)).toEqual([[], [], [], [], [], [], [], ["output[0].content[0].text"], []]);
    expect(read.at(-1)).toMatchObject({ last: true, name: "response.completed", finishReason: "completed", usage: { prompt: 42, completion: 7, total: 49, cached: 10, reasoning: 3 } });
  });

  test("gives each text one lane, however many are interleaved and however they are cut", () => {
    const lanes = [
      ["response.output_text", { ...at }],
      ["response.refusal", { ...at, output_index: 1 }],
      ["response.reasoning_text", { ...at, output_index: 2 }],
      ["response.reasoning_summary_text", { item_id: "r", output_index: 2, summary_index: 0 }],
      ["response.function_call_arguments", { item_id: "f", output_index: 3 }],
      ["response.custom_tool_call_input", { item_id: "c", output_index: 4 }],
      ["response.mcp_call_arguments", { item_id: "m", output_index: 5 }],
      ["response.code_interpreter_call_code", { item_id: "i", output_index: 6 }],
      ["response.shell_call_command", { item_id: "s", output_index: 7, command_index: 0 }],
    ] as const;
    const said = fc.array(fc.record({ lane: fc.nat(lanes.length - 1), delta: fc.string({ maxLength: 6 }) }), { maxLength: 60 });
    fc.assert(
      fc.property(said, (order) => {
        const read = steps(order.map(({ lane, delta }) => ({ type: `${lanes[lane]?.[0]}.delta`, ...lanes[lane]?.[1], delta })));
        const wanted = lanes.map((_, lane) => order.filter((each) => each.lane === lane).map(({ delta }) => delta).join(""));
        const found = Object.values(texts(read)).filter((text) => text !== "");
        expect(found.toSorted()).toEqual(wanted.filter((text) => text !== "").toSorted());
      }),
      { numRuns: 60 },
    );
  });

  test("that begins a text in the event that adds it goes on with that text", () => {
    const read = steps([
      { type: "response.output_item.added", output_index: 0, item: { ...message("sk-"), content: [] } },
      { type: "response.content_part.added", ...at, part: { type: "output_text", text: "sk-", annotations: [] } },
      { type: "response.output_text.delta", ...at, delta: "live" },
      { type: "response.output_item.added", output_index: 1, item: { type: "function_call", id: "f", call_id: "c", name: "n", arguments: "{" } },
      { type: "response.function_call_arguments.delta", item_id: "f", output_index: 1, delta: "}" },
      { type: "response.shell_call_command.added", item_id: "s", output_index: 2, command_index: 0, command: "cat " },
      { type: "response.shell_call_command.delta", item_id: "s", output_index: 2, command_index: 0, delta: "key" },
    ]);
    expect(texts(read)).toEqual({ "output[0].content[0].text": "sk-live", "output[1].arguments": "{}", "output[2].commands[0]": "cat key" });
  });

  test("loses the log probabilities, wherever they stand", () => {
    const logprobs = [{ token: "secret", bytes: [115], logprob: 0, top_logprobs: [] }];
    const events = recorded(["x"]).map((event) => ("logprobs" in event ? { ...event, logprobs } : event));
    const whole = { ...message("x"), content: [{ ...message("x").content[0], logprobs }] };
    const read = steps([...events.slice(0, 5), { type: "response.output_item.done", output_index: 0, item: whole }, { type: "response.completed", response: response("completed", [whole] as never) }]);
    expect(JSON.stringify(read)).not.toContain("secret");
  });

  test("is broken off by the provider's own errors", () => {
    expect(steps([{ type: "error", code: "server_error", message: "sorry", param: null }])).toEqual([{ kind: "failed", code: "server_error", message: "sorry" }]);
    expect(steps([{ type: "error", error: { code: "rate_limit_exceeded", message: "slow" } }])).toEqual([{ kind: "failed", code: "rate_limit_exceeded", message: "slow" }]);
    const failed = { type: "response.failed", response: { ...response("failed"), error: { code: "server_error", message: "sorry" } } };
    expect(steps([failed])).toEqual([{ kind: "failed", code: "server_error", message: "sorry" }]);
  });

  test("that is not complete says what it lacks, and is whole all the same", () => {
    const [step] = steps([{ type: "response.incomplete", response: { ...response("incomplete"), incomplete_details: { reason: "max_output_tokens" } } }]);
    expect(step).toMatchObject({ last: true, finishReason: "max_output_tokens" });
  });

  test.each<[string, readonly Wire[]]>([
    ["an unknown kind of event", [{ type: "response.telepathy.delta" }]],
    ["events of the other transport", [{ type: "response.steer.accepted" }]],
    ["an unknown kind of item", [{ type: "response.output_item.added", output_index: 0, item: { type: "program" } }]],
    ["an unknown kind of part", [{ type: "response.content_part.added", ...at, part: { type: "hologram" } }]],
    ["a text without a place", [{ type: "response.output_text.delta", delta: "x" }]],
    ["a delta that is no text", [{ type: "response.output_text.delta", ...at, delta: { x: 1 } }]],
    ["sound", [{ type: "response.audio.delta", delta: "AAAA" }]],
    ["an image that was not asked for", [{ type: "response.image_generation_call.partial_image", output_index: 0, partial_image_b64: "AAAA" }]],
    ["more of a text that has ended", [...recorded(["x"]).slice(0, 5), ...recorded(["x"]).slice(3, 4)]],
    ["more after its end", [...recorded(["x"]), ...recorded(["x"]).slice(0, 1)]],
  ])("with %s is not passed on", (_, events) => {
    expect(() => steps(events)).toThrow(expect.objectContaining({ code: "upstream_invalid" }));
  });

  test("whose event is named differently outside and inside is not passed on: clients differ in which they believe", () => {
    const data = JSON.stringify({ type: "response.in_progress", response: response("in_progress") });
    expect(() => streamReader(call).read({ event: "response.completed", data })).toThrow(expect.objectContaining({ code: "upstream_invalid" }));
  });

  test("brings partial images to a call that was permitted to make some", () => {
    const painter = callOf({ tools: [{ type: "image_generation" }] });
    const [step] = steps([{ type: "response.image_generation_call.partial_image", output_index: 0, partial_image_b64: "AAAA" }], painter);
    expect(step?.kind).toBe("event");
  });
});

describe("a whole response", () => {
  test("is read with its usage, and loses what cannot be scanned", () => {
    const output = [{ ...message("hi"), content: [{ type: "output_text", text: "hi", annotations: [], logprobs: [{ token: "secret" }] }] }];
    const answer = responses.answer({ ...response("completed"), output });
    expect(answer).toMatchObject({ usage: { prompt: 42, completion: 7, total: 49 }, finishReasons: ["completed"] });
    expect(JSON.stringify(answer?.value)).not.toContain("secret");
  });

  test.each([[{}], [null], [[]], [{ object: "response" }], [{ object: "response", output: [{ type: "program" }] }], [{ object: "response", output: ["text"] }], [{ choices: [] }]])("of another shape is none: %j", (value) => {
    expect(responses.answer(value)).toBeUndefined();
  });
});
