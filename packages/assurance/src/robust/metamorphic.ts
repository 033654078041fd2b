import type { Probe, Rows } from "../subject/probe.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { decideCounts } from "../verdict/decide-counts.ts";
import { decideShare } from "../verdict/decide-rate.ts";
import { countsOf } from "../verdict/settle.ts";

/** How the score of class 1 must answer to a change of the row. Source: Segura et al. 2016 (metamorphic relations). */
export interface Relation {
  readonly name: string;
  readonly change: (row: Float32Array) => Float32Array;
  readonly expect: "same" | "not-lower" | "not-higher";
  /** Differences up to this size are none. */
  readonly tolerance: number;
}

export interface RelationStatistics {
  readonly attempted: number;
  readonly assessed: number;
  readonly relations: readonly { readonly name: string; readonly events: number; readonly n: number }[];
}

/** Counts the rows whose score breaks each relation. `output`: the score that relations are about; default: the last. */
export function* measureRelations(rows: Rows, relations: readonly Relation[], output?: number): Probe<{ statistics: RelationStatistics; notes: readonly string[] }> {
  const before = yield rows;
  const score = (scores: typeof before, row: number) => scores.scores[row * scores.columns + (output ?? scores.columns - 1)] ?? Number.NaN;
  const counted = [];
  let assessed = rows.rows;
  for (const relation of relations) {
    const data = new Float32Array(rows.data.length);
    for (let row = 0; row < rows.rows; row += 1) data.set(relation.change(rows.data.slice(row * rows.columns, (row + 1) * rows.columns)).subarray(0, rows.columns), row * rows.columns);
    const after = yield { ...rows, data };
    const moves = Array.from({ length: rows.rows }, (_, row) => score(after, row) - score(before, row)).filter((move) => !Number.isNaN(move));
    assessed = Math.min(assessed, moves.length);
    counted.push({ name: relation.name, events: moves.filter((move) => broken(relation, move)).length, n: moves.length });
  }
  return { statistics: { attempted: rows.rows, assessed, relations: counted }, notes: counted.map(({ name, events, n }) => `${name}: broken by ${events} of ${n} rows`) };
}

function broken({ expect, tolerance }: Relation, move: number): boolean {
  if (expect === "same") return Math.abs(move) > tolerance;
  return expect === "not-lower" ? move < -tolerance : move > tolerance;
}

/** Every relation must hold: the worst decides, with exact bounds. */
export function decideRelations(statistics: RelationStatistics, limit: Limit): Outcome {
  const { relations } = statistics;
  const [only, ...more] = relations;
  if (only === undefined) return decideShare({ events: 0, n: 0 }, statistics, limit);
  const sameLength = more.every(({ n }) => n === only.n);
  if (sameLength && only.n > 0 && limit.value > 0) return decideCounts({ kind: "columns", columns: [...relations] }, limit, countsOf(statistics));
  const worst = relations.reduce((a, b) => (b.events * a.n > a.events * b.n ? b : a));
  return decideShare(worst, statistics, limit);
}
