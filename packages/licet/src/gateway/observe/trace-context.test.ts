import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { traceHeaders, traceOf } from "./trace-context.ts";

const known = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("trace context", () => {
  it("a caller's trace goes on, with the gateway's span as the parent of what follows", () => {
    const trace = traceOf(known, "vendor=1");
    expect(trace).toMatchObject({ traceId: "0af7651916cd43dd8448eb211c80319c", parentId: "b7ad6b7169203331", sampled: true });
    expect(trace.spanId).not.toBe(trace.parentId);
    expect(traceHeaders(trace)).toEqual({ traceparent: `00-0af7651916cd43dd8448eb211c80319c-${trace.spanId}-01`, tracestate: "vendor=1" });
  });

  it("what a caller does not want sampled is marked so for the provider too", () => {
    expect(traceHeaders(traceOf(known.replace(/01$/u, "00")))["traceparent"]).toMatch(/-00$/u);
  });

  it.each([
    ["version ff", known.replace(/^00/u, "ff")],
    ["a trace of zeros", known.replace("0af7651916cd43dd8448eb211c80319c", "0".repeat(32))],
    ["a parent of zeros", known.replace("b7ad6b7169203331", "0".repeat(16))],
    ["capitals", known.toUpperCase()],
    ["more after version 00", `${known}-more`],
    ["a short id", known.replace("0af7", "")],
    ["nothing", ""],
  ])("a header with %s begins a new trace", (_, header) => {
    expect(traceOf(header)).toMatchObject({ parentId: undefined, state: "" });
  });

  it("a later version is read by its first four parts, as the recommendation has it", () => {
    expect(traceOf(`01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later`).traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  });

  it("whatever a caller sends, what goes to the provider is well-formed", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constant(known)), fc.string(), (parent, state) => {
        const headers = traceHeaders(traceOf(parent, state));
        expect(headers["traceparent"]).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]$/u);
        expect(headers["tracestate"] ?? "").toMatch(/^[\x20-\x7E]*$/u);
      }),
    );
  });

  it("no two calls have the same span", () => {
    expect(new Set(Array.from({ length: 2000 }, () => traceOf(known).spanId)).size).toBe(2000);
  });
});
