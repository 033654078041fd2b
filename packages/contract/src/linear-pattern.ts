const escaped = /\\(?:[dDwWsS\-./+*?^$|()[\]{}\\]|n|t|p\{L[lu]?\}|p\{N\})/u;
const atom = new RegExp(`(?:${escaped.source}|\\[\\^?(?:${escaped.source}|[^\\\\[\\]])+\\]|[^\\\\[\\](){}*+?|^$])`, "u");
const fixed = /\{\d{1,4}\}/u;
const variable = /(?:[*+?]|\{\d{1,4},(?:\d{1,4})?\})/u;
const sequence = new RegExp(`(${atom.source})(${fixed.source}|${variable.source})?`, "uy");

/**
 * Why a regular expression is not taken to be matched against what strangers write; undefined for one that takes linear
 * time: a row of literals and character classes, no groups or alternatives, and one variable quantifier at most.
 */
export function patternRefusal(pattern: string): string | undefined {
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
  if (variables > 1) return "it has more than one variable quantifier";
  try {
    wholePattern(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : "it is not a regular expression";
  }
}

/** For the whole of a text. Throws a SyntaxError for what `patternRefusal` refuses as no regular expression. */
export function wholePattern(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, "u");
}
