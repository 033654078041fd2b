import type { Edit } from "./detect/edits.ts";
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
}

export function openLane({ scan, counting, json, fixed }: LaneOptions): Lane {
  const text = scan.filter(counting, { json, fixed });
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
    push: (piece) => text.push(piece),
    nextPart: () => void borders.push(text.length),
    finish: () => {
      if (!finished) text.finish();
      finished = true;
    },
    get finished() {
      return finished;
    },
    get length() {
      return text.length;
    },
    get safe() {
      return text.safe;
    },
    get blocked() {
      return text.blocked ?? (fixed && text.edits.length > 0 ? "fixed" : isSplit() ? "split" : undefined);
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
