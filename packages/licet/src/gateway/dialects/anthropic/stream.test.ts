import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import fc from "fast-check";
import type { RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../ledger/entry.ts";
import type { StreamedEvent, StreamStep } from "../../dialect.ts";
import { refuse } from "../../refusal.ts";
import { textAt } from "../../texts.ts";
import { messages } from "./dialect.ts";
import { eventTypes, streamReader } from "./stream.ts";

type Wire = { readonly type: string } & Readonly<Record<string, unknown>>;

function steps(events: readonly Wire[]): StreamStep[] {
  const reader = streamReader();
  return events.map((event) => reader.read({ event: event.type, data: JSON.stringify(event) }));
}

const isEvent = (step: StreamStep): step is StreamedEvent => step.kind === "event";

/** What a client puts together of each text. */
function texts(read: readonly StreamStep[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { pieces, value } of read.filter(isEvent)) {
    for (const { lane, path } of pieces) found[lane] = (found[lane] ?? "") + (textAt(value as JsonObject, path) ?? "");
  }
  return found;
}

const start: Wire = { type: "message_start", message: { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 42, cache_creation_input_tokens: 5, cache_read_input_tokens: 3, output_tokens: 1 } } };
const begin = (index: number, content_block: object): Wire => ({ type: "content_block_start", index, content_block });
const delta = (index: number, it: object): Wire => ({ type: "content_block_delta", index, delta: it });
const stop = (index: number): Wire => ({ type: "content_block_stop", index });
const ended: readonly Wire[] = [{ type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 50 } }, { type: "message_stop" }];
const text = { type: "text", text: "" };

