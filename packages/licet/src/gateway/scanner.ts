import { detectors, type Detector, type Match } from "./detect.ts";

/**
 * Scans one text that arrives in pieces. What could still grow into something that must not leave is held back, and
 * nothing else: hold-back is by pending match, never by number of pieces.
 */
export interface Scanner {
  /** Takes the next piece. */
  push(piece: string): void;
  /** No more text comes: what was pending is decided. */
  finish(): void;
  /** Characters pushed so far. */
  readonly length: number;
  /** Characters that may leave. Never beyond the start of a blocked match. */
  readonly safe: number;
  /** True once a blocked match was found; from then on `safe` does not grow. */
  readonly blocked: boolean;
}

export interface ScannerOptions {
  /** Types that must not leave. */
  readonly blocks: ReadonlySet<string>;
  /** Counts of what was found are added here. */
  readonly found: Map<string, number>;
}

/** More than any detector looks back from the beginning of a match. */
const contextCharacters = 8;
/** A group of digits is kept whole, or so much of it that it is too long for a card either way. */
const contextDigits = 20;

function contextStart(buffer: string, undecided: number): number {
  let start = Math.max(0, undecided - contextCharacters);
  const least = Math.max(0, start - contextDigits);
  while (start > least && /\d/u.test(buffer.charAt(start - 1))) {
    start--;
  }
  return start;
}

export function scanner(options: ScannerOptions): Scanner {
  /** The undecided end of the text, with a little before it; `base` is where it begins in the whole text. */
  let buffer = "";
  let base = 0;
  let safe = 0;
  let blocked = false;
  /** End of the last counted match of each detector, so that none is counted twice. */
  const counted = new Map<string, number>();

  const settle = (final: boolean) => {
    const looked = detectors.map((detector) => look(detector, buffer, final));
    for (const { detector, matches } of looked) {
      const fresh = matches.filter(({ start }) => base + start >= (counted.get(detector.type) ?? 0));
      const last = fresh.at(-1);
      if (last !== undefined) {
        counted.set(detector.type, base + last.end);
        options.found.set(detector.type, (options.found.get(detector.type) ?? 0) + fresh.length);
        blocked ||= options.blocks.has(detector.type);
      }
    }
    if (!blocked) {
      const holding = looked.filter(({ detector }) => options.blocks.has(detector.type));
      safe = Math.max(safe, base + Math.min(buffer.length, ...holding.map(({ pending }) => pending)));
    }
    const keep = contextStart(buffer, Math.min(...looked.map(({ pending }) => pending), safe - base));
    buffer = buffer.slice(keep);
    base += keep;
  };

  return {
    push: (piece) => {
      buffer += piece;
      if (!blocked) {
        settle(false);
      }
    },
    finish: () => {
      if (!blocked) {
        settle(true);
      }
    },
    get length() {
      return base + buffer.length;
    },
    get safe() {
      return safe;
    },
    get blocked() {
      return blocked;
    },
  };
}

interface Look {
  readonly detector: Detector;
  readonly matches: readonly Match[];
  readonly pending: number;
}

/** A match that touches the end and is still pending may turn out to be none: it is decided by the next piece. */
function look(detector: Detector, text: string, final: boolean): Look {
  const pending = final ? text.length : detector.pending(text);
  const matches = detector.matches(text).filter(({ start, end }) => end < text.length || pending > start);
  return { detector, matches: final ? detector.matches(text) : matches, pending };
}
