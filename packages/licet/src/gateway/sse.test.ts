import fc from "fast-check";
import { expect, test } from "vitest";
import { sseParser, type SseEvent } from "./sse.ts";

/** Feeds the bytes cut at the given places, also inside of characters. */
function parse(bytes: Uint8Array, cuts: readonly number[]): readonly SseEvent[] {
  const parser = sseParser();
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).flatMap((end, i) => parser.push(bytes.subarray(places[i], end)));
}

const line = fc.string({ unit: "binary", maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/gu, "").toWellFormed());
const ending = fc.constantFrom("\n", "\r\n", "\r");

test("every chunking of a stream gives the same events, also inside characters and line ends", () => {
  const events = fc.array(fc.record({ lines: fc.array(line, { minLength: 1, maxLength: 3 }), end: ending, comment: fc.boolean() }), { maxLength: 6 });
  fc.assert(
    fc.property(events, fc.array(fc.nat({ max: 1000 }), { maxLength: 20 }), (sent, cuts) => {
      const text = sent
        .map(({ lines, end, comment }) => `${comment ? `: a comment${end}` : ""}${lines.map((it) => `data: ${it}${end}`).join("")}${end}`)
        .join("");
      const bytes = new TextEncoder().encode(text);
      const wanted = sent.map(({ lines }) => ({ event: "", data: lines.join("\n") }));
      expect(parse(bytes, cuts)).toEqual(wanted);
      expect(parse(bytes, Array.from({ length: bytes.length }, (_, i) => i))).toEqual(wanted);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["a byte order mark is dropped", "\uFEFFdata: a\n\n", [{ event: "", data: "a" }]],
  ["one space after the colon is dropped, not two", "data:a\n\ndata:  b\n\n", [{ event: "", data: "a" }, { event: "", data: " b" }]],
  ["data lines are joined", "data: a\ndata: b\n\n", [{ event: "", data: "a\nb" }]],
  ["an event's name is kept", "event: error\ndata: a\n\n", [{ event: "error", data: "a" }]],
  ["an event without data is none", "event: ping\n\nid: 1\n\n", []],
  ["an event that does not end is none", "data: a\n\ndata: b\n", [{ event: "", data: "a" }]],
  ["CR, LF and CRLF may be mixed", "data: a\r\rdata: b\r\n\r\ndata: c\n\n", [{ event: "", data: "a" }, { event: "", data: "b" }, { event: "", data: "c" }]],
])("%s", (_, text, wanted) => {
  expect(parse(new TextEncoder().encode(text), [])).toEqual(wanted);
});

test("an event over the limit is refused, in one piece and in many", () => {
  for (const size of [1, 7, 5000]) {
    const parser = sseParser(1000);
    const bytes = new TextEncoder().encode(`data: ${"a".repeat(2000)}`);
    expect(() => {
      for (let at = 0; at < bytes.length; at += size) {
        parser.push(bytes.subarray(at, at + size));
      }
    }).toThrow("larger than the limit");
  }
});

test("many small lines of one event are bounded too", () => {
  const parser = sseParser(1000);
  const chunk = new TextEncoder().encode("data: 12345678901234567890\n");
  expect(() => {
    for (let i = 0; i < 100; i++) {
      parser.push(chunk);
    }
  }).toThrow("larger than the limit");
});
