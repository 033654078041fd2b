import { sortedFinite } from "../drift/sorted-pair.ts";
import { auc, aucBounds, type PairCounts } from "../stats/auc.ts";
import { castNumber, isMissing } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import { round12 } from "../verdict/round.ts";

/** A column that separates the classes almost by itself. */
export interface FeatureLeak {
  readonly column: string;
  /** In the better direction, so at least .5. */
  readonly auc: number;
  /** The lower bound over all columns (Newcombe 2006 method 5, Bonferroni) also reaches .95. */
  readonly proven: boolean;
}

const aucMin = 0.95;
const alpha = 0.05;

/**
 * Columns whose value alone has an AUC of at least .95 for the target. Text is scored by the class share of each value,
 * each row's own label left out, so that an identifier does not look like a leak only because it is unique.
 */
export function leakingFeatures(table: Table, target: { readonly column: string; readonly positive: string }): readonly FeatureLeak[] {
  const labels = table.cells(target.column);
  const columns = table.columns.filter((column) => column !== target.column);
  return columns.flatMap((column) => {
    const pairs = separation(table.cells(column), labels, target.positive);
    if (pairs === undefined || pairs.positives === 0 || pairs.negatives === 0) return [];
    const forward = auc(pairs);
    const best = Math.max(forward, 1 - forward);
    if (best < aucMin) return [];
    const { lower } = aucBounds(best, pairs, alpha / columns.length);
    return [{ column, auc: round12(best), proven: lower >= aucMin }];
  });
}

function separation(cells: readonly string[], labels: readonly string[], positive: string): PairCounts | undefined {
  const scores = numericScores(cells) ?? shareScores(cells, labels, positive);
  const side = (wanted: boolean) => sortedFinite(scores.filter((_, row) => !isMissing(labels[row] ?? "") && (labels[row] === positive) === wanted));
  return countSortedPairs(side(true), side(false));
}

function numericScores(cells: readonly string[]): Float64Array | undefined {
  const scores = new Float64Array(cells.length);
  for (const [row, cell] of cells.entries()) {
    const value = isMissing(cell) ? Number.NaN : castNumber(cell);
    if (value === undefined) return undefined;
    scores[row] = value;
  }
  return scores;
}

function shareScores(cells: readonly string[], labels: readonly string[], positive: string): Float64Array {
  const counts = new Map<string, { n: number; events: number }>();
  for (const [row, cell] of cells.entries()) {
    const count = counts.get(cell) ?? { n: 0, events: 0 };
    counts.set(cell, { n: count.n + 1, events: count.events + (labels[row] === positive ? 1 : 0) });
  }
  return Float64Array.from(cells, (cell, row) => {
    const { n, events } = counts.get(cell) ?? { n: 0, events: 0 };
    // Half a row of each class keeps a value that occurs once neutral.
    return (events - (labels[row] === positive ? 1 : 0) + 0.5) / n;
  });
}

/** Pairs of one positive and one negative by one merge of both sorted samples. */
export function countSortedPairs(positives: Float64Array, negatives: Float64Array): PairCounts {
  let [below, upTo, wins, ties] = [0, 0, 0, 0];
  for (const value of positives) {
    while (below < negatives.length && (negatives[below] ?? 0) < value) below += 1;
    upTo = Math.max(upTo, below);
    while (upTo < negatives.length && (negatives[upTo] ?? 0) <= value) upTo += 1;
    wins += below;
    ties += upTo - below;
  }
  return { wins, ties, positives: positives.length, negatives: negatives.length };
}
