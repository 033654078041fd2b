/** Kinds of ASCII characters as bits, so that one look at a table answers what a chain of comparisons would. */
export const digit = 1;
export const letter = 2;
/** Letters, digits, underscore: what tokens of services are made of, with hyphen. */
export const token = 4;
/** What base64 and its URL form are made of, but for the signs that fill up its end. */
export const base64 = 8;
export const hexadecimal = 16;
/** Printable and not a space, quote, bracket, comma or semicolon: what one word of a configuration file is made of. */
export const wordPart = 32;
/** What stands inside an e-mail address before the `@`. */
export const localPart = 64;
/** What stands inside a domain name. */
export const domainPart = 128;

/** The Latin letters with accents are what names and domains are written with. */
const patterns: readonly (readonly [kind: number, pattern: RegExp])[] = [
  [digit, /[0-9]/u],
  [letter, /[A-Za-z\u00C0-\u024F]/u],
  [token, /[A-Za-z0-9_-]/u],
  [base64, /[A-Za-z0-9+/_-]/u],
  [hexadecimal, /[0-9a-fA-F]/u],
  [wordPart, /(?!["'`<>()[\]{},;|])[!-~]/u],
  [localPart, /[A-Za-z0-9\u00C0-\u024F.%+_-]/u],
  [domainPart, /[A-Za-z0-9\u00C0-\u024F.-]/u],
];

function kindsOf(unit: number): number {
  const text = String.fromCharCode(unit);
  return patterns.reduce((sum, [kind, pattern]) => (pattern.test(text) ? sum | kind : sum), 0);
}

const tableSize = 0x250;
const table = Uint8Array.from({ length: tableSize }, (_, unit) => kindsOf(unit));

export function is(unit: number, kind: number): boolean {
  return unit < tableSize && ((table[unit] ?? 0) & kind) !== 0;
}

/** Where the run of such characters begins that ends at `end`; at most `max` characters back. */
export function runStart(text: string, end: number, { kind, max }: { readonly kind: number; readonly max: number }): number {
  const least = Math.max(0, end - max);
  let start = end;
  while (start > least && is(text.charCodeAt(start - 1), kind)) start--;
  return start;
}

/** Where the run of such characters ends that begins at `start`; at most `max` characters on. */
export function runEnd(text: string, start: number, { kind, max }: { readonly kind: number; readonly max: number }): number {
  const most = Math.min(text.length, start + max);
  let end = start;
  while (end < most && is(text.charCodeAt(end), kind)) end++;
  return end;
}
