import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson } from "./json.ts";

const key = fc.oneof(fc.constantFrom("\\", '"', "\n", "\u0000", "\u007f", "é", "\\u", "\\u00", "\\u006", "model", "a\\", "a\n", "a\u0000", "", "__proto__", "1", "\ud800", ": ", '":'), fc.string({ unit: "binary", maxLength: 4 }));
const leaf = fc.oneof(key, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null));

interface Document {
  readonly text: string;
  readonly keys: readonly string[];
}

const spaces = fc.constantFrom("", " ", "\n\t", "\r\n");
const spelled = fc.tuple(key, fc.boolean()).map(([text, isEscaped]) => ({ key: text, text: isEscaped ? escaped(text) : JSON.stringify(text) }));

function escaped(text: string): string {
  return `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`).join("")}"`;
}

const object = fc.array(fc.tuple(spelled, spaces, leaf), { maxLength: 6 }).map((members): Document => {
  const text = `{${members.map(([name, space, value]) => `${space}${name.text}${space}:${JSON.stringify(value)}`).join(",")}}`;
  return { text, keys: [...new Set(members.map(([name]) => name.key))] };
});

const isIndex = (name: string) => /^(?:0|[1-9]\d*)$/u.test(name);
const inEngineOrder = (keys: readonly string[]) => [...keys.filter(isIndex).sort((a, b) => Number(a) - Number(b)), ...keys.filter((name) => !isIndex(name))];

test("an object has the keys that its text says, whatever was read before", () => {
  fc.assert(
    fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), (documents) => {
      const read = parseJson(`[${documents.map(({ text }) => text).join(",")}]`);
      if (!Array.isArray(read)) throw new Error("no list");
      expect(read.map((value: object) => Object.keys(value))).toEqual(documents.map(({ keys }) => inEngineOrder(keys)));
    }),
    { numRuns: 3000 },
  );
});

test("a value comes back as it was written, spelled as its writer likes", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4, stringUnit: "binary" }), fc.boolean(), (value, isIndented) => {
      const text = JSON.stringify(value, null, isIndented ? 2 : 0);
      expect(JSON.stringify(parseJson(text))).toBe(JSON.stringify(value));
    }),
    { numRuns: 3000 },
  );
});

test("the last of equal keys counts, however each is spelled", () => {
  expect(parseJson('{"a":1,"\\u0061":2}')).toEqual({ a: 2 });
  expect(parseJson('{"\\n":1,"b":0,"\\u000a":2}')).toEqual({ "\n": 2, b: 0 });
  expect(Object.keys(Object(parseJson('{"\\u005f_proto__":{"x":1}}')))).toEqual(["__proto__"]);
});

test("what is not json is refused, with an escaped key or without", () => {
  for (const text of ["", '{"a\\n":1', '\\" : 1', '{\\"a":1}', '{"\\x":1}', '{"\\u00g0":1}', '["\\n":1]', '{"a\\n" 1}', '{"\\":1}']) expect(() => parseJson(text)).toThrow(SyntaxError);
});

test("a hostile depth is refused and does not end the process", () => {
  const deep = `${'{"\\n":'.repeat(200_000)}1${"}".repeat(200_000)}`;
  expect(() => parseJson(deep)).toThrow(RangeError);
});

test("both readers write keys out by the same text", () => {
  const here = readFileSync(new URL("./json-keys.ts", import.meta.url), "utf8");
  expect(readFileSync(new URL("../../cedar/src/json-keys.ts", import.meta.url), "utf8")).toBe(here);
});
