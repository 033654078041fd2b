import { digit, is } from "./characters.ts";

/** Digits that stand together. */
export interface Group {
  readonly start: number;
  readonly end: number;
}

/** Of a row no more is looked at together, so that time stays in proportion to the text. */
const separatorsMax = 3;

function isSeparator(unit: number): boolean {
  return unit === 32 || (unit >= 45 && unit <= 47) || unit === 40 || unit === 41 || unit === 43;
}

/** Rows of groups of digits with spaces, hyphens, dots, slashes and brackets between them. */
export function rowsOf(text: string, from: number): readonly (readonly Group[])[] {
  const found: Group[][] = [];
  let row: Group[] = [];
  let at = from;
  while (at < text.length) {
    if (!is(text.charCodeAt(at), digit)) {
      at++;
      continue;
    }
    let end = at + 1;
    while (is(text.charCodeAt(end), digit)) end++;
    const before = row.at(-1);
    if (before !== undefined && joins(text, before.end, at)) row.push({ start: at, end });
    else {
      row = [{ start: at, end }];
      found.push(row);
    }
    at = end;
  }
  return found;
}

function joins(text: string, end: number, start: number): boolean {
  if (start - end > separatorsMax) return false;
  for (let i = end; i < start; i++) if (!isSeparator(text.charCodeAt(i))) return false;
  return true;
}

/** Digits of a row, counted from its end, beyond which nothing that still grows could reach. */
const digitsMax = 56;
const charactersMax = 160;

/** Where the row begins that the end of the text may still add to; bounded. */
export function rowPending(text: string): number {
  let at = text.length;
  let begins = text.length;
  let digits = 0;
  let separators = 0;
  const least = Math.max(0, text.length - charactersMax);
  while (at > least && digits < digitsMax) {
    const unit = text.charCodeAt(at - 1);
    if (is(unit, digit)) {
      digits++;
      separators = 0;
    } else if (isSeparator(unit) && separators < separatorsMax) {
      separators++;
    } else {
      break;
    }
    at--;
    // Brackets and a plus before the first group belong to a telephone number.
    if (is(unit, digit) || unit === 40 || unit === 43) begins = at;
  }
  return begins;
}
