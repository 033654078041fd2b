import { describe, expect, test } from "vitest";
import { code } from "../../../../test/unit/support/failure.ts";
import { type Message, modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";
import { linearModel, treesModel } from "../../../../test/unit/support/small-models.ts";
import { forward } from "./network.ts";
import { loadModel } from "./model.ts";
import { decidedClass, rivalsOf } from "./rivals.ts";
import { walkForest } from "./trees.ts";

const table = { input: "x", width: 2, output: "y" };

function scored(message: Message, rows: readonly (readonly number[])[]): number[] {
  const output = loadModel(modelBytes(message)).run(Float32Array.from(rows.flat()), rows.length).get("y");
  return output === undefined || output.kind === "string" ? [] : [...output.data].map((value) => Number(value.toFixed(5)));
}

const one = (node: Parameters<typeof nodeOf>[0]): Message => ({ ...table, nodes: [nodeOf(node)] });

describe("operators that prepare features", () => {
  test("an Imputer fills what is missing, per column or by one mark", () => {
    expect(scored(one({ op: "Imputer", ml: true, in: ["x"], out: ["y"], float: { replaced_value_float: Number.NaN }, floats: { imputed_value_floats: [7, 8] } }), [[Number.NaN, 1], [2, Number.NaN]])).toEqual([7, 1, 2, 8]);
    // Without a mark it is 0 that is missing, as the standard says.
    expect(scored(one({ op: "Imputer", ml: true, in: ["x"], out: ["y"], floats: { imputed_value_floats: [7, 8] } }), [[0, 1], [2, Number.NaN]])).toEqual([7, 1, 2, Number.NaN]);
  });

  test("a OneHotEncoder gives one column per category, zeros for a stranger, and refuses strangers where it says so", () => {
    const message = (zeros: number): Message => ({
      ...table, width: 1, nodes: [nodeOf({ op: "OneHotEncoder", ml: true, in: ["x"], out: ["y"], ints: { cats_int64s: [1, 5] }, int: { zeros } })],
    });
    expect(scored(message(1), [[5], [1], [9]])).toEqual([0, 1, 1, 0, 0, 0]);
    expect(code(() => scored(message(0), [[9]]))).toBe("model_malformed");
  });

  test("a LabelEncoder maps by its list and falls back for a stranger", () => {
    expect(scored(one({ op: "LabelEncoder", ml: true, in: ["x"], out: ["y"], floats: { keys_floats: [1, 2], values_floats: [10, 20] } }), [[1, 2], [3, 1]])).toEqual([10, 20, 0, 10]);
  });

  test("Binarizer, ArrayFeatureExtractor and Normalizer of the largest value do what the standard says", () => {
    expect(scored(one({ op: "Binarizer", ml: true, in: ["x"], out: ["y"] }), [[-1, 2]])).toEqual([0, 1]);
    expect(scored(one({ op: "Normalizer", ml: true, in: ["x"], out: ["y"], text: { norm: "MAX" } }), [[-4, 2]])).toEqual([-2, 1]);
  });
});

describe("support vector machines", () => {
  test("a regressor with a radial kernel sums its weighted kernels and offset", () => {
    const node = { op: "SVMRegressor", ml: true, in: ["x"], out: ["y"], text: { kernel_type: "RBF" }, floats: { coefficients: [2, -1], support_vectors: [0, 0, 1, 1], kernel_params: [0.5, 0, 3], rho: [0.25] }, int: { n_supports: 2 } };
    expect(scored(one(node), [[0, 0], [1, 1]])).toEqual([Number((2 - Math.exp(-1) + 0.25).toFixed(5)), Number((2 * Math.exp(-1) - 1 + 0.25).toFixed(5))]);
  });

  test("a classifier without calibrated probabilities is refused instead of guessed", () => {
    const node = nodeOf({ op: "SVMClassifier", ml: true, in: ["x"], out: ["l", "y"], floats: { coefficients: [1], support_vectors: [1, 1], rho: [0] }, ints: { classlabels_ints: [0, 1], vectors_per_class: [1, 0] } });
    expect(code(() => loadModel(modelBytes({ ...table, nodes: [node] })))).toBe("model_operator_unknown");
  });
});

describe("shapes and bounds", () => {
  test("the largest numbers keep what is beside them", () => {
    expect(scored(one({ op: "LogSoftmax", in: ["x"], out: ["y"] }), [[3e38, 3e38]])).toEqual([-Math.LN2, -Math.LN2].map((value) => Number(value.toFixed(5))));
    expect(scored(one({ op: "Clip", in: ["x"], out: ["y"] }), [[Infinity, -Infinity]])).toEqual([3.4028234663852886e38, -3.4028234663852886e38]);
  });

  test("Clip, ArgMax, Flatten and sums along the columns keep the rows apart", () => {
    const nodes = [nodeOf({ op: "ArgMax", in: ["x"], out: ["y"], int: { axis: 1, keepdims: 1 } })];
    expect(scored({ ...table, nodes }, [[1, 2], [3, 0], [5, 5]])).toEqual([1, 0, 0]);
    expect(scored(one({ op: "ReduceSum", in: ["x"], out: ["y"], ints: { axes: [1] } }), [[1, 2], [3, 0]])).toEqual([3, 3]);
    expect(code(() => scored(one({ op: "ReduceSum", in: ["x"], out: ["y"], ints: { axes: [0] } }), [[1, 2]]))).toBe("model_unsupported");
  });

  test("a value computed twice, or a ring of nodes, is refused before any row is scored", () => {
    const neg = (from: string, to: string) => nodeOf({ op: "Neg", in: [from], out: [to] });
    expect(code(() => loadModel(modelBytes({ ...table, nodes: [neg("x", "y"), neg("x", "y")] })))).toBe("model_malformed");
    expect(code(() => loadModel(modelBytes({ ...table, nodes: [neg("b", "a"), neg("a", "b"), neg("a", "y")] })))).toBe("model_malformed");
  });

  test("a small row that a graph blows up to gigabytes is refused, not computed", () => {
    const nodes = Array.from({ length: 30 }, (_, index) => nodeOf({ op: "Concat", in: index === 0 ? ["x", "x"] : [`c${index - 1}`, `c${index - 1}`], out: [index === 29 ? "y" : `c${index}`], int: { axis: 1 } }));
    expect(code(() => scored({ ...table, nodes }, [[1, 2]]))).toBe("model_too_large");
  });

  test("a ring of tree nodes beside a whole tree is refused", () => {
    const node = nodeOf({
      op: "TreeEnsembleRegressor", ml: true, in: ["x"], out: ["y"], texts: { nodes_modes: ["LEAF", "BRANCH_LEQ", "LEAF", "BRANCH_LEQ", "LEAF"] },
      ints: { nodes_treeids: [0, 0, 0, 0, 0], nodes_nodeids: [0, 1, 2, 3, 4], nodes_featureids: [0, 0, 0, 0, 0], nodes_truenodeids: [0, 3, 0, 1, 0], nodes_falsenodeids: [0, 2, 0, 4, 0], target_treeids: [0], target_nodeids: [0], target_ids: [0] },
      floats: { nodes_values: [0, 0, 0, 0, 0], target_weights: [1] },
    });
    expect(code(() => loadModel(modelBytes({ ...table, nodes: [node] })))).toBe("model_malformed");
  });
});

describe("looking through a model", () => {
  test("scaling, a linear classifier and a labelled map become one set of weights that gives the model's own scores", () => {
    const model = loadModel(modelBytes({
      ...table,
      nodes: [
        nodeOf({ op: "Scaler", ml: true, in: ["x"], out: ["s"], floats: { offset: [1, 2], scale: [2, 0.5] } }),
        nodeOf({ op: "LinearClassifier", ml: true, in: ["s"], out: ["l", "p"], floats: { coefficients: [1, -3, 0.5, 2], intercepts: [0.25, -1] }, ints: { classlabels_ints: [0, 1] }, text: { post_transform: "SOFTMAX" } }),
        nodeOf({ op: "Normalizer", ml: true, in: ["p"], out: ["n"], text: { norm: "L1" } }),
        nodeOf({ op: "ZipMap", ml: true, in: ["n"], out: ["y"], ints: { classlabels_int64s: [0, 1] } }),
      ],
    }));
    const structure = model.structure();
    if (structure.kind !== "network") throw new Error(`seen as ${structure.kind}`);
    expect(structure.link).toBe("shares");
    const [a = 0, b = 0] = forward(structure.network, [0.3, -1.2]);
    expect(model.score(Float32Array.of(0.3, -1.2), 1).scores[1]).toBeCloseTo(1 / (1 + Math.exp(a - b)), 6);
  });

  test("trees behind a scaler, several inputs and unknown operators stay opaque, with the reason", () => {
    const scaledTree = modelBytes({
      ...table,
      nodes: [
        nodeOf({ op: "Scaler", ml: true, in: ["x"], out: ["s"], floats: { offset: [0], scale: [2] } }),
        nodeOf({ op: "TreeEnsembleRegressor", ml: true, in: ["s"], out: ["y"], texts: { nodes_modes: ["LEAF"] }, ints: { nodes_treeids: [0], nodes_nodeids: [0], nodes_featureids: [0], nodes_truenodeids: [0], nodes_falsenodeids: [0], target_treeids: [0], target_nodeids: [0], target_ids: [0] }, floats: { nodes_values: [0], target_weights: [1] } }),
      ],
    });
    expect(loadModel(scaledTree).structure()).toEqual({ kind: "opaque", reason: "its trees look at prepared features" });
    expect(loadModel(modelBytes(one({ op: "Tanh", in: ["x"], out: ["y"] }))).structure()).toEqual({ kind: "opaque", reason: "it uses the operator `Tanh`" });
  });

  test("the rivals of a decision are positive exactly while the scores decide for it", () => {
    const model = loadModel(linearModel([2, -1], 0.5));
    const structure = model.structure();
    if (structure.kind !== "network") throw new Error(`seen as ${structure.kind}`);
    for (const threshold of [0.5, 0.2, 0.9]) {
      for (const x of [[0, 0], [1, 1], [-1, 2], [0.1, 0.69]]) {
        const decided = decidedClass(model.score(Float32Array.from(x), 1).scores, { start: 0, columns: 2, threshold });
        const outputs = forward(structure.network, x);
        for (const { weights, offset } of rivalsOf({ outputs: 2, link: structure.link, threshold }, decided)) {
          expect(weights.reduce((sum, weight, index) => sum + weight * (outputs[index] ?? 0), offset)).toBeGreaterThanOrEqual(0);
        }
      }
    }
  });

  test("trees are handed out as they score", () => {
    const model = loadModel(treesModel([{ feature: 0, at: 0.5, low: 1, high: { feature: 1, at: 0, low: 2, high: 4 } }, 0.25], 2));
    const structure = model.structure();
    if (structure.kind !== "forest") throw new Error(`seen as ${structure.kind}`);
    const data = Float32Array.of(0.5, 9, 0.6, 0, 0.6, 0.1);
    expect([...walkForest(structure.forest, { rows: 3, columns: 2, data })]).toEqual([1.25, 2.25, 4.25]);
    expect([...model.score(data, 3).scores]).toEqual([1.25, 2.25, 4.25]);
  });
});
