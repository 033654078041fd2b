import { canonicalize } from "@licet/evidence";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalText, constant } from "./canonical-text.ts";

const json = fc.jsonValue({ maxDepth: 5, stringUnit: "binary" });
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

describe("the writer of entries", () => {
  test("writes every JSON value as the general writer does", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalText(value)).toBe(canonicalize(value));
      }),
      { numRuns: 1000 },
    );
  });

  test("writes what stands in order already, and whatever is out of order inside of it, as the general writer does", () => {
    const sorted = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(sorted);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
    };
    const broken = fc.constantFrom(undefined, { b: 1, a: 2 }, { 10: 1, 9: 2 }, { a: [{ z: 1, y: 2 }] }, { a: undefined }, { ["__proto__"]: 1, a: 2 }, JSON.parse('{"z":1,"__proto__":{"b":1,"a":2}}'), { toJSON: 1 }, -0, 1e21, "\u2028");
    fc.assert(
      fc.property(json, broken, (value, inside) => {
        const whole = { a: sorted(value), m: { x: [inside ?? null], y: inside }, z: 1 };
        expect(canonicalText(whole)).toBe(canonicalize(whole));
      }),
      { numRuns: 1000 },
    );
  });

  test("tells objects apart that share number, first and last of their keys", () => {
    const one = { a: 1, x: 2, z: 3 };
    const other = { a: 1, b: 2, z: 3 };
    const turned = { z: 1, b: 2, a: 3 };
    for (const value of [one, other, one, turned, { a: 1, "\u0000": 2, z: 3 }, other]) expect(canonicalText(value)).toBe(canonicalize(value));
  });

  test("leaves out what is undefined, as the general writer does", () => {
    expect(canonicalText({ b: undefined, a: { c: undefined }, d: null })).toBe('{"a":{},"d":null}');
  });

  test.for([Number.NaN, Infinity, "\uD800", { a: "\uDC00" }, { "\uD800": 1 }, () => 1, 1n, new Date(0), [undefined], Array(1), { toJSON: () => 1 }, undefined, Symbol("a"), new Map(), nested(201)])(
    "refuses what the general writer refuses: %o",
    (value) => {
      expect(() => canonicalize(value)).toThrow(TypeError);
      expect(() => canonicalText(value)).toThrow(TypeError);
    },
  );

  test("nests as deep as the general writer", () => {
    expect(canonicalText(nested(200))).toBe(canonicalize(nested(200)));
  });

  test("a constant is written the same, inside and alone, and can no longer change", () => {
    const value = constant({ z: [{ y: "é" }], a: { b: 1 } });
    expect(canonicalText({ inner: value })).toBe(canonicalize({ inner: value }));
    expect(canonicalText(value)).toBe(canonicalize(value));
    expect(Reflect.set(value.a, "b", 2)).toBe(false);
  });
});
