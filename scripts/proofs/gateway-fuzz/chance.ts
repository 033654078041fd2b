import { seeded } from "../../../packages/licet/src/ledger/log-fixture.ts";

/** All that a case draws; the same seed draws the same. */
export class Chance {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seeded(seed);
    // The first draws of neighbouring seeds lie close together.
    for (let i = 0; i < 3; i++) this.#next();
  }

  maybe(probability: number): boolean {
    return this.#next() < probability;
  }

  /** From 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor(this.#next() * bound);
  }

  one<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new Error("nothing to choose from");
    return found;
  }

  /** A list of `least` to `most` things. */
  some<T>(least: number, most: number, make: (at: number) => T): T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, (_, at) => make(at));
  }

  characters(alphabet: string, length: number): string {
    return Array.from({ length }, () => alphabet.charAt(this.below(alphabet.length))).join("");
  }

  /** A text cut anywhere, also inside of characters: whole, in two, unit by unit, or into a few. */
  cut(text: string): string[] {
    const way = this.below(6);
    if (way === 0 || text === "") return [text];
    if (way === 1 && text.length < 400) return text.split("");
    const size = way === 2 ? Math.ceil(text.length / 2) : 1 + this.below(way === 3 ? 4 : 24);
    const pieces: string[] = [];
    for (let at = 0; at < text.length; ) {
      const length = 1 + this.below(size);
      pieces.push(text.slice(at, at + length));
      at += length;
    }
    return this.maybe(0.1) ? pieces.flatMap((piece) => [piece, ""]) : pieces;
  }

  /** Puts lists together in any order that keeps each one's own. */
  interleave<T>(lists: readonly (readonly T[])[]): T[] {
    const left = lists.map((list) => [...list]).filter((list) => list.length > 0);
    const all: T[] = [];
    while (left.length > 0) {
      const at = this.below(left.length);
      const next = left[at]?.shift();
      if (next !== undefined) all.push(next);
      if (left[at]?.length === 0) left.splice(at, 1);
    }
    return all;
  }
}

const words = "turn it off and on again please the printer desk lamp keeps humming slowly today naïve ünïcode 日本語 🙂 gärtner while we wait for somebody".split(" ");

/** Words in which nobody finds anything. */
export function plainWords(chance: Chance, long: boolean): string {
  const most = long && chance.maybe(0.01) ? 3000 : 8;
  return chance.some(1, most, () => chance.one(words)).join(" ");
}
