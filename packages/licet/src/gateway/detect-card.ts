import type { Match } from "./detect.ts";

const digitsMin = 13;
const digitsMax = 19;

/** Digits that stand together; single spaces or hyphens join groups to a row. */
interface Group {
  readonly start: number;
  readonly end: number;
}

/**
 * Payment card numbers (ISO/IEC 7812): 13 to 19 digits from the start of a group to the end of one, first digit 2 to 6,
 * Luhn check digit. Whole groups only, so that a card beside another number is found and the inside of a long number
 * is not.
 */
export function cardMatches(text: string): readonly Match[] {
  return rows(text).flatMap((row) => rowMatches(text, row));
}

/** The earliest group of the trailing row from which a card could still be growing. */
export function cardPending(text: string): number {
  const last = text.charCodeAt(text.length - 1);
  const joined = last === 32 || last === 45 ? text.length - 1 : text.length;
  const row = trailingRow(text, joined);
  let digits = 0;
  let pending = text.length;
  for (const group of row.toReversed()) {
    digits += group.end - group.start;
    // A group still growing may be cut short by nothing: at the limit it can no longer be part of a card.
    if (digits > digitsMax) {
      break;
    }
    pending = group.start;
  }
  return pending;
}

function rows(text: string): readonly (readonly Group[])[] {
  const found: Group[][] = [];
  const digits = /\d+/gu;
  let row: Group[] = [];
  for (let match = digits.exec(text); match !== null; match = digits.exec(text)) {
    const group = { start: match.index, end: match.index + match[0].length };
    const before = row.at(-1);
    if (before !== undefined && joins(text, before.end, group.start)) {
      row.push(group);
    } else {
      row = [group];
      found.push(row);
    }
  }
  return found;
}

function joins(text: string, end: number, start: number): boolean {
  const unit = text.charCodeAt(end);
  return start - end === 1 && (unit === 32 || unit === 45);
}

/** Reads backwards, and no further than a card reaches. */
function trailingRow(text: string, end: number): readonly Group[] {
  const tail = text.slice(Math.max(0, end - 2 * digitsMax - 2), end);
  const offset = end - tail.length;
  const row = rows(tail).at(-1) ?? [];
  const reaches = row.at(-1)?.end === tail.length;
  return reaches ? row.map((group) => ({ start: group.start + offset, end: group.end + offset })) : [];
}

function rowMatches(text: string, row: readonly Group[]): readonly Match[] {
  const found: Match[] = [];
  for (let first = 0; first < row.length; ) {
    const last = cardFrom(text, row, first);
    const start = row[first]?.start ?? 0;
    const end = row[last ?? -1]?.end;
    if (last !== undefined && end !== undefined) {
      found.push({ start, end });
      first = last + 1;
    } else {
      first++;
    }
  }
  return found;
}

/** Index of the group that ends a card beginning with group `first`. At most 19 groups are looked at. */
function cardFrom(text: string, row: readonly Group[], first: number): number | undefined {
  let digits = "";
  for (let i = first; i < row.length && digits.length <= digitsMax; i++) {
    const group = row[i];
    digits += group === undefined ? "" : text.slice(group.start, Math.min(group.end, group.start + digitsMax + 1));
    if (isCard(digits)) {
      return i;
    }
  }
  return undefined;
}

function isCard(digits: string): boolean {
  const sized = digits.length >= digitsMin && digits.length <= digitsMax;
  return sized && "23456".includes(digits.charAt(0)) && luhn(digits);
}

function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
