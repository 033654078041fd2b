import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linearModel, type Tree, treesModel } from "../../../../test/unit/support/small-models.ts";
import type { Network } from "../onnx/network.ts";
import { loadModel } from "../onnx/model.ts";
import { randomFrom } from "../stats/random.ts";
import { rowsOf, scoresOf } from "../subject/probe.ts";
import { certify, decideCertified, measureCertified } from "./certified.ts";
import { solve } from "./linear-program.ts";
import { marginBound, marginOnly } from "./network-bounds.ts";
import { networkDistance } from "./network-distance.ts";

const at = <T>(values: ArrayLike<T>, index: number): T => {
  const value = values[index];
  if (value === undefined) throw new Error(`nothing at ${index}`);
  return value;
};

function drawnNetwork(seed: string, shape: readonly number[]): Network {
  const random = randomFrom(seed);
  const layers = shape.slice(1).map((rows, index) => {
    const columns = at(shape, index);
    return { kind: "matrix" as const, rows, columns, weights: Float64Array.from({ length: rows * columns }, () => random.normal()), bias: Float64Array.from({ length: rows }, () => random.normal() / 2) };
  });
  return { inputs: at(shape, 0), layers: layers.slice(0, -1), last: at(layers, layers.length - 1) };
}

describe("linear programs", () => {
  test("the bound is never above the cost of a feasible point, and the optimum is reached", () => {
    const value = fc.integer({ min: -20, max: 20 }).map((each) => each / 4);
    fc.assert(
      fc.property(fc.array(value, { minLength: 12, maxLength: 12 }), fc.array(value, { minLength: 4, maxLength: 4 }), fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 3, maxLength: 3 }), (matrix, limits, cost) => {
        const program = { variables: 3, rows: 4, matrix: Float64Array.from(matrix), limits: Float64Array.from(limits), cost: Float64Array.from(cost), upper: Float64Array.of(2, 2, 2) };
        const found = solve(program, { cutoff: Infinity, stepsMax: 500 });
        const feasible = (x: ArrayLike<number>, slack: number) => limits.every((limit, row) => [0, 1, 2].reduce((sum, k) => sum + at(matrix, row * 3 + k) * at(x, k), 0) <= limit + slack);
        const price = (x: ArrayLike<number>) => cost.reduce((sum, each, k) => sum + each * at(x, k), 0);
        const grid = Array.from({ length: 729 }, (_, index) => [index % 9, Math.floor(index / 9) % 9, Math.floor(index / 81)].map((step) => step / 4));
        const cheapest = Math.min(...grid.filter((x) => feasible(x, 0)).map(price));
        expect(found.bound).toBeLessThanOrEqual(cheapest + 1e-6);
        const optimum = found.x === undefined ? Infinity : price(found.x);
        expect(found.x === undefined || feasible(found.x, 1e-6)).toBe(true);
        expect(found.bound).toBeGreaterThanOrEqual(optimum === Infinity ? found.bound : optimum - 1e-5);
      }),
      { numRuns: 150 },
    );
  });

  test("a program without a feasible point is proven so", () => {
    const program = { variables: 1, rows: 2, matrix: Float64Array.of(1, -1), limits: Float64Array.of(1, -2), cost: Float64Array.of(1), upper: Float64Array.of(9) };
    expect(solve(program, { cutoff: Infinity, stepsMax: 50 }).bound).toBe(Infinity);
  });
});

