import { describe, expect, test } from "vitest";
import { oraclePath, oraclesAbsent, oraclesPresent } from "../../../../test/unit/support/oracle-files.ts";
import { compareFairness } from "../../../../scripts/oracles/fairness.ts";
import { comparePerformance } from "../../../../scripts/oracles/performance.ts";
import { comparePrivacy } from "../../../../scripts/oracles/privacy.ts";
import { compareStats } from "../../../../scripts/oracles/stats.ts";
import { Tally } from "../../../../scripts/oracles/tally.ts";

/** Quick: the slowest models and the largest case are left to `npm run oracles:assurance`. */
function tallied(area: string, compare: (tally: Tally, options: { dir: string; quick: boolean }) => void): Tally {
  const tally = new Tally(area);
  compare(tally, { dir: oraclePath(""), quick: true });
  return tally;
}

describe.skipIf(!oraclesPresent)(`every figure of the reference is met (skipped when ${oraclesAbsent})`, () => {
  test("intervals, adjustments, tests, given bootstraps and sequential verdicts", () => {
    const tally = tallied("stats", compareStats);
    expect(tally.mismatches).toEqual([]);
    expect(tally.total).toBeGreaterThan(1000);
  });

  test("metrics, AUC intervals and calibration", () => {
    const tally = tallied("performance", comparePerformance);
    expect(tally.mismatches).toEqual([]);
    expect(tally.total).toBeGreaterThan(300);
  });

  test("fairness counts, rates, ratios, indices and verdicts", () => {
    const tally = tallied("fairness", compareFairness);
    expect(tally.mismatches).toEqual([]);
    expect(tally.total).toBeGreaterThan(1000);
  });

  test("membership attacks, but for ties of saturated probabilities in 32 bits", () => {
    const tally = tallied("privacy", comparePrivacy);
    expect(tally.mismatches.filter(({ name }) => !name.startsWith("breast_cancer_mlp"))).toEqual([]);
    expect(tally.total).toBeGreaterThan(300);
  });
});

describe("a comparison", () => {
  test("counts a figure that is not computed, and a case that cannot be read, as a mismatch", async () => {
    const { compareFigures, each } = await import("../../../../scripts/oracles/stats-figures.ts");
    const tally = new Tally("t");
    compareFigures(tally, "case", { row: { known: 1, unknown: 2, none: "undefined", far: "Infinity" }, given: [], found: { known: 1 + 1e-12, none: Number.NaN, far: Infinity } });
    each(tally, { rows: [{}], others: 3 }, { sections: { rows: () => { throw new Error("unreadable"); } }, skip: [] });
    expect([tally.matched, tally.total]).toEqual([3, 6]);
    expect(tally.mismatches.map(({ name }) => name)).toEqual(["case unknown", "rows[0]", "others"]);
  });
});
