import type { FindingClass } from "@licet/contract";
import { builtinDetectors } from "./builtin.ts";
import type { Detector, Match } from "./detector.ts";
import { ScanMemo } from "./memo.ts";
import { matchesIn, readingOf } from "./reading.ts";

/** Detectors that read a text together. */
export interface Scanner {
  readonly detectors: readonly Detector[];
  /** Every type that they can find, with its class; in the order in which they are reported. */
  readonly classes: ReadonlyMap<string, FindingClass>;
  /** All matches of a text, by their beginning; remembered by the text's digest. */
  scan(text: string): readonly Match[];
}

export function scannerOf(detectors: readonly Detector[]): Scanner {
  const memo = new ScanMemo();
  return {
    detectors,
    classes: new Map(detectors.flatMap(({ types }) => types.map((each) => [each.type, each.class] as const))),
    scan: (text) => memo.read(text, (each) => scanned(detectors, each)),
  };
}

function scanned(detectors: readonly Detector[], text: string): readonly Match[] {
  const reading = readingOf(text);
  const found = detectors.flatMap((detector) => matchesIn(reading, detector, 0));
  return found.length < 2 ? found : found.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** What is looked for everywhere. */
export const builtinScanner: Scanner = scannerOf(builtinDetectors);
