import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messages } from "./dialects/anthropic/dialect.ts";
import { chatDialect } from "./dialects/chat/chat.ts";
import { responses } from "./dialects/responses/dialect.ts";
import { detectionOf, type Detection } from "./detect/rules.ts";
import type { ModelCall } from "./dialect.ts";
import { openScan, type CallScan } from "./scan.ts";
import { streamGuard, type Released } from "./stream.ts";
import type { ToolJudge } from "./tools/judged-tool.ts";

/** What these tests are about is what stands in calls, not whose they are. */
const anyTool: ToolJudge = { judge: () => undefined, judged: [], observed: undefined };

const everything = ["public", "internal", "personal", "sensitive", "special"];
const redacting = detectionOf([{ pack: "test", section: { actions: [{ of: "email", action: "redact" }] } }]);
const masking = detectionOf([{ pack: "test", section: { actions: [{ of: "email", action: "mask" }] } }]);

function callOf(content: string): ModelCall {
  const body = { model: "chat", stream: true, messages: [{ role: "user", content }] };
  const parsed = chatDialect.parse(Buffer.from(JSON.stringify(body)), () => undefined);
  if ("refusal" in parsed) throw new Error(parsed.refusal.message);
  return parsed.call;
}

function scanOf(call: ModelCall, options: { readonly detection?: Detection; readonly boundary?: readonly string[] } = {}): CallScan {
  const rules = (options.detection ?? detectionOf([])).rules("helpdesk");
  return openScan({ rules, boundary: options.boundary ?? ["public", "internal"], request: call.request, isFixed: (path) => call.isFixed(path) });
}

type Delta = Readonly<Record<string, unknown>>;

function event(delta: Delta, index = 0): string {
  return `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index, delta, finish_reason: null }] })}\n\n`;
}

const done = "data: [DONE]\n\n";

/** Pushes the bytes in pieces of the given lengths, and what is left whole. */
function pushed(call: ModelCall, scan: CallScan, text: string, lengths: readonly number[] = []): { readonly out: string; readonly end: Released } {
  const reader = chatDialect.stream?.(call);
  if (reader === undefined) throw new Error("the dialect does not stream");
  const guard = streamGuard({ reader, tools: anyTool, scan });
  let bytes = Buffer.from(text);
  let out = "";
  let end: Released = { text: "" };
  for (const length of [...lengths, bytes.length]) {
    end = guard.push(bytes.subarray(0, length));
    out += end.text;
    bytes = bytes.subarray(length);
    if (end.refusal !== undefined || end.last !== undefined) break;
  }
  return { out, end };
}

