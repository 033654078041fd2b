import { parsePhoneNumberFromString, type CountryCode } from "libphonenumber-js/min";
import { digit, is } from "./characters.ts";
import type { Match } from "./detector.ts";
import type { Group } from "./number-row.ts";

export interface RowPlace {
  /** Index of the group at which a number would begin. */
  readonly first: number;
  /** Where the row begins. */
  readonly begins: number;
}

/** A text in which telephone numbers are looked for; owned by one search. */
export interface PhoneSearch {
  readonly text: string;
  parsed: number;
}

/** A parse takes tens of microseconds: with more of them, the form alone counts. */
const parsesMax = 2000;
const digitsMin = 7;
const digitsMax = 15;
const groupsMax = 8;
const wordsCharacters = 48;

/** Where a national number may come from that says no country. */
const countries: readonly CountryCode[] = ["US", "GB", "DE", "FR", "ES", "IT", "NL", "BE", "CH", "AT", "PL", "SE", "NO", "DK", "FI", "PT", "IE", "AU", "IN", "BR", "JP"];
const words = /(?<![\p{L}])(?:phone|telephone|tel|t[eé]l(?:[eé]phone|[eé]fono)?|telefon(?:nummer|nr|o|e)?|telefoon(?:nummer)?|mobile?|mobil(?:e|nummer|telefon)?|m[oó]vil|cell(?:ulare|phone)?|celular|handy(?:nummer)?|fax|whatsapp|call|ring|dial|rufnummer|portable|gsm|puhelin|hotline|sms|text)(?![\p{L}])[^\n\d]{0,25}$/iu;
const northAmerican = /^(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}$/u;

/** The longest of the groups from `first` on that make up a number which can be dialled. */
export function phoneFrom(search: PhoneSearch, row: readonly Group[], { first, begins }: RowPlace): Match | undefined {
  const { text } = search;
  const start = lead(text, row[first]?.start ?? 0);
  if (!mayBegin(text, start)) return undefined;
  const asked = start - begins < wordsCharacters && words.test(text.slice(Math.max(0, start - wordsCharacters), start));
  const end = endsOf(text, row, first).findLast((each) => isPhone(search, text.slice(start, each), asked));
  return end === undefined ? undefined : { type: "phone", start, end };
}

/** Where groups end that have as many digits as a number that can be dialled. */
function endsOf(text: string, row: readonly Group[], first: number): readonly number[] {
  const ends: number[] = [];
  let digits = 0;
  for (const [index, { start, end }] of row.slice(first, first + groupsMax).entries()) {
    if (index > 0 && text.slice(row[first + index - 1]?.end ?? 0, start).includes("+")) break;
    digits += end - start;
    if (digits > digitsMax) break;
    if (digits >= digitsMin && endsHere(text, end)) ends.push(end);
  }
  return ends;
}

/** A plus, and a bracket around the first group, belong to the number. */
function lead(text: string, begins: number): number {
  let start = begins;
  if (text.charAt(start - 1) === "(") start--;
  if (text.charAt(start - 1) === "+") start--;
  return start;
}

function mayBegin(text: string, start: number): boolean {
  const before = text.charAt(start - 1);
  if (/[\p{L}\p{N}_#$€£=&?]/u.test(before) && before !== "=") return false;
  return !("-./".includes(before) && before !== "" && is(text.charCodeAt(start - 2), digit));
}

function endsHere(text: string, end: number): boolean {
  return !/^(?:[\p{L}_%€$£]|[./-]\d)/u.test(text.slice(end, end + 2));
}

function isPhone(search: PhoneSearch, written: string, asked: boolean): boolean {
  if (written.startsWith("+")) return isValid(search, written);
  if (/^00[1-9]/u.test(written)) return isValid(search, `+${written.slice(2)}`) || (asked && isNational(search, written));
  if (northAmerican.test(written)) return isValid(search, written, "US") || asked;
  const grouped = /^\(?0[1-9]\d{0,4}\)?[ /-]|^0\d(?:\.\d\d){4}$/u.test(written) && !/^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}/u.test(written);
  return (asked || (grouped && written.replaceAll(/\D/gu, "").length >= 9)) && isNational(search, written);
}

function isNational(search: PhoneSearch, written: string): boolean {
  return countries.some((country) => isValid(search, written, country));
}

function isValid(search: PhoneSearch, written: string, country?: CountryCode): boolean {
  if (search.parsed++ >= parsesMax) return true;
  return parsePhoneNumberFromString(written, country === undefined ? { extract: false } : { defaultCountry: country, extract: false })?.isValid() === true;
}
