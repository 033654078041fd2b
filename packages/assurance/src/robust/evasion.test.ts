import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linearModel, treesModel } from "../../../../test/unit/support/small-models.ts";
import { oracleBytes, oracleJson, oraclesAbsent, oraclesPresent } from "../../../../test/unit/support/oracle-files.ts";
import { loadModel } from "../onnx/model.ts";
import { numericColumn } from "../table/cast.ts";
import { readTable } from "../table/table.ts";
import { randomFrom } from "../stats/random.ts";
import { answered, type Rows, rowsOf, type Scores, scoresOf } from "../subject/probe.ts";
import { evade } from "./evasion.ts";
import { decideEvasion, measureEvasion } from "./evasion-check.ts";
import { type FeatureRule, FeatureSpace } from "./feature-space.ts";

const random = randomFrom("rows");
const rows = rowsOf(6, Float32Array.from({ length: 6 * 24 }, () => random.normal()));
const weights = [1.5, -2, 0.1, 0.7, 0, -1];
const linear = loadModel(linearModel(weights, 0.3));
const options = { norm: "linf", sees: "scores", queriesMax: 600, restarts: 2, radiusMax: 10, seed: "test" } as const;
const rowAt = (source: Rows, row: number) => source.data.subarray(row * source.columns, (row + 1) * source.columns);

function exact(row: Float32Array, norm: "linf" | "l2"): number {
  const margin = Math.abs(weights.reduce((sum, weight, index) => sum + weight * (row[index] ?? 0), 0.3));
  return margin / (norm === "linf" ? weights.reduce((sum, weight) => sum + Math.abs(weight), 0) : Math.hypot(...weights));
}

