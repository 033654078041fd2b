/**
 * Background work that survives the process. A task is
 *   waiting   until `runAt`, then due;
 *   leased    by one runner, until it reports or its lease runs out (then it is due again);
 *   done      and kept until pruned; or
 *   exhausted when its last permitted attempt failed: it stays, with its last error, for a person to look at.
 * Handlers run at least once: one that was killed half-way runs again, so they must be repeatable.
 */
export interface Task {
  readonly space: string;
  readonly id: string;
  readonly kind: string;
  /** As it was given to `enqueue`, through JSON; the handler parses it. */
  readonly payload: unknown;
  /** This attempt's number, from 1. Together with the owner it fences a runner that lost its lease. */
  readonly attempt: number;
  readonly attemptsMax: number;
}

export interface TaskDraft {
  readonly kind: string;
  /** References to records, never model content or secrets: this table is not encrypted. */
  readonly payload: unknown;
  /** Give one to enqueue at most once (a daily sweep, say); by default a new one. */
  readonly id?: string;
  /** Milliseconds; by default at once. */
  readonly runAt?: number;
  readonly attemptsMax?: number;
}

export const attemptsMaxDefault = 8;
export const payloadCharactersMax = 65_536;
export const errorCharactersMax = 500;
const backoffMillisecondsMin = 1_000;
const backoffMillisecondsMax = 3_600_000;

/** Doubles from a second up to an hour: a short outage is over soon, a long one is not hammered. */
export function backoffMilliseconds(attempt: number): number {
  return Math.min(backoffMillisecondsMin * 2 ** (attempt - 1), backoffMillisecondsMax);
}
