import type { Attribute, ModelNode } from "./model-file.ts";
import { malformed } from "./protobuf.ts";
import { type Matrix, unsupported } from "./tensor.ts";

const modes = ["LEAF", "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"] as const;
type Mode = (typeof modes)[number];

interface Vote {
  readonly target: number;
  readonly weight: number;
}

interface TreeNode {
  readonly mode: Mode;
  readonly feature: number;
  readonly value: number;
  readonly missingIsTrue: boolean;
  readonly whenTrue: string;
  readonly whenFalse: string;
  readonly votes: Vote[];
  yes: TreeNode | undefined;
  no: TreeNode | undefined;
}

/** Trees ready to be walked. `targets` is the number of sums per row. */
export interface Forest {
  readonly roots: readonly TreeNode[];
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
  const lists = new Lists(node);
  const trees = lists.integers("nodes_treeids");
  const ids = lists.integers("nodes_nodeids", trees.length);
  const nodes = new Map<string, TreeNode>();
  const width = { max: 0 };
  const columns = columnsOf(lists, trees.length);
  for (const [index, tree] of trees.entries()) {
    const key = `${tree}/${ids[index] ?? -1}`;
    if (nodes.has(key)) throw malformed(`a tree has the node ${key} twice`);
    const built = columns(index, tree);
    if (built.mode !== "LEAF") width.max = Math.max(width.max, built.feature + 1);
    nodes.set(key, built);
  }
  const voted = addVotes(lists, nodes, { votes, targets });
  return {
    roots: link(nodes),
    width: width.max,
    targets,
    base: lists.floats("base_values"),
    average: aggregation(node.attributes.get("aggregate_function")) === "AVERAGE",
    ...voted,
  };
}

/** Sums of the leaves' votes, row by row, in double precision: `rows * targets` numbers. */
export function walkForest(forest: Forest, input: Matrix): Float64Array {
  if (input.columns < forest.width) throw malformed("a tree asks for a feature that the input does not have");
  const sums = new Float64Array(input.rows * forest.targets);
  const share = forest.average && forest.roots.length > 0 ? 1 / forest.roots.length : 1;
  for (let row = 0; row < input.rows; row += 1) {
    const start = row * forest.targets;
    for (let target = 0; target < forest.targets; target += 1) sums[start + target] = forest.base[target] ?? 0;
    for (const root of forest.roots) {
      for (const vote of leafFor(root, input.data, row * input.columns).votes) {
        sums[start + vote.target] = (sums[start + vote.target] ?? Number.NaN) + vote.weight * share;
      }
    }
  }
  return sums;
}

function leafFor(root: TreeNode, data: Float32Array, offset: number): TreeNode {
  let node = root;
  while (node.mode !== "LEAF") {
    const next = goesTrue(node, data[offset + node.feature] ?? Number.NaN) ? node.yes : node.no;
    if (next === undefined) throw malformed("a branch of a tree leads nowhere");
    node = next;
  }
  return node;
}

const comparisons: Readonly<Record<Mode, (x: number, value: number) => boolean>> = {
  LEAF: () => false,
  BRANCH_LEQ: (x, value) => x <= value,
  BRANCH_LT: (x, value) => x < value,
  BRANCH_GTE: (x, value) => x >= value,
  BRANCH_GT: (x, value) => x > value,
  BRANCH_EQ: (x, value) => x === value,
  BRANCH_NEQ: (x, value) => x !== value,
};

function goesTrue(node: TreeNode, x: number): boolean {
  return Number.isNaN(x) ? node.missingIsTrue : comparisons[node.mode](x, node.value);
}

class Lists {
  readonly #attributes: ReadonlyMap<string, Attribute>;

  constructor(node: ModelNode) {
    this.#attributes = node.attributes;
    for (const name of node.attributes.keys()) {
      if (name.endsWith("_as_tensor")) throw unsupported(`the trees use \`${name}\``);
    }
  }

