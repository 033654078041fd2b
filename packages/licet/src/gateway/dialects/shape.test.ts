import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { readBody } from "./reading.ts";
import * as shape from "./shape.ts";

/** One text of a schema, read by both. */
function schemaOf(lib: typeof z) {
  const part = lib.discriminatedUnion("type", [
    lib.strictObject({ type: lib.literal("text"), text: lib.string().max(4), n: lib.int().min(0).optional() }),
    lib.strictObject({ type: lib.enum(["image", "file"]), url: lib.url({ protocol: /^https?$/u }).nullish(), size: lib.literal(0).nullish() }),
    lib.looseObject({ type: lib.literal("loose"), name: lib.string().min(1) }),
    lib.strictObject({ type: lib.literal("bare").optional(), flags: lib.array(lib.boolean()).min(1).max(2) }),
  ]);
  return lib.strictObject({
    model: lib.string().regex(/^[a-z]+$/u, "must be a name"),
    input: lib.union([lib.string(), lib.array(part)]),
    metadata: lib.record(lib.string().max(2), lib.string()).nullish(),
    temperature: lib.number().nullish(),
    empty: lib.array(lib.never()).optional(),
    any: lib.unknown().optional(),
  });
}

const byZod = schemaOf(z);
const byShape = schemaOf(shape as unknown as typeof z) as unknown as shape.Shape<object>;

const odd = fc.oneof(fc.constant(null), fc.boolean(), fc.integer({ min: -1, max: 2 }), fc.constantFrom("", "a", "text", "constructor", "https://x.example/", "ftp://x.example/"), fc.constant([]), fc.constant({}));
/** A field that is there or not, right or odd. */
const mostly = (right: fc.Arbitrary<unknown>) => fc.oneof({ weight: 6, arbitrary: right }, { weight: 1, arbitrary: odd });
const part = fc.record(
  {
    type: mostly(fc.constantFrom("text", "image", "file", "loose", "bare", "toString")),
    text: mostly(fc.string({ maxLength: 5 })),
    n: mostly(fc.integer({ min: -1, max: 3 })),
    url: mostly(fc.constantFrom("https://x.example/", "javascript:1", null)),
    size: mostly(fc.constantFrom(0, null)),
    name: mostly(fc.string({ maxLength: 1 })),
    flags: mostly(fc.array(fc.boolean(), { maxLength: 3 })),
  },
  { requiredKeys: [] },
);
const whole = fc.record(
  {
    model: mostly(fc.constantFrom("chat", "Chat")),
    input: mostly(fc.oneof(fc.string(), fc.array(part, { maxLength: 2 }))),
    metadata: mostly(fc.dictionary(fc.string({ maxLength: 3 }), fc.string(), { maxKeys: 2 })),
    temperature: mostly(fc.double({ noNaN: true })),
    empty: mostly(fc.constant([])),
    any: odd,
    surprise: odd,
  },
  { requiredKeys: ["model", "input"], noNullPrototype: true },
);
/** Half of all requests are right but for what a part of them may be. */
const right = fc.record({ model: fc.constant("chat"), input: fc.array(part, { maxLength: 2 }) });

describe("a shape", () => {
  test("takes what the same schema of zod takes, and nothing else", () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(whole, right), (value) => {
        const read: unknown = JSON.parse(JSON.stringify(value));
        const fits = byShape.fault(read) === undefined;
        taken += fits ? 1 : 0;
        expect(fits).toBe(byZod.safeParse(read).success);
      }),
      { numRuns: 1500, seed: 7 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test("lets nothing in by an inherited name", () => {
    const read: unknown = JSON.parse('{"model": "chat", "input": "x", "__proto__": {"temperature": "hot"}}');
    expect(byShape.fault(read)).toMatchObject({ kind: "unknown-field", path: ["__proto__"] });
    expect(byShape.fault(JSON.parse('{"model": "chat", "input": [{"type": "__proto__"}]}'))).toMatchObject({ kind: "unknown-kind", path: ["input", 0, "type"] });
  });

  test("names the place of the fault, in the way that got furthest", () => {
    const param = (body: object) => {
      const read = readBody(byShape, Buffer.from(JSON.stringify(body)));
      return "refusal" in read && [read.refusal.code, read.refusal.param];
    };
    expect(param({ model: "chat", input: [{ type: "text", text: "x", hidden: 1 }] })).toEqual(["field_unsupported", "input[0].hidden"]);
    expect(param({ model: "chat", input: [{ type: "text", text: 1 }] })).toEqual(["request_unreadable", "input[0].text"]);
    expect(param({ input: "x" })).toEqual(["request_unreadable", "model"]);
    expect(param([])).toEqual(["request_unreadable", ""]);
  });

  test("is not asked about what is no JSON, nests too deep, or holds half a surrogate pair", () => {
    const bodies = ["{", '{"model": "\\ud800"}', `${'{"any":'.repeat(100)}1${"}".repeat(100)}`];
    for (const body of [...bodies.map((each) => Buffer.from(each)), Buffer.from([0x22, 0xff, 0x22])]) {
      expect(readBody(shape.unknown() as shape.Shape<object>, body)).toMatchObject({ refusal: { code: "request_unreadable" } });
    }
  });
});
