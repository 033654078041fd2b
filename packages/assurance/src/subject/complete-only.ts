import type { Rows } from "./probe.ts";
import type { ModelScores } from "./tested-model.ts";

type Score = (rows: Rows) => Promise<ModelScores>;

/**
 * Rows with a missing feature are not sent and have no score: JSON has no word for them, and a server that refuses one
 * refuses the whole batch.
 */
export function completeOnly(score: Score): Score {
  let known: ModelScores | undefined;
  return async (rows) => {
    const complete = completeRows(rows);
    if (complete.length < rows.rows && (complete.length > 0 || known !== undefined)) {
      const scored: ModelScores = complete.length > 0 || known === undefined ? await score(picked(rows, complete)) : { ...known, rows: 0, scores: new Float64Array(0) };
      known = scored;
      return scattered(scored, complete, rows.rows);
    }
    known = await score(rows);
    return known;
  };
}

function completeRows({ rows, columns, data }: Rows): readonly number[] {
  const found: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    let column = 0;
    while (column < columns && Number.isFinite(data[row * columns + column])) column += 1;
    if (column === columns) found.push(row);
  }
  return found;
}

function picked({ columns, data }: Rows, places: readonly number[]): Rows {
  const kept = new Float32Array(places.length * columns);
  for (const [place, row] of places.entries()) kept.set(data.subarray(row * columns, (row + 1) * columns), place * columns);
  return { rows: places.length, columns, data: kept };
}

function scattered({ columns, classes, scores }: ModelScores, places: readonly number[], rows: number): ModelScores {
  const all = new Float64Array(rows * columns).fill(Number.NaN);
  for (const [place, row] of places.entries()) all.set(scores.subarray(place * columns, (place + 1) * columns), row * columns);
  return { rows, columns, classes, scores: all };
}
