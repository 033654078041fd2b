import { isDate, remainder97 } from "./checksum.ts";
import { digit, is, letter } from "./characters.ts";
import type { DetectorType, Match } from "./detector.ts";
import { Apart } from "./overlap.ts";

/** Ids of letters and digits, each found by its form and proven by its check characters. */
interface LetterId {
  readonly type: DetectorType;
  readonly form: RegExp;
  /** The length of what is one at the beginning of what the form found; 0 for none. */
  readonly length: (written: string) => number;
}

const start = "(?<![\\p{L}\\p{N}_])";
const end = "(?![\\p{L}\\p{N}_])";
const special = (type: string): DetectorType => ({ type, class: "special" });
const whole = (isOne: (plain: string) => boolean) => (written: string) => (isOne(written.replaceAll(/[ .-]/gu, "").toUpperCase()) ? written.length : 0);

const ids: readonly LetterId[] = [
  { type: { type: "iban", class: "personal" }, form: new RegExp(`${start}[A-Za-z]{2}\\d{2}(?:[ -]?[A-Za-z0-9]){11,30}`, "gu"), length: ibanLength },
  { type: special("es-dni"), form: new RegExp(`${start}(?:\\d{8}|\\d{2}\\.\\d{3}\\.\\d{3}|[XYZxyz][ -]?\\d{7})[ -]?[A-Za-z]${end}`, "gu"), length: whole(isDni) },
  { type: special("it-codice-fiscale"), form: new RegExp(`${start}[A-Z]{3} ?[A-Z]{3} ?\\d{2}[A-EHLMPRST]\\d{2} ?[A-Z]\\d{3}[A-Z]${end}`, "giu"), length: whole(isCodiceFiscale) },
  { type: special("fi-hetu"), form: new RegExp(`${start}\\d{6}[-+A-FU-Y]\\d{3}[0-9A-FHJ-NPR-Y]${end}`, "gu"), length: (written) => (isHetu(written) ? written.length : 0) },
  { type: special("uk-nino"), form: new RegExp(`${start}(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]${end}`, "gu"), length: (written) => written.length },
  { type: special("fr-nir"), form: new RegExp(`${start}[12] ?\\d{2} ?\\d{2} ?2[AB] ?\\d{3} ?\\d{3} ?\\d{2}${end}`, "gu"), length: whole(isCorsican) },
  { type: special("de-health-insurance"), form: new RegExp(`${start}[A-Z]\\d{9}${end}`, "gu"), length: whole(isKvnr) },
  { type: special("us-medicare"), form: new RegExp(`${start}[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\\d-?[AC-HJKMNP-RT-Y]{2}\\d{2}${end}`, "gu"), length: (written) => written.length },
];

