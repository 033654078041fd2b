import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binomialPmf } from "../stats/binomial.ts";
import { boundedRate, newcombe, type Rate } from "../stats/difference.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { randomFrom } from "../stats/random.ts";
import type { Limit } from "../verdict/outcome.ts";
import { decideCounterfactual, measureCounterfactual } from "./counterfactual.ts";
import { definedSpread, fairnessFigures, generalizedEntropy, impactRatios } from "./figures.ts";
import { countGroups, rateCounts, rates } from "./group-counts.ts";
import { groupingOf, groupsMax, intersect } from "./grouping.ts";
import { decideMeanParity, measureCalibrationParity, measureRegressionParity } from "./mean-parity.ts";
import { decideDifferences, decideParity, measureParity } from "./parity.ts";
import { differenceEnds } from "./rate-ends.ts";

const at = (value: number, op: Limit["op"] = "<="): Limit => ({ op, value, alpha: 0.05, source: "test" });

const decided = fc.array(fc.record({ y: fc.integer({ min: 0, max: 1 }), yhat: fc.integer({ min: 0, max: 1 }), group: fc.constantFrom("a", "b", "c", "") }), { minLength: 1, maxLength: 80 });
const columnsOf = (rows: readonly { y: number; yhat: number; group: string }[]) => ({
  positive: Uint8Array.from(rows, ({ y }) => y),
  predicted: Uint8Array.from(rows, ({ yhat }) => yhat),
  grouping: groupingOf(rows.map(({ group }) => group)),
});

/** Each group: rows, of which so many are selected; every row truly positive where `positive`. */
function world(groups: readonly { name: string; n: number; selected: number }[], positive = 1) {
  const rows = groups.flatMap(({ name, n, selected }) => Array.from({ length: n }, (_, row) => ({ y: positive, yhat: row < selected ? 1 : 0, group: name })));
  return columnsOf(rows);
}

describe("counting groups", () => {
  test("agrees with counting one by one, and leaves rows without a group out", () => {
    fc.assert(
      fc.property(decided, (rows) => {
        const counts = countGroups(columnsOf(rows));
        expect(counts.map(({ name }) => name)).toEqual([...new Set(rows.map(({ group }) => group).filter((name) => name !== ""))].toSorted());
        for (const { name, n, positives, selected, tp } of counts) {
          const own = rows.filter(({ group }) => group === name);
          const count = (test: (row: { y: number; yhat: number }) => boolean) => own.filter(test).length;
          expect([n, positives, selected, tp]).toEqual([own.length, count(({ y }) => y === 1), count(({ yhat }) => yhat === 1), count(({ y, yhat }) => y === 1 && yhat === 1)]);
        }
      }),
    );
  });

  test("intersections are the combinations that occur, and keep every row that has both", () => {
    const [first, second] = [groupingOf(["a", "a", "b", "", "b"]), groupingOf(["F", "M", "F", "F", undefined])];
    const both = intersect(first, second);
    expect(both.names).toEqual(["a|F", "a|M", "b|F"]);
    expect([...both.codes]).toEqual([0, 1, 2, -1, -1]);
  });

  test("more groups than can be compared are refused", () => {
    expect(() => groupingOf(Array.from({ length: groupsMax + 1 }, (_, index) => `g${index}`))).toThrow(`${groupsMax} different values`);
  });

  test("a million rows take a fraction of a second", () => {
    const n = 1_000_000;
    const codes = Int32Array.from({ length: n }, (_, row) => row % 6);
    const bits = Uint8Array.from({ length: n }, (_, row) => (row * 7) % 3 === 0 ? 1 : 0);
    const started = performance.now();
    const counts = countGroups({ positive: bits, predicted: bits, grouping: { names: ["a", "b", "c", "d", "e", "f"], codes } });
    expect(performance.now() - started).toBeLessThan(1000);
    expect(counts.reduce((sum, group) => sum + group.n, 0)).toBe(n);
  });
});

