import type { DetectionAction } from "@licet/contract";
import type { Match } from "../../detect/detector.ts";

/** Half-open range of UTF-16 units with what stands there instead. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** A match that is taken out. */
export interface Taken extends Match {
  readonly action: DetectionAction;
  /** Of a placeholder: what it stood for, put back in its place. */
  readonly restored?: string;
}

/** In order, and apart: of what overlaps, the first and longest is taken whole, and of the next what it leaves. */
export function apart(matches: readonly Taken[], from = 0): readonly Taken[] {
  const found: Taken[] = [];
  let after = from;
  for (const match of matches.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (match.end <= after) continue;
    found.push(match.start >= after ? match : { ...match, start: after });
    after = match.end;
  }
  return found;
}

export function edited(text: string, edits: readonly Edit[]): string {
  let out = "";
  let at = 0;
  for (const { start, end, replacement } of edits) {
    out += text.slice(at, start) + replacement;
    at = end;
  }
  return at === 0 && edits.length === 0 ? text : out + text.slice(at);
}
