import type { Probe, Rows } from "../subject/probe.ts";
import { decideShare } from "../verdict/decide-rate.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { figure } from "../verdict/settle.ts";
import { middle, type Norm } from "./distance.ts";
import { evade, type Evasion, type EvasionOptions } from "./evasion.ts";

/** Sufficient statistics of robust.evasion. A success is a rightly decided row with a change within `epsilon`. */
export interface EvasionStatistics {
  readonly norm: Norm;
  readonly sees: "scores" | "labels";
  readonly epsilon: number;
  readonly attempted: number;
  readonly assessed: number;
  /** Rightly decided rows: only these can be attacked. */
  readonly correct: number;
  readonly succeeded: number;
  readonly queriesPerRowMax: number;
  readonly queries: number;
  readonly medianDistance: number | null;
}

/** Attacks rows and counts successes within `epsilon`. Targets are indices of classes; NaN leaves a row out. */
export function* measureEvasion(rows: Rows, targets: ArrayLike<number>, options: EvasionOptions & { epsilon: number }): Probe<{ statistics: EvasionStatistics; evasions: readonly Evasion[]; notes: readonly string[] }> {
  const evasions = yield* evade(rows, { ...options, radiusMax: Math.max(options.radiusMax, options.epsilon) });
  const answered = evasions.filter((each) => each.decided >= 0 && each.unassessed === 0 && !Number.isNaN(targets[each.row] ?? Number.NaN));
  const correct = answered.filter((each) => each.decided === targets[each.row]);
  const succeeded = correct.filter((each) => each.distance <= options.epsilon);
  const statistics: EvasionStatistics = {
    norm: options.norm, sees: options.sees, epsilon: options.epsilon, attempted: rows.rows, assessed: answered.length,
    correct: correct.length, succeeded: succeeded.length,
    queriesPerRowMax: evasions.reduce((most, { queries }) => Math.max(most, queries), 0),
    queries: evasions.reduce((sum, { queries }) => sum + queries, rows.rows + (options.pool?.rows ?? 0)),
    medianDistance: figure(middle(correct.map(({ distance }) => distance))),
  };
  return { statistics, evasions, notes: notesOf(statistics, succeeded) };
}

function notesOf(s: EvasionStatistics, succeeded: readonly Evasion[]): readonly string[] {
  const easiest = succeeded.toSorted((a, b) => a.distance - b.distance || a.row - b.row).slice(0, 5);
  return [
    `${s.succeeded} of ${s.correct} rightly decided rows changed within ${s.epsilon} units (${s.norm}); at most ${s.queriesPerRowMax} calls per row`,
    ...easiest.map(({ row, distance }) => `row ${row + 1} changes at a distance of ${distance.toPrecision(3)}`),
    "the rate is what this attack reaches: a stronger one can reach more, a certificate cannot be beaten",
  ];
}

/** The success rate over rightly decided rows, with exact Clopper-Pearson bounds. */
export function decideEvasion(statistics: EvasionStatistics, limit: Limit): Outcome {
  return decideShare({ events: statistics.succeeded, n: statistics.correct }, statistics, limit);
}
