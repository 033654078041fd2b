import { type Message, modelBytes, nodeOf } from "./write-model.ts";

/** Small models that tests state in words instead of shipping files. Not part of the product. */

/** Two classes by one margin: score of class 1 is logistic(weights . x + offset), through the signed pair of rows. */
export function linearModel(weights: readonly number[], offset: number): Uint8Array {
  const negated = weights.map((weight) => -weight);
  const nodes = [nodeOf({ op: "LinearClassifier", ml: true, in: ["x"], out: ["l", "y"], floats: { coefficients: [...negated, ...weights], intercepts: [-offset, offset] }, ints: { classlabels_ints: [0, 1] }, text: { post_transform: "SOFTMAX" } })];
  return modelBytes({ input: "x", width: weights.length, output: "y", nodes });
}

type Mode = "BRANCH_LEQ" | "BRANCH_LT" | "BRANCH_GTE" | "BRANCH_GT";

export type Tree = number | { readonly feature: number; readonly at: number; readonly low: Tree; readonly high: Tree; readonly mode?: Mode };

/** The sum of the trees; "feature at most `at`" goes low, or what another mode says. */
export function treesModel(trees: readonly Tree[], features: number): Uint8Array {
  const lists = { tree: [] as number[], id: [] as number[], feature: [] as number[], yes: [] as number[], no: [] as number[], mode: [] as string[], value: [] as number[] };
  const votes = { tree: [] as number[], id: [] as number[], weight: [] as number[] };
  for (const [tree, whole] of trees.entries()) {
    let next = 0;
    const place = (node: Tree): number => {
      const id = next;
      next += 1;
      const at = lists.tree.length;
      lists.tree.push(tree);
      lists.id.push(id);
      lists.feature.push(typeof node === "number" ? 0 : node.feature);
      lists.mode.push(typeof node === "number" ? "LEAF" : (node.mode ?? "BRANCH_LEQ"));
      lists.value.push(typeof node === "number" ? 0 : node.at);
      lists.yes.push(0);
      lists.no.push(0);
      if (typeof node === "number") {
        votes.tree.push(tree);
        votes.id.push(id);
        votes.weight.push(node);
        return id;
      }
      const turned = node.mode === "BRANCH_GTE" || node.mode === "BRANCH_GT";
      lists.yes[at] = place(turned ? node.high : node.low);
      lists.no[at] = place(turned ? node.low : node.high);
      return id;
    };
    place(whole);
  }
  const message: Message = {
    input: "x", width: features, output: "y",
    nodes: [nodeOf({
      op: "TreeEnsembleRegressor", ml: true, in: ["x"], out: ["y"], texts: { nodes_modes: lists.mode },
      ints: {
        nodes_treeids: lists.tree, nodes_nodeids: lists.id, nodes_featureids: lists.feature, nodes_truenodeids: lists.yes, nodes_falsenodeids: lists.no,
        target_treeids: votes.tree, target_nodeids: votes.id, target_ids: votes.tree.map(() => 0),
      },
      floats: { nodes_values: lists.value, target_weights: votes.weight }, int: { n_targets: 1 },
    })],
  };
  return modelBytes(message);
}