const recordWords = /(?<![\p{L}])(?:mrn|medical[ -]record(?:[ -](?:number|no|id|nr))?|patient(?:en)?[ -]?(?:id|identifier|number|no|nummer|nr)|patient[ -]record(?: number)?|fallnummer|num[ée]ro de dossier m[ée]dical|historia cl[ií]nica|cartella clinica|health record(?: number)?)\.?["']?\s{0,2}(?:is|ist|:|#|=|no\.?|n[°º]|nr\.?|number)?\s{0,2}[:#]?\s{0,2}["']?/giu;
const recordForm = /^[A-Z]{0,4}-?\d[\d-]{3,13}\d(?![\p{L}\p{N}_])/u;

export const letterIdTypes: readonly DetectorType[] = [...ids.map(({ type }) => type).filter(({ type }) => type !== "fr-nir"), special("medical-record")];

export function letterIdMatches(text: string, from: number): readonly Match[] {
  const found = [...ids.flatMap((id) => idMatches(text, from, id)), ...recordMatches(text, from)];
  if (found.length < 2) return found;
  const kept = new Apart();
  for (const match of found) kept.add(match);
  return kept.all;
}

function idMatches(text: string, from: number, { type: { type }, form, length }: LetterId): readonly Match[] {
  const found: Match[] = [];
  form.lastIndex = from;
  for (let match = form.exec(text); match !== null; match = form.exec(text)) {
    const size = length(match[0]);
    if (size > 0 && !goesOn(text, match.index + size)) {
      found.push({ type, start: match.index, end: match.index + size });
      form.lastIndex = match.index + size;
    } else {
      form.lastIndex = match.index + 1;
    }
  }
  return found;
}

function goesOn(text: string, at: number): boolean {
  return is(text.charCodeAt(at), letter | digit) || text.charAt(at) === "_";
}

function recordMatches(text: string, from: number): readonly Match[] {
  const found: Match[] = [];
  recordWords.lastIndex = Math.max(0, from - 80);
  for (let word = recordWords.exec(text); word !== null; word = recordWords.exec(text)) {
    const begins = word.index + word[0].length;
    const number = begins < from ? null : recordForm.exec(text.slice(begins, begins + 24));
    if (number !== null) found.push({ type: "medical-record", start: begins, end: begins + number[0].length });
  }
  return found;
}

/** Groups of letters and digits that single spaces, hyphens or dots join, as far back as two ids of several groups reach. */
const rowCharactersMax = 96;
/** Letters and spaces that an id has at most before its first digit or its end. */
const lettersMax = 17;
const couldBegin = /^(?:[A-Za-z]{0,6}\d|[A-Za-z]{1,16}$|[A-Z]{1,6}[ -]?(?:\d|$)|[A-Z]{3} ?[A-Z]{1,3}(?:$| ?\d)|[A-Z]{1,4}-\d?)/u;

/** Where an id could begin that the end of the text may still add to. */
export function letterIdPending(text: string): number {
  const reach = Math.max(0, text.length - rowCharactersMax);
  // Without digits only the last words can be a beginning.
  const least = /\d/u.test(text.slice(reach)) ? reach : Math.max(0, text.length - lettersMax);
  let pending = text.length;
  let at = text.length;
  if (" -.".includes(text.charAt(at - 1))) at--;
  while (at > least) {
    const group = groupStart(text, at, least);
    if (group === at) break;
    if (couldBegin.test(text.slice(group))) pending = group;
    if (group === 0 || !" -.".includes(text.charAt(group - 1))) break;
    at = group - 1;
  }
  return pending;
}

function groupStart(text: string, end: number, least: number): number {
  let begins = end;
  while (begins > least && is(text.charCodeAt(begins - 1), letter | digit)) begins--;
  return begins;
}

/** Lengths of the registry of ISO 13616. */
const ibanLengths: Readonly<Record<string, number>> = Object.fromEntries(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 " +
    "JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((each) => [each.slice(0, 2), Number(each.slice(2))]),
);

function ibanLength(written: string): number {
  const size = ibanLengths[written.slice(0, 2).toUpperCase()];
  if (size === undefined) return 0;
  let at = 0;
  let plain = "";
  while (plain.length < size && at < written.length) {
    const character = written.charAt(at++);
    if (character !== " " && character !== "-") plain += character.toUpperCase();
  }
  return plain.length === size && remainder97(plain.slice(4) + plain.slice(0, 4)) === 1 ? at : 0;
}

function isDni(plain: string): boolean {
  const number = plain.slice(0, -1).replace(/^[XYZ]/u, (first) => String("XYZ".indexOf(first)));
  return "TRWAGMYFPDXBNJZSQVHLCKE".charAt(Number(number) % 23) === plain.at(-1);
}

const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** Characters in odd places count by a table, those in even places by their order. */
function isCodiceFiscale(plain: string): boolean {
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const value = Number.parseInt(plain.charAt(i), 36);
    const order = value > 9 ? value - 10 : value;
    sum += i % 2 === 0 ? (oddValues[order] ?? 0) : order;
  }
  const day = Number(plain.slice(9, 11)) % 40;
  return day >= 1 && day <= 31 && String.fromCharCode(65 + (sum % 26)) === plain.charAt(15);
}

function isHetu(written: string): boolean {
  const number = Number(written.slice(0, 6) + written.slice(7, 10));
  const dated = isDate({ day: Number(written.slice(0, 2)), month: Number(written.slice(2, 4)) });
  return dated && "0123456789ABCDEFHJKLMNPRSTUVWXY".charAt(number % 31) === written.charAt(10);
}

/** Corsica's departments count as 19 and 18. */
function isCorsican(plain: string): boolean {
  const number = plain.slice(0, 13).replace("2A", "19").replace("2B", "18");
  return 97 - remainder97(number) === Number(plain.slice(13));
}

/** The letter counts as two digits; products are summed digit by digit, as by Luhn from the left. */
function isKvnr(plain: string): boolean {
  const body = String(plain.charCodeAt(0) - 64).padStart(2, "0") + plain.slice(1, 9);
  let sum = 0;
  for (let i = 0; i < body.length; i++) {
    const product = Number(body.charAt(i)) * (i % 2 === 0 ? 1 : 2);
    sum += product > 9 ? product - 9 : product;
  }
  return sum % 10 === Number(plain.charAt(9));
}