describe("a streamed message", () => {
  test("may hold every kind of event and of delta that the official client's types list", () => {
    const file = createRequire(import.meta.url).resolve("@anthropic-ai/sdk/resources/messages/messages").replace(/\.m?js$/u, ".d.ts");
    const source = readFileSync(file, "utf8");
    const typesOf = (union: string) => {
      const names = new RegExp(`export type ${union} = ([^;]+);`, "u").exec(source)?.[1]?.split("|") ?? [];
      return names.map((name) => /\n {4}type: '([^']+)';/u.exec(source.slice(source.indexOf(`export interface ${name.trim()} {`)))?.[1] ?? name);
    };
    expect(eventTypes.toSorted()).toEqual([...typesOf("RawMessageStreamEvent"), "ping", "error"].toSorted());
    const kinds = typesOf("RawContentBlockDelta");
    expect(kinds).toContain("text_delta");
    const blocks: Readonly<Record<string, object>> = { text_delta: text, citations_delta: text, input_json_delta: { type: "tool_use", id: "t", name: "n", input: {} } };
    const whole = { text: "a", partial_json: "{}", thinking: "a", signature: "a", citation: {} };
    for (const type of kinds) expect(steps([start, begin(0, blocks[type] ?? { type: "thinking", thinking: "", signature: "" }), delta(0, { type, ...whole })])).toHaveLength(3);
  });

  test("is put together as the client does, with cumulative usage and its end", () => {
    const events: readonly (Wire & { type: RawMessageStreamEvent["type"] | "ping" })[] = [start, begin(0, text), { type: "ping" }, delta(0, { type: "text_delta", text: "Turn " }), delta(0, { type: "text_delta", text: "it off." }), stop(0), ...ended] as never;
    const read = steps(events);
    expect(texts(read)).toEqual({ "content[0].text": "Turn it off." });
    expect(read.map((step) => isEvent(step) && step.last)).toEqual([false, false, false, false, false, false, false, true]);
    expect(read.at(5)).toMatchObject({ name: "content_block_stop", closes: [] });
    expect(read.at(0)).toMatchObject({ usage: { prompt: 50, completion: 1, total: 51, cached: 3, written: 5 } });
    expect(read.at(-2)).toMatchObject({ finishReason: "end_turn", usage: { prompt: 50, completion: 50, total: 100 } });
  });

  test("gives each text one lane, however many are interleaved and however they are cut", () => {
    const kinds = [
      { block: text, key: "text", of: (piece: string) => ({ type: "text_delta", text: piece }) },
      { block: { type: "tool_use", id: "t", name: "n", input: {} }, key: "input", of: (piece: string) => ({ type: "input_json_delta", partial_json: piece }) },
      { block: { type: "thinking", thinking: "", signature: "" }, key: "thinking", of: (piece: string) => ({ type: "thinking_delta", thinking: piece }) },
      { block: { type: "thinking", thinking: "", signature: "" }, key: "signature", of: (piece: string) => ({ type: "signature_delta", signature: piece }) },
    ] as const;
    fc.assert(
      fc.property(fc.array(fc.record({ at: fc.nat(3), piece: fc.string({ maxLength: 6 }) }), { maxLength: 60 }), (said) => {
        const read = steps([start, ...kinds.map(({ block }, index) => begin(index, block)), ...said.map(({ at, piece }) => delta(at, kinds[at]?.of(piece) ?? {})), ...kinds.map((_, index) => stop(index)), ...ended]);
        const found = texts(read);
        kinds.forEach(({ key }, index) => {
          expect(found[`content[${index}].${key}`] ?? "").toBe(said.filter(({ at }) => at === index).map(({ piece }) => piece).join(""));
        });
      }),
      { numRuns: 100 },
    );
  });

  test("that begins a block with words goes on with them", () => {
    const read = steps([start, begin(0, { type: "text", text: "sk-" }), delta(0, { type: "text_delta", text: "live" }), begin(1, { type: "thinking", thinking: "my ", signature: "" }), delta(1, { type: "thinking_delta", thinking: "key" })]);
    expect(texts(read)).toMatchObject({ "content[0].text": "sk-live", "content[1].thinking": "my key" });
  });

  test("has tool arguments read as JSON, and signed thinking fixed", () => {
    const read = steps([start, begin(0, { type: "tool_use", id: "t", name: "n", input: {} }), delta(0, { type: "input_json_delta", partial_json: "{" }), begin(1, { type: "thinking", thinking: "", signature: "" }), delta(1, { type: "thinking_delta", thinking: "hm" })]).filter(isEvent);
    expect([read[2]?.pieces, read[4]?.pieces]).toEqual([[expect.objectContaining({ json: true })], [expect.objectContaining({ fixed: true })]]);
    expect(read[4]?.isFixed(["delta", "thinking"])).toBe(true);
  });

  test("is broken off by the provider's own error", () => {
    expect(steps([start, { type: "error", error: { type: "overloaded_error", message: "busy" } }])[1]).toEqual({ kind: "failed", code: "overloaded_error", message: "busy" });
  });

  test.each<[string, readonly Wire[]]>([
    ["an unknown kind of event", [start, { type: "content_block_thought" }]],
    ["an unknown kind of block", [start, begin(0, { type: "hologram" })]],
    ["an unknown kind of delta", [start, begin(0, text), delta(0, { type: "hologram_delta", text: "x" })]],
    ["a delta of another kind than its block", [start, begin(0, text), delta(0, { type: "input_json_delta", partial_json: "x" })]],
    ["a delta without a block", [start, delta(0, { type: "text_delta", text: "x" })]],
    ["a block that begins twice", [start, begin(0, text), stop(0), begin(0, text)]],
    ["more of a block that has ended", [start, begin(0, text), stop(0), delta(0, { type: "text_delta", text: "x" })]],
    ["words before it begins", [begin(0, text)]],
    ["a second beginning", [start, start]],
    ["a beginning with words in it", [{ type: "message_start", message: { type: "message", content: [{ type: "text", text: "x" }] } }]],
    ["more after its end", [start, ...ended, { type: "ping" }]],
  ])("with %s is not passed on", (_, events) => {
    expect(() => steps(events)).toThrow(expect.objectContaining({ code: "upstream_invalid" }));
  });
});

describe("a whole message", () => {
  const whole = { id: "m", type: "message", role: "assistant", model: "m", content: [{ type: "text", text: "hi" }, { type: "tool_use", id: "t", name: "n", input: { id: "x" } }], stop_reason: "tool_use", usage: { input_tokens: 1, output_tokens: 2 } };

  test("is read with its usage; what a tool is called with is words", () => {
    const answer = messages.answer(whole);
    expect(answer).toMatchObject({ usage: { prompt: 1, completion: 2, total: 3 }, finishReasons: ["tool_use"] });
    expect([answer?.isFixed(["content", 1, "input", "id"]), answer?.isFixed(["content", 1, "id"]), answer?.isFixed(["content", 0, "text"])]).toEqual([false, true, false]);
  });

  test.each([[null], [{}], [{ ...whole, content: [{ type: "hologram" }] }], [{ ...whole, role: "user" }], [{ object: "response", output: [] }]])("of another shape is none: %j", (value) => {
    expect(messages.answer(value)).toBeUndefined();
  });
});

test("an error is the provider's own form of it, by its status, with our details where its client looks", () => {
  const refused = { refusal: refuse("held"), decision: "dec_1" };
  expect(JSON.parse(messages.errorBody(refused))).toMatchObject({ type: "error", error: { type: "permission_error", details: { error_code: "held" }, licet: { decision: "dec_1", policy: "gateway.held" } }, request_id: "dec_1" });
  expect(messages.errorEvent(refused)).toMatch(/^event: error\ndata: \{"type":"error",.*\n\n$/u);
});