/** What a client puts together of the events that reached it. */
function contentOf(out: string, at: "content" | "arguments" = "content"): string {
  return out
    .split("\n\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line): unknown => JSON.parse(line.slice("data: ".length)))
    .map((value) => {
      const { delta } = (value as { choices: [{ delta: { content?: string; tool_calls?: [{ function: { arguments: string } }] } }] }).choices[0];
      return at === "content" ? (delta.content ?? "") : (delta.tool_calls?.[0].function.arguments ?? "");
    })
    .join("");
}

/** A text cut anywhere, also inside of characters that take two units, as providers do not but could. */
const cuts = fc.array(fc.nat(40), { maxLength: 12 });

function split(text: string, lengths: readonly number[]): readonly string[] {
  const pieces: string[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return [...pieces, text.slice(at)];
}

const words = fc.array(fc.constantFrom("turn", "it", "off", "and", "on", "again", "ünïcode", "🙂", "12", "a@b", "x."), { maxLength: 8 }).map((all) => `${all.join(" ")} `);

describe("a streamed answer, whatever the pieces and the chunks", () => {
  test("leaves whole and unchanged when nothing is found in it, its last event apart", () => {
    const call = callOf("hello");
    const scan = scanOf(call);
    fc.assert(
      fc.property(words, cuts, cuts, (text, pieces, chunks) => {
        const stream = split(text, pieces).map((content) => event({ content })).join("") + done;
        const { out, end } = pushed(call, scan, stream, chunks);
        expect(end.refusal).toBeUndefined();
        expect(contentOf(out)).toBe(text);
        expect(end.last).toBe(done);
        expect(out).not.toContain("[DONE]");
      }),
      { numRuns: 300 },
    );
  });

  test("lets nothing of a blocked value leave", () => {
    const call = callOf("hello");
    const scan = scanOf(call);
    fc.assert(
      fc.property(words, words, cuts, cuts, (before, after, pieces, chunks) => {
        const stream = split(`${before}jo.secret@example.org ${after}`, pieces).map((content) => event({ content })).join("") + done;
        const { out, end } = pushed(call, scan, stream, chunks);
        expect(end.refusal?.code).toBe("answer_outside_boundary");
        expect(end.last).toBeUndefined();
        expect(`${before}jo.secret@example.org ${after}`.startsWith(contentOf(out))).toBe(true);
        expect(contentOf(out)).not.toContain("secret");
      }),
      { numRuns: 300 },
    );
  });

  test("has a masked value replaced where it begins and dropped where it goes on", () => {
    const call = callOf("hello");
    const scan = scanOf(call, { detection: masking, boundary: everything });
    fc.assert(
      fc.property(words, words, cuts, cuts, (before, after, pieces, chunks) => {
        const stream = split(`${before}jo.secret@example.org ${after}`, pieces).map((content) => event({ content })).join("") + done;
        const { out, end } = pushed(call, scan, stream, chunks);
        expect(end.refusal).toBeUndefined();
        expect(contentOf(out)).toBe(`${before}[email] ${after}`);
      }),
      { numRuns: 300 },
    );
  });

  test("gives a placeholder of the request back as what it stood for, to the character", () => {
    fc.assert(
      fc.property(words, words, cuts, cuts, (before, after, pieces, chunks) => {
        const call = callOf("write to jo.secret@example.org");
        const scan = scanOf(call, { detection: redacting, boundary: everything });
        const sent = JSON.stringify(scan.request);
        expect(sent).not.toContain("secret");
        const placeholder = /\[email_1_[a-z]+\]/u.exec(sent)?.[0] ?? "none";
        const stream = split(`${before}${placeholder} ${after}`, pieces).map((content) => event({ content })).join("") + done;
        expect(contentOf(pushed(call, scan, stream, chunks).out)).toBe(`${before}jo.secret@example.org ${after}`);
      }),
      { numRuns: 200 },
    );
  });

  test("gives it back escaped where the text is JSON", () => {
    const call = callOf('write to "jo.secret"@example.org or jo.secret@example.org');
    const scan = scanOf(call, { detection: redacting, boundary: everything });
    const placeholder = /\[email_1_[a-z]+\]/u.exec(JSON.stringify(scan.request))?.[0] ?? "none";
    const text = JSON.stringify({ to: placeholder });
    fc.assert(
      fc.property(cuts, (pieces) => {
        const stream = split(text, pieces).map((piece) => event({ tool_calls: [{ index: 0, function: { arguments: piece } }] })).join("") + done;
        const { to } = JSON.parse(contentOf(pushed(call, scan, stream).out, "arguments")) as { to: string };
        expect(to).toContain("jo.secret");
      }),
      { numRuns: 100 },
    );
  });
});

test("texts of two choices that interleave are two texts: each is scanned as a whole", () => {
  const call = callOf("hello");
  const stream = `${event({ content: "jo.secret@" })}${event({ content: "turn it " }, 1)}${event({ content: "example.org " })}${done}`;
  const { out, end } = pushed(call, scanOf(call), stream);
  expect(end.refusal?.code).toBe("answer_outside_boundary");
  expect(out).not.toContain("secret");
});

test("an event that waits keeps those behind it waiting, so that their order stays", () => {
  const call = callOf("hello");
  const reader = chatDialect.stream?.(call);
  const guard = reader && streamGuard({ reader, tools: anyTool, scan: scanOf(call) });
  expect(guard?.push(Buffer.from(event({ content: "write to jo.smith@exam" }))).text).toBe("");
  expect(guard?.push(Buffer.from(event({ content: "fine . " }, 1))).text).toBe("");
  const { text } = guard?.push(Buffer.from(event({ content: "ple of it " }))) ?? { text: "" };
  expect(text.indexOf("smith")).toBeGreaterThan(-1);
  expect(text.indexOf("fine")).toBeGreaterThan(text.indexOf("smith"));
});

test.each([
  ["no JSON", "data: {\n\n", "upstream_invalid"],
  ["no chunk", 'data: {"object":"other"}\n\n', "upstream_invalid"],
  ["a list", "data: []\n\n", "upstream_invalid"],
  ["an error", 'data: {"error":{"message":"overloaded","code":"busy"}}\n\n', "upstream_error"],
  ["a value in a key", event({ content: "x" }).replace('"content"', '"jo.secret@example.org"'), "answer_outside_boundary"],
  ["a value in a name", event({ tool_calls: [{ index: 0, id: "jo.secret@example.org", function: { name: "f", arguments: "" } }] }), "answer_outside_boundary"],
])("%s ends the stream", (_, text, code) => {
  const call = callOf("hello");
  const { out, end } = pushed(call, scanOf(call), text);
  expect([end.refusal?.code, out]).toEqual([code, ""]);
});

test("letters of each token are not passed on: they would say a text again that was changed", () => {
  const call = callOf("hello");
  const text = event({ content: "x" }).replace('"finish_reason"', '"logprobs":{"content":[{"token":"x","bytes":[120]}]},"finish_reason"');
  const { out } = pushed(call, scanOf(call), text + done);
  expect(JSON.parse(out.slice("data: ".length))).toMatchObject({ choices: [{ logprobs: null, delta: { content: "x" } }] });
});

/** Texts of one message, each in a part of its own, as each dialect streams them. */
const inParts: readonly (readonly [string, typeof messages, (parts: readonly string[]) => readonly { readonly type: string }[]])[] = [
  [
    "messages",
    messages,
    (parts) => [
      { type: "message_start", message: { type: "message", role: "assistant", content: [], usage: { input_tokens: 1, output_tokens: 1 } } },
      ...parts.flatMap((text, index) => [
        { type: "content_block_start", index, content_block: { type: "text", text: "" } },
        { type: "content_block_delta", index, delta: { type: "text_delta", text } },
        { type: "content_block_stop", index },
      ]),
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
      { type: "message_stop" },
    ],
  ],
  [
    "responses",
    responses,
    (parts) => {
      const item = { type: "message", id: "i", role: "assistant", content: parts.map((text) => ({ type: "output_text", text })) };
      return [
        ...parts.flatMap((text, index) => [
          { type: "response.output_text.delta", output_index: 0, content_index: index, delta: text },
          { type: "response.output_text.done", output_index: 0, content_index: index, text },
        ]),
        { type: "response.output_item.done", output_index: 0, item },
        { type: "response.completed", response: { object: "response", status: "completed", output: [item] } },
      ];
    },
  ],
];

/** Put together here: hosting sites refuse files with a key in them. */
const awsKey = ["AKIA", "2HZ5D65HR2RM3RPQ"].join("");

describe.each(inParts)("%s in several parts", (_, dialect, eventsOf) => {
  const run = (parts: readonly string[], options: Parameters<typeof scanOf>[1]) => {
    const call = callOf("hello");
    const reader = dialect.stream?.(call);
    const guard = reader && streamGuard({ reader, tools: anyTool, scan: scanOf(call, options) });
    return guard?.push(Buffer.from(eventsOf(parts).map((value) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`).join("")));
  };

  test.each([["block", {}], ["mask", { detection: masking, boundary: everything }]])("are read as one text: what is split over two is stopped where the action is %s", (__, options) => {
    const released = run(["write to jo.sec", "ret@example.org soon"], options);
    expect(released?.refusal?.code).toBe("answer_outside_boundary");
    expect(released?.text).not.toContain("soon");
  });

  test.each([
    ["ends", [`the key is ${awsKey}`, "somebody else"]],
    ["begins", ["somebody", `${awsKey} is the key`]],
    ["fills", ["somebody", awsKey, "somebody else"]],
  ])("are read each for itself too: a key that %s a part leaves nothing, though its neighbour makes another word of it", (__, parts) => {
    const released = run(parts, {});
    expect(released?.refusal?.code).toBe("answer_outside_boundary");
    expect(released?.text).not.toContain(awsKey);
  });

  test("are masked each for itself, and end whole", () => {
    const released = run(["write to jo.secret@example.org ", "soon"], { detection: masking, boundary: everything });
    expect(released?.refusal).toBeUndefined();
    expect(released?.last).toBeDefined();
    expect(released?.text).toContain("[email] ");
    expect(released?.text).not.toContain("secret");
  });
});
