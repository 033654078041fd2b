import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KnownBodies, readEvaluation } from "./known-bodies.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const question = { subject: { type: "workload", id: "d" }, action: { name: "callModel" }, resource: { type: "model", id: "chat" } };

describe("bodies that were read before", () => {
  test("say what a parser reads in the same bytes, the first time and every other time", () => {
    const bodies = new KnownBodies();
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 3 })), (object) => {
        const text = JSON.stringify(object);
        const once = bodies.read(bytes(text));
        expect(once).toEqual(JSON.parse(text));
        expect(bodies.read(bytes(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  test("cannot be changed by whoever shares them", () => {
    const body = new KnownBodies().read(bytes(JSON.stringify(question)));
    expect(() => Object.assign(body ?? {}, { subject: null })).toThrow(TypeError);
    expect(Object.isFrozen(body && "subject" in body ? body.subject : undefined)).toBe(true);
  });

  test("texts that differ in one byte are read apart, and what is no object is none each time", () => {
    const bodies = new KnownBodies();
    expect([bodies.read(bytes('{"a":"\u00e9"}')), bodies.read(bytes('{"a":"\u00c3\u00a9"}'))]).toEqual([{ a: "\u00e9" }, { a: "\u00c3\u00a9" }]);
    const half = Uint8Array.of(...bytes('{"a":"'), 0xc3, ...bytes('"}'));
    for (const wrong of [half, bytes("[1]"), bytes("null"), bytes("{"), bytes('{"a":"\\ud800"}')]) {
      expect([bodies.read(wrong), bodies.read(wrong)]).toEqual([undefined, undefined]);
    }
  });

  test("the evaluation of a body is the same object, and a wrong one is wrong again", () => {
    const bodies = new KnownBodies();
    const [first, second] = [bodies.read(bytes(JSON.stringify(question))), bodies.read(bytes(JSON.stringify(question)))];
    expect(readEvaluation(first ?? {}).data).toBe(readEvaluation(second ?? {}).data);
    expect(readEvaluation(first ?? {}).data).toEqual(question);
    expect([readEvaluation({}).success, readEvaluation({}).success]).toEqual([false, false]);
  });

  test("more different questions than are kept are still all read", () => {
    const bodies = new KnownBodies();
    for (let id = 0; id < 3000; id += 1) expect(bodies.read(bytes(`{"id":${id}}`))).toEqual({ id });
  });
});
