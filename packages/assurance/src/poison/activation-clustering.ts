import { kMeans, silhouette } from "../linear/k-means.ts";
import { type Matrix, takeRows } from "../linear/matrix.ts";
import { principal } from "../linear/principal.ts";
import { randomFrom } from "../stats/random.ts";
import { round12 } from "../verdict/round.ts";
import { rowsByClass } from "./spectral-signature.ts";

export interface ClusteredClass {
  readonly label: string;
  readonly n: number;
  /** Share of the smaller of two clusters; null with fewer than four rows. */
  readonly smallerShare: number | null;
  readonly silhouette: number | null;
  /** Rows (from 0) of the smaller cluster. */
  readonly smaller: readonly number[];
}

export interface ClusteringStatistics {
  readonly kind: "data.poison.clusters";
  readonly advisory: true;
  readonly classes: readonly ClusteredClass[];
  readonly notes: readonly string[];
}

const directions = 10;
const restarts = 10;
const rowsMin = 4;
const smallerMax = 1000;
/** Chen et al. look at classes whose smaller cluster holds less than this, well apart. */
const suspectShareMax = 0.35;
const silhouetteMin = 0.25;

/** Two clusters of the activations of one class, reduced to their ten main directions. */
export function clusterActivations(activations: Matrix, seed: string): { readonly smallerShare: number; readonly silhouette: number; readonly smaller: readonly number[] } {
  const { scores } = principal(activations, directions);
  const clustering = kMeans(scores, { clusters: 2, restarts, random: randomFrom(seed) });
  const [first = 0, second = 0] = clustering.sizes;
  const least = second < first ? 1 : 0;
  const smaller = [...clustering.cluster.keys()].filter((row) => clustering.cluster[row] === least);
  return { smallerShare: Math.min(first, second) / activations.rows, silhouette: silhouette(scores, clustering), smaller };
}

/**
 * `data.poison.clusters`: does a class fall apart into a large and a small cluster, as one with a backdoor does?
 * Source: Chen et al. 2018 (arXiv:1811.03728), with principal components in place of independent ones. Advisory.
 */
export function measureActivationClusters(activations: Matrix, labels: readonly string[], options: { seed: string }): ClusteringStatistics {
  const classes = rowsByClass(labels).map(([label, rows]): ClusteredClass => {
    if (rows.length < rowsMin) return { label, n: rows.length, smallerShare: null, silhouette: null, smaller: [] };
    const found = clusterActivations(takeRows(activations, rows), `${options.seed}/${label}`);
    const apart = Number.isNaN(found.silhouette) ? null : round12(found.silhouette);
    return { label, n: rows.length, smallerShare: round12(found.smallerShare), silhouette: apart, smaller: found.smaller.slice(0, smallerMax).map((row) => rows[row] ?? 0) };
  });
  const suspect = classes.filter(({ smallerShare, silhouette: apart }) => smallerShare !== null && smallerShare < suspectShareMax && (apart ?? 0) >= silhouetteMin);
  const notes = suspect.map(({ label, smaller, n }) => `class \`${label}\` falls into two clusters, the smaller with ${smaller.length} of ${n} rows: look at rows ${smaller.slice(0, 10).map((row) => row + 1).join(", ")}`);
  return { kind: "data.poison.clusters", advisory: true, classes, notes };
}
