import { type Matrix, takeRows } from "../linear/matrix.ts";
import { principal } from "../linear/principal.ts";
import { round12 } from "../verdict/round.ts";

/** Outlier scores of the rows of one class, in their order. */
export interface SpectralSignature {
  /** Largest singular values of the centred activations, falling. */
  readonly singular: Float64Array;
  /** Squared coordinate of each row on the first direction. */
  readonly scores: Float64Array;
}

/**
 * Rows of one class that stand out along the main direction of its activations, as poisoned rows often do.
 * Source: Tran, Li & Madry 2018 (NeurIPS), Algorithm 1. Advisory: it also finds what is merely rare.
 */
export function spectralSignature(activations: Matrix): SpectralSignature {
  const { singular, scores } = principal(activations, 1);
  return { singular, scores: scores.values.map((value) => value * value) };
}

/** Positions with the highest scores, as many as the expected poison times `factor` (Tran et al. use 1.5), rounded down. */
export function mostSuspect(scores: Float64Array, expectedPoison: number, factor = 1.5): readonly number[] {
  const most = Math.min(scores.length, Math.floor(factor * expectedPoison));
  return [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b).slice(0, most);
}

export interface SpectralClass {
  readonly label: string;
  readonly n: number;
  /** First over second singular value: far above 1 when one direction dominates. Null with fewer than three rows. */
  readonly dominance: number | null;
  /** Rows of the table (from 0) with the highest scores. */
  readonly suspects: readonly number[];
}

export interface SpectralStatistics {
  readonly kind: "data.poison.spectral";
  readonly advisory: true;
  readonly classes: readonly SpectralClass[];
  readonly notes: readonly string[];
}

const suspectsMax = 100;
const rowsMin = 3;

/** `data.poison.spectral`: the rows to look at first in every class. No verdict: the public evidence is too thin for one. */
export function measureSpectral(activations: Matrix, labels: readonly string[], options: { expectedShare?: number } = {}): SpectralStatistics {
  const share = options.expectedShare ?? 0.05;
  const classes = rowsByClass(labels).map(([label, rows]): SpectralClass => {
    if (rows.length < rowsMin) return { label, n: rows.length, dominance: null, suspects: [] };
    const { singular, scores } = spectralSignature(takeRows(activations, rows));
    const dominance = (singular[0] ?? 0) / (singular[1] ?? 0);
    const suspects = mostSuspect(scores, share * rows.length).slice(0, suspectsMax).map((index) => rows[index] ?? 0);
    return { label, n: rows.length, dominance: Number.isFinite(dominance) ? round12(dominance) : null, suspects };
  });
  const notes = classes.filter(({ suspects }) => suspects.length > 0).map(({ label, suspects }) => `class \`${label}\`: look first at rows ${suspects.slice(0, 10).map((row) => row + 1).join(", ")}`);
  return { kind: "data.poison.spectral", advisory: true, classes, notes };
}

/** Rows of each class in the order of the labels' text. */
export function rowsByClass(labels: readonly string[]): readonly (readonly [string, readonly number[]])[] {
  const rows = new Map<string, number[]>();
  for (const [row, label] of labels.entries()) {
    const known = rows.get(label);
    if (known === undefined) rows.set(label, [row]);
    else known.push(row);
  }
  return [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
