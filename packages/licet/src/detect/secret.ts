import { runEnd, runStart, wordPart } from "./characters.ts";
import type { Detector, DetectorType, Match } from "./detector.ts";
import { assignedMatches } from "./secret-assigned.ts";
import { secretCharactersMax, secretForms } from "./secret-forms.ts";
import { Literals } from "./literals.ts";
import { Apart } from "./overlap.ts";
import { hasAssignment, hasLongRun } from "./traits.ts";

const beginnings = new Literals(secretForms.flatMap(({ begins }, index) => begins.map((text) => ({ text, type: String(index), word: false }))));
const words = { kind: wordPart, max: secretCharactersMax };

function secretType(type: string): DetectorType {
  return { type, class: "secret" };
}

/**
 * Secrets that stand in one word of printable characters: tokens that show by how they begin, passwords inside of
 * addresses, and values of high entropy that are given to the name of a secret.
 */
export const secretDetector: Detector = {
  types: [...new Set([...secretForms.map(({ type }) => type), "aws-secret-key", "connection-string", "assigned-secret"])].map(secretType),
  needs: 0,
  matches: (text, from, traits) => {
    const beginnings = (traits & hasLongRun) === 0 ? none : beginningMatches(text, from);
    const given = (traits & hasAssignment) === 0 ? none : [...addressMatches(text, from), ...assignedMatches(text, from)];
    return beginnings.length + given.length < 2 ? (beginnings.length > 0 ? beginnings : given) : firstOf([...beginnings, ...given]);
  },
  pending: (text) => runStart(text, text.length, words),
};

const none: readonly Match[] = [];

function beginningMatches(text: string, from: number): readonly Match[] {
  const found: Match[] = [];
  let after = from;
  for (const { start, type } of beginnings.matches(text, from)) {
    const known = secretForms[Number(type)];
    if (known === undefined || start < after) continue;
    known.form.lastIndex = start;
    const match = known.form.exec(text);
    if (match === null) continue;
    after = start + match[0].length;
    found.push({ type: known.type, start, end: after });
  }
  return found;
}

/** `scheme://user:password@host`: to the end of the host. */
function addressMatches(text: string, from: number): readonly Match[] {
  const found: Match[] = [];
  for (let at = text.indexOf("://", from); at >= 0; at = text.indexOf("://", at + 3)) {
    const start = schemeStart(text, at);
    if (start === undefined || start < from) continue;
    const word = text.slice(at + 3, runEnd(text, at + 3, { kind: wordPart, max: 600 }));
    const match = /^[^\s:/@?#]{0,100}:([^\s/@?#]{1,200}|[^\s@?#]{1,200})@[\w.-]{1,200}(?::\d{1,5})?/u.exec(word);
    if (match?.[1] !== undefined && isPassword(match[1])) found.push({ type: "connection-string", start, end: at + 3 + match[0].length });
  }
  return found;
}

function schemeStart(text: string, at: number): number | undefined {
  let start = at;
  while (start > 0 && at - start < 30 && /[a-z0-9+.-]/iu.test(text.charAt(start - 1))) start--;
  return start < at ? start : undefined;
}

/** What a template or an example holds in the place of a password. */
function isPassword(password: string): boolean {
  return !/^(?:\$|%[A-Z_]+%|\{|<|\*+$|x+$|\.+$|(?:your[-_]?)?(?:password|passwort|passwd|pass|pwd|pw|secret)$)/iu.test(password);
}

/** Of what overlaps, the more telling: tokens of a service come first, then addresses, then names. */
function firstOf(matches: readonly Match[]): readonly Match[] {
  const kept = new Apart();
  for (const match of matches) kept.add(match);
  return kept.all;
}
