import { cardMatches, cardPending } from "./detect-card.ts";
import { emailMatches, emailPending } from "./detect-email.ts";
import { keyDetectors } from "./detect-key.ts";
import type { DataClass, FindingCount } from "@licet/contract";

/** Half-open range of UTF-16 units. */
export interface Match {
  readonly start: number;
  readonly end: number;
}

/**
 * A detector reads text in linear time.
 *
 * INVARIANT: for every text with a match [s, e) and every cut c < e of that text, `pending(text.slice(0, c)) <= s`, or the
 * match is found in the part already. So a stream that lets nothing at or after `pending` leave never lets a match leave.
 */
export interface Detector {
  readonly type: string;
  /** Sensitivity class of the manifest's boundary that a match belongs to; secrets count as `special`. */
  readonly dataClass: DataClass;
  matches(text: string): readonly Match[];
  /** Where a match that the text does not hold whole yet could begin; the text's length when nowhere. */
  pending(text: string): number;
}

export const detectors: readonly Detector[] = [
  { type: "email", dataClass: "personal", matches: emailMatches, pending: emailPending },
  { type: "card-number", dataClass: "special", matches: cardMatches, pending: cardPending },
  ...keyDetectors,
];

/** Counts by type. */
export type Findings = ReadonlyMap<string, number>;

export function addFindings(into: Map<string, number>, text: string): void {
  for (const detector of detectors) {
    const count = detector.matches(text).length;
    if (count > 0) {
      into.set(detector.type, (into.get(detector.type) ?? 0) + count);
    }
  }
}

export function detect(texts: Iterable<string>): Findings {
  const found = new Map<string, number>();
  for (const text of texts) {
    addFindings(found, text);
  }
  return found;
}

/** What two readings of the same words found: the larger count of each type. */
export function either(one: Findings, other: Findings): Findings {
  return new Map([...new Set([...one.keys(), ...other.keys()])].map((type) => [type, Math.max(one.get(type) ?? 0, other.get(type) ?? 0)]));
}

export function findingCounts(found: Findings): readonly FindingCount[] {
  return detectors.flatMap(({ type, dataClass }) => {
    const count = found.get(type);
    return count === undefined ? [] : [{ type, dataClass, count }];
  });
}

/** The classes found that the boundary does not hold, sorted. */
export function outsideBoundary(found: Findings, classes: readonly string[]): readonly string[] {
  const outside = findingCounts(found)
    .map(({ dataClass }) => dataClass)
    .filter((dataClass) => !classes.includes(dataClass));
  return [...new Set(outside)].sort();
}
