import type { Attribute, ModelNode } from "./model-file.ts";
import { ForestFile } from "./forest-file.ts";
import { malformed } from "./protobuf.ts";
import { type Matrix, unsupported } from "./tensor.ts";

/** Branch modes by their place in `Forest.mode`. */
export const treeModes = ["LEAF", "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"] as const;

/**
 * Trees as columns, ready to be walked or analysed. Node `i` is a leaf when `mode[i]` is 0, and then votes
 * `voteTarget[v]`, `voteWeight[v]` for v from `voteStart[i]` to `voteStart[i + 1]`.
 * `targets` is the number of sums per row.
 */
export interface Forest {
  readonly roots: Int32Array;
  readonly mode: Uint8Array;
  readonly feature: Int32Array;
  /** 32-bit values, as the model holds them. */
  readonly threshold: Float32Array;
  readonly missingIsTrue: Uint8Array;
  readonly yes: Int32Array;
  readonly no: Int32Array;
  readonly voteStart: Int32Array;
  readonly voteTarget: Int32Array;
  readonly voteWeight: Float64Array;
  readonly width: number;
  readonly targets: number;
  readonly base: readonly number[];
  readonly average: boolean;
  /** Distinct targets that leaves vote for, and whether any vote is negative: decides the binary convention. */
  readonly votedTargets: ReadonlySet<number>;
  readonly anyNegative: boolean;
}

/**
 * Builds trees from the attributes of TreeEnsembleRegressor or TreeEnsembleClassifier (ai.onnx.ml 1 to 3).
 * Every tree must have one root and no node with two parents, so that each walk ends.
 */
export function buildForest(node: ModelNode, votes: "target" | "class", targets: number): Forest {
  const file = new ForestFile(node, { votes, targets });
  return { ...file.columns(), ...file.votes(), targets, base: file.base, average: aggregation(node.attributes.get("aggregate_function")) === "AVERAGE" };
}

/** Sums of the leaves' votes, row by row, in double precision: `rows * targets` numbers. */
export function walkForest(forest: Forest, input: Matrix): Float64Array {
  if (input.columns < forest.width) throw malformed("a tree asks for a feature that the input does not have");
  const { targets, roots } = forest;
  const sums = new Float64Array(input.rows * targets);
  const share = shareOfTree(forest);
  for (let row = 0; row < input.rows; row += 1) {
    const start = row * targets;
    for (let target = 0; target < targets; target += 1) sums[start + target] = forest.base[target] ?? 0;
    for (const root of roots) addVotes(forest, leafFor(forest, root, { data: input.data, offset: row * input.columns }), { sums, start, share });
  }
  return sums;
}

/** What one tree's votes count: one, or its part of the average. */
export function shareOfTree({ average, roots }: Pick<Forest, "average" | "roots">): number {
  return average && roots.length > 0 ? 1 / roots.length : 1;
}

function addVotes({ voteStart, voteTarget, voteWeight }: Forest, leaf: number, to: { sums: Float64Array; start: number; share: number }): void {
  const end = voteStart[leaf + 1] ?? 0;
  for (let vote = voteStart[leaf] ?? 0; vote < end; vote += 1) {
    const at = to.start + (voteTarget[vote] ?? 0);
    to.sums[at] = (to.sums[at] ?? 0) + (voteWeight[vote] ?? 0) * to.share;
  }
}

/** What a leaf votes for one target, before the average. */
export function leafVote({ voteStart, voteTarget, voteWeight }: Forest, leaf: number, target: number): number {
  let sum = 0;
  const end = voteStart[leaf + 1] ?? 0;
  for (let vote = voteStart[leaf] ?? 0; vote < end; vote += 1) if (voteTarget[vote] === target) sum += voteWeight[vote] ?? 0;
  return sum;
}

/** The leaf that a row falls into. Ends, because no node has two parents. */
export function leafFor(forest: Forest, root: number, row: { data: Float32Array; offset: number }): number {
  const { mode, feature, yes, no } = forest;
  let node = root;
  while (mode[node] !== 0) {
    const x = row.data[row.offset + (feature[node] ?? 0)] ?? Number.NaN;
    node = (takesYes(forest, node, x) ? yes[node] : no[node]) ?? 0;
  }
  return node;
}

/** Where a branch sends a value; a missing one goes where the model says. */
export function takesYes(forest: Forest, node: number, x: number): boolean {
  const value = forest.threshold[node] ?? Number.NaN;
  if (x !== x) return forest.missingIsTrue[node] === 1;
  const mode: number = forest.mode[node] ?? 0;
  switch (mode) {
    case 1:
      return x <= value;
    case 2:
      return x < value;
    case 3:
      return x >= value;
    case 4:
      return x > value;
    case 5:
      return x === value;
    default:
      return x !== value;
  }
}

function aggregation(attribute: Attribute | undefined): "SUM" | "AVERAGE" {
  const name = attribute?.text ?? "SUM";
  if (name === "SUM" || name === "AVERAGE") return name;
  throw unsupported(`the trees are combined by \`${name}\``);
}
