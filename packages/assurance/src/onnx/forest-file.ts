import type { Attribute, ModelNode } from "./model-file.ts";
import { malformed } from "./protobuf.ts";
import { unsupported } from "./tensor.ts";

const modeCodes: ReadonlyMap<string, number> = new Map([
  ["LEAF", 0], ["BRANCH_LEQ", 1], ["BRANCH_LT", 2], ["BRANCH_GTE", 3], ["BRANCH_GT", 4], ["BRANCH_EQ", 5], ["BRANCH_NEQ", 6],
]);

/** Reads the parallel attribute lists of a tree ensemble and checks that they describe trees. All input is hostile. */
export class ForestFile {
  readonly base: readonly number[];
  readonly #attributes: ReadonlyMap<string, Attribute>;
  readonly #options: { readonly votes: "target" | "class"; readonly targets: number };
  /** Place of a node by `tree/node`. */
  readonly #index = new Map<string, number>();
  readonly #trees: readonly number[];

  constructor(node: ModelNode, options: { votes: "target" | "class"; targets: number }) {
    this.#attributes = node.attributes;
    this.#options = options;
    for (const name of node.attributes.keys()) {
      if (name.endsWith("_as_tensor")) throw unsupported(`the trees use \`${name}\``);
    }
    this.base = this.#floats("base_values");
    this.#trees = this.#integers("nodes_treeids");
    const ids = this.#integers("nodes_nodeids", this.#trees.length);
    for (const [index, tree] of this.#trees.entries()) {
      const key = `${tree}/${ids[index] ?? -1}`;
      if (this.#index.has(key)) throw malformed(`a tree has the node ${key} twice`);
      this.#index.set(key, index);
    }
  }

  columns() {
    const { length } = this.#trees;
    const mode = Uint8Array.from(this.#texts("nodes_modes", length), modeOf);
    const feature = Int32Array.from(this.#integers("nodes_featureids", length), featureOf);
    const missing = this.#integers("nodes_missing_value_tracks_true");
    const links = this.#link(mode);
    return {
      mode,
      feature,
      threshold: Float32Array.from(this.#floats("nodes_values", length)),
      missingIsTrue: Uint8Array.from({ length }, (_, index) => (missing[index] === 1 ? 1 : 0)),
      ...links,
      width: feature.reduce((most, each, index) => (mode[index] === 0 ? most : Math.max(most, each + 1)), 0),
    };
  }

  votes() {
    const kind = this.#options.votes;
    const trees = this.#integers(`${kind}_treeids`);
    const ids = this.#integers(`${kind}_nodeids`, trees.length);
    const targets = this.#integers(`${kind}_ids`, trees.length);
    const weights = this.#floats(`${kind}_weights`, trees.length);
    const leaves = trees.map((tree, index) => {
      const target = targets[index] ?? -1;
      const leaf = this.#index.get(`${tree}/${ids[index] ?? -1}`);
      if (leaf === undefined || target < 0 || target >= this.#options.targets) throw malformed("a leaf of a tree votes for something that is not there");
      return leaf;
    });
    const order = leaves.map((_, index) => index).sort((a, b) => (leaves[a] ?? 0) - (leaves[b] ?? 0) || a - b);
    const voteStart = new Int32Array(this.#trees.length + 1);
    for (const leaf of leaves) voteStart[leaf + 1] = (voteStart[leaf + 1] ?? 0) + 1;
    for (let node = 1; node < voteStart.length; node += 1) voteStart[node] = (voteStart[node] ?? 0) + (voteStart[node - 1] ?? 0);
    return {
      voteStart,
      voteTarget: Int32Array.from(order, (index) => targets[index] ?? 0),
      voteWeight: Float64Array.from(order, (index) => weights[index] ?? Number.NaN),
      votedTargets: new Set(targets),
      anyNegative: weights.some((weight) => weight < 0),
    };
  }

  /** One parent per node and one root per tree make every walk end. */
  #link(mode: Uint8Array) {
    const { length } = this.#trees;
    const lists = { yes: this.#integers("nodes_truenodeids", length), no: this.#integers("nodes_falsenodeids", length) };
    const [yes, no, adopted] = [new Int32Array(length), new Int32Array(length), new Uint8Array(length)];
    const adopt = (tree: number, id: number) => {
      const child = this.#index.get(`${tree}/${id}`);
      if (child === undefined) throw malformed("a branch of a tree leads nowhere");
      if (adopted[child] === 1) throw malformed("a node of a tree has two parents");
      adopted[child] = 1;
      return child;
    };
    for (const [index, tree] of this.#trees.entries()) {
      if (mode[index] === 0) continue;
      yes[index] = adopt(tree, lists.yes[index] ?? -1);
      no[index] = adopt(tree, lists.no[index] ?? -1);
    }
    const roots = Int32Array.from([...adopted.keys()].filter((index) => adopted[index] === 0));
    // Rooted and without second parents is not enough: a ring beside a tree has neither root nor second parent.
    const rooted = new Set([...roots].map((root) => this.#trees[root]));
    if (roots.length !== new Set(this.#trees).size || rooted.size !== roots.length || reached(roots, { mode, yes, no }) !== length) {
      throw malformed("a tree has no root, or more than one, or runs in a ring");
    }
    return { roots, yes, no };
  }

  #integers(name: string, length?: number): readonly number[] {
    return sized(name, this.#attributes.get(name)?.integers ?? [], length);
  }

  #floats(name: string, length?: number): readonly number[] {
    return sized(name, this.#attributes.get(name)?.floats ?? [], length);
  }

  #texts(name: string, length?: number): readonly string[] {
    return sized(name, this.#attributes.get(name)?.texts ?? [], length);
  }
}

function reached(roots: Int32Array, links: { mode: Uint8Array; yes: Int32Array; no: Int32Array }): number {
  const open = [...roots];
  let count = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    count += 1;
    if (links.mode[node] !== 0) open.push(links.yes[node] ?? 0, links.no[node] ?? 0);
  }
  return count;
}

function sized<T>(name: string, values: readonly T[], length: number | undefined): readonly T[] {
  if (length !== undefined && values.length !== length) throw malformed(`the list \`${name}\` of a tree has the wrong length`);
  return values;
}

function modeOf(text: string): number {
  const code = modeCodes.get(text);
  if (code === undefined) throw unsupported(`a tree branches by \`${text}\``);
  return code;
}

function featureOf(feature: number): number {
  if (feature < 0 || feature > 2 ** 31 - 1) throw malformed("a tree asks for a feature below zero, or beyond any input");
  return feature;
}
