import type { DetectionAction, FindingClass, FindingCount } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { Match } from "../../detect/detector.ts";
import { apart, type Edit, type Taken } from "./edits.ts";
import { jsonOriginal, maskOf, plainOriginal, type Original, type Placeholders } from "./placeholders.ts";
import type { DetectionRules } from "./rules.ts";

export interface CallText {
  readonly text: string;
  /** Names things for the protocol: scanned, never rewritten. What would be taken out of it is blocked. */
  readonly fixed: boolean;
  /** Of a text that joins others as the model reads them: their places among the texts, in order and without a gap. */
  readonly joins?: readonly number[];
  /** The text is JSON itself, as a tool's arguments are. */
  readonly json?: boolean;
}

export interface ScannedCall {
  readonly findings: readonly FindingCount[];
  /** Types that must not leave, sorted. */
  readonly blocked: readonly string[];
  /** For each text, in its order. */
  readonly edits: readonly (readonly Edit[])[];
  /** Classes of data that leave with the call; secrets and attacks are a matter of their action alone. */
  readonly leavingClasses: readonly FindingClass[];
}

export interface CallScan {
  readonly rules: DetectionRules;
  readonly boundary: readonly string[];
  readonly texts: readonly CallText[];
  readonly placeholders: Placeholders;
  /** For each text what external detectors found in it; see `ExternalLines.ask`. */
  readonly more?: readonly (readonly Match[])[];
}

const noEdits: readonly Edit[] = [];

/** Reads every text of a call: what was found, what stands in the way, and what is taken out. */
export function scanCall({ rules, boundary, texts, placeholders, more }: CallScan): ScannedCall {
  const tally = new Tally(rules, boundary);
  const taken = new Map<number, Taken[]>();
  for (const [index, text] of texts.entries()) {
    const given = more?.[index] ?? [];
    const found = rules.scan(text.text);
    for (const match of given.length === 0 ? found : [...found, ...given]) {
      const places = text.joins === undefined ? [{ index, match }] : parts(texts, text.joins, match);
      // What lies inside one part was found there.
      if (text.joins === undefined || places.length > 1) take({ texts, tally, taken }, places);
    }
  }
  const edits = texts.map((text, index) => {
    const out = taken.get(index);
    return out === undefined ? noEdits : editsOf(text, apart(out), placeholders);
  });
  const result = tally.result();
  // Who was declared and not asked may have found something.
  const unasked = more === undefined ? rules.external.filter(({ on }) => on.has("request")).flatMap(({ classes }) => [...classes.keys()]) : [];
  return { ...result, blocked: unasked.length === 0 ? result.blocked : [...new Set([...result.blocked, ...unasked])].sort(), edits };
}

interface Taking {
  readonly texts: readonly CallText[];
  readonly tally: Tally;
  readonly taken: Map<number, Taken[]>;
}

function take({ texts, tally, taken }: Taking, places: readonly Place[]): void {
  const fixed = places.some(({ index }) => texts[index]?.fixed === true);
  const action = tally.add(places[0]?.match.type ?? "", fixed);
  if (action !== "redact" && action !== "mask") return;
  for (const { index, match } of places) push(taken, index, { ...match, action });
}

function push(into: Map<number, Taken[]>, index: number, each: Taken): void {
  const known = into.get(index);
  if (known === undefined) into.set(index, [each]);
  else known.push(each);
}

interface Place {
  readonly index: number;
  readonly match: Match;
}

/** Where a match of a joined text stands in each of its parts. */
function parts(texts: readonly CallText[], joins: readonly number[], { type, start, end }: Match): readonly Place[] {
  const found: Place[] = [];
  let at = 0;
  for (const index of joins) {
    const { length } = texts[index]?.text ?? "";
    const [from, to] = [Math.max(0, start - at), Math.min(length, end - at)];
    if (from < to) found.push({ index, match: { type, start: from, end: to } });
    at += length;
  }
  return found;
}

function editsOf(text: CallText, taken: readonly Taken[], placeholders: Placeholders): readonly Edit[] {
  const original = originals(text);
  return taken.map(({ type, start, end, action }) => {
    if (action === "redact") return { start, end, replacement: placeholders.replace(type, text.text.slice(start, end), original(text.text.slice(start, end))) };
    placeholders.count(type);
    return { start, end, replacement: maskOf(type) };
  });
}

/** How a piece of a text goes back. Without a backslash it is the same in JSON and in plain text. */
function originals({ text, json = false }: CallText): (written: string) => Original {
  let parsed: boolean | undefined;
  return (written) => {
    if (!written.includes("\\")) return plainOriginal(written);
    parsed ??= isJson(text);
    return parsed ? jsonOriginal(written, json ? "json" : "text") : plainOriginal(written);
  };
}

const jsonStart = /^\s*[[{]/u;

function isJson(text: string): boolean {
  if (!jsonStart.test(text)) return false;
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}

/** Counts by type and action; owned by one scan. */
class Tally {
  readonly #rules: DetectionRules;
  readonly #boundary: readonly string[];
  readonly #counts = new Map<string, { readonly type: string; readonly action: DetectionAction; count: number }>();

  constructor(rules: DetectionRules, boundary: readonly string[]) {
    this.#rules = rules;
    this.#boundary = boundary;
  }

  add(type: string, fixed: boolean): DetectionAction {
    const declared = this.#rules.action(type, this.#boundary);
    const action = fixed && declared !== "flag" ? "block" : declared;
    const key = `${type} ${action}`;
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { type, action, count: 1 });
    else known.count++;
    return action;
  }

  result(): Omit<ScannedCall, "edits"> {
    const counts = [...this.#counts.values()];
    const classOf = (type: string): FindingClass => this.#rules.classes.get(type) ?? "attack";
    const leaving = counts.filter(({ action }) => action === "flag").map(({ type }) => classOf(type));
    return {
      findings: counts.map(({ type, action, count }) => ({ type, dataClass: classOf(type), count, action })),
      blocked: [...new Set(counts.filter(({ action }) => action === "block").map(({ type }) => type))].sort(),
      leavingClasses: [...new Set(leaving)].filter((each) => each !== "secret" && each !== "attack").sort(),
    };
  }
}

/** What a stream's filters counted by type, with the action that each type has. */
export function findingCounts({ rules, boundary, found }: { readonly rules: DetectionRules; readonly boundary: readonly string[]; readonly found: ReadonlyMap<string, number> }): readonly FindingCount[] {
  return [...found].map(([type, count]) => ({ type, dataClass: rules.classes.get(type) ?? "attack", count, action: rules.action(type, boundary) }));
}