describe("distances of networks", () => {
  const rival = { rival: 1, weights: [1, -1], offset: 0 };

  test.each(["linf", "l1"] as const)("branch and bound closes the gap, and no drawn point within its %s distance changes the decision", (norm) => {
    for (let seed = 0; seed < 9; seed += 1) {
      const network = drawnNetwork(`net/${seed}`, [3, 6, 5, 2]);
      const random = randomFrom(`points/${seed}`);
      const row = Float64Array.from({ length: 3 }, () => random.normal());
      const margin = marginOnly(network, rival, row);
      const own = margin >= 0 ? rival : { ...rival, weights: [-1, 1] };
      const found = networkDistance(network, own, { row, norm, radiusMax: 3, programsMax: 4000 });
      expect(Math.min(3, found.upper) - found.lower).toBeLessThanOrEqual(1e-5);
      const reach = Math.min(3, found.lower);
      for (let draw = 0; draw < 3000; draw += 1) {
        const step = Float64Array.from({ length: 3 }, () => 2 * random.uniform() - 1);
        const size = norm === "linf" ? Math.max(...step.map(Math.abs)) : step.reduce((sum, value) => sum + Math.abs(value), 0);
        const point = row.map((value, index) => value + (at(step, index) / size) * reach * 0.9999);
        expect(marginOnly(network, own, point)).toBeGreaterThan(0);
      }
    }
  });

  test("the relaxation's bound is below the margin of every point of its ball, in every norm", () => {
    const network = drawnNetwork("relaxation", [4, 8, 8, 2]);
    const random = randomFrom("ball");
    for (const norm of ["linf", "l2", "l1"] as const) {
      const row = Float64Array.of(0.1, -0.4, 0.7, 0.2);
      const bound = marginBound(network, rival, { row, radius: 0.3, norm });
      for (let draw = 0; draw < 2000; draw += 1) {
        const step = Float64Array.from({ length: 4 }, () => random.normal());
        const size = norm === "linf" ? Math.max(...step.map(Math.abs)) : norm === "l1" ? step.reduce((sum, value) => sum + Math.abs(value), 0) : Math.hypot(...step);
        expect(marginOnly(network, rival, row.map((value, index) => value + (0.3 * at(step, index)) / size))).toBeGreaterThanOrEqual(bound - 1e-12);
      }
    }
  });

  test("without a linear program to spend, what is left is a certificate below the exact distance", () => {
    const network = drawnNetwork("net/1", [3, 6, 5, 2]);
    const row = Float64Array.of(0.2, 0.1, -0.3);
    const own = marginOnly(network, rival, row) >= 0 ? rival : { ...rival, weights: [-1, 1] };
    const exact = networkDistance(network, own, { row, norm: "linf", radiusMax: 3, programsMax: 4000 });
    const loose = networkDistance(network, own, { row, norm: "linf", radiusMax: 3, programsMax: 0 });
    expect(loose.method).toBe("relaxation");
    expect(loose.lower).toBeLessThanOrEqual(exact.upper);
    expect(loose.lower).toBeGreaterThan(0);
  });
});

describe("distances of linear models and trees", () => {
  test("a linear model is as far as its margin over the dual norm of its weights", () => {
    const structure = loadModel(linearModel([3, -4], 1)).structure();
    const row = Float32Array.of(1, 1);
    const distance = (norm: "linf" | "l2" | "l1") => certify(structure, row, { norm, decided: 1 }).lower;
    expect(certify(structure, row, { norm: "l2", decided: 1 }).lower).toBeCloseTo(0, 12);
    const further = (norm: "linf" | "l2" | "l1") => certify(structure, Float32Array.of(2, 0), { norm, decided: 1 }).lower;
    expect([distance("linf"), further("linf"), further("l2"), further("l1")].map((value) => Number(value.toFixed(9)))).toEqual([0, 1, 1.4, 1.75]);
  });

  const tree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree; leaf: Tree }>((tie) => ({
    leaf: fc.integer({ min: -4, max: 4 }).map((value) => value / 2 + 0.25),
    tree: fc.oneof({ maxDepth: 3 }, tie("leaf"), fc.record({ feature: fc.integer({ min: 0, max: 2 }), at: fc.integer({ min: -4, max: 4 }).map((value) => value / 4), low: tie("tree"), high: tie("tree") })),
  })).tree;

  test("trees: the exact distance is that of the nearest cell of another decision, by trying every cell", () => {
    fc.assert(
      fc.property(fc.array(tree, { minLength: 1, maxLength: 5 }), fc.array(fc.integer({ min: -9, max: 9 }).map((value) => value / 8 + 0.03), { minLength: 3, maxLength: 3 }), (trees, values) => {
        const model = loadModel(treesModel(trees, 3));
        const row = Float32Array.from(values);
        const decides = (point: Float32Array) => Number(at(model.score(point, 1).scores, 0) >= 0.5);
        const decided = decides(row);
        const places = [-9, ...Array.from({ length: 9 }, (_, index) => (index - 4) / 4)];
        // A place stands for the cell that begins just above it; the row's own cell costs nothing.
        const cellAt = (low: number, feature: number) => {
          const x = at(row, feature);
          const high = low === -9 ? -1 : low + 0.25;
          if (x > low && (x <= high || low === 1)) return { point: x, moved: 0 };
          return x <= low ? { point: low + 1e-3, moved: low - x } : { point: high, moved: x - high };
        };
        const cells = places.flatMap((a) => places.flatMap((b) => places.map((c) => [a, b, c].map(cellAt))));
        const changing = cells.filter((cell) => decides(Float32Array.from(cell, ({ point }) => point)) !== decided);
        const nearest = Math.min(...changing.map((cell) => Math.max(...cell.map(({ moved }) => moved))));
        const found = certify(model.structure(), row, { norm: "linf", decided, radiusMax: 5 });
        expect(found.certificate).toBeLessThanOrEqual(Math.min(5, nearest));
        const expected = nearest === Infinity ? [5, Infinity] : [nearest, nearest];
        expect([Math.min(5, found.lower), found.upper].map((value) => Number(value.toFixed(6)))).toEqual(expected.map((value) => Number(value.toFixed(6))));
      }),
      { numRuns: 60 },
    );
  });

  test.each([["BRANCH_LEQ", 1], ["BRANCH_LT", 0], ["BRANCH_GTE", 0], ["BRANCH_GT", 1]] as const)("a row on the threshold of %s is on the side that the model decides", (mode, decided) => {
    const model = loadModel(treesModel([{ feature: 0, at: 1, low: 1, high: 0, mode }], 1));
    const row = Float32Array.of(1);
    expect(Number(at(model.score(row, 1).scores, 0) >= 0.5)).toBe(decided);
    const found = certify(model.structure(), row, { norm: "linf", decided, radiusMax: 3 });
    // Beyond the threshold lies at once; before it, the next 32-bit number.
    expect([found.lower, found.upper]).toEqual(decided === 1 ? [0, 0] : [2 ** -24, 2 ** -24]);
    expect(certify(model.structure(), Float32Array.of(3), { norm: "linf", decided: 0, radiusMax: 5 }).lower).toBeCloseTo(2, 6);
  });

  test("a feature that may not move is not counted on, and one measured in large units is nearer", () => {
    const structure = loadModel(treesModel([{ feature: 0, at: 1, low: 0, high: 1 }, { feature: 1, at: 8, low: 0, high: 1 }], 2)).structure();
    const row = Float32Array.of(0, 0);
    const lower = (scale: readonly number[]) => certify(structure, row, { norm: "linf", decided: 0, scale, radiusMax: 50 }).lower;
    expect([lower([1, 1]), lower([0, 1]), lower([1, 16])]).toEqual([1, 8, 0.5]);
  });
});

