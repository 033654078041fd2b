import type { Rival } from "../onnx/rivals.ts";
import type { Forest } from "../onnx/trees.ts";
import type { Distance } from "./distance.ts";
import { type CellBox, cellDistance, cellForest, type CellForest, cellOf, lowestLeaf, marginOfCells } from "./forest-cells.ts";

export interface ForestSearch {
  readonly row: Float64Array;
  /** Size of one unit of distance per feature; 0 keeps the feature where it is. */
  readonly scale: Float64Array;
  readonly radiusMax: number;
  /** Boxes looked at per decision about one radius. */
  readonly boxesMax: number;
}

/** Sums of doubles carry this much noise per unit of their size. */
const noise = 1e-12;

/**
 * L-infinity distance to the nearest point where a rival takes over, as an infimum (crossing a threshold needs an
 * arbitrarily small step beyond it). Bisection over the radii at which a new cell comes into reach; each is decided by
 * branch and bound over boxes of cells with the sum of the trees' lowest leaves as bound, which is exact when it ends
 * and a certificate when it does not. Exactness: Kantchelian, Tygar & Joseph 2016 (same optimum as their MILP);
 * bound: Chen et al. 2019 (level 1). For L1 and L2 the lower bound holds as well, because they are never smaller.
 */
export function forestDistance(forest: Forest, rival: Rival, search: ForestSearch): Distance {
  const cells = cellForest(forest, rival, search.row.length);
  if (cells === undefined) return { lower: 0, upper: Infinity, method: "none" };
  const own = Int32Array.from(search.row, (value, feature) => cellOf(cells.ends[feature] ?? new Float64Array(0), value));
  const size = cells.leaf.reduce((sum, value) => sum + Math.abs(value), Math.abs(cells.base));
  const flips = (margin: number) => margin < (rivalWinsTies(rival) ? noise * size : -noise * size);
  if (flips(marginOfCells(cells, own))) return { lower: 0, upper: 0, method: "branch-and-bound" };
  return bisected({ cells, own, search, flips, radii: radiiOf(cells, own, search) });
}

/** On a tie the first class wins, and of one or two classes class 1. */
function rivalWinsTies(rival: Rival): boolean {
  const decided = rival.weights.findIndex((weight) => weight > 0);
  if (rival.weights.length <= 2) return rival.rival === 1;
  return rival.rival < decided;
}

interface Search {
  readonly cells: CellForest;
  readonly own: Int32Array;
  readonly search: ForestSearch;
  readonly flips: (margin: number) => boolean;
  readonly radii: Float64Array;
}

function moved(given: Search, feature: number, cell: number): number {
  const unit = given.search.scale[feature] ?? 1;
  const value = given.search.row[feature] ?? 0;
  const distance = cellDistance(given.cells.ends[feature] ?? new Float64Array(0), { cell: given.own[feature] ?? 0, value }, cell);
  return distance === 0 && cell === given.own[feature] ? 0 : unit === 0 ? Infinity : Math.max(0, distance) / unit;
}

function radiiOf(cells: CellForest, own: Int32Array, search: ForestSearch): Float64Array {
  const given: Search = { cells, own, search, flips: () => false, radii: new Float64Array(0) };
  const found = new Set<number>();
  for (const [feature, ends] of cells.ends.entries()) {
    for (let cell = 0; cell <= ends.length; cell += 1) {
      const radius = moved(given, feature, cell);
      if (radius <= search.radiusMax && cell !== own[feature]) found.add(radius);
    }
  }
  return Float64Array.from(found).sort();
}

/** Radii below `low` are proven safe, a change is known at `upper`; what could not be decided stays between. */
function bisected(given: Search): Distance {
  const { radii } = given;
  let [low, high, upper, undecided] = [0, radii.length, Infinity, false];
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = decide(given, radii[middle] ?? 0);
    if (found === "safe") low = middle + 1;
    else high = middle;
    if (found === "unknown") undecided = true;
    if (typeof found !== "number") continue;
    upper = Math.min(upper, found);
    // A change nearer than asked for makes all radii from its own on pointless.
    high = Math.max(low, Math.min(high, placeOf(radii, upper)));
  }
  const lower = Math.min(upper, radii[low] ?? given.search.radiusMax);
  return { lower, upper, method: undecided && lower < upper ? "relaxation" : "branch-and-bound" };
}

/** Number of radii below a value. */
function placeOf(radii: Float64Array, value: number): number {
  const place = radii.findIndex((radius) => radius >= value);
  return place < 0 ? radii.length : place;
}

interface Box extends CellBox {
  readonly bound: number;
}

