import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { code } from "../../../../test/unit/support/failure.ts";
import { oracleBytes, oraclesAbsent, oraclesPresent } from "../../../../test/unit/support/oracle-files.ts";
import { numericColumn } from "../table/cast.ts";
import { readTable } from "../table/table.ts";
import { loadModel } from "./model.ts";
import { type Message, modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";

const models = [
  "breast_cancer_gbm", "breast_cancer_logistic", "breast_cancer_mlp", "diabetes_regression_gbm", "diabetes_regression_linear",
  "digits_mlp", "iris_softmax", "synth8_forest_overfit", "synth8_gbm_overfit", "synth8_logistic", "synth8_mlp",
];

function scored(message: Message, rows: readonly (readonly number[])[]): number[] {
  const model = loadModel(modelBytes(message));
  return [...model.score(Float32Array.from(rows.flat()), rows.length).scores].map((value) => Number(value.toFixed(6)));
}

describe.skipIf(!oraclesPresent)(`against ONNX Runtime's predictions (skipped when ${oraclesAbsent})`, () => {
  test.each(models)("%s is reproduced within 3e-6 and without one other label", (name) => {
    const model = loadModel(oracleBytes(`models/${name}.onnx`));
    const data = readTable(oracleBytes(`models/${name}.test.csv`));
    const expected = readTable(oracleBytes(`models/${name}.test_predictions.csv`));
    const columns = data.columns.filter((column) => column !== "target").map((column) => numericColumn(data, column));
    const features = Float32Array.from({ length: data.rows * columns.length }, (_, index) => columns[index % columns.length]?.[Math.floor(index / columns.length)] ?? Number.NaN);
    const { scores, classes } = model.score(features, data.rows);
    const wanted = expected.columns.map((column) => numericColumn(expected, column));
    expect(classes).toHaveLength(wanted.length);
    const best = (values: readonly number[]) => values.indexOf(Math.max(...values));
    let worst = 0;
    for (let row = 0; row < data.rows; row += 1) {
      const there = wanted.map((column) => column[row] ?? Number.NaN);
      const here = [...scores.subarray(row * classes.length, (row + 1) * classes.length)];
      const scale = classes.length === 1 ? Math.abs(there[0] ?? 1) : 1;
      worst = Math.max(worst, ...here.map((value, column) => Math.abs(value - (there[column] ?? Number.NaN)) / scale));
      expect(best(here), `label of row ${row}`).toBe(best(there));
      expect((here[1] ?? 0) >= 0.5, `decision of row ${row}`).toBe((there[1] ?? 0) >= 0.5);
    }
    expect(worst).toBeLessThanOrEqual(3e-6);
  });

  test("a damaged model is refused with a code and never crashes or hangs", () => {
    const whole = oracleBytes("models/breast_cancer_mlp.onnx");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), fc.integer({ min: 0, max: 255 }), fc.boolean(), (at, byte, cut) => {
        const broken = Uint8Array.from(cut ? whole.subarray(0, at) : whole);
        if (!cut) broken[at] = byte;
        const outcome = code(() => loadModel(broken).score(new Float32Array(30), 1));
        expect(["nothing was thrown", "model_malformed", "model_unsupported", "model_operator_unknown", "model_too_large", "model_input_mismatch", "model_output_unclear"]).toContain(outcome);
      }),
      { numRuns: 400 },
    );
  });
});

const table = { input: "x", width: 2, output: "y" };

