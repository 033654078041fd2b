import type { Edit } from "./detect/edits.ts";
import type { TextFilter } from "./detect/text-filter.ts";
import type { CallScan, Counting } from "./scan.ts";

/** One text of an answer over all its pieces, as it may leave. Positions are those of the text as the provider sent it. */
export interface Lane {
  push(piece: string): void;
  /** The next piece begins another part, in which this text goes on. What would have to be taken out of both blocks: whole copies of each part leave by themselves. */
  nextPart(): void;
  /** No piece comes any more. */
  finish(): void;
  readonly finished: boolean;
  readonly length: number;
  /** Everything before may leave, as `released` gives it. */
  readonly safe: number;
  readonly blocked: string | undefined;
  /** What leaves in place of one piece. Pieces are asked for in their order, each once. */
  released(start: number, piece: string): string;
}

export interface LaneOptions {
  readonly scan: CallScan;
  readonly counting: Counting;
  /** The text is JSON: what is put back is escaped. */
  readonly json: boolean;
  /** The text must not change, as signed thinking and names must not: what would have to be taken out blocks. */
  readonly fixed: boolean;
  /** The text may go on in other parts: `nextPart` may be called. */
  readonly joined: boolean;
}

type PartOptions = Pick<LaneOptions, "scan" | "json" | "fixed">;

/**
 * One part of a text by itself. What stands beside it in the parts before and after makes a word of another kind of it, so the
 * text as a whole does not tell what a reader of this part alone would find.
 */
class Part {
  readonly #counting: Counting = { found: new Map(), taken: new Map() };
  readonly #text: TextFilter;
  readonly #start: number;
  #finished = false;

  constructor({ scan, json, fixed }: PartOptions, start: number) {
    this.#text = scan.filter(this.#counting, { json, fixed });
    this.#start = start;
  }

  push(piece: string): void {
    this.#text.push(piece);
  }

  finish(): void {
    if (!this.#finished) this.#text.finish();
    this.#finished = true;
  }

  /** Nothing that the whole text still learns changes what was found here. */
  isSettled(whole: TextFilter): boolean {
    return this.#finished && whole.safe >= this.#start + this.#text.length;
  }

  get safe(): number {
    return this.#start + this.#text.safe;
  }

  /** What is found here and not in the whole text, as far as that is decided. What it is counts where it blocks. */
  blocked(whole: TextFilter, into: Counting): string | undefined {
    const { blocked, edits } = this.#text;
    const lost = edits.some(({ start, end }) => {
      const [from, to] = [this.#start + start, this.#start + end];
      return to <= whole.safe && !whole.edits.some((edit) => edit.start <= from && edit.end >= to);
    });
    if (blocked === undefined && !lost) return undefined;
    for (const [type, count] of this.#counting.found) if (!into.found.has(type)) into.found.set(type, count);
    return blocked ?? "split";
  }
}

export function openLane({ scan, counting, json, fixed, joined }: LaneOptions): Lane {
  const text = scan.filter(counting, { json, fixed });
  /** The first part has the whole text's filter until another follows. */
  let first = "";
  const parts: Part[] = [];
  /** What a part alone says; parts of which nothing more can be said are let go. */
  const foundAlone = (): string | undefined => {
    // From the last on, so that letting one go moves none that is still to be asked.
    for (let at = parts.length - 1; at >= 0; at--) {
      const part = parts[at];
      const found = part?.blocked(text, counting);
      if (found !== undefined) return found;
      if (at < parts.length - 1 && part?.isSettled(text) === true) parts.splice(at, 1);
    }
    return undefined;
  };
  const begin = (start: number, said = ""): void => {
    const part = new Part({ scan, json, fixed }, start);
    part.push(said);
    parts.push(part);
  };
  let finished = false;
  let next = 0;
  const borders: number[] = [];
  let apart = 0;
  const isSplit = (): boolean => {
    if (borders.length === 0) return false;
    while (apart < text.edits.length && !borders.some((at) => isAcross(text.edits[apart], at))) apart++;
    return apart < text.edits.length;
  };
  return {
    push: (piece) => {
      text.push(piece);
      if (joined && borders.length === 0) first += piece;
      parts.at(-1)?.push(piece);
    },
    nextPart: () => {
      if (borders.length === 0) {
        begin(0, first);
        first = "";
      }
      parts.at(-1)?.finish();
      borders.push(text.length);
      begin(text.length);
    },
    finish: () => {
      if (!finished) {
        text.finish();
        parts.at(-1)?.finish();
      }
      finished = true;
    },
    get finished() {
      return finished;
    },
    get length() {
      return text.length;
    },
    get safe() {
      return Math.min(text.safe, ...parts.slice(-1).map((part) => part.safe));
    },
    get blocked() {
      return text.blocked ?? (fixed && text.edits.length > 0 ? "fixed" : isSplit() ? "split" : foundAlone());
    },
    released: (start, piece) => {
      const { edits } = text;
      while ((edits[next]?.end ?? Infinity) <= start) next++;
      return next < edits.length ? pieceWith(edits, { from: next, start }, piece) : piece;
    },
  };
}

function isAcross(edit: Edit | undefined, at: number): boolean {
  return edit !== undefined && edit.start < at && at < edit.end;
}

/** An edit that begins inside the piece puts its replacement there; the rest of what it replaces is dropped from later pieces. */
function pieceWith(edits: readonly Edit[], { from, start }: { readonly from: number; readonly start: number }, piece: string): string {
  const end = start + piece.length;
  let out = "";
  let at = start;
  for (let i = from; i < edits.length; i++) {
    const edit = edits[i];
    if (edit === undefined || edit.start >= end) break;
    if (edit.start >= at) out += piece.slice(at - start, edit.start - start) + edit.replacement;
    at = Math.max(at, Math.min(end, edit.end));
  }
  return out + piece.slice(at - start);
}
