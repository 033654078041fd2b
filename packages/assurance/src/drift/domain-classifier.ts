import { crossValidatedLogOdds } from "../linear/logistic.ts";
import { type Matrix, matrix, scaled, scalingOf, stack } from "../linear/matrix.ts";
import { countPairs, type PairCounts } from "../stats/auc.ts";
import type { Random } from "../stats/random.ts";

/** `linear`: the columns. `quadratic`: their squares and products as well. */
export type DomainFeatures = "linear" | "quadratic";

const folds = 5;
const ridge = 1;

/**
 * How well a ridge logistic regression tells current rows (positive) from reference rows it has not seen: pairs in
 * order, over five stratified folds. Source: Lopez-Paz & Oquab 2017 (arXiv:1610.06545).
 */
export function domainClassifierPairs({ reference, current }: { reference: Matrix; current: Matrix }, options: { features: DomainFeatures; random: Random }): PairCounts {
  const rows = stack(reference, current);
  const data = options.features === "quadratic" ? withProducts(rows) : rows;
  const positive = new Uint8Array(rows.rows).fill(1, reference.rows);
  const odds = crossValidatedLogOdds(scaled(data, scalingOf(data)), positive, { folds, ridge, random: options.random });
  return countPairs([...odds], Array.from(positive, (label) => label === 1));
}

function withProducts(source: Matrix): Matrix {
  const { rows, columns, values } = source;
  const result = matrix(rows, columns + (columns * (columns + 1)) / 2);
  for (let row = 0; row < rows; row += 1) {
    const cells = values.subarray(row * columns, (row + 1) * columns);
    let at = row * result.columns;
    result.values.set(cells, at);
    at += columns;
    for (let i = 0; i < columns; i += 1) {
      for (let j = i; j < columns; j += 1) result.values[at++] = (cells[i] ?? 0) * (cells[j] ?? 0);
    }
  }
  return result;
}
