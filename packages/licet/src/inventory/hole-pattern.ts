/** What may stand in a hole, as a manifest or a release says it. */
export interface OpenHole {
  /** Regular expression for the whole value. */
  readonly pattern?: string | undefined;
  /** In UTF-16 units. */
  readonly maxLength: number;
}

export type HolePattern = { readonly kind: "pattern"; readonly matches: (value: string) => boolean } | { readonly kind: "refused"; readonly reason: string };

const escaped = /\\(?:[dDwWsS\-./+*?^$|()[\]{}\\]|n|t|p\{L[lu]?\}|p\{N\})/u;
const atom = new RegExp(`(?:${escaped.source}|\\[\\^?(?:${escaped.source}|[^\\\\[\\]])+\\]|[^\\\\[\\](){}*+?|^$])`, "u");
const fixed = /\{\d{1,4}\}/u;
const variable = /(?:[*+?]|\{\d{1,4},(?:\d{1,4})?\})/u;
const sequence = new RegExp(`(${atom.source})(${fixed.source}|${variable.source})?`, "uy");

/**
 * Compiles what may stand in a hole. It is matched against every call, so only patterns of linear time are taken:
 * a row of literals and character classes, no groups or alternatives, and one variable quantifier at most.
 */
export function holePattern(hole: OpenHole): HolePattern {
  const { pattern, maxLength } = hole;
  if (pattern === undefined) return { kind: "pattern", matches: (value) => value.length <= maxLength };
  const reason = refusal(pattern);
  if (reason !== undefined) return { kind: "refused", reason };
  try {
    const whole = new RegExp(`^(?:${pattern})$`, "u");
    return { kind: "pattern", matches: (value) => value.length <= maxLength && whole.test(value) };
  } catch (error) {
    return { kind: "refused", reason: error instanceof Error ? error.message : "it is not a regular expression" };
  }
}

function refusal(pattern: string): string | undefined {
  let variables = 0;
  let at = 0;
  while (at < pattern.length) {
    sequence.lastIndex = at;
    const match = sequence.exec(pattern);
    if (match === null) return `it has more than literals, classes and simple quantifiers at character ${at + 1}`;
    if (match[2] !== undefined && !match[2].endsWith("}")) variables++;
    else if (match[2]?.includes(",")) variables++;
    at = sequence.lastIndex;
  }
  return variables > 1 ? "it has more than one variable quantifier" : undefined;
}

/** The holes of a text, in order of first appearance. */
export function holesIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\{\{([a-zA-Z][a-zA-Z0-9_]{0,63})\}\}/gu)].map((match) => match[1] ?? ""))];
}