describe("the attack", () => {
  test.each([["scores", "linf"], ["labels", "linf"], ["labels", "l2"]] as const)("with %s in %s comes within 15 per cent of a linear model's exact distance and never below", (sees, norm) => {
    const found = answered(evade(rows, { ...options, sees, norm }), scoresOf(linear));
    const ratios = found.map(({ distance, row }) => distance / exact(rowAt(rows, row), norm)).sort((a, b) => a - b);
    expect(ratios[0]).toBeGreaterThanOrEqual(1 - 1e-6);
    expect(ratios[12]).toBeLessThanOrEqual(1.15);
    expect(Math.max(...found.map(({ queries }) => queries))).toBeLessThanOrEqual(600);
  });

  test("every reported distance is that of a point that was sent and does change the decision", () => {
    const found = answered(evade(rows, { ...options, queriesMax: 120 }), scoresOf(linear));
    for (const { row, decided, distance, point } of found) {
      if (point === undefined) continue;
      expect(Number((linear.score(point, 1).scores[1] ?? 0) >= 0.5)).not.toBe(decided);
      expect(Math.max(...Array.from(point, (value, index) => Math.abs(value - (rowAt(rows, row)[index] ?? 0))))).toBeCloseTo(distance, 9);
    }
  });

  test("every call that is made is counted, and the budget ends the attack", () => {
    let sent = 0;
    const counting = (asked: Rows): Scores => {
      sent += asked.rows;
      return scoresOf(linear)(asked);
    };
    const found = answered(evade(rows, { ...options, queriesMax: 50 }), counting);
    expect(found.reduce((sum, { queries }) => sum + queries, 0)).toBe(sent - rows.rows);
    expect(Math.max(...found.map(({ queries }) => queries))).toBe(50);
  });

  test("trees whose change needs two features at once are changed", () => {
    const both = loadModel(treesModel([{ feature: 0, at: 1, low: 0, high: { feature: 1, at: 2, low: 0, high: 1 } }], 2));
    const start = rowsOf(2, Float32Array.of(0, 0, 0.5, 1, -1, -1, 0.9, 1.9));
    const found = answered(evade(start, options), scoresOf(both));
    expect(found.map(({ distance }) => Number(distance.toFixed(1)))).toEqual([2, 1, 3, 0.1]);
  });

  test("the same seed gives the same answer, in one batch or many", () => {
    const whole = answered(evade(rows, options), scoresOf(linear));
    const again = answered(evade(rows, options), scoresOf(linear));
    expect(again).toEqual(whole);
  });

  test("a model that gives no number, or one that never changes, is not broken and not certified", () => {
    const silent = (asked: Rows): Scores => ({ rows: asked.rows, columns: 2, scores: new Float64Array(asked.rows * 2).fill(Number.NaN) });
    const stubborn = (asked: Rows): Scores => ({ rows: asked.rows, columns: 2, scores: Float64Array.from({ length: asked.rows * 2 }, (_, index) => index % 2) });
    const targets = new Float64Array(24).fill(1);
    const limit = { op: "<=", value: 0.1, alpha: 0.05, source: "test" } as const;
    const measured = (score: (asked: Rows) => Scores) => answered(measureEvasion(rows, targets, { ...options, queriesMax: 100, epsilon: 0.1 }), score).statistics;
    expect(decideEvasion(measured(silent), limit)).toMatchObject({ verdict: "insufficient_evidence" });
    expect(measured(stubborn)).toMatchObject({ correct: 24, succeeded: 0, medianDistance: null });
  });

  test("the verdict counts rightly decided rows only, and follows from the counts", () => {
    const targets = Float64Array.from({ length: 24 }, (_, row) => Number((linear.score(rowAt(rows, row), 1).scores[1] ?? 0) >= 0.5));
    targets[0] = 1 - (targets[0] ?? 0);
    const { statistics } = answered(measureEvasion(rows, targets, { ...options, epsilon: 0.3, enough: 0.3 }), scoresOf(linear));
    const within = Array.from({ length: 24 }, (_, row) => row).filter((row) => row > 0 && exact(rowAt(rows, row), "linf") <= 0.3).length;
    expect(statistics).toMatchObject({ attempted: 24, assessed: 24, correct: 23 });
    expect(statistics.succeeded).toBeLessThanOrEqual(within);
    expect(statistics.succeeded).toBeGreaterThanOrEqual(within - 1);
    expect(decideEvasion({ ...statistics, correct: 400, succeeded: 10 }, { op: "<=", value: 0.1, alpha: 0.05, source: "test" }).verdict).toBe("pass");
    expect(decideEvasion({ ...statistics, correct: 400, succeeded: 90 }, { op: "<=", value: 0.1, alpha: 0.05, source: "test" }).verdict).toBe("fail");
  });
});

