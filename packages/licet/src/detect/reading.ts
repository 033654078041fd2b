import { encodedPending, encodedRuns } from "./encoded-run.ts";
import type { Detector, Match } from "./detector.ts";
import { hasEscape, hasForeign, hasLongRun, traitsOf } from "./traits.ts";
import type { View } from "./view.ts";
import { escapes, foreign, undone, unfinishedStart, type Writing } from "./writings.ts";

/** Encodings inside encodings that are undone. */
const depthMax = 3;
/** Characters that all readings of one text may have together, beside the text's own. */
const readCharactersMax = 8 * 1024 * 1024;

/** A text with all that it says in other forms: escapes undone, encoded runs decoded, each of these again. */
export interface Reading {
  readonly text: string;
  readonly traits: number;
  /** The whole text in another form. */
  readonly views: readonly Inside[];
  /** Encoded stretches of it. */
  readonly runs: readonly Inside[];
}

interface Inside {
  readonly view: View;
  readonly reading: Reading;
}

export function readingOf(text: string): Reading {
  return read(text, { depth: depthMax, characters: readCharactersMax });
}

/** Owned by `read`: what is left of the bounds. */
interface Left {
  readonly depth: number;
  characters: number;
}

function read(text: string, left: Left): Reading {
  const traits = traitsOf(text);
  if ((traits & (hasEscape | hasForeign | hasLongRun)) === 0 || left.depth === 0) return { text, traits, views: none, runs: none };
  return {
    text,
    traits,
    views: writingsIn(traits).flatMap((writing) => inside(undone(text, writing), left)),
    runs: (traits & hasLongRun) === 0 ? none : encodedRuns(text).flatMap(({ view }) => inside(view, left)),
  };
}

const none: readonly never[] = [];

function writingsIn(traits: number): readonly Writing[] {
  if ((traits & hasForeign) === 0) return (traits & hasEscape) === 0 ? none : escapes;
  return (traits & hasEscape) === 0 ? foreign : [...escapes, ...foreign];
}

/** Where something could begin that is encoded and has not come to its end. */
export function openIn({ text, traits }: Reading): number {
  const writings = writingsIn(traits);
  const run = encodedPending(text);
  return writings.length === 0 ? run : Math.min(run, ...writings.map((writing) => unfinishedStart(text, writing.unfinished)));
}

function inside(view: View | undefined, left: Left): readonly Inside[] {
  if (view === undefined || view.text.length > left.characters) return [];
  left.characters -= view.text.length;
  const deeper = { depth: left.depth - 1, characters: left.characters };
  const reading = read(view.text, deeper);
  left.characters = deeper.characters;
  return [{ view, reading }];
}

/** Matches of a detector in all forms of a text, at their places in the text itself, in order and apart. */
export function matchesIn({ text, traits, views, runs }: Reading, detector: Detector, from: number): readonly Match[] {
  const plain = (traits & detector.needs) === detector.needs ? detector.matches(text, from, traits) : none;
  if (views.length === 0 && runs.length === 0) return plain;
  const inner = [...views, ...runs].flatMap(({ view, reading }) =>
    matchesIn(reading, detector, view.inner(from)).map(({ type, start, end }) => ({ type, start: Math.max(from, view.outerStart(start)), end: view.outerEnd(end) })),
  );
  return inner.length === 0 ? plain : united([...plain, ...inner]);
}

/** What is found in two forms of the same words is one finding, as wide as both. */
function united(matches: readonly Match[]): readonly Match[] {
  const sorted = matches.toSorted((a, b) => a.start - b.start || b.end - a.end);
  const last = new Map<string, number>();
  const found: Match[] = [];
  for (const match of sorted) {
    const index = last.get(match.type);
    const before = index === undefined ? undefined : found[index];
    if (index === undefined || before === undefined || before.end <= match.start) {
      last.set(match.type, found.push(match) - 1);
    } else if (match.end > before.end) {
      found[index] = { ...before, end: match.end };
    }
  }
  return found;
}

/** Where a match could begin, in any form, that the text does not hold whole yet. */
export function pendingIn(reading: Reading, detector: Detector, open: number = openIn(reading)): number {
  const { text, views } = reading;
  let pending = Math.min(open, detector.pending(text));
  for (const { view, reading: within } of views) {
    const inner = pendingIn(within, detector);
    if (inner < within.text.length) pending = Math.min(pending, view.outerStart(inner));
  }
  return pending;
}
