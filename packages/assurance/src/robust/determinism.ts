import { permutation, randomFrom } from "../stats/random.ts";
import type { Probe, Rows, Scores } from "../subject/probe.ts";
import { round12 } from "../verdict/round.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { decideExact } from "../verdict/decide-rate.ts";

/** Sufficient statistics of robust.determinism: the largest difference of one row's score between two ways to ask. */
export interface DeterminismStatistics {
  readonly attempted: number;
  readonly assessed: number;
  readonly worst: { readonly repeated: number; readonly shuffled: number; readonly single: number };
}

/**
 * The same rows three times, in another order, and one by one. A row whose score is missing once is unassessed.
 * `singlesMax` rows are asked one by one.
 */
export function* measureDeterminism(rows: Rows, options: { seed: string; singlesMax: number }): Probe<{ statistics: DeterminismStatistics; notes: readonly string[] }> {
  const first = yield rows;
  const seen = new Uint8Array(rows.rows).fill(1);
  const compare = (scores: Scores, places: ArrayLike<number>) => largest(first, scores, { places, seen });
  const own = Uint32Array.from({ length: rows.rows }, (_, row) => row);
  const repeated = Math.max(compare(yield rows, own), compare(yield rows, own));
  const order = permutation(randomFrom(`${options.seed}/determinism`), rows.rows);
  const shuffled = compare(yield reordered(rows, order), order);
  let single = 0;
  for (const row of order.subarray(0, options.singlesMax)) single = Math.max(single, compare(yield reordered(rows, Uint32Array.of(row)), [row]));
  const worst = { repeated: round12(repeated), shuffled: round12(shuffled), single: round12(single) };
  const statistics = { attempted: rows.rows, assessed: seen.reduce((sum, each) => sum + each, 0), worst };
  return { statistics, notes: Object.entries(worst).filter(([, value]) => value > 0).map(([way, value]) => `${ways[way] ?? way}: scores differ by up to ${value}`) };
}

const ways: Readonly<Record<string, string>> = { repeated: "the same rows again", shuffled: "in another order", single: "one row at a time" };

function reordered(rows: Rows, order: Uint32Array): Rows {
  const data = new Float32Array(order.length * rows.columns);
  for (const [place, row] of order.entries()) data.set(rows.data.subarray(row * rows.columns, (row + 1) * rows.columns), place * rows.columns);
  return { rows: order.length, columns: rows.columns, data };
}

function largest(first: Scores, again: Scores, given: { places: ArrayLike<number>; seen: Uint8Array }): number {
  let most = 0;
  for (let index = 0; index < again.rows; index += 1) {
    const row = given.places[index] ?? 0;
    for (let column = 0; column < first.columns; column += 1) {
      const difference = Math.abs((first.scores[row * first.columns + column] ?? Number.NaN) - (again.scores[index * again.columns + column] ?? Number.NaN));
      if (Number.isNaN(difference)) given.seen[row] = 0;
      else most = Math.max(most, difference);
    }
  }
  return most;
}

/** The largest difference against the limit (1e-5). Nothing is inferred. */
export function decideDeterminism(statistics: DeterminismStatistics, limit: Limit): Outcome {
  const { repeated, shuffled, single } = statistics.worst;
  return decideExact({ value: Math.max(repeated, shuffled, single), method: "census" }, statistics, limit);
}
