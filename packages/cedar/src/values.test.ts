import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Datetime } from "./extension/datetime.ts";
import { Decimal, parseDecimal } from "./extension/decimal.ts";
import { Duration } from "./extension/duration.ts";
import { parseIp } from "./extension/ipaddr.ts";
import { add, divide, longMax, longMin, longOf, modulo, multiply, negate, subtract, type Long } from "./long.ts";
import { parseJson } from "./parse-json.ts";
import { readValue, writeValue } from "./value-json.ts";
import { EntityUid, Fields, RecordValue, SetValue, canonical, equal, type Value } from "./values.ts";

const edges = [0n, 1n, -1n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n), 2n ** 62n, longMax, longMin, longMax - 1n];
/** Full width, half of it (so that products of numbers leave the safe range), and the edges. */
const i64 = fc.oneof(fc.bigInt({ min: longMin, max: longMax }), fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n }), fc.constantFrom(...edges));

function long(value: bigint): Long {
  return longOf(value) ?? 0;
}

function orError(compute: () => Long): Long | undefined {
  try {
    return compute();
  } catch {
    return undefined;
  }
}

describe("longs", () => {
  test("are exact to 64 bits, an error beyond, and always in the same form", () => {
    fc.assert(
      fc.property(i64, i64, (a, b) => {
        expect(orError(() => add(long(a), long(b)))).toBe(longOf(a + b));
        expect(orError(() => subtract(long(a), long(b)))).toBe(longOf(a - b));
        expect(orError(() => multiply(long(a), long(b)))).toBe(longOf(a * b));
        expect(orError(() => negate(long(a)))).toBe(longOf(-a));
      }),
    );
  });

  test("divide towards zero and take remainders upwards, exactly", () => {
    fc.assert(
      fc.property(i64, fc.constantFrom(1_000, 60_000, 3_600_000, 86_400_000), (a, divisor) => {
        const by = BigInt(divisor);
        expect(divide(long(a), divisor)).toBe(longOf(a / by));
        expect(modulo(long(a), divisor)).toBe(Number(((a % by) + by) % by));
      }),
    );
  });
});

const leaf: fc.Arbitrary<Value> = fc.oneof(
  fc.boolean(),
  fc.string({ unit: "binary" }),
  i64.map(long),
  i64.map((value) => new Decimal(long(value))),
  i64.map((value) => new Duration(long(value))),
  i64.map((value) => new Datetime(long(value))),
  fc.ipV4().map(parseIp),
  fc.constantFrom("::/0", "::1", "ff00::/8", "1:2:3:4:5:6:7:8").map(parseIp),
  fc.tuple(fc.constantFrom("User", "A::B"), fc.string({ unit: "binary" })).map(([type, id]) => new EntityUid(type, id)),
);
const name = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "constructor", "0", "__entity", "a"));

function record(entries: readonly (readonly [string, Value])[]): RecordValue {
  const fields = new Fields();
  for (const [key, value] of entries) fields[key] = value;
  return new RecordValue(fields);
}

const value = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }).map((items) => new SetValue(items)),
    // An object whose only name is a mark would be read as what it marks; two names never are.
    fc.array(fc.tuple(name, tie("value")), { maxLength: 4 }).map((entries) => record([["plain", true], ["other", 1], ...entries])),
  ),
})).value;

describe("values", () => {
  test("are equal exactly when their canonical forms are", () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(equal(a, b)).toBe(canonical(a) === canonical(b));
        expect(equal(a, a)).toBe(true);
        expect(new SetValue([a, b, a]).size).toBe(equal(a, b) ? 1 : 2);
        expect(new SetValue([a]).has(b)).toBe(equal(a, b));
      }),
    );
  });

  test("are read back from the JSON they are written as", () => {
    fc.assert(
      fc.property(value, (original) => {
        expect(canonical(readValue(writeValue(original)))).toBe(canonical(original));
      }),
    );
  });

  test("of different types are unequal, never an error", () => {
    const all = [true, 1, "1", "true", new EntityUid("a", "1"), new SetValue([1]), record([["a", 1]]), parseDecimal("1.0"), new Duration(1), new Datetime(1), parseIp("0.0.0.1"), parseIp("::1")];
    for (const [at, left] of all.entries()) for (const [index, right] of all.entries()) expect(equal(left, right)).toBe(at === index);
  });
});

describe("parseJson", () => {
  test("keeps longs that a number would round, and nothing else, as bigints", () => {
    expect(parseJson('{"a": 9223372036854775807, "b": [-9223372036854775808, 9007199254740991, 1.5]}')).toEqual({ a: longMax, b: [longMin, 9007199254740991, 1.5] });
  });
});

test("a number that JavaScript has already rounded is refused", () => {
  expect(() => readValue(2 ** 53)).toThrow(/bigint/u);
  expect(() => readValue(0.5)).toThrow("give a fraction as a decimal");
  expect(readValue(2n ** 53n)).toBe(2n ** 53n);
  expect(Object.is(readValue(-0), 0)).toBe(true);
});

test("a long has one form, whatever it was made of", () => {
  expect([readValue(9007199254740991n), readValue(-9007199254740991n), readValue(9007199254740992n)]).toEqual([9007199254740991, -9007199254740991, 9007199254740992n]);
  expect([add(9007199254740991, 1), subtract(-9007199254740991, 1), multiply(9007199254740991, 3), multiply(0, -1)].map((each) => [typeof each, String(each), Object.is(each, -0)])).toEqual([
    ["bigint", "9007199254740992", false],
    ["bigint", "-9007199254740992", false],
    ["bigint", "27021597764222973", false],
    ["number", "0", false],
  ]);
});

test("a decimal is written without needless zeros, and zero without a sign", () => {
  expect(["0.0", "-0.0", "1.5000", "1.0500", "1.0", "-0.0001", "1.2345"].map((text) => parseDecimal(text).toString())).toEqual(["0.0", "0.0", "1.5", "1.05", "1.0", "-0.0001", "1.2345"]);
});

test("an engine that rounds longs when it reads JSON is found out, and nothing is read", () => {
  const { parse } = JSON;
  // As engines did before revivers were told the source.
  JSON.parse = (text: string, revive?: (this: unknown, key: string, value: unknown) => unknown): unknown =>
    parse(text, function (this: unknown, key, value: unknown) {
      return revive?.call(this, key, value);
    });
  try {
    expect(() => parseJson('{"a": 9223372036854775807}')).toThrow(expect.objectContaining({ code: "value_invalid", at: "" }));
    expect(parseJson('{"a": 1}')).toEqual({ a: 1 });
  } finally {
    JSON.parse = parse;
  }
});
