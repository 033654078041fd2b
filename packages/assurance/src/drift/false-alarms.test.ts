import fc from "fast-check";
import { expect, test } from "vitest";
import { countFalseAlarms } from "../../../../scripts/proofs/assurance-drift.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { sortValues } from "./sort-values.ts";

test("a slice of the proof: without drift, no test alarms more often than it may", () => {
  let rounds = 0;
  const { losses, figures, table } = countFalseAlarms({ seed: 1, goOn: () => (rounds += 1) < 8, largest: 100 });
  expect(losses).toEqual([]);
  expect(figures["draws"]).toBe(8 * 16 * 3 * 10);
  // A test that never says anything would lose nothing either.
  const below = (table ?? []).reduce((sum, row) => sum + Number(row["p < 0.05"]), 0);
  expect(below / (figures["draws"] ?? 0)).toBeGreaterThan(0.02);
  expect(clopperPearson(below, figures["draws"] ?? 0, 0.001).lower).toBeLessThan(1.2 * 0.05);
});

test("large arrays are sorted as small ones are, negative numbers, equal ones and equal upper halves included", () => {
  const extreme = fc.constantFrom(0, -0, 1e308, -1e308, 5e-324, -5e-324, 1, 1 + 2 ** -52, 1 + 2 ** -40);
  fc.assert(
    fc.property(fc.array(fc.oneof(extreme, fc.double({ noNaN: true, noDefaultInfinity: true })), { minLength: 1, maxLength: 40 }), (some) => {
      const many = Float64Array.from({ length: 5000 }, (_, index) => (some[index % some.length] ?? 0) * (index % 7 === 0 ? 1 : 1 + (index % 13) * 2 ** -45)).filter(Number.isFinite);
      const wanted = [...many].sort((a, b) => a - b).map((value) => value + 0);
      expect([...sortValues(many)].map((value) => value + 0)).toEqual(wanted);
    }),
    { numRuns: 20 },
  );
});