  integers(name: string, length?: number): readonly number[] {
    return sized(name, this.#attributes.get(name)?.integers ?? [], length);
  }

  floats(name: string, length?: number): readonly number[] {
    return sized(name, this.#attributes.get(name)?.floats ?? [], length);
  }

  texts(name: string, length?: number): readonly string[] {
    return sized(name, this.#attributes.get(name)?.texts ?? [], length);
  }
}

function sized<T>(name: string, values: readonly T[], length: number | undefined): readonly T[] {
  if (length !== undefined && values.length !== length) throw malformed(`the list \`${name}\` of a tree has the wrong length`);
  return values;
}

function columnsOf(lists: Lists, length: number): (index: number, tree: number) => TreeNode {
  const mode = lists.texts("nodes_modes", length);
  const feature = lists.integers("nodes_featureids", length);
  const value = lists.floats("nodes_values", length);
  const yes = lists.integers("nodes_truenodeids", length);
  const no = lists.integers("nodes_falsenodeids", length);
  const missing = lists.integers("nodes_missing_value_tracks_true");
  return (index, tree) => ({
    mode: modeOf(mode[index] ?? ""),
    feature: atLeastZero(feature[index] ?? 0),
    value: value[index] ?? Number.NaN,
    missingIsTrue: missing[index] === 1,
    whenTrue: `${tree}/${yes[index] ?? -1}`,
    whenFalse: `${tree}/${no[index] ?? -1}`,
    votes: [],
    yes: undefined,
    no: undefined,
  });
}

function modeOf(text: string): Mode {
  const known = modes.find((mode) => mode === text);
  if (known === undefined) throw unsupported(`a tree branches by \`${text}\``);
  return known;
}

function atLeastZero(feature: number): number {
  if (feature < 0) throw malformed("a tree asks for a feature below zero");
  return feature;
}

function addVotes(lists: Lists, nodes: Map<string, TreeNode>, options: { votes: string; targets: number }) {
  const trees = lists.integers(`${options.votes}_treeids`);
  const ids = lists.integers(`${options.votes}_nodeids`, trees.length);
  const targets = lists.integers(`${options.votes}_ids`, trees.length);
  const weights = lists.floats(`${options.votes}_weights`, trees.length);
  for (const [index, tree] of trees.entries()) {
    const target = targets[index] ?? -1;
    const node = nodes.get(`${tree}/${ids[index] ?? -1}`);
    if (node === undefined || target < 0 || target >= options.targets) throw malformed("a leaf of a tree votes for something that is not there");
    node.votes.push({ target, weight: weights[index] ?? Number.NaN });
  }
  return { votedTargets: new Set(targets), anyNegative: weights.some((weight) => weight < 0) };
}

/** Connects the nodes and returns the roots. One parent per node and one root per tree make every walk end. */
function link(nodes: ReadonlyMap<string, TreeNode>): readonly TreeNode[] {
  const children = new Set<string>();
  for (const node of nodes.values()) {
    if (node.mode === "LEAF") continue;
    node.yes = adopt(node.whenTrue, nodes, children);
    node.no = adopt(node.whenFalse, nodes, children);
  }
  const roots = [...nodes].filter(([key]) => !children.has(key));
  const trees = new Set([...nodes.keys()].map((key) => key.split("/")[0]));
  if (roots.length !== trees.size) throw malformed("a tree has no root, or more than one");
  return roots.map(([, node]) => node);
}

function adopt(key: string, nodes: ReadonlyMap<string, TreeNode>, children: Set<string>): TreeNode {
  const child = nodes.get(key);
  if (child === undefined) throw malformed("a branch of a tree leads nowhere");
  if (children.has(key)) throw malformed("a node of a tree has two parents");
  children.add(key);
  return child;
}

function aggregation(attribute: Attribute | undefined): "SUM" | "AVERAGE" {
  const name = attribute?.text ?? "SUM";
  if (name === "SUM" || name === "AVERAGE") return name;
  throw unsupported(`the trees are combined by \`${name}\``);
}
