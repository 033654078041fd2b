import { type Forest, leafVote, shareOfTree, takesYes, walkForest } from "../onnx/trees.ts";
import type { Rows } from "../subject/probe.ts";
import type { Shapley } from "./shapley.ts";

/** Depth of a tree beyond which factorials leave double precision; and the largest depth that is walked. */
const depthMax = 150;

/** Where the walk stands: which features were taken from the row (1) or from the background (2), and how many. */
interface Walk {
  readonly forest: Forest;
  readonly target: number;
  readonly row: Float32Array;
  readonly background: Float32Array;
  readonly taken: Uint8Array;
  readonly values: Float64Array;
  readonly share: number;
}

/**
 * Interventional Shapley values of one sum of a tree ensemble, before its link: exact, in time linear in the trees
 * and the background. Undefined when a path is too deep. Source: Lundberg et al. 2020 (Nature MI 2:56), algorithm 3
 * (one background row at a time; weights of Shapley for the leaves that row and background lead to).
 */
export function treeShapley(forest: Forest, target: number, task: { row: Float32Array; background: Rows }): Shapley | undefined {
  const { row, background } = task;
  const values = new Float64Array(row.length);
  const share = shareOfTree(forest) / Math.max(1, background.rows);
  for (let index = 0; index < background.rows; index += 1) {
    const other = background.data.subarray(index * background.columns, (index + 1) * background.columns);
    const walk: Walk = { forest, target, row, background: other, taken: new Uint8Array(row.length), values, share };
    for (const root of forest.roots) if (!visit(walk, root, { fromRow: 0, fromBackground: 0, depth: 0 })) return undefined;
  }
  const sums = walkForest(forest, background);
  let base = 0;
  for (let index = 0; index < background.rows; index += 1) base += (sums[index * forest.targets + target] ?? Number.NaN) / background.rows;
  const score = walkForest(forest, { rows: 1, columns: row.length, data: row })[target] ?? Number.NaN;
  return { method: "trees", values, base, score, errors: new Float64Array(row.length) };
}

interface Path {
  readonly fromRow: number;
  readonly fromBackground: number;
  readonly depth: number;
}

function visit(walk: Walk, node: number, path: Path): boolean {
  const { forest, taken } = walk;
  if (path.depth > depthMax) return false;
  if (forest.mode[node] === 0) {
    addLeaf(walk, node, path);
    return true;
  }
  const feature = forest.feature[node] ?? 0;
  const deeper = { ...path, depth: path.depth + 1 };
  const [mine, other] = [childFor(forest, node, walk.row), childFor(forest, node, walk.background)];
  if (mine === other || taken[feature] === 1) return visit(walk, mine, deeper);
  if (taken[feature] === 2) return visit(walk, other, deeper);
  taken[feature] = 1;
  const first = visit(walk, mine, { ...deeper, fromRow: path.fromRow + 1 });
  taken[feature] = 2;
  const second = visit(walk, other, { ...deeper, fromBackground: path.fromBackground + 1 });
  taken[feature] = 0;
  return first && second;
}

function childFor(forest: Forest, node: number, data: Float32Array): number {
  const x = data[forest.feature[node] ?? 0] ?? Number.NaN;
  return (takesYes(forest, node, x) ? forest.yes[node] : forest.no[node]) ?? 0;
}

function addLeaf(walk: Walk, leaf: number, path: Path): void {
  const { forest, target, taken, values } = walk;
  const vote = leafVote(forest, leaf, target) * walk.share;
  const { fromRow: u, fromBackground: v } = path;
  if (vote === 0 || u + v === 0) return;
  const [gain, loss] = [u === 0 ? 0 : beta(u - 1, v), v === 0 ? 0 : beta(u, v - 1)];
  for (let feature = 0; feature < taken.length; feature += 1) {
    if (taken[feature] === 1) values[feature] = (values[feature] ?? 0) + vote * gain;
    else if (taken[feature] === 2) values[feature] = (values[feature] ?? 0) - vote * loss;
  }
}

/** a! b! / (a + b + 1)! without large factorials. */
function beta(a: number, b: number): number {
  let result = 1 / (a + b + 1);
  for (let k = 1; k <= Math.min(a, b); k += 1) result *= k / (a + b + 1 - k);
  return result;
}