describe("figures", () => {
  test("a group without denominator leaves its figure undefined, never 0", () => {
    const groups = countGroups(columnsOf([{ y: 1, yhat: 1, group: "a" }, { y: 0, yhat: 1, group: "b" }]));
    expect(fairnessFigures(groups).equalOpportunityDifference).toBeNaN();
    expect(fairnessFigures(groups, 0).equalOpportunityDifference).toBe(1);
    expect(definedSpread(rates(groups, "tpr"))).toBeNaN();
    expect(impactRatios(groups.map((group) => ({ ...group, selected: 0, tp: 0 })))).toEqual([Number.NaN, Number.NaN]);
  });

  test("equal treatment has no difference and ratio 1; entropies are 0 only without any error of one kind", () => {
    const even = countGroups(world([{ name: "a", n: 100, selected: 30 }, { name: "b", n: 200, selected: 60 }]));
    expect(fairnessFigures(even)).toMatchObject({ demographicParityDifference: 0, demographicParityRatio: 1, equalizedOddsDifferenceMean: Number.NaN });
    const right = countGroups(world([{ name: "a", n: 50, selected: 50 }]));
    for (const order of [0, 1, 2, 0.5]) expect(generalizedEntropy(right, order)).toBeCloseTo(0, 12);
    expect(generalizedEntropy(even, 2)).toBeGreaterThan(0);
    expect(generalizedEntropy(even, 0)).toBe(Infinity);
  });

  test("accuracy counts true negatives too", () => {
    const [count] = rateCounts(countGroups(columnsOf([{ y: 0, yhat: 0, group: "a" }, { y: 1, yhat: 0, group: "a" }, { y: 0, yhat: 1, group: "a" }])), "accuracy");
    expect(count).toEqual({ name: "a", events: 1, n: 3 });
  });
});

interface Truth {
  readonly n: number;
  readonly rate: number;
}

/** How often the upper bound of the difference is at most the true one. */
function falsePasses(one: Truth, other: Truth, upper: (first: Rate, second: Rate) => number): number {
  const likely = ({ n, rate }: Truth) => Array.from({ length: n + 1 }, (_, events) => ({ events, n, chance: binomialPmf(events, n, rate) })).filter(({ chance }) => chance > 1e-6);
  let sum = 0;
  for (const first of likely(one)) for (const second of likely(other)) if (upper(first, second) <= Math.abs(one.rate - other.rate)) sum += first.chance * second.chance;
  return sum;
}

