import fc from "fast-check";
import { expect, test } from "vitest";
import { orderOf } from "./order.ts";

const value = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity, 5e-324), fc.integer({ min: -3, max: 3 }));

test("many values are ordered as by comparing them, equal ones by row", () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 512, maxLength: 700 }), (list) => {
      const values = Float64Array.from(list);
      const compared = [...values.keys()].sort((a, b) => {
        const [x, y] = [values[a] ?? 0, values[b] ?? 0];
        return x < y ? -1 : Number(x > y) || a - b;
      });
      expect([...orderOf(values)]).toEqual(compared);
      expect([...orderOf(values.subarray(0, 40))]).toEqual(compared.filter((row) => row < 40));
    }),
    { numRuns: 30 },
  );
});

test("the values themselves are left alone", () => {
  const values = Float64Array.from({ length: 600 }, (_, row) => (row % 2 === 0 ? -row : -0));
  const copy = values.slice();
  orderOf(values);
  expect(values).toEqual(copy);
});
