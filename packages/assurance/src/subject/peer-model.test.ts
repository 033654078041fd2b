import { describe, expect, test } from "vitest";
import { type NodeText, modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";
import { loadModel } from "../onnx/model.ts";
import { findPeerRuntime } from "../onnx/peer-runtime.ts";
import { deviationMax } from "./cross-check.ts";
import { loadPeerModel } from "./peer-model.ts";

const real = findPeerRuntime(process.env["LICET_ONNX_RUNTIME"]);
const rows = [[1, -2], [0.5, 3], [-0.25, 0.01], [30, -40], [2, 2], [-1.5, 0.1], [7.25, -3.5], [0.001, 20]];

const plain = (op: string, more: Partial<NodeText> = {}): readonly NodeText[] => [{ op, in: ["x"], out: ["y"], ...more }];
const ofTwo = (op: string): readonly NodeText[] => [{ op: "Softplus", in: ["x"], out: ["s"] }, { op, in: ["x", "s"], out: ["y"] }];
const ml = (op: string, more: Partial<NodeText>) => plain(op, { ml: true, ...more });

const tree = (mode: string) => ({
  ints: { nodes_treeids: [0, 0, 0, 1, 1, 1], nodes_nodeids: [0, 1, 2, 0, 1, 2], nodes_featureids: [0, 0, 0, 1, 0, 0], nodes_truenodeids: [1, 0, 0, 1, 0, 0], nodes_falsenodeids: [2, 0, 0, 2, 0, 0], nodes_missing_value_tracks_true: [0, 0, 0, 1, 0, 0] },
  texts: { nodes_modes: [mode, "LEAF", "LEAF", mode, "LEAF", "LEAF"] },
  floats: { nodes_values: [0.5, 0, 0, 2, 0, 0] },
});
const modes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"];
const forest = (mode: string, transform: string, ids: readonly number[]): readonly NodeText[] => {
  const { ints, texts, floats } = tree(mode);
  const votes = { class_treeids: [0, 0, 1, 1], class_nodeids: [1, 2, 1, 2], class_ids: ids, classlabels_int64s: [0, 1, 2] };
  return [{ op: "TreeEnsembleClassifier", ml: true, in: ["x"], out: ["l", "y"], ints: { ...ints, ...votes }, texts, floats: { ...floats, class_weights: [0.1, 0.2, 0.3, 0.4] }, text: { post_transform: transform } }];
};

const cases: readonly (readonly [string, readonly NodeText[]])[] = [
  ...["Relu", "LeakyRelu", "Elu", "Selu", "HardSigmoid", "Softplus", "Sigmoid", "Tanh", "Exp", "Abs", "Neg", "Reciprocal", "Floor", "Ceil", "Identity", "Softmax", "LogSoftmax", "Flatten", "Clip"].map((op) => [op, plain(op)] as const),
  ...["Add", "Sub", "Mul", "Div", "Min", "Max"].map((op) => [op, ofTwo(op)] as const),
  ...["Sqrt", "Log"].map((op) => [op, [{ op: "Abs", in: ["x"], out: ["a"] }, { op, in: ["a"], out: ["y"] }]] as const),
  ["Pow", [{ op: "Softplus", in: ["x"], out: ["s"] }, { op: "Pow", in: ["s", "x"], out: ["p"] }, { op: "Tanh", in: ["p"], out: ["y"] }]],
  ...["ReduceMean", "ReduceMax"].map((op) => [op, plain(op, { ints: { axes: [1] } })] as const),
  ["Concat", [{ op: "Neg", in: ["x"], out: ["n"] }, { op: "Concat", in: ["x", "n"], out: ["y"], int: { axis: 1 } }]],
  ["ArgMax", [{ op: "ArgMax", in: ["x"], out: ["a"], int: { axis: 1, keepdims: 1 } }, { op: "Cast", in: ["a"], out: ["y"], int: { to: 1 } }]],
  ["Cast", [{ op: "Cast", in: ["x"], out: ["a"], int: { to: 7 } }, { op: "Cast", in: ["a"], out: ["y"], int: { to: 1 } }]],
  ["Scaler", ml("Scaler", { floats: { offset: [0.5, 1], scale: [2, 0.1] } })],
  ...["MAX", "L1", "L2"].map((norm) => [`Normalizer ${norm}`, ml("Normalizer", { text: { norm } })] as const),
  ["Binarizer", ml("Binarizer", { float: { threshold: 0.25 } })],
  ["Imputer of 2", ml("Imputer", { float: { replaced_value_float: 2 }, floats: { imputed_value_floats: [7, 8] } })],
  ["Imputer of 0", ml("Imputer", { floats: { imputed_value_floats: [7, 8] } })],
  ["LinearRegressor", ml("LinearRegressor", { floats: { coefficients: [0.3, -0.2, 0.1, 0.5], intercepts: [0.5, 0.25] }, int: { targets: 2 } })],
  ...["NONE", "LOGISTIC", "SOFTMAX"].map((post_transform) => [`LinearClassifier ${post_transform}`, [{ op: "LinearClassifier", ml: true, in: ["x"], out: ["l", "y"], floats: { coefficients: [0.3, -0.2, -0.3, 0.2, 1, 1], intercepts: [0.5, -0.5, 0] }, ints: { classlabels_ints: [0, 1, 2] }, text: { post_transform } }]] as const),
  ...["LINEAR", "POLY", "RBF", "SIGMOID"].map((kernel_type) => [`SVMRegressor ${kernel_type}`, ml("SVMRegressor", { text: { kernel_type, post_transform: "NONE" }, floats: { kernel_params: [0.05, 0.1, 2], support_vectors: [1, 2, -1, 0.5], coefficients: [0.3, -0.7], rho: [0.2] }, int: { n_supports: 2 } })] as const),
  ...modes.flatMap((mode) => ["SUM", "AVERAGE"].map((aggregate_function) => {
    const { ints, texts, floats } = tree(mode);
    return [`TreeEnsembleRegressor ${mode} ${aggregate_function}`, ml("TreeEnsembleRegressor", { ints: { ...ints, target_treeids: [0, 0, 1, 1], target_nodeids: [1, 2, 1, 2], target_ids: [0, 0, 0, 0] }, texts, floats: { ...floats, target_weights: [0.1, 0.2, -0.3, 0.4], base_values: [0.05] }, int: { n_targets: 1 }, text: { aggregate_function } })] as const;
  })),
  ...modes.flatMap((mode) => ["NONE", "SOFTMAX", "LOGISTIC"].map((transform) => [`TreeEnsembleClassifier ${mode} ${transform}`, forest(mode, transform, [0, 1, 2, 1])] as const)),
];

describe.skipIf(real === undefined)("ONNX Runtime (skipped where LICET_ONNX_RUNTIME names no folder with it)", () => {
  test.each(cases)("%s is computed there as it is here", async (_name, nodes) => {
    const bytes = modelBytes({ input: "x", width: 2, output: "y", nodes: nodes.map(nodeOf) });
    const features = Float32Array.from(rows.flat());
    const ours = loadModel(bytes).score(features, rows.length);
    const theirs = await (await loadPeerModel(bytes, real ?? { name: "onnxruntime-web", version: "", module: "" })).score(features, rows.length);
    expect(theirs.columns).toBe(ours.classes.length);
    const apart = [...ours.scores].map((value, at) => Math.abs(value - (theirs.scores[at] ?? Number.NaN)) / (1 + Math.abs(value)));
    expect(Math.max(...apart)).toBeLessThan(deviationMax.relative / 10);
  });
});
