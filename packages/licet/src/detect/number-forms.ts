import { cpf, elevenTest, isDate, luhn, mod11and10, remainder97, tenTest, verhoeff } from "./checksum.ts";

/** A kind of number of digits and what people write between them. */
export interface NumberForm {
  readonly type: string;
  readonly digits: readonly number[];
  /** Whether these digits are one. */
  isOne(digits: string): boolean;
  /** Of the text as written: such a one needs no word before it. */
  readonly written?: RegExp;
  /** Words that stand before one that could be any number; absent where digits alone tell. */
  readonly words?: RegExp;
}

function part(digits: string, from: number, length: number): number {
  return Number(digits.slice(from, from + length));
}

/** DDMMYY at the beginning. */
function beginsWithDay(digits: string, dayMinus = 0): boolean {
  return isDate({ day: part(digits, 0, 2) - dayMinus, month: part(digits, 2, 2) });
}

const words = (list: string): RegExp => new RegExp(`(?<![\\p{L}])(?:${list})(?![\\p{L}])[^\\n]{0,40}$`, "iu");

/** In the order in which they are tried: those with the stronger proof first. */
export const numberForms: readonly NumberForm[] = [
  { type: "fr-nir", digits: [15], isOne: isNir, written: /^[12] ?\d\d ?\d\d ?\d\d ?\d{3} ?\d{3} ?\d\d$/u },
  { type: "br-cpf", digits: [11], isOne: cpf, written: /^\d{3}\.\d{3}\.\d{3}-\d\d$/u, words: words("cpf|cadastro de pessoas? f[ií]sicas?") },
  { type: "be-national-number", digits: [11], isOne: isBelgian, written: /^\d\d\.\d\d\.\d\d-\d{3}\.\d\d$/u, words: words("rijksregister\\w*|insz|niss|nrn|rrn|registre national|num[ée]ro national|national (?:register )?number|nationalregister\\w*") },
  { type: "pl-pesel", digits: [11], isOne: isPesel, written: /^\d{11}$/u },
  { type: "no-fodselsnummer", digits: [11], isOne: isNorwegian, written: /^\d{6} ?\d{5}$/u },
  { type: "de-tax-id", digits: [11], isOne: isSteuerId, written: /^(?:\d{11}|\d\d \d{3} \d{3} \d{3})$/u },
  { type: "se-personnummer", digits: [10, 12], isOne: isSwedish, written: /^(?:\d{6}|\d{8})[-+]\d{4}$|^(?:19|20)\d{10}$/u, words: words("personnummer|personnr|pnr|samordningsnummer|swedish (?:personal|id)\\w*") },
  { type: "dk-cpr", digits: [10], isOne: (digits) => beginsWithDay(digits), written: /^\d{6}-\d{4}$/u, words: words("cpr(?:[ -]?n(?:umme)?r)?\\.?|personnummer|danish (?:personal|id)\\w*") },
  { type: "uk-nhs-number", digits: [10], isOne: isNhs, written: /^\d{3} \d{3} \d{4}$/u, words: words("nhs(?: n(?:umber|o|um))?\\.?|national health") },
  { type: "in-aadhaar", digits: [12], isOne: isAadhaar, written: /^\d{4}[ -]\d{4}[ -]\d{4}$/u, words: words("aadhaar|aadhar|adhaar|uidai?") },
  { type: "us-ssn", digits: [9], isOne: isSsn, written: /^\d{3}-\d\d-\d{4}$/u, words: words("ssn|social security(?: (?:number|no|num))?\\.?|soc(?:ial)? sec") },
  { type: "ca-sin", digits: [9], isOne: isSin, written: /^\d{3}[ -]\d{3}[ -]\d{3}$/u, words: words("sin|social insurance(?: (?:number|no))?|n\\.?a\\.?s\\.?|num[ée]ro d['’]assurance sociale") },
  { type: "nl-bsn", digits: [9], isOne: isBsn, written: /^\d{4}\.\d\d\.\d{3}$/u, words: words("bsn|burgerservice(?:nummer)?|sofi(?:-?nummer)?|citizen service number") },
];

/** Two digits for sex to department, and a key of 97. Corsica's letters stand in letter-ids.ts. */
function isNir(digits: string): boolean {
  const month = part(digits, 3, 2);
  const fits = "12".includes(digits.charAt(0)) && ((month >= 1 && month <= 12) || (month >= 20 && month <= 42) || month >= 50);
  return fits && 97 - remainder97(digits.slice(0, 13)) === part(digits, 13, 2);
}

/** Births from 2000 on are checked with a 2 before the number. */
function isBelgian(digits: string): boolean {
  const month = part(digits, 2, 2) % 20;
  const key = part(digits, 9, 2);
  const keys = [97 - remainder97(digits.slice(0, 9)), 97 - remainder97(`2${digits.slice(0, 9)}`)];
  return month <= 12 && part(digits, 4, 2) <= 31 && keys.includes(key);
}

/** The century is added to the month in twenties. */
function isPesel(digits: string): boolean {
  return isDate({ day: part(digits, 4, 2), month: part(digits, 2, 2) % 20 }) && tenTest(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
}

/** D-numbers add 40 to the day. */
function isNorwegian(digits: string): boolean {
  const dated = beginsWithDay(digits) || beginsWithDay(digits, 40);
  return dated && elevenTest(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) && elevenTest(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
}

/** Of the first ten digits one stands twice or three times, and the first is no zero. */
function isSteuerId(digits: string): boolean {
  const body = digits.slice(0, 10);
  const counts = Object.values(Object.groupBy(body, (digit) => digit)).map((same) => same?.length ?? 0);
  const repeated = counts.filter((count) => count > 1);
  return !body.startsWith("0") && repeated.length === 1 && (repeated[0] ?? 4) <= 3 && mod11and10(digits);
}

/** Coordination numbers add 60 to the day. */
function isSwedish(digits: string): boolean {
  const short = digits.slice(-10);
  const century = digits.length === 10 || /^(?:18|19|20)/u.test(digits);
  const day = part(short, 4, 2);
  return century && isDate({ day: day > 60 ? day - 60 : day, month: part(short, 2, 2) }) && luhn(short);
}

function isNhs(digits: string): boolean {
  return !/^(\d)\1+$/u.test(digits) && elevenTest(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
}

function isAadhaar(digits: string): boolean {
  return /^[2-9]/u.test(digits) && !/^(\d)\1+$/u.test(digits) && verhoeff(digits);
}

/** Numbers that were never given out, and two that stand in every advertisement. */
function isSsn(digits: string): boolean {
  return !/^(?:000|666|9|\d{3}00|\d{5}0000)/u.test(digits) && digits !== "078051120" && digits !== "219099999" && !/^(\d)\1+$/u.test(digits);
}

/** None begins with 8; of those with 0 only the one that the government's own examples show. */
function isSin(digits: string): boolean {
  const given = /^[1-79]/u.test(digits) || digits === "046454286";
  return given && !/^(\d)\1+$/u.test(digits) && luhn(digits);
}

function isBsn(digits: string): boolean {
  return !/^(\d)\1+$/u.test(digits) && elevenTest(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]);
}
