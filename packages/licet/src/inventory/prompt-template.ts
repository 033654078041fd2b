import { holePattern, type HolePattern, type OpenHole } from "./hole-pattern.ts";

/** A prompt template taken apart: literals around holes, one literal more than holes. */
export interface Template {
  readonly literals: readonly string[];
  readonly holes: readonly CompiledHole[];
}

interface CompiledHole {
  /** Absent where any text may stand. */
  readonly pattern?: HolePattern;
  readonly maxLength: number;
}

export interface TemplateText {
  readonly text: string;
  /** What may stand in each `{{name}}`; a name that is not here is literal text. */
  readonly holes: Readonly<Record<string, OpenHole>>;
}

const hole = /\{\{([A-Za-z]\w{0,63})\}\}/gu;

export function compileTemplate(view: TemplateText): Template {
  const literals: string[] = [];
  const holes: CompiledHole[] = [];
  let from = 0;
  for (const match of view.text.matchAll(hole)) {
    const declared = Object.hasOwn(view.holes, match[1] ?? "") ? view.holes[match[1] ?? ""] : undefined;
    if (declared !== undefined) {
      literals.push(view.text.slice(from, match.index));
      holes.push(compiledHole(declared));
      from = match.index + match[0].length;
    }
  }
  return { literals: [...literals, view.text.slice(from)], holes };
}

function compiledHole(declared: OpenHole): CompiledHole {
  return { maxLength: declared.maxLength, ...(declared.pattern !== undefined && { pattern: holePattern(declared) }) };
}

/** Values tried against patterns for one text, and their characters; more is a mismatch, so that no text is worth an attack. */
const triesMax = 1000;
const triedCharactersMax = 2_000_000;

/**
 * Whether `text` is the template with an admitted value, also an empty one, in each hole. Exact: every place where a
 * literal may stand is followed. Linear in the text for each hole; patterns cost so many values and characters at most.
 */
export function matchesTemplate({ literals, holes }: Template, text: string): boolean {
  const [first = ""] = literals;
  const work = { text, tries: 0, characters: 0 };
  let ends: readonly number[] = text.startsWith(first) ? [first.length] : [];
  for (const [i, hole] of holes.entries()) {
    const literal = literals[i + 1] ?? "";
    const last = i === holes.length - 1;
    const starts = last ? lastPlace(literal, text) : places(literal, text, ends[0] ?? text.length);
    ends = reached({ starts, ends, hole, work }).map((start) => start + literal.length);
  }
  return ends.includes(text.length);
}

interface Step {
  /** Where the literal after the hole stands, ascending. */
  readonly starts: readonly number[];
  /** Where the hole may begin, ascending. */
  readonly ends: readonly number[];
  readonly hole: CompiledHole;
  readonly work: { readonly text: string; tries: number; characters: number };
}

/** Those places that some beginning of the hole reaches with an admitted value. */
function reached({ starts, ends, hole, work }: Step): readonly number[] {
  let low = 0;
  let high = 0;
  return starts.filter((start) => {
    while (high < ends.length && (ends[high] ?? 0) <= start) {
      high++;
    }
    while (low < high && start - (ends[low] ?? 0) > hole.maxLength) {
      low++;
    }
    const { pattern } = hole;
    return pattern === undefined ? low < high : ends.slice(low, high).some((end) => admits(pattern, work, [end, start]));
  });
}

/** A pattern that was refused when it was declared admits nothing. */
function admits(pattern: HolePattern, work: Step["work"], [from, to]: readonly [number, number]): boolean {
  work.tries++;
  work.characters += to - from;
  const spent = work.tries > triesMax || work.characters > triedCharactersMax;
  return !spent && pattern.kind === "pattern" && pattern.matches(work.text.slice(from, to));
}

function lastPlace(literal: string, text: string): readonly number[] {
  return text.endsWith(literal) ? [text.length - literal.length] : [];
}

/** Every place of `literal` from `from` on. Knuth-Morris-Pratt: the caller chose the text. */
function places(literal: string, text: string, from: number): readonly number[] {
  if (literal === "") {
    return Array.from({ length: text.length - from + 1 }, (_, i) => from + i);
  }
  const borders = bordersOf(literal);
  const found: number[] = [];
  let matched = 0;
  for (let i = from; i < text.length; i++) {
    while (matched > 0 && text[i] !== literal[matched]) {
      matched = borders[matched - 1] ?? 0;
    }
    matched += text[i] === literal[matched] ? 1 : 0;
    if (matched === literal.length) {
      found.push(i + 1 - literal.length);
      matched = borders[matched - 1] ?? 0;
    }
  }
  return found;
}

function bordersOf(literal: string): readonly number[] {
  const borders = [0];
  let matched = 0;
  for (let i = 1; i < literal.length; i++) {
    while (matched > 0 && literal[i] !== literal[matched]) {
      matched = borders[matched - 1] ?? 0;
    }
    matched += literal[i] === literal[matched] ? 1 : 0;
    borders.push(matched);
  }
  return borders;
}