describe("operators by hand", () => {
  test("Scaler, LinearClassifier with SOFTMAX, Normalizer and ZipMap give labelled shares", () => {
    const message = {
      ...table,
      nodes: [
        nodeOf({ op: "Scaler", ml: true, in: ["x"], out: ["s"], floats: { offset: [1, 1], scale: [2, 2] } }),
        nodeOf({ op: "LinearClassifier", ml: true, in: ["s"], out: ["l", "p"], floats: { coefficients: [1, 0, 0, 1], intercepts: [0, 0] }, ints: { classlabels_ints: [3, 5] }, text: { post_transform: "SOFTMAX" } }),
        nodeOf({ op: "Normalizer", ml: true, in: ["p"], out: ["n"], text: { norm: "L1" } }),
        nodeOf({ op: "ZipMap", ml: true, in: ["n"], out: ["y"], ints: { classlabels_int64s: [3, 5] } }),
      ],
    };
    const model = loadModel(modelBytes(message));
    expect(model.score(Float32Array.of(1, 1), 1).classes).toEqual(["3", "5"]);
    expect(scored(message, [[1, 1], [2, 1]])).toEqual([0.5, 0.5, 0.880797, 0.119203]);
  });

  test("LinearRegressor and arithmetic broadcast over rows", () => {
    const nodes = [
      nodeOf({ op: "LinearRegressor", ml: true, in: ["x"], out: ["r"], floats: { coefficients: [1, 10], intercepts: [0.5] }, int: { targets: 1 } }),
      nodeOf({ op: "Tanh", in: ["r"], out: ["t"] }),
      nodeOf({ op: "Mul", in: ["r", "t"], out: ["y"] }),
    ];
    expect(scored({ ...table, nodes }, [[1, 2], [0, 0]])).toEqual([21.5, 0.231059]);
  });

  const stump = { nodes_treeids: [0, 0, 0], nodes_nodeids: [0, 1, 2], nodes_featureids: [1, 0, 0], nodes_truenodeids: [1, 0, 0], nodes_falsenodeids: [2, 0, 0] };
  const modes = { nodes_modes: ["BRANCH_LT", "LEAF", "LEAF"] };

  test("a boosted binary classifier with one margin mirrors it through the logistic function", () => {
    const nodes = [
      nodeOf({
        op: "TreeEnsembleClassifier", ml: true, in: ["x"], out: ["l", "y"], text: { post_transform: "LOGISTIC" }, texts: { ...modes, classlabels_strings: ["no", "yes"] },
        ints: { ...stump, class_treeids: [0, 0], class_nodeids: [1, 2], class_ids: [0, 0] }, floats: { nodes_values: [0.5, 0, 0], class_weights: [-1, 2] },
      }),
    ];
    expect(scored({ ...table, nodes }, [[0, 0], [0, 0.5]])).toEqual([0.731059, 0.268941, 0.119203, 0.880797]);
  });

  test.each([
    ["BRANCH_LEQ", [1, 1, 0]],
    ["BRANCH_LT", [1, 0, 0]],
    ["BRANCH_GTE", [0, 1, 1]],
    ["BRANCH_GT", [0, 0, 1]],
    ["BRANCH_EQ", [0, 1, 0]],
    ["BRANCH_NEQ", [1, 0, 1]],
  ])("a tree that branches by %s decides below, on and above its threshold, and sends a missing value where it says", (mode, expected) => {
    const tree = (missing: number) => nodeOf({
      op: "TreeEnsembleRegressor", ml: true, in: ["x"], out: ["y"], texts: { nodes_modes: [mode, "LEAF", "LEAF"] },
      ints: { ...stump, nodes_missing_value_tracks_true: [missing, 0, 0], target_treeids: [0, 0], target_nodeids: [1, 2], target_ids: [0, 0] },
      floats: { nodes_values: [0.5, 0, 0], target_weights: [1, 0] },
    });
    expect(scored({ ...table, nodes: [tree(0)] }, [[0, 0.25], [0, 0.5], [0, 0.75], [0, Number.NaN]])).toEqual([...expected, 0]);
    expect(scored({ ...table, nodes: [tree(1)] }, [[0, Number.NaN]])).toEqual([1]);
  });

  test("a tree whose branch has two parents, or leads nowhere, is refused before any row is scored", () => {
    const tree = (falseIds: number[]) => () =>
      loadModel(modelBytes({ ...table, nodes: [nodeOf({ op: "TreeEnsembleRegressor", ml: true, in: ["x"], out: ["y"], texts: modes, ints: { ...stump, nodes_falsenodeids: falseIds, target_treeids: [0], target_nodeids: [1], target_ids: [0] }, floats: { nodes_values: [0.5, 0, 0], target_weights: [1] } })] }));
    expect([code(tree([1, 0, 0])), code(tree([9, 0, 0])), code(tree([2, 0, 0]))]).toEqual(["model_malformed", "model_malformed", "nothing was thrown"]);
  });

  test("a file with two graphs is refused: others would run both as one", () => {
    const one = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "Identity", in: ["x"], out: ["y"] })] });
    expect(code(() => loadModel(Buffer.concat([one, one])))).toBe("model_malformed");
  });

  test("an unknown operator, a foreign domain, joined rows and a second score output are refused", () => {
    const one = (nodes: readonly Uint8Array[], extra: object = {}) => () => loadModel(modelBytes({ ...table, ...extra, nodes })).score(Float32Array.of(1, 1), 1);
    expect(code(one([nodeOf({ op: "Loop", in: ["x"], out: ["y"] })]))).toBe("model_operator_unknown");
    expect(code(one([nodeOf({ op: "Concat", in: ["x", "x"], out: ["y"], int: { axis: 0 } })]))).toBe("model_operator_unknown");
    expect(code(one([nodeOf({ op: "Identity", in: ["z"], out: ["y"] })]))).toBe("model_malformed");
    expect(code(one([nodeOf({ op: "Identity", in: ["x"], out: ["y"] }), nodeOf({ op: "Neg", in: ["x"], out: ["y2"] })], { second: "y2" }))).toBe("model_output_unclear");
  });

  test("rows of another width than the model's are refused", () => {
    const model = loadModel(modelBytes({ ...table, nodes: [nodeOf({ op: "Identity", in: ["x"], out: ["y"] })] }));
    expect(code(() => model.score(Float32Array.of(1, 2, 3), 1))).toBe("model_input_mismatch");
    expect(model.score(new Float32Array(0), 0).scores).toHaveLength(0);
  });

  test("many rows give the same scores as one row at a time", () => {
    const message = { ...table, nodes: [nodeOf({ op: "Softmax", in: ["x"], out: ["y"] })] };
    const rows = Array.from({ length: 9000 }, (_, row) => [row / 1000, (row * 7) % 3]);
    const together = scored(message, rows);
    for (const row of [0, 4095, 4096, 8191, 8192, 8999]) {
      expect(together.slice(row * 2, row * 2 + 2)).toEqual(scored(message, [rows[row] ?? []]));
    }
  });
});
