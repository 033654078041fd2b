import { digit, is, letter } from "./characters.ts";
import { luhn } from "./checksum.ts";
import type { Detector, Match } from "./detector.ts";
import { letterIdMatches, letterIdPending, letterIdTypes } from "./letter-ids.ts";
import { numberForms, type NumberForm } from "./number-forms.ts";
import { rowPending, rowsOf, type Group } from "./number-row.ts";
import { Apart } from "./overlap.ts";
import { phoneFrom, type PhoneSearch, type RowPlace } from "./phone.ts";
import { hasDigits } from "./traits.ts";

const cardDigits = { min: 13, max: 19 };
/** Groups that one number is written in. */
const groupsMax = 19;
const wordsCharacters = 64;

/** Numbers that mean somebody: cards first, then ids with their check digits, then telephone numbers, of what is left. */
export const numberDetector: Detector = {
  types: [
    { type: "card-number", class: "special" },
    ...letterIdTypes,
    ...numberForms.map(({ type }) => ({ type, class: "special" }) as const),
    { type: "phone", class: "personal" },
  ],
  needs: hasDigits,
  matches: (text, from) => {
    const taken = new Apart();
    for (const match of letterIdMatches(text, from)) taken.add(match);
    const search: PhoneSearch = { text, parsed: 0 };
    for (const row of rowsOf(text, from)) readRow(search, row, taken);
    return taken.all;
  },
  pending: (text) => {
    const letters = letterIdPending(text);
    // What an id of letters may still take over is undecided with it.
    return Math.min(letters, rowPending(text), letters === text.length ? letters : rowPending(text.slice(0, letters)));
  },
};

function readRow(search: PhoneSearch, row: readonly Group[], taken: Apart): void {
  const digits = row.reduce((sum, { start, end }) => sum + end - start, 0);
  if (digits < 7) return;
  const { text } = search;
  const begins = row[0]?.start ?? 0;
  if (digits >= cardDigits.min) walk(row, taken, (first) => cardFrom(text, row, first));
  if (digits >= 9) walk(row, taken, (first) => idFrom(text, row, { first, begins }));
  walk(row, taken, (first) => phoneFrom(search, row, { first, begins }));
}

/** From left to right; what is taken already is nobody else's. */
function walk(row: readonly Group[], taken: Apart, find: (first: number) => Match | undefined): void {
  let after = 0;
  for (const [first, group] of row.entries()) {
    if (group.start < after || !taken.isFree(group.start, group.end)) continue;
    const match = find(first);
    if (match !== undefined && match.start >= after && taken.add(match)) after = match.end;
  }
}

/** ISO/IEC 7812: whole groups joined by single spaces or hyphens, so that the inside of a long number is none. */
function cardFrom(text: string, row: readonly Group[], first: number): Match | undefined {
  if (!mayBeginCard(text, row[first])) return undefined;
  const start = row[first]?.start ?? 0;
  let digits = "";
  for (const [index, group] of row.slice(first, first + groupsMax).entries()) {
    if (index > 0 && !isJoined(text, row[first + index - 1]?.end ?? 0, group.start)) break;
    digits += text.slice(group.start, Math.min(group.end, group.start + cardDigits.max + 1));
    if (digits.length > cardDigits.max) break;
    if (isCard(digits) && !isLetterAt(text, group.end)) return { type: "card-number", start, end: group.end };
  }
  return undefined;
}

function mayBeginCard(text: string, group: Group | undefined): boolean {
  return group !== undefined && group.end - group.start > 1 && "23456".includes(text.charAt(group.start)) && !goesOnBefore(text, group.start);
}

/** By the ranges of the networks: what begins with 2 has sixteen digits, American Express fifteen, Visa 13, 16 or 19. */
const networks = /^(?:2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12,17}|35\d{14,17}|4(?:\d{12}|\d{15}|\d{18})|5\d{12,18}|6\d{12,18})$/u;

function isCard(digits: string): boolean {
  return digits.length >= cardDigits.min && networks.test(digits) && luhn(digits) && !/^(\d)\1+$/u.test(digits);
}

function isJoined(text: string, end: number, start: number): boolean {
  return start - end === 1 && " -".includes(text.charAt(end));
}

function isLetterAt(text: string, at: number): boolean {
  return is(text.charCodeAt(at), letter) || text.charAt(at) === "_";
}

/** A number that begins inside of a longer word or number is none by itself. */
function goesOnBefore(text: string, start: number): boolean {
  return isLetterAt(text, start - 1) || is(text.charCodeAt(start - 1), digit);
}

/** The longest of the groups that make up one. */
function idFrom(text: string, row: readonly Group[], { first, begins }: RowPlace): Match | undefined {
  const start = row[first]?.start ?? 0;
  if (goesOnBefore(text, start)) return undefined;
  let digits = "";
  let best: Match | undefined;
  for (let i = first; i < Math.min(row.length, first + 8); i++) {
    const group = row[i];
    if (group === undefined) break;
    digits += text.slice(group.start, Math.min(group.end, group.start + 16));
    if (digits.length > 15) break;
    if (digits.length < 9 || isLetterAt(text, group.end) || goesOnAfter(text, group.end)) continue;
    const form = numberForms.find((each) => each.digits.includes(digits.length) && fits(text, each, { start, end: group.end, digits, begins }));
    if (form !== undefined) best = { type: form.type, start, end: group.end };
  }
  return best;
}

interface Written extends Group {
  readonly digits: string;
  /** Of the row. */
  readonly begins: number;
}

function fits(text: string, form: NumberForm, { start, end, digits, begins }: Written): boolean {
  if (!form.isOne(digits)) return false;
  if (form.written?.test(text.slice(start, end)) === true && !isPartOfMore(text, start)) return true;
  // In the middle of a long row no word stands before.
  return start - begins < wordsCharacters && form.words?.test(text.slice(Math.max(0, start - wordsCharacters), start)) === true;
}

/** A hyphen, dot or slash with a digit before: a piece of something longer. */
function isPartOfMore(text: string, start: number): boolean {
  return "-./+".includes(text.charAt(start - 1)) && text.charAt(start - 1) !== "" && is(text.charCodeAt(start - 2), digit);
}

function goesOnAfter(text: string, end: number): boolean {
  return "-./".includes(text.charAt(end)) && text.charAt(end) !== "" && is(text.charCodeAt(end + 1), digit);
}
