import { type Forest, leafVote, shareOfTree } from "../onnx/trees.ts";

/**
 * Trees over cells instead of numbers: each feature's axis is cut at the ensemble's thresholds, and every branch asks
 * "is the cell at most `cut`?". Within one combination of cells the ensemble's answer is constant.
 */
export interface CellForest {
  readonly features: number;
  /** Sorted upper ends of the cells of each feature; the last cell is open. */
  readonly ends: readonly Float64Array[];
  readonly roots: Int32Array;
  readonly feature: Int32Array;
  readonly cut: Int32Array;
  /** Child when the cell is at most the cut, and when it is above; -1 in `below` marks a leaf. */
  readonly below: Int32Array;
  readonly above: Int32Array;
  /** Margin that a leaf adds. */
  readonly leaf: Float64Array;
  readonly base: number;
}

/** Undefined when a branch asks for equality: its cells are single points. */
export function cellForest(forest: Forest, rival: { weights: readonly number[]; offset: number }, features: number): CellForest | undefined {
  const { mode } = forest;
  if (mode.some((each) => each > 4) || forest.width > features) return undefined;
  const upper = forest.threshold.map((value, node) => (mode[node] === 2 || mode[node] === 3 ? previousFloat(value) : value));
  const ends = endsOf(forest, upper, features);
  const places = ends.map((list) => new Map(Array.from(list, (value, index) => [value, index])));
  const turned = (node: number) => mode[node] === 3 || mode[node] === 4;
  return {
    features,
    ends,
    roots: forest.roots,
    feature: forest.feature,
    cut: Int32Array.from(mode, (each, node) => (each === 0 ? 0 : (places[forest.feature[node] ?? 0]?.get(upper[node] ?? 0) ?? 0))),
    below: Int32Array.from(mode, (each, node) => (each === 0 ? -1 : ((turned(node) ? forest.no[node] : forest.yes[node]) ?? -1))),
    above: Int32Array.from(mode, (each, node) => (each === 0 ? -1 : ((turned(node) ? forest.yes[node] : forest.no[node]) ?? -1))),
    leaf: leafMargins(forest, rival.weights),
    base: rival.weights.reduce((sum, weight, target) => sum + weight * (forest.base[target] ?? 0), rival.offset),
  };
}

function endsOf(forest: Forest, upper: Float32Array, features: number): readonly Float64Array[] {
  const found = Array.from({ length: features }, () => new Set<number>());
  for (const [node, each] of forest.mode.entries()) if (each !== 0) found[forest.feature[node] ?? 0]?.add(upper[node] ?? 0);
  return found.map((set) => Float64Array.from(set).sort());
}

function leafMargins(forest: Forest, weights: readonly number[]): Float64Array {
  const share = shareOfTree(forest);
  return Float64Array.from(forest.mode, (_, node) => weights.reduce((sum, weight, target) => sum + weight * leafVote(forest, node, target) * share, 0));
}

/** The largest 32-bit number below a value: x < v is x <= that. */
export function previousFloat(value: number): number {
  if (value === 0) return -1.401_298_464_324_817e-45;
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getInt32(0);
  view.setInt32(0, value > 0 ? bits - 1 : bits + 1);
  return view.getFloat32(0);
}

/** Number of ends below a value: its cell. */
export function cellOf(ends: Float64Array, value: number): number {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How far a value must move to enter a cell, as an infimum: the cell above an end begins just beyond it. */
export function cellDistance(ends: Float64Array, own: { cell: number; value: number }, cell: number): number {
  if (cell === own.cell) return 0;
  return cell > own.cell ? (ends[cell - 1] ?? Infinity) - own.value : own.value - (ends[cell] ?? -Infinity);
}

/** A rectangle of cells, both ends included. */
export interface CellBox {
  readonly low: Int32Array;
  readonly high: Int32Array;
}

/** Lowest margin of one tree within a box. */
export function lowestLeaf(forest: CellForest, root: number, box: CellBox): number {
  const below = forest.below[root] ?? -1;
  if (below < 0) return forest.leaf[root] ?? 0;
  const feature = forest.feature[root] ?? 0;
  const cut = forest.cut[root] ?? 0;
  const above = forest.above[root] ?? 0;
  if ((box.high[feature] ?? 0) <= cut) return lowestLeaf(forest, below, box);
  if ((box.low[feature] ?? 0) > cut) return lowestLeaf(forest, above, box);
  return Math.min(lowestLeaf(forest, below, box), lowestLeaf(forest, above, box));
}

/** Margin of one combination of cells. */
export function marginOfCells(forest: CellForest, cells: Int32Array): number {
  let sum = forest.base;
  for (const root of forest.roots) {
    let node = root;
    while ((forest.below[node] ?? -1) >= 0) node = ((cells[forest.feature[node] ?? 0] ?? 0) <= (forest.cut[node] ?? 0) ? forest.below[node] : forest.above[node]) ?? 0;
    sum += forest.leaf[node] ?? 0;
  }
  return sum;
}