describe("what an attacker may change", () => {
  const value = fc.float({ min: -8, max: 8, noNaN: true });
  const rule = fc.record({
    scale: fc.constantFrom(0, 0.5, 1, 3), fixed: fc.boolean(), integer: fc.boolean(), min: fc.constantFrom(undefined, -5), max: fc.constantFrom(undefined, 5), direction: fc.constantFrom(undefined, "up" as const, "down" as const),
  }).map(({ min, max, direction, ...rest }) => ({ ...rest, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }), ...(direction === undefined ? {} : { direction }) }));

  interface Move {
    readonly from: number;
    readonly to: number;
    readonly step: number;
    readonly rule: FeatureRule;
  }
  const rules: readonly (readonly [string, (move: Move) => boolean])[] = [
    ["not further than asked", ({ from, to, step, rule: { scale } }) => Math.abs(to - from) <= Math.abs(step) * scale + 1e-12],
    ["fixed", ({ from, to, rule: { fixed, scale } }) => (fixed !== true && scale > 0) || to === from],
    ["integer", ({ from, to, rule: { integer } }) => integer !== true || Number.isInteger(to) || to === from],
    ["up", ({ from, to, rule: { direction } }) => direction !== "up" || to >= from],
    ["down", ({ from, to, rule: { direction } }) => direction !== "down" || to <= from],
    ["max", ({ from, to, rule: { max } }) => max === undefined || from > max || to <= max],
    ["min", ({ from, to, rule: { min } }) => min === undefined || from < min || to >= min],
  ];

  test("a reached point keeps every rule, and is never further than the step that was asked for", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value, rule), { minLength: 1, maxLength: 6 }), (features) => {
        const space = new FeatureSpace(features.map(([, , each]) => each));
        const row = Float32Array.from(features, ([from, , each]) => (each.integer ? Math.round(from) : from));
        const steps = Float64Array.from(features, ([, step]) => step);
        const point = space.reached(row, steps);
        const broken = features.flatMap(([, step, each], index) => {
          const [from, to] = [row[index] ?? 0, point[index] ?? 0];
          return rules.filter(([, holds]) => !holds({ from, to, step, rule: each })).map(([name]) => name);
        });
        expect(broken).toEqual([]);
      }),
    );
  });

  test("a one-hot code stays one: exactly one member is 1", () => {
    const space = new FeatureSpace([{ scale: 0.5, group: "colour" }, { scale: 0.5, group: "colour" }, { scale: 0.5, group: "colour" }, { scale: 1 }]);
    expect([...space.reached(Float32Array.of(1, 0, 0, 2), Float64Array.of(-3, 0.1, 1, 1))]).toEqual([0, 0, 1, 3]);
    expect([...space.reached(Float32Array.of(1, 0, 0, 2), Float64Array.of(-0.1, 0.1, 0.1, 0))]).toEqual([1, 0, 0, 2]);
  });

  test("features that may not move are not moved by the attack", () => {
    const space = new FeatureSpace(weights.map((_, index) => ({ scale: 1, fixed: index === 1 })));
    const found = answered(evade(rows, { ...options, space }), scoresOf(linear));
    const changed = found.filter(({ point }) => point !== undefined);
    expect(changed.length).toBeGreaterThan(10);
    expect(changed.map(({ point }) => point?.[1])).toEqual(changed.map(({ row }) => rowAt(rows, row)[1]));
  });
});

describe.skipIf(!oraclesPresent)(`the bar, on exact distances (skipped when ${oraclesAbsent})`, () => {
  interface Row {
    readonly row: number;
    readonly min_linf?: number;
    readonly min_linf_infimum?: number;
  }
  const models = oraclesPresent ? oracleJson("robustness/exact.json", (value) => (value as { models: Readonly<Record<string, { rows?: readonly Row[] }>> }).models) : {};
  const listed = Object.entries(models).filter(([, { rows: known }]) => known !== undefined);

  test.each(listed)("%s: median at most 1.15 times exact at no more than 2,000 calls a row, never below", (name, { rows: known = [] }) => {
    const model = loadModel(oracleBytes(`models/${name}.onnx`));
    const table = readTable(oracleBytes(`models/${name}.test.csv`));
    const columns = table.columns.filter((column) => column !== "target").map((column) => numericColumn(table, column));
    const pool = rowsOf(columns.length, Float32Array.from({ length: table.rows * columns.length }, (_, index) => columns[index % columns.length]?.[Math.floor(index / columns.length)] ?? Number.NaN));
    const chosen = known.slice(0, 8);
    const data = Float32Array.from(chosen.flatMap(({ row }) => [...rowAt(pool, row)]));
    const found = answered(evade(rowsOf(columns.length, data), { ...options, queriesMax: 2000, pool }), scoresOf(model));
    const ratios = found.map(({ distance }, index) => distance / (chosen[index]?.min_linf ?? chosen[index]?.min_linf_infimum ?? Number.NaN)).sort((a, b) => a - b);
    expect(ratios[0]).toBeGreaterThanOrEqual(1 - 1e-6);
    expect(ratios[ratios.length >> 1]).toBeLessThanOrEqual(1.15);
    expect(Math.max(...found.map(({ queries }) => queries))).toBeLessThanOrEqual(2000);
  });
});