/** Whether any combination of cells within the radius changes the decision; then how far away the found one is. */
function decide(given: Search, radius: number): "safe" | "unknown" | number {
  const start = reachable(given, radius);
  const bound = boundOf(given.cells, start);
  if (!given.flips(bound)) return "safe";
  const guess = descended(given, start);
  if (given.flips(marginOfCells(given.cells, guess))) return distanceOf(given, guess);
  const open: Box[] = [{ ...start, bound }];
  for (let boxes = 0; boxes < given.search.boxesMax; boxes += 1) {
    const box = open.pop();
    if (box === undefined) return "safe";
    const split = widestSplit(given.cells, box);
    if (split === undefined) return distanceOf(given, nearestCells(given, box));
    const halves = [{ low: box.low, high: changed(box.high, split.feature, split.cut) }, { low: changed(box.low, split.feature, split.cut + 1), high: box.high }];
    const next = halves.map((half) => ({ ...half, bound: boundOf(given.cells, half) })).filter((half) => given.flips(half.bound));
    open.push(...next.toSorted((a, b) => b.bound - a.bound));
  }
  return "unknown";
}

function reachable(given: Search, radius: number): CellBox {
  const low = Int32Array.from(given.own);
  const high = Int32Array.from(given.own);
  for (const [feature, ends] of given.cells.ends.entries()) {
    while ((low[feature] ?? 0) > 0 && moved(given, feature, (low[feature] ?? 0) - 1) <= radius) low[feature] = (low[feature] ?? 0) - 1;
    while ((high[feature] ?? 0) < ends.length && moved(given, feature, (high[feature] ?? 0) + 1) <= radius) high[feature] = (high[feature] ?? 0) + 1;
  }
  return { low, high };
}

function boundOf(cells: CellForest, box: CellBox): number {
  let sum = cells.base;
  for (const root of cells.roots) sum += lowestLeaf(cells, root, box);
  return sum;
}

/** Cell by cell towards the lowest margin, a few rounds: often finds a change at once. */
function descended(given: Search, box: CellBox): Int32Array {
  const cells = Int32Array.from(given.own);
  let best = marginOfCells(given.cells, cells);
  for (let round = 0; round < 3; round += 1) {
    const before = best;
    for (let feature = 0; feature < cells.length; feature += 1) best = Math.min(best, settledCell(given, box, { cells, feature, best }));
    if (best >= before) break;
  }
  return cells;
}

/** Leaves the cell of one feature at its lowest margin, which is returned. */
function settledCell(given: Search, box: CellBox, at: { cells: Int32Array; feature: number; best: number }): number {
  const { cells, feature } = at;
  let [best, chosen] = [at.best, cells[feature] ?? 0];
  for (let cell = box.low[feature] ?? 0; cell <= (box.high[feature] ?? 0); cell += 1) {
    cells[feature] = cell;
    const margin = marginOfCells(given.cells, cells);
    if (margin < best) [best, chosen] = [margin, cell];
  }
  cells[feature] = chosen;
  return best;
}

function distanceOf(given: Search, cells: Int32Array): number {
  return cells.reduce((most, cell, feature) => Math.max(most, moved(given, feature, cell)), 0);
}

/** In a box where every tree is decided, the cells nearest to the row. */
function nearestCells(given: Search, box: CellBox): Int32Array {
  return given.own.map((cell, feature) => Math.min(box.high[feature] ?? 0, Math.max(box.low[feature] ?? 0, cell)));
}

/** The cut on which the trees' lowest leaves depend most, summed over the trees; undefined when nothing is open. */
function widestSplit(cells: CellForest, box: CellBox): { feature: number; cut: number } | undefined {
  const scores = new Map<string, { feature: number; cut: number; score: number }>();
  for (const root of cells.roots) addSplits(cells, root, { box, scores });
  let best: { feature: number; cut: number; score: number } | undefined;
  for (const each of scores.values()) if (best === undefined || each.score > best.score) best = each;
  return best;
}

function addSplits(cells: CellForest, node: number, to: { box: CellBox; scores: Map<string, { feature: number; cut: number; score: number }> }): void {
  const below = cells.below[node] ?? -1;
  if (below < 0) return;
  const { box, scores } = to;
  const feature = cells.feature[node] ?? 0;
  const cut = cells.cut[node] ?? 0;
  const above = cells.above[node] ?? 0;
  if ((box.high[feature] ?? 0) <= cut) return addSplits(cells, below, to);
  if ((box.low[feature] ?? 0) > cut) return addSplits(cells, above, to);
  const [left, right] = [lowestLeaf(cells, below, box), lowestLeaf(cells, above, box)];
  const key = `${feature}/${cut}`;
  const found = scores.get(key) ?? { feature, cut, score: 0 };
  found.score += Math.abs(left - right) + 1e-12;
  scores.set(key, found);
  addSplits(cells, left < right ? below : above, to);
}

function changed(values: Int32Array, index: number, value: number): Int32Array {
  const copy = Int32Array.from(values);
  copy[index] = value;
  return copy;
}
