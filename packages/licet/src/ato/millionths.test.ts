import fc from "fast-check";
import { expect, test } from "vitest";
import { millionths } from "./millionths.ts";

test.each([[0.1, 100_000], [0.57, 570_000], [0.00001, 10], [1e-6, 1], [5, 5_000_000], [0, 0], [-0, 0], [-0.5, -500_000], [123_456.789, 123_456_789_000]])("%d is whole millionths, whatever binary makes of it", (value, expected) => {
  expect(millionths(value, "up")).toBe(expected);
  expect(millionths(value, "down")).toBe(expected);
});

test.each([[1e-7, 1, 0], [0.1000001, 100_001, 100_000], [-1e-7, 0, -1], [Number.MIN_VALUE, 1, 0]])("%d goes to the side that is asked for", (value, up, down) => {
  expect(millionths(value, "up")).toBe(up);
  expect(millionths(value, "down")).toBe(down);
});

test.each([Number.NaN, Infinity, -Infinity, 1e300, 1e10])("%d has no millionths, which is not zero", (value) => {
  expect(millionths(value, "up")).toBeUndefined();
});

test("never says that a limit is stricter than it is, and keeps the order of limits", () => {
  fc.assert(
    fc.property(fc.double({ min: -9e9, max: 9e9, noNaN: true }), fc.double({ min: -9e9, max: 9e9, noNaN: true }), (a, b) => {
      const [less, more] = a <= b ? [a, b] : [b, a];
      for (const towards of ["up", "down"] as const) expect(millionths(less, towards)).toBeLessThanOrEqual(millionths(more, towards) ?? Number.NaN);
      const [down = Number.NaN, up = Number.NaN] = [millionths(a, "down"), millionths(a, "up")];
      expect(up - down).toBeLessThanOrEqual(1);
      expect(down / 1e6).toBeLessThanOrEqual(a + Math.abs(a) * 1e-15);
      expect(up / 1e6).toBeGreaterThanOrEqual(a - Math.abs(a) * 1e-15);
    }),
  );
});
