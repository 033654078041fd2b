import fc from "fast-check";
import { expect, test } from "vitest";
import { membersIn } from "./json-members.ts";

const hard = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('"', "\\", '\\"', '"a":{', '}"', "{[", ']},"a":{"b":1}', "a", "b"));
const value = fc.jsonValue({ maxDepth: 4, stringUnit: "binary" });

test("members are found in compact json and nowhere else", () => {
  fc.assert(
    fc.property(fc.dictionary(hard, value), value, (object, other) => {
      const text = JSON.stringify(object);
      const found = membersIn(`${JSON.stringify(other)}${text}rest`, ["a", "b"], JSON.stringify(other).length);
      expect(found).toEqual({ texts: ["a", "b"].map((name) => (Object.hasOwn(object, name) ? JSON.stringify(object[name]) : undefined)), end: JSON.stringify(other).length + text.length });
    }),
    { numRuns: 1000 },
  );
  for (const text of ["", "[]", "{", '{"a"', '{"a":', '{"a":1', '{"a":[1}', '{"a":"', '{"a":1,}x', "{a:1}", '{"a" :1}']) expect(membersIn(text, ["b"]) ?? { end: text.length - 1 }).toMatchObject({ end: text.length - 1 });
});