describe("verdicts on rates", () => {
  const parity = (groups: readonly { name: string; n: number; selected: number }[], limit = at(0.1)) => decideParity(measureParity(world(groups), { check: "fair.parity" }), limit);

  test("pass with many rows, stay open with few, fail on a wide gap", () => {
    expect(parity([{ name: "a", n: 2000, selected: 600 }, { name: "b", n: 2000, selected: 620 }]).verdict).toBe("pass");
    const open = parity([{ name: "a", n: 20, selected: 6 }, { name: "b", n: 20, selected: 6 }]);
    expect(open).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few", estimate: 0 });
    expect(open.requiredN).toBeGreaterThan(40);
    expect(parity([{ name: "a", n: 500, selected: 300 }, { name: "b", n: 500, selected: 150 }]).verdict).toBe("fail");
  });

  test("a group without denominator leaves its own rate open, and does not hide another that fails", () => {
    const hollow = [{ name: "a", events: 1, n: 10 }, { name: "b", events: 0, n: 0 }];
    const pair = (events: number) => [{ name: "a", events: 900, n: 1000 }, { name: "b", events, n: 1000 }];
    expect(decideDifferences([pair(100), hollow], 2010, at(0.1)).verdict).toBe("fail");
    expect(decideDifferences([pair(900), hollow], 2010, at(0.1))).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator" });
    expect(decideDifferences([hollow], 10, at(1))).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator" });
  });

  test("a difference that one pair alone would show does not fail among three pairs", () => {
    const groups = [{ name: "a", n: 300, selected: 150 }, { name: "b", n: 300, selected: 110 }, { name: "c", n: 300, selected: 130 }];
    expect([parity(groups.slice(0, 2), at(0.05)).verdict, parity(groups, at(0.05)).verdict]).toEqual(["fail", "insufficient_evidence"]);
  });

  test("with everybody of one group the difference is no more sure than what the other rate alone allows", () => {
    const ends = differenceEnds(boundedRate({ events: 90, n: 100 }), boundedRate({ events: 400, n: 400 }));
    expect(ends.lower(0.05)).toBeLessThanOrEqual(1 - clopperPearson(90, 100, 0.05).upper);
    expect(newcombe({ events: 400, n: 400 }, { events: 90, n: 100 }, 0.05).lower).toBeGreaterThan(ends.lower(0.05));
    expect(ends.upper(0.05)).toBeGreaterThanOrEqual(1 - clopperPearson(90, 100, 0.05).lower);
  });

  test("with groups of 30 and 1000 rows the smaller one decides, and a difference at its limit passes no more often than declared", () => {
    // The whole distribution is summed: 8.1 % by Newcombe's bounds.
    expect(falsePasses({ n: 30, rate: 0.02 }, { n: 1000, rate: 0.22 }, (first, second) => differenceEnds(boundedRate(first), boundedRate(second)).upper(0.05))).toBeLessThan(0.052);
  });

  test("fair models are not failed twice as often as declared where no difference is allowed", () => {
    const random = randomFrom("near 0");
    let fails = 0;
    for (let run = 0; run < 2000; run += 1) {
      const groups = ["a", "b"].map((name) => ({ name, n: 300, selected: Array.from({ length: 300 }, () => random.uniform()).filter((u) => u < 0.4).length }));
      if (parity(groups, at(0)).verdict === "fail") fails += 1;
    }
    expect(fails / 2000).toBeLessThan(0.067);
    expect(fails / 2000).toBeGreaterThan(0.03);
  });

  test("the largest record that the contract lets through is derived again within seconds", () => {
    const groups = Array.from({ length: 50 }, (_, index) => ({ name: `g${index}`, n: 20_000, positives: 10_000, selected: 7000 + 14 * index, tp: 3000 + 7 * index }));
    const started = performance.now();
    expect(decideParity({ check: "fair.odds", attempted: 1_000_000, assessed: 1_000_000, degenerate: null, groups, leftOut: [], notes: [] }, at(0.035)).verdict).toBe("insufficient_evidence");
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test("two rows, one group, nobody selected and an empty group are never a pass", () => {
    expect(parity([{ name: "a", n: 1, selected: 1 }, { name: "b", n: 1, selected: 1 }]).verdict).toBe("insufficient_evidence");
    expect(parity([{ name: "a", n: 5000, selected: 100 }])).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
    expect(parity([{ name: "a", n: 5000, selected: 0 }, { name: "b", n: 5000, selected: 0 }])).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
    const missing = { ...world([{ name: "a", n: 5000, selected: 100 }]), grouping: { names: ["a", "b"], codes: new Int32Array(5000) } };
    expect(decideParity(measureParity(missing, { check: "fair.parity" }), at(0.1))).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator" });
  });

  test("true positive rates need positives in every group; odds need both classes", () => {
    const rows = world([{ name: "a", n: 900, selected: 700 }, { name: "b", n: 900, selected: 690 }], 0);
    expect(decideParity(measureParity(rows, { check: "fair.opportunity" }), at(0.1)).reason).toBe("undefined_denominator");
    expect(decideParity(measureParity(rows, { check: "fair.odds" }), at(0.1)).reason).toBe("undefined_denominator");
    expect(measureParity(rows, { check: "fair.odds" }).notes).toContain("the group `a` has no rows for the true positive rate");
  });

  test("the four-fifths rule reads the smaller ratio with its interval, whichever group comes first", () => {
    const rule = (a: number, b: number) => decideParity(measureParity(world([{ name: "a", n: 1000, selected: a }, { name: "b", n: 1000, selected: b }]), { check: "fair.fourfifths" }), at(0.8, ">="));
    expect([rule(500, 490).verdict, rule(490, 500).verdict]).toEqual(["pass", "pass"]);
    expect([rule(500, 300).verdict, rule(300, 500).verdict]).toEqual(["fail", "fail"]);
    expect(rule(500, 405)).toMatchObject({ verdict: "insufficient_evidence", estimate: 0.81 });
    const needed = rule(500, 420).requiredN ?? 0;
    expect(needed).toBeGreaterThan(2000);
    const grown = needed / 2000;
    const world1 = world([{ name: "a", n: Math.round(1000 * grown), selected: Math.round(500 * grown) }, { name: "b", n: Math.round(1000 * grown), selected: Math.round(420 * grown) }]);
    expect(decideParity(measureParity(world1, { check: "fair.fourfifths" }), at(0.8, ">=")).verdict).toBe("pass");
    expect(rule(0, 0).verdict).toBe("insufficient_evidence");
    expect(rule(0, 300).verdict).toBe("fail");
    expect(decideParity(measureParity(world([{ name: "a", n: 9, selected: 3 }]), { check: "fair.fourfifths" }), at(0.8)).reason).toBe("inconsistent_import");
  });

  test("small intersections are named and not compared; rows without a group count as not assessed", () => {
    const rows = world([{ name: "a|F", n: 400, selected: 120 }, { name: "a|M", n: 400, selected: 121 }, { name: "b|F", n: 29, selected: 20 }]);
    const statistics = measureParity(rows, { check: "fair.parity", intersection: true });
    expect(statistics.leftOut).toEqual([{ name: "b|F", n: 29 }]);
    expect(statistics.notes.at(-1)).toBe("the group `b|F` has only 29 rows and is not compared");
    expect(decideParity(statistics, at(0.1)).verdict).toBe("pass");
    const gaps = { ...rows, grouping: { ...rows.grouping, codes: rows.grouping.codes.map((code, row) => (row % 10 === 0 ? -1 : code)) } };
    expect(decideParity(measureParity(gaps, { check: "fair.parity", intersection: true }), at(0.1)).reason).toBe("unassessed_budget");
  });
});

describe("verdicts on means", () => {
  const random = randomFrom("means");
  const grouping = { names: ["a", "b"], codes: Int32Array.from({ length: 2000 }, (_, row) => row % 2) };

  test("a model too low for one group only is found", () => {
    const scores = Float64Array.from({ length: 2000 }, () => 0.2 + 0.6 * random.uniform());
    const outcomes = (shift: number) => Uint8Array.from(scores, (p, row) => (random.uniform() < p + (row % 2) * shift ? 1 : 0));
    expect(decideMeanParity(measureCalibrationParity({ positive: outcomes(0), scores, grouping }), at(0.1)).verdict).toBe("pass");
    expect(decideMeanParity(measureCalibrationParity({ positive: outcomes(0.2), scores, grouping }), at(0.1)).verdict).toBe("fail");
  });

  test("errors of a regression are compared in spreads of the truth, whatever its unit", () => {
    const truth = Float64Array.from({ length: 2000 }, () => random.normal());
    const predicted = truth.map((value, row) => value + 0.3 * random.normal() - (row % 2) * 0.5);
    const decide = (unit: number) => decideMeanParity(measureRegressionParity({ truth: truth.map((value) => unit * value), predicted: predicted.map((value) => unit * value), grouping }, "error"), at(0.1));
    expect(decide(1).verdict).toBe("fail");
    expect(decide(1000).estimate).toBeCloseTo(decide(1).estimate ?? 0, 9);
    expect(decideMeanParity(measureRegressionParity({ truth, predicted, grouping }, "absolute_error"), at(0.5)).verdict).toBe("pass");
  });

  test("a group of which no row was positive yet may have a tenth that will be", () => {
    const small = { names: ["a", "b"], codes: Int32Array.from({ length: 330 }, (_, row) => (row < 30 ? 0 : 1)) };
    const scores = Float64Array.from({ length: 330 }, (_, row) => 0.005 + 0.00003 * row);
    const positive = Uint8Array.from(scores, (_, row) => (row === 100 || row === 200 || row === 300 ? 1 : 0));
    const verdict = (limit: number) => decideMeanParity(measureCalibrationParity({ positive, scores, grouping: small }), at(limit)).verdict;
    expect([verdict(0.08), verdict(0.12)]).toEqual(["insufficient_evidence", "pass"]);
  });

  test("long tails of a small group fail no more models at their limit than declared", () => {
    const grouping2 = { names: ["a", "b"], codes: Int32Array.from({ length: 440 }, (_, row) => (row < 400 ? 0 : 1)) };
    const runs = 1500;
    let fails = 0;
    for (let run = 0; run < runs; run += 1) {
      const truth = Float64Array.from({ length: 440 }, () => 10 * random.normal());
      const centre = truth.reduce((sum, value) => sum + value, 0) / 440;
      const spread = Math.sqrt(truth.reduce((sum, value) => sum + (value - centre) ** 2, 0) / 439);
      const predicted = truth.map((value, row) => value + Math.log(1 - random.uniform()) * (row < 400 ? 1.1 : 1));
      if (decideMeanParity(measureRegressionParity({ truth, predicted, grouping: grouping2 }, "absolute_error"), at(0.1 / spread)).verdict === "fail") fails += 1;
    }
    // 8.6 % by Welch's interval.
    expect(fails / runs).toBeLessThan(0.065);
  });

  test("groups with fewer than thirty rows leave a pass open", () => {
    const few = { names: ["a", "b", "c"], codes: Int32Array.from({ length: 2000 }, (_, row) => (row < 20 ? 2 : row % 2)) };
    const truth = Float64Array.from({ length: 2000 }, () => random.normal());
    const outcome = decideMeanParity(measureRegressionParity({ truth, predicted: truth.map((value) => value + 0.1 * random.normal()), grouping: few }, "error"), at(0.1));
    expect(outcome).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator" });
  });
});

describe("counterfactual flips", () => {
  const rows = Array.from({ length: 500 }, (_, row) => Float32Array.of(row % 2, (row + 0.5) / 500));
  const flip = { name: "sex", features: [{ index: 0, values: [0, 1] }] };

  test("a model that ignores the attribute passes; one that follows it fails", () => {
    expect(decideCounterfactual(measureCounterfactual((asked) => asked.map((row) => Number((row[1] ?? 0) > 0.5)), rows, flip), at(0.01)).verdict).toBe("pass");
    const biased = measureCounterfactual((asked) => asked.map((row) => Number((row[1] ?? 0) + 0.1 * (row[0] ?? 0) > 0.5)), rows, flip);
    expect(biased).toMatchObject({ clusters: 500, n: 500, events: 50 });
    expect(decideCounterfactual(biased, at(0.01)).verdict).toBe("fail");
  });

  test("a model that answers the same for everybody, answers nothing, or is asked nothing never passes", () => {
    expect(decideCounterfactual(measureCounterfactual((asked) => asked.map(() => 1), rows, flip), at(0.01)).reason).toBe("degenerate");
    expect(decideCounterfactual(measureCounterfactual((asked) => asked.map(() => Number.NaN), rows, flip), at(0.01)).verdict).toBe("insufficient_evidence");
    expect(decideCounterfactual(measureCounterfactual(() => [], [], flip), at(1)).verdict).toBe("insufficient_evidence");
    expect(() => measureCounterfactual(() => [], rows, { name: "x", features: [] })).toThrow("the same number of values");
  });

  test("a row is one observation for a pass, however many alternatives it has", () => {
    // Six of 600 answers flip, one in each of six rows: of another kind of row, of which all flip, sixty say little.
    const asked60 = Array.from({ length: 60 }, (_, row) => Float32Array.of(0, row));
    const six = measureCounterfactual((asked) => asked.map((row) => Number(row[0] === 1 && (row[1] ?? 0) < 6)), asked60, { name: "region", features: [{ index: 0, values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }] });
    expect(six).toMatchObject({ clusters: 60, n: 600, events: 6 });
    expect([decideCounterfactual(six, at(0.05)).verdict, decideCounterfactual(six, at(0.1)).verdict]).toEqual(["insufficient_evidence", "pass"]);
  });

  test("alternatives of one row are one cluster, and proxies move together", () => {
    const four = measureCounterfactual((asked) => asked.map((row) => Number((row[1] ?? 0) > 0.95 && (row[0] ?? 0) > 1)), rows, { name: "region", features: [{ index: 0, values: [2, 3, 4, 5] }] });
    expect(four.n).toBe(2000);
    expect(four.nEffective).toBeLessThan(600);
    const moved: number[] = [];
    measureCounterfactual((asked) => {
      moved.push(asked[0]?.[1] ?? 0);
      return asked.map(() => 0);
    }, rows, { name: "both", features: [{ index: 0, values: [7] }, { index: 1, values: [8] }] });
    expect(moved).toEqual([rows[0]?.[1], 8]);
  });
});