describe("robust.certified", () => {
  const model = loadModel(linearModel([1, 0], 0));
  const rows = rowsOf(2, Float32Array.from(Array.from({ length: 100 }, (_, row) => [(row - 20) / 50, 0]).flat()));
  const targets = Array.from({ length: 100 }, (_, row) => (row === 0 ? 1 : Number(row >= 20)));

  test("counts rightly decided rows beyond the radius, and the verdict follows from the counts alone", () => {
    const { statistics } = measureCertified({ structure: model.structure(), rows, scores: scoresOf(model)(rows), targets }, { norm: "linf", epsilon: 0.2 });
    // x is the distance: proven are those with |x| above 0.2; row 0 is wrong. At |x| of exactly 0.2 a row is open on one side and
    // broken on the other is for 32 bits to say; two rows are open.
    expect(statistics).toMatchObject({ assessed: 100, correct: 99, certified: 69 + 9, broken: 20 });
    const limit = (value: number) => ({ op: ">=", value, alpha: 0.05, source: "test" }) as const;
    expect(decideCertified(statistics, limit(0.6)).verdict).toBe("pass");
    expect(decideCertified(statistics, limit(0.9)).verdict).toBe("fail");
    expect(decideCertified(statistics, limit(0.78))).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
  });

  test("open rows neither pass nor fail, and no row is no evidence", () => {
    const open = { norm: "linf", epsilon: 0.1, attempted: 100, assessed: 100, correct: 100, certified: 0, broken: 0, medianLower: 0, medianUpper: null } as const;
    expect(decideCertified(open, { op: ">=", value: 0.5, alpha: 0.05, source: "test" }).verdict).toBe("insufficient_evidence");
    expect(decideCertified({ ...open, attempted: 0, assessed: 0 }, { op: ">=", value: 0, alpha: 0.05, source: "test" }).verdict).toBe("insufficient_evidence");
    expect(decideCertified({ ...open, certified: 90, broken: 0, assessed: 90 }, { op: ">=", value: 0.5, alpha: 0.05, source: "test" })).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
  });
});
