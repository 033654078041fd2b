import type { Match } from "./detector.ts";

/** Matches in order, and apart from each other: added by precedence, so that what comes later gives way. Bisects, for texts with many. */
export class Apart {
  readonly #starts: number[] = [];
  readonly #matches: Match[] = [];

  get all(): readonly Match[] {
    return this.#matches;
  }

  isFree(start: number, end: number): boolean {
    const at = this.#after(start);
    const before = this.#matches[at - 1];
    const next = this.#matches[at];
    return (before === undefined || before.end <= start) && (next === undefined || next.start >= end);
  }

  /** False where something lies there already. */
  add(match: Match): boolean {
    if (!this.isFree(match.start, match.end)) return false;
    const at = this.#after(match.start);
    this.#starts.splice(at, 0, match.start);
    this.#matches.splice(at, 0, match);
    return true;
  }

  /** Index of the first that begins after `start`. */
  #after(start: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
