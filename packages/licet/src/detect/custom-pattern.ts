import type { DetectionPattern } from "@licet/contract";
import { RE2JS } from "re2js";
import type { Detector, Match } from "./detector.ts";

const matchCharactersDefault = 100;
/** Characters of a text that are looked at together, so that a search never costs more than a multiple of the text. */
const windowCharacters = 2048;
/** Beginnings of a text that led to too long a match; with more of them the beginning alone counts as found. */
const failuresMax = 32;

/**
 * A regular expression of RE2, which takes time in proportion to the text whatever the expression. A match has at
 * most `matchMax` characters: so much of an answer is held back where the type must not leave.
 */
export function patternDetector({ type, class: kind, pattern, matchMax = matchCharactersDefault, ignoreCase = false }: DetectionPattern): Detector {
  const compiled = RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  return {
    types: [{ type, class: kind }],
    needs: 0,
    matches: (text, from) => find({ compiled, type, matchMax }, text, from),
    pending: (text) => Math.max(0, text.length - matchMax),
  };
}

interface Search {
  readonly compiled: RE2JS;
  readonly type: string;
  readonly matchMax: number;
}

function find({ compiled, type, matchMax }: Search, text: string, from: number): readonly Match[] {
  const found: Match[] = [];
  let failures = 0;
  for (let at = from; at < text.length; ) {
    const start = firstIn(compiled, text, { from: at, to: at + windowCharacters + matchMax });
    if (start === undefined || start >= at + windowCharacters) {
      at += windowCharacters;
      continue;
    }
    const end = endOf(compiled, text, { from: start, to: start + matchMax + 1 });
    if (end !== undefined && end > start && end - start <= matchMax) {
      found.push({ type, start, end });
      at = end;
    } else if (++failures > failuresMax) {
      at = Math.min(text.length, start + matchMax);
      found.push({ type, start, end: at });
    } else {
      at = start + 1;
    }
  }
  return found;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The character before is shown too, so that `\b` and `^` mean what they say. */
function firstIn(compiled: RE2JS, text: string, { from, to }: Range): number | undefined {
  const shown = Math.max(0, from - 1);
  const matcher = compiled.matcher(text.slice(shown, to));
  return matcher.find(from - shown) ? shown + matcher.start() : undefined;
}

function endOf(compiled: RE2JS, text: string, { from, to }: Range): number | undefined {
  const shown = Math.max(0, from - 1);
  const matcher = compiled.matcher(text.slice(shown, to));
  return matcher.find(from - shown) && matcher.start() === from - shown ? shown + matcher.end() : undefined;
}
