import type { Matrix } from "../linear/matrix.ts";
import { round12 } from "../verdict/round.ts";

export interface NeighbourStatistics {
  readonly kind: "data.poison.neighbours";
  readonly advisory: true;
  readonly rows: number;
  readonly neighbours: number;
  /** Mean share of nearest neighbours with another label. */
  readonly mean: number | null;
  /** Rows (from 0) all or most of whose neighbours are labelled otherwise, the most isolated first. */
  readonly suspects: readonly number[];
  readonly notes: readonly string[];
}

/** All pairs of rows are compared; beyond this the first rows only. */
const rowsMax = 20_000;
const suspectsMax = 200;

/**
 * Share of each row's k nearest other rows (Euclidean) that have another label. Equal distances go to the earlier row.
 * Source: Wilson 1972 (edited nearest neighbours); used on poisoned data by Peri et al. 2020 (arXiv:1909.13374).
 */
export function neighbourDisagreement(data: Matrix, labels: readonly string[], k: number): Float64Array {
  const nearest: Nearest = { k, distances: new Float64Array(k), rows: new Uint32Array(k), found: 0 };
  const result = new Float64Array(data.rows);
  for (let row = 0; row < data.rows; row += 1) {
    nearest.found = 0;
    for (let other = 0; other < data.rows; other += 1) if (other !== row) offer(nearest, data, [row, other]);
    const others = nearest.rows.subarray(0, nearest.found).reduce((count, other) => count + (labels[other] === labels[row] ? 0 : 1), 0);
    result[row] = nearest.found === 0 ? Number.NaN : others / nearest.found;
  }
  return result;
}

/** The nearest rows so far, nearest first; changed by `offer` alone. */
interface Nearest {
  readonly k: number;
  readonly distances: Float64Array;
  readonly rows: Uint32Array;
  found: number;
}

function offer(nearest: Nearest, data: Matrix, [row, other]: readonly [number, number]): void {
  const { k, distances, rows, found } = nearest;
  const most = found < k ? Infinity : (distances[k - 1] ?? Infinity);
  const distance = squaredBelow(data, [row, other], most);
  if (distance >= most) return;
  let slot = Math.min(found, k - 1);
  for (; slot > 0 && (distances[slot - 1] ?? 0) > distance; slot -= 1) {
    distances[slot] = distances[slot - 1] ?? 0;
    rows[slot] = rows[slot - 1] ?? 0;
  }
  distances[slot] = distance;
  rows[slot] = other;
  nearest.found = Math.min(k, found + 1);
}

/** Squared distance, or anything at least `most` when it is not below. */
function squaredBelow({ columns, values }: Matrix, [row, other]: readonly [number, number], most: number): number {
  let sum = 0;
  for (let at = 0; at < columns && sum < most; at += 1) sum += ((values[row * columns + at] ?? 0) - (values[other * columns + at] ?? 0)) ** 2;
  return sum;
}

/** `data.poison.neighbours`: rows labelled unlike their surroundings. Advisory. */
export function measureNeighbourLabels(data: Matrix, labels: readonly string[], options: { neighbours?: number } = {}): NeighbourStatistics {
  const k = options.neighbours ?? 5;
  const used: Matrix = data.rows <= rowsMax ? data : { ...data, rows: rowsMax, values: data.values.subarray(0, rowsMax * data.columns) };
  const shares = neighbourDisagreement(used, labels, k);
  const mean = shares.length === 0 ? Number.NaN : shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const suspects = [...shares.keys()].filter((row) => (shares[row] ?? 0) > 0.5).sort((a, b) => (shares[b] ?? 0) - (shares[a] ?? 0) || a - b).slice(0, suspectsMax);
  const notes = [
    ...(suspects.length === 0 ? [] : [`${suspects.length} rows are labelled unlike most of their ${k} nearest: look first at rows ${suspects.slice(0, 10).map((row) => row + 1).join(", ")}`]),
    ...(used.rows < data.rows ? [`only the first ${rowsMax} of ${data.rows} rows were compared`] : []),
  ];
  return { kind: "data.poison.neighbours", advisory: true, rows: used.rows, neighbours: k, mean: Number.isNaN(mean) ? null : round12(mean), suspects, notes };
}
