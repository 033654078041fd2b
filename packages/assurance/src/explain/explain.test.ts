import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linearModel, type Tree, treesModel } from "../../../../test/unit/support/small-models.ts";
import { loadModel } from "../onnx/model.ts";
import { randomFrom } from "../stats/random.ts";
import { answered, type Rows, rowsOf, type Scores, scoresOf } from "../subject/probe.ts";
import { partialDependence } from "./dependence.ts";
import { meanOf, permutationIncreases } from "./permutation.ts";
import { decidePermutation, measurePermutation } from "./permutation-check.ts";
import { completenessResidual, exactShapley, linearShapley, sampledShapley } from "./shapley.ts";
import { decideCompleteness, decideStability, kendall, measureShapley } from "./shapley-check.ts";
import { treeShapley } from "./tree-shapley.ts";

const random = randomFrom("explain");
const drawn = (rows: number, columns: number) => rowsOf(columns, Float32Array.from({ length: rows * columns }, () => random.normal()));
const limit = (op: "<=" | ">=", value: number) => ({ op, value, alpha: 0.05, source: "test" }) as const;

/** f = 3 x0 - x1 + x2 x3, one score. */
const formula = ({ rows, columns, data }: Rows): Scores => ({
  rows, columns: 1,
  scores: Float64Array.from({ length: rows }, (_, row) => {
    const x = (feature: number) => data[row * columns + feature] ?? 0;
    return 3 * x(0) - x(1) + x(2) * x(3);
  }),
});

describe("Shapley values", () => {
  test("of a sum are weight times distance from the background's mean, and a product shares its interaction", () => {
    const background = rowsOf(4, new Float32Array(4));
    const found = answered(exactShapley({ row: Float32Array.of(1, 2, 3, 4), background, output: 0 }), formula);
    expect([...found.values]).toEqual([3, -2, 6, 6].map((value) => expect.closeTo(value, 9)));
    expect([found.base, found.score]).toEqual([0, 13]);
  });

  test("add up, ignore what is not used, and do not depend on the order of features", () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: 4, maxLength: 4 }), (values) => {
        const background = drawn(7, 5);
        const found = answered(exactShapley({ row: Float32Array.from([...values, 1]), background, output: 0 }), formula);
        expect(completenessResidual(found)).toBeLessThanOrEqual(1e-9);
        expect(found.values[4]).toBeCloseTo(0, 12);
      }),
      { numRuns: 20 },
    );
  });

  test("drawn orders come to the exact values within their own errors, and add up exactly", () => {
    const task = { row: Float32Array.of(1, -1, 0.5, 2), background: drawn(9, 4), output: 0 };
    const [exact, sampled] = [answered(exactShapley(task), formula), answered(sampledShapley(task, { seed: "s", pairs: 60 }), formula)];
    for (const [feature, value] of exact.values.entries()) expect(Math.abs((sampled.values[feature] ?? 0) - value)).toBeLessThanOrEqual(4 * (sampled.errors[feature] ?? 0) + 1e-9);
    expect(completenessResidual(sampled)).toBeLessThanOrEqual(1e-9);
  });

  test("the closed form of a linear model is what all coalitions give", () => {
    const model = loadModel(linearModel([1, -2, 0.5], 0.2));
    const structure = model.structure();
    if (structure.kind !== "network") throw new Error(`seen as ${structure.kind}`);
    const margin = (rows: Rows): Scores => {
      const { scores } = scoresOf(model)(rows);
      return { rows: rows.rows, columns: 1, scores: Float64Array.from({ length: rows.rows }, (_, row) => Math.log((scores[row * 2 + 1] ?? 0) / (scores[row * 2] ?? 0)) / 2) };
    };
    const row = Float32Array.of(0.4, 0.3, -1);
    const exact = answered(exactShapley({ row, background: rowsOf(3, Float32Array.of(0.1, 0, 0.2)), output: 0 }), margin);
    const closed = linearShapley(structure.network, 1, { row, mean: [0.1, 0, 0.2] });
    for (const [feature, value] of exact.values.entries()) expect(closed?.values[feature]).toBeCloseTo(value, 5);
  });

  const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree; leaf: Tree }>((tie) => ({
    leaf: fc.integer({ min: -4, max: 4 }),
    tree: fc.oneof({ maxDepth: 5, depthSize: "large" }, tie("leaf"), fc.record({ feature: fc.integer({ min: 0, max: 3 }), at: fc.integer({ min: -4, max: 4 }).map((value) => value / 4), low: tie("tree"), high: tie("tree") })),
  })).tree;

  test("the walk through trees gives what all coalitions give, repeated features included", () => {
    fc.assert(
      fc.property(fc.array(tree, { minLength: 1, maxLength: 4 }), (trees) => {
        const model = loadModel(treesModel(trees, 4));
        const structure = model.structure();
        if (structure.kind !== "forest") throw new Error(`seen as ${structure.kind}`);
        const task = { row: drawn(1, 4).data, background: drawn(5, 4), output: 0 };
        const exact = answered(exactShapley(task), scoresOf(model));
        const walked = treeShapley(structure.forest, 0, task);
        for (const [feature, value] of exact.values.entries()) expect(walked?.values[feature]).toBeCloseTo(value, 5);
        expect(walked === undefined ? Infinity : completenessResidual(walked)).toBeLessThanOrEqual(1e-9);
      }),
      { numRuns: 60 },
    );
  });
});

