import { patternRefusal, wholePattern } from "@licet/contract";

/** What may stand in a hole, as a manifest or a release says it. */
export interface OpenHole {
  /** Regular expression for the whole value. */
  readonly pattern?: string | undefined;
  /** In UTF-16 units. */
  readonly maxLength: number;
}

export type HolePattern = { readonly kind: "pattern"; readonly matches: (value: string) => boolean } | { readonly kind: "refused"; readonly reason: string };

/**
 * Compiles what may stand in a hole. It is matched against every call, so only patterns of linear time are taken:
 * a row of literals and character classes, no groups or alternatives, and one variable quantifier at most.
 */
export function holePattern(hole: OpenHole): HolePattern {
  const { pattern, maxLength } = hole;
  if (pattern === undefined) return { kind: "pattern", matches: (value) => value.length <= maxLength };
  const reason = patternRefusal(pattern);
  if (reason !== undefined) return { kind: "refused", reason };
  const whole = wholePattern(pattern);
  return { kind: "pattern", matches: (value) => value.length <= maxLength && whole.test(value) };
}

/** The holes of a text, in order of first appearance. */
export function holesIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\{\{([a-zA-Z][a-zA-Z0-9_]{0,63})\}\}/gu)].map((match) => match[1] ?? ""))];
}
