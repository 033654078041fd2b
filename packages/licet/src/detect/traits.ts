/**
 * What a text has, as bits, found out in one pass over it: most texts lack what most detectors need, and are not read
 * by them at all. What is counted stands within any match that needs it, so that the bits of a part of a text serve as
 * well as those of the whole.
 */
export const hasAt = 1;
/** At least five digits in all. */
export const hasDigits = 2;
/** A run of at least sixteen characters of tokens. */
export const hasLongRun = 4;
/** A backslash, `%` or `&`: something may be written in another way. */
export const hasEscape = 8;
/** A character beyond Latin letters. */
export const hasForeign = 16;
/** `=` or `:`, as where a name is given a value. */
export const hasAssignment = 32;
/** `-----`. */
export const hasDashes = 64;
/** A colon or dot after a digit or another colon or dot. */
export const hasAddress = 128;

const digitsLeast = 5;
const runLeast = 16;

/** What one character gives: bits of traits, and above them what has to be counted or compared. */
const countsRun = 256;
const isDigit = 512;
const isColonOrDot = 1024;
const table = Uint16Array.from({ length: 0x250 }, (_, unit) => bitsOf(String.fromCharCode(unit), unit));

function bitsOf(text: string, unit: number): number {
  const single: Readonly<Record<string, number>> = { "@": hasAt, "\\": hasEscape, "%": hasEscape, "&": hasEscape, "=": hasAssignment, ":": hasAssignment };
  const latin = unit < 128 || unit >= 0xc0;
  return (single[text] ?? 0) | (latin ? 0 : hasForeign) | (/[A-Za-z0-9_+/=.-]/u.test(text) ? countsRun : 0) | (/[0-9]/u.test(text) ? isDigit : 0) | (/[:.]/u.test(text) ? isColonOrDot : 0);
}

export function traitsOf(text: string): number {
  const bits = table;
  let all = 0;
  let digits = 0;
  let run = 0;
  let longest = 0;
  let last = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const kind = unit < 0x250 ? (bits[unit] ?? 0) : hasForeign;
    all |= kind;
    run = (kind & countsRun) === 0 ? 0 : run + 1;
    if (run > longest) longest = run;
    digits += kind & isDigit;
    if ((kind & isColonOrDot) !== 0 && (last & (isDigit | isColonOrDot)) !== 0) all |= hasAddress;
    last = kind;
  }
  const counted = (digits >= digitsLeast * isDigit ? hasDigits : 0) | (longest >= runLeast ? hasLongRun : 0);
  return (all & 0xff) | counted | (text.includes("-----") ? hasDashes : 0);
}
