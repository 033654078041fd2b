import type { FindingClass } from "@licet/contract";

/** Half-open range of UTF-16 units, and what stands in it. */
export interface Match {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

export interface DetectorType {
  readonly type: string;
  readonly class: FindingClass;
}

/**
 * A detector reads text in linear time. It may know several types that are looked for in one go.
 *
 * INVARIANT (hold): for every text with a match [s, e) and every cut c < e of it, `pending(text.slice(0, c)) <= s`. So a
 * stream that lets nothing at or after `pending` leave never lets a match leave.
 *
 * INVARIANT (settled): of two texts of which one begins with the other, both have the same matches before `pending` of
 * the shorter. So what was decided by then stays decided.
 *
 * INVARIANT (local): a match depends on the text from `contextCharacters` before it, and on no earlier match that
 * ends before it begins. So a long text may be read piece by piece, each with a little before it.
 */
export interface Detector {
  readonly types: readonly DetectorType[];
  /** Bits of traits.ts that a text must have, all of them, to hold a match. */
  readonly needs: number;
  /** Matches that begin at or after `from`, in their order, those of one type apart from each other; `traits` are the text's. */
  matches(text: string, from: number, traits: number): readonly Match[];
  /** Where a match that the text does not hold whole yet could begin; the text's length when nowhere. */
  pending(text: string): number;
}

/** More than any detector looks back from the beginning of a match. */
export const contextCharacters = 80;
