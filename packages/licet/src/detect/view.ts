/** A text in another form, with where each of its characters stands in the text that it was made of. */
export interface View {
  readonly text: string;
  /** First unit of the outer text that the inner unit at `at` comes from. */
  outerStart(at: number): number;
  /** One past the last unit of the outer text that the inner unit before `at` comes from. */
  outerEnd(at: number): number;
  /** The first inner unit that comes from outer units at or after `outer`. */
  inner(outer: number): number;
}

/** What the view is made of: stretches taken over as they are, and each thing that was written in another way. */
export class ViewBuilder {
  readonly #inner: number[] = [];
  readonly #outer: number[] = [];
  /** Outer length of something written in another way; 0 for a stretch taken over. */
  readonly #written: number[] = [];
  #text = "";

  /** Outer units from `from` to `to` as they are. */
  keep(source: string, from: number, to: number): void {
    if (from === to) return;
    this.#add(from, 0);
    this.#text += source.slice(from, to);
  }

  /** `length` outer units from `from`, which say `said`. */
  replace(from: number, length: number, said: string): void {
    this.#add(from, length);
    this.#text += said;
  }

  #add(outer: number, written: number): void {
    this.#inner.push(this.#text.length);
    this.#outer.push(outer);
    this.#written.push(written);
  }

  build(): View {
    const [inner, outer, written] = [this.#inner, this.#outer, this.#written];
    const outerStart = (at: number): number => {
      const index = lastAtMost(inner, at);
      const begins = outer[index] ?? 0;
      return (written[index] ?? 0) > 0 ? begins : begins + at - (inner[index] ?? 0);
    };
    const outerEnd = (at: number): number => {
      const index = lastAtMost(inner, at - 1);
      const length = written[index] ?? 0;
      const begins = outer[index] ?? 0;
      return length > 0 ? begins + length : begins + at - (inner[index] ?? 0);
    };
    return {
      text: this.#text,
      outerStart,
      outerEnd,
      inner: (from) => {
        if (from <= 0) return 0;
        const index = lastAtMost(outer, from);
        const begins = inner[index] ?? 0;
        const ends = inner[index + 1] ?? this.#text.length;
        if ((written[index] ?? 0) > 0) return from > (outer[index] ?? 0) ? ends : begins;
        return Math.min(ends, begins + Math.max(0, from - (outer[index] ?? 0)));
      },
    };
  }
}

/** Index of the last value at or below `at`; several may be equal, of which the last says something. */
function lastAtMost(values: readonly number[], at: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
