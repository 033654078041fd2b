import type { Counter } from "./shares.ts";

/** For how long a share may be used after the request that it answers was sent, by the clock of whoever uses it. */
export const shareLeaseMs = 2000;

/** How far a clock may jump while it stays within 5 seconds of the other: so long after its end a lease is taken to run on. */
export const shareClockMsMax = 10_000;

/** Of one counter: what a process keeps, and what it has spent of it for good. */
export interface Hold extends Counter {
  readonly amount: number;
  readonly settled: number;
}

/** Of one counter: what a process would like beside what it keeps. */
export interface Want extends Counter {
  /** Without this the waiting call cannot go; of several calls the smallest. 0 where none waits. */
  readonly need: number;
  /** Of all that wait together. */
  readonly unmet: number;
  /** To have it before it is needed. */
  readonly ahead: number;
}

/**
 * What a process says. INVARIANT: from when it is made until its answer has come, its sender uses no more of a counter
 * than the `amount` in it; so whoever reads it may count with that.
 */
export interface ShareAsking {
  /** Of one run: grows with every request, so that one that comes late changes nothing. */
  readonly number: number;
  readonly holds: readonly Hold[];
  /** What belongs together: all of one group is granted, or nothing of it. */
  readonly wants: readonly (readonly Want[])[];
}

/** Of one counter, as it holds until the next answer. */
export interface Granted extends Counter {
  /** What may be used in all. */
  readonly amount: number;
  /** The limit that this was granted under: under a smaller one it is void, because others may have more by now. */
  readonly under: number;
  /** Of all others together. */
  readonly held: number;
  readonly settled: number;
  /** Somebody else waits for it: what is not needed now should come back. */
  readonly scarce: boolean;
  /** What was wanted is not there. */
  readonly denied: boolean;
}
