import type { Random } from "../stats/random.ts";
import type { Matrix } from "./matrix.ts";

export interface Clustering {
  /** Cluster of each row. */
  readonly cluster: Uint32Array;
  readonly sizes: readonly number[];
  /** Sum of squared distances to the own centre. */
  readonly inertia: number;
}

export interface KMeansOptions {
  readonly clusters: number;
  readonly restarts: number;
  readonly random: Random;
}

const roundsMax = 300;

/** The best of several runs of Lloyd's algorithm from k-means++ starts. Source: Lloyd 1982; Arthur & Vassilvitskii 2007. */
export function kMeans(data: Matrix, options: KMeansOptions): Clustering {
  let best = oneRun(data, options);
  for (let run = 1; run < options.restarts; run += 1) {
    const next = oneRun(data, options);
    if (next.inertia < best.inertia) best = next;
  }
  return best;
}

function oneRun(data: Matrix, { clusters, random }: KMeansOptions): Clustering {
  const centres = starts(data, clusters, random);
  const cluster = new Uint32Array(data.rows).fill(clusters);
  let inertia = Infinity;
  for (let round = 0; round < roundsMax; round += 1) {
    const { changed, sum } = assign(data, centres, cluster);
    inertia = sum;
    if (!changed) break;
    moveCentres(data, centres, cluster);
  }
  const sizes = Array.from({ length: clusters }, () => 0);
  for (const index of cluster) sizes[index] = (sizes[index] ?? 0) + 1;
  return { cluster, sizes, inertia };
}

/** Each further start is drawn with probability in proportion to its squared distance from the nearest start. */
function starts(data: Matrix, clusters: number, random: Random): Float64Array {
  const { rows, columns, values } = data;
  const centres = new Float64Array(clusters * columns);
  const nearest = new Float64Array(rows).fill(Infinity);
  let chosen = random.below(Math.max(1, rows));
  for (let index = 0; index < clusters; index += 1) {
    centres.set(values.subarray(chosen * columns, (chosen + 1) * columns), index * columns);
    let total = 0;
    for (let row = 0; row < rows; row += 1) {
      nearest[row] = Math.min(nearest[row] ?? 0, squared(data, row, { centres, index }));
      total += nearest[row] ?? 0;
    }
    let left = random.uniform() * total;
    chosen = 0;
    while (chosen < rows - 1 && left >= (nearest[chosen] ?? 0)) {
      left -= nearest[chosen] ?? 0;
      chosen += 1;
    }
  }
  return centres;
}

function assign(data: Matrix, centres: Float64Array, cluster: Uint32Array): { changed: boolean; sum: number } {
  const count = centres.length / data.columns;
  let changed = false;
  let sum = 0;
  for (let row = 0; row < data.rows; row += 1) {
    let best = 0;
    let least = Infinity;
    for (let index = 0; index < count; index += 1) {
      const distance = squared(data, row, { centres, index });
      if (distance < least) [best, least] = [index, distance];
    }
    sum += least;
    if (cluster[row] !== best) changed = true;
    cluster[row] = best;
  }
  return { changed, sum };
}

/** A cluster that lost all its rows keeps its centre. */
function moveCentres(data: Matrix, centres: Float64Array, cluster: Uint32Array): void {
  const { rows, columns, values } = data;
  const sums = new Float64Array(centres.length);
  const counts = new Float64Array(centres.length / columns);
  for (let row = 0; row < rows; row += 1) {
    const index = cluster[row] ?? 0;
    counts[index] = (counts[index] ?? 0) + 1;
    for (let k = 0; k < columns; k += 1) sums[index * columns + k] = (sums[index * columns + k] ?? 0) + (values[row * columns + k] ?? 0);
  }
  for (let at = 0; at < centres.length; at += 1) {
    const count = counts[Math.floor(at / columns)] ?? 0;
    if (count > 0) centres[at] = (sums[at] ?? 0) / count;
  }
}

function squared({ columns, values }: Matrix, row: number, { centres, index }: { centres: Float64Array; index: number }): number {
  let sum = 0;
  for (let k = 0; k < columns; k += 1) sum += ((values[row * columns + k] ?? 0) - (centres[index * columns + k] ?? 0)) ** 2;
  return sum;
}

/**
 * Mean silhouette of a clustering: near 1 when clusters are tight and far apart, near 0 when they touch.
 * A row alone in its cluster counts 0. NaN with fewer than two clusters in use. Source: Rousseeuw 1987.
 */
export function silhouette(data: Matrix, { cluster, sizes }: Clustering): number {
  if (sizes.filter((size) => size > 0).length < 2) return Number.NaN;
  const sums = new Float64Array(sizes.length);
  let total = 0;
  for (let row = 0; row < data.rows; row += 1) {
    sums.fill(0);
    for (let other = 0; other < data.rows; other += 1) {
      const index = cluster[other] ?? 0;
      sums[index] = (sums[index] ?? 0) + distanceOf(data, row, other);
    }
    total += oneSilhouette(sums, sizes, cluster[row] ?? 0);
  }
  return total / data.rows;
}

function oneSilhouette(sums: Float64Array, sizes: readonly number[], own: number): number {
  const size = sizes[own] ?? 0;
  if (size < 2) return 0;
  const inside = (sums[own] ?? 0) / (size - 1);
  const outside = Math.min(...sizes.flatMap((count, index) => (index === own || count === 0 ? [] : [(sums[index] ?? 0) / count])));
  return inside === outside ? 0 : (outside - inside) / Math.max(inside, outside);
}

/** Euclidean distance of two rows. */
export function distanceOf({ columns, values }: Matrix, first: number, second: number): number {
  let sum = 0;
  for (let k = 0; k < columns; k += 1) sum += ((values[first * columns + k] ?? 0) - (values[second * columns + k] ?? 0)) ** 2;
  return Math.sqrt(sum);
}
