import type { Match } from "./detector.ts";

/** One string to look for. */
export interface Literal {
  readonly text: string;
  readonly type: string;
  /** Only where neither side goes on as a word. */
  readonly word: boolean;
}

const units = 65_536;
/** Owned by `folded`: made once, when something is first looked for. */
let folds: Uint16Array | undefined;

/** Every unit in lower case, where that is one unit too. */
function folded(): Uint16Array {
  folds ??= Uint16Array.from({ length: units }, (_, unit) => {
    const lower = String.fromCharCode(unit).toLowerCase();
    return lower.length === 1 ? lower.charCodeAt(0) : unit;
  });
  return folds;
}

const wordCharacter = /[\p{L}\p{N}_]/u;

/** Finds many strings in any case in one pass (Aho and Corasick, 1975), as one table of states. */
export class Literals {
  readonly #literals: readonly Literal[];
  /** Class of each unit; 0 for all that no literal holds. */
  readonly #classes = new Uint16Array(units);
  readonly #width: number;
  #next: Int32Array;
  readonly #depth: Int32Array;
  /** First literal that ends in a state, and the next state that has one and is a suffix; -1 for none. */
  readonly #ends: Int32Array;
  readonly #suffix: Int32Array;
  readonly #longest: number;
  /** By row: 1 where a literal ends. */
  readonly #said: Uint8Array;

  constructor(literals: readonly Literal[]) {
    this.#literals = literals;
    this.#longest = literals.reduce((most, { text }) => Math.max(most, text.length), 0);
    const width = this.#classify();
    const states = literals.reduce((sum, { text }) => sum + text.length, 1);
    this.#width = width;
    this.#next = new Int32Array(states * width).fill(-1);
    this.#depth = new Int32Array(states);
    this.#ends = new Int32Array(states).fill(-1);
    this.#suffix = new Int32Array(states).fill(-1);
    const planted = this.#plant();
    this.#link(planted);
    this.#said = this.#speaking(planted);
    // From here on a state is named by where its row begins, which saves a multiplication for each character.
    this.#next = this.#next.map((state) => state * width);
  }

  /** Answers how many classes there are. */
  #classify(): number {
    const fold = folded();
    const known = new Map<number, number>();
    for (const { text } of this.#literals) for (const unit of unitsOf(text)) if (!known.has(fold[unit] ?? 0)) known.set(fold[unit] ?? 0, known.size + 1);
    for (let unit = 0; unit < units; unit++) this.#classes[unit] = known.get(fold[unit] ?? 0) ?? 0;
    return known.size + 1;
  }

  #speaking(states: number): Uint8Array {
    const said = new Uint8Array(states * this.#width);
    for (let state = 0; state < states; state++) if ((this.#ends[state] ?? -1) >= 0 || (this.#suffix[state] ?? -1) >= 0) said[state * this.#width] = 1;
    return said;
  }

  /** The trie; answers how many states it has. */
  #plant(): number {
    let states = 1;
    for (const [index, { text }] of this.#literals.entries()) {
      let state = 0;
      for (const unit of unitsOf(text)) {
        const at = state * this.#width + (this.#classes[unit] ?? 0);
        if ((this.#next[at] ?? -1) < 0) {
          this.#depth[states] = (this.#depth[state] ?? 0) + 1;
          this.#next[at] = states++;
        }
        state = this.#next[at] ?? 0;
      }
      if ((this.#ends[state] ?? -1) < 0) this.#ends[state] = index;
    }
    return states;
  }

  /** Breadth first: where a state has no way on, it goes where its longest proper suffix would. */
  #link(states: number): void {
    const fail = new Int32Array(states);
    const queue = [0];
    for (let head = 0; head < queue.length; head++) {
      const state = queue[head] ?? 0;
      for (let kind = 0; kind < this.#width; kind++) {
        const at = state * this.#width + kind;
        const onward = state === 0 ? 0 : (this.#next[(fail[state] ?? 0) * this.#width + kind] ?? 0);
        const child = this.#next[at] ?? -1;
        if (child < 0) {
          this.#next[at] = onward;
          continue;
        }
        fail[child] = onward;
        this.#suffix[child] = (this.#ends[onward] ?? -1) >= 0 ? onward : (this.#suffix[onward] ?? -1);
        queue.push(child);
      }
    }
  }

  /** Of those that overlap, the first and longest. */
  matches(text: string, from: number): readonly Match[] {
    const all: Match[] = [];
    const [next, classes, said] = [this.#next, this.#classes, this.#said];
    let row = 0;
    for (let i = from; i < text.length; i++) {
      row = next[row + (classes[text.charCodeAt(i)] ?? 0)] ?? 0;
      if (said[row] === 1) this.#add(all, text, { row, end: i + 1 });
    }
    return all.length < 2 ? all : leftmostLongest(all);
  }

  /** Every literal that ends here. */
  #add(all: Match[], text: string, { row, end }: { readonly row: number; readonly end: number }): void {
    const state = row / this.#width;
    for (let at = (this.#ends[state] ?? -1) >= 0 ? state : (this.#suffix[state] ?? -1); at >= 0; at = this.#suffix[at] ?? -1) {
      const literal = this.#literals[this.#ends[at] ?? 0];
      if (literal !== undefined && stands(text, literal, end)) all.push({ type: literal.type, start: end - literal.text.length, end });
    }
  }

  /** Where the longest beginning of a literal starts that ends the text. */
  pending(text: string): number {
    const [next, classes] = [this.#next, this.#classes];
    let row = 0;
    for (let i = Math.max(0, text.length - this.#longest); i < text.length; i++) row = next[row + (classes[text.charCodeAt(i)] ?? 0)] ?? 0;
    return text.length - (this.#depth[row / this.#width] ?? 0);
  }
}

function unitsOf(text: string): readonly number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
}

function stands(text: string, { text: literal, word }: Literal, end: number): boolean {
  if (!word) return true;
  const start = end - literal.length;
  const goesOn = (inside: number, outside: number) => wordCharacter.test(text.charAt(inside)) && wordCharacter.test(text.charAt(outside));
  return !goesOn(start, start - 1) && !goesOn(end - 1, end);
}

function leftmostLongest(all: readonly Match[]): readonly Match[] {
  const found: Match[] = [];
  let after = 0;
  for (const match of all.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (match.start < after) continue;
    found.push(match);
    after = match.end;
  }
  return found;
}
