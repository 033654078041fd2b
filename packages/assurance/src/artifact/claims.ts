/** Bytes that a parser understood, and as what. */
export interface ClaimedRange {
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

/** Kept for people; the union is exact whatever happens to the list. */
const rangesListedMax = 200;
const rangesMax = 400_000;

/** Which bytes of one layer some parser has understood. What nobody claims cannot be passed. */
export class Claims {
  #ranges: ClaimedRange[] = [];

  claim(start: number, end: number, by: string): void {
    if (end <= start) return;
    const last = this.#ranges.at(-1);
    if (last !== undefined && last.end === start && last.by === by) this.#ranges[this.#ranges.length - 1] = { start: last.start, end, by };
    else if (this.#ranges.length < rangesMax) this.#ranges.push({ start, end, by });
  }

  /** Parts of 0..size that nobody claimed. */
  gaps(size: number): readonly { readonly start: number; readonly end: number }[] {
    const gaps: { start: number; end: number }[] = [];
    let at = 0;
    for (const { start, end } of this.#ranges.toSorted((a, b) => a.start - b.start)) {
      if (start > at) gaps.push({ start: at, end: Math.min(start, size) });
      at = Math.max(at, end);
    }
    if (at < size) gaps.push({ start: at, end: size });
    return gaps.filter(({ start, end }) => end > start);
  }

  /** Pairs of claims that share bytes, first pair only. */
  overlap(): { readonly first: ClaimedRange; readonly second: ClaimedRange } | undefined {
    const sorted = this.#ranges.toSorted((a, b) => a.start - b.start);
    let widest = sorted[0];
    for (const next of sorted.slice(1)) {
      if (widest !== undefined && next.start < widest.end) return { first: widest, second: next };
      if (widest === undefined || next.end > widest.end) widest = next;
    }
    return undefined;
  }

  list(): readonly ClaimedRange[] {
    return this.#ranges.toSorted((a, b) => a.start - b.start).slice(0, rangesListedMax);
  }
}