describe("permutation importance", () => {
  const rows = drawn(6, 4);
  const targets = Float64Array.from({ length: 6 }, (_, row) => row / 3);

  test("the exact expectation is the mean over all orders of the rows", () => {
    const found = answered(permutationIncreases(rows, targets, { loss: "squared-error", queriesMax: 1e6, seed: "s" }), formula);
    expect(found.method).toBe("exact");
    const orders = permutations([0, 1, 2, 3, 4, 5]);
    const loss = (order: readonly number[]) => {
      const data = Float32Array.from(rows.data);
      for (const [row, from] of order.entries()) data[row * 4] = rows.data[from * 4] ?? 0;
      const { scores } = formula({ ...rows, data });
      return targets.reduce((sum, target, row) => sum + ((scores[row] ?? 0) - target) ** 2, 0) / 6;
    };
    const expected = orders.reduce((sum, order) => sum + loss(order), 0) / orders.length - loss([0, 1, 2, 3, 4, 5]);
    expect(meanOf(found.increases[0] ?? new Float64Array(0))).toBeCloseTo(expected, 9);
  });

  test("with fewer calls than that, drawn orders come near it", () => {
    const many = drawn(200, 4);
    const truth = Float64Array.from(formula(many).scores);
    const exact = answered(permutationIncreases(many, truth, { loss: "squared-error", queriesMax: 1e9, seed: "s" }), formula);
    const sampled = answered(permutationIncreases(many, truth, { loss: "squared-error", queriesMax: 1000, seed: "s", repeats: 60 }), formula);
    expect([exact.method, sampled.method]).toEqual(["exact", "sampled"]);
    for (const feature of [0, 1, 2, 3]) expect(meanOf(sampled.increases[feature] ?? new Float64Array(0)) / meanOf(exact.increases[feature] ?? new Float64Array(0))).toBeCloseTo(1, 0.7);
  });

  const names = ["a", "b", "c", "d"];
  const measured = (count: number, watched: readonly string[]) => {
    const many = drawn(count, 4);
    const truth = Float64Array.from(formula(many).scores);
    return answered(measurePermutation(many, truth, { loss: "squared-error", queriesMax: 1e9, seed: "s", names, watched }), formula).statistics;
  };

  test("a share far below its limit passes, far above fails, and a feature without use passes only with enough rows", () => {
    const minor = measured(150, ["b"]);
    expect(minor.share).toBeGreaterThan(0.02);
    expect(decidePermutation(minor, limit("<=", 0.3)).verdict).toBe("pass");
    expect(decidePermutation(measured(150, ["a"]), limit("<=", 0.3)).verdict).toBe("fail");
    expect(decidePermutation(measured(12, ["b"]), limit("<=", 0.3))).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
    expect(decidePermutation(measured(25, []), limit("<=", 0.05)).verdict).toBe("insufficient_evidence");
    expect(decidePermutation(measured(120, []), limit("<=", 0.05)).verdict).toBe("pass");
  });

  test("a model without any importance, and one that gives no numbers, show nothing", () => {
    const many = drawn(50, 4);
    const flat = (asked: Rows): Scores => ({ rows: asked.rows, columns: 1, scores: new Float64Array(asked.rows) });
    const silent = (asked: Rows): Scores => ({ rows: asked.rows, columns: 1, scores: new Float64Array(asked.rows).fill(Number.NaN) });
    for (const score of [flat, silent]) {
      const { statistics } = answered(measurePermutation(many, new Float64Array(50), { loss: "squared-error", queriesMax: 1e9, seed: "s", names, watched: ["a"] }), score);
      expect(decidePermutation(statistics, limit("<=", 0.9)).verdict).toBe("insufficient_evidence");
    }
  });
});

describe("explain.shapley and partial dependence", () => {
  test("a clear order of features is stable and complete; an order by chance is not", () => {
    const clear = answered(measureShapley(drawn(12, 4), drawn(30, 4), { output: 0, names: ["a", "b", "c", "d"], seed: "s" }), formula).statistics;
    expect(decideCompleteness(clear, limit("<=", 1e-4)).verdict).toBe("pass");
    expect(clear.globals[0]?.name).toBe("a");
    const hashed = (asked: Rows): Scores => ({ rows: asked.rows, columns: 1, scores: Float64Array.from({ length: asked.rows }, (_, row) => Math.sin(1e4 * (asked.data.subarray(row * asked.columns, (row + 1) * asked.columns).reduce((sum, value, index) => sum + value * (index + 1), 0)))) });
    const chance = answered(measureShapley(drawn(4, 6), drawn(6, 6), { output: 0, names: ["a", "b", "c", "d", "e", "f"], seed: "s" }), hashed).statistics;
    expect(decideStability(chance, limit(">=", 0.8)).verdict).toBe("fail");
    expect(decideStability({ ...chance, stability: null }, limit(">=", 0.8)).verdict).toBe("insufficient_evidence");
  });

  test("Kendall's tau-b is 1 for one order, -1 for its reverse, and corrects for ties", () => {
    expect([kendall([1, 2, 3], [2, 4, 9]), kendall([1, 2, 3], [3, 2, 1])]).toEqual([1, -1]);
    expect(kendall([1, 1, 2], [1, 2, 3])).toBeCloseTo(2 / Math.sqrt(6), 12);
  });

  test("partial dependence averages the score with the feature set", () => {
    const background = drawn(10, 4);
    const means = answered(partialDependence(background, 0, { grid: [0, 1, 2], output: 0 }), formula);
    expect((means[1] ?? 0) - (means[0] ?? 0)).toBeCloseTo(3, 9);
    expect((means[2] ?? 0) - (means[1] ?? 0)).toBeCloseTo(3, 9);
  });
});

function permutations(values: readonly number[]): readonly (readonly number[])[] {
  if (values.length <= 1) return [values];
  return values.flatMap((first) => permutations(values.filter((value) => value !== first)).map((rest) => [first, ...rest]));
}
