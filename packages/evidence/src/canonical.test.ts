import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalize, digestOf, parseCanonical } from "./canonical.ts";

test("the example of RFC 8785 section 3.2.2 comes out as the standard prints it", () => {
  const value: unknown = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  );
  expect(canonicalize(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

test("keys are sorted as in RFC 8785 section 3.2.3, by UTF-16 code units", () => {
  const keys = ["\u20ac", "\r", "\ufb33", "1", "\u{1f600}", "\u0080", "\u00f6"];
  const value = Object.fromEntries(keys.map((key) => [key, 0]));
  expect(Object.keys(JSON.parse(canonicalize(value)) as object).filter((key) => key !== "1")).toEqual(["\r", "\u0080", "\u00f6", "\u20ac", "\u{1f600}", "\ufb33"]);
});

test.each([
  [0, "0"],
  [-0, "0"],
  [5e-324, "5e-324"],
  [1.7976931348623157e308, "1.7976931348623157e+308"],
  [9007199254740992, "9007199254740992"],
  [295147905179352830000, "295147905179352830000"],
  [1e21, "1e+21"],
  [333333333.33333325, "333333333.33333325"],
  [-0.0000033333333333333333, "-0.0000033333333333333333"],
])("the number %d of RFC 8785 appendix B is written %s", (number, text) => {
  expect(canonicalize(number)).toBe(text);
});

const json = fc.jsonValue({ maxDepth: 5 });

test("parsing what was written gives the same value and the same digest, whatever the order of keys", () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = canonicalize(value);
      const again = parseCanonical(text);
      expect(again.ok).toBe(true);
      expect(digestOf(JSON.parse(JSON.stringify(value)))).toBe(digestOf(value));
    }),
  );
});

test("what JSON cannot say is an error, not a guess", () => {
  for (const value of [NaN, Infinity, "\ud800", { "\udc00": 1 }, [undefined], () => 1, 1n, new Date(0), Symbol("s")]) {
    expect(() => canonicalize(value)).toThrow(TypeError);
  }
  let deep: unknown = 0;
  for (let depth = 0; depth < 10_000; depth += 1) deep = [deep];
  expect(() => canonicalize(deep)).toThrow(TypeError);
});

test("a member that is undefined is left out", () => {
  expect(canonicalize({ b: undefined, a: 1 })).toBe('{"a":1}');
});

test.each(['{"a":1,"a":1}', '{"b":1,"a":1}', '{ "a":1}', "1.0", "1e2", '"\\u0041"', "[", "", "\ufeff{}", `${"[".repeat(100_000)}${"]".repeat(100_000)}`])(
  "the text %.20s has a second spelling or is no json, and is refused",
  (text) => {
    expect(parseCanonical(text).ok).toBe(false);
  },
);

test("a key named __proto__ is data", () => {
  expect(parseCanonical('{"__proto__":{"x":1}}')).toMatchObject({ ok: true });
  expect(canonicalize(JSON.parse('{"__proto__":{"x":1}}'))).toBe('{"__proto__":{"x":1}}');
});
