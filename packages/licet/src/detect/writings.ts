import { ViewBuilder, type View } from "./view.ts";

/** A way to write characters by others, anywhere in a text. */
export interface Writing {
  /** Global; what is matched is written in this way. */
  readonly pattern: RegExp;
  /** Whether it can stand in a text at all, asked before the pattern. */
  readonly appears: (text: string) => boolean;
  /** What `written` says; undefined for nothing but itself. */
  readonly says: (written: string) => string | undefined;
  /** Matches the end of a text that may go on to be written in this way. */
  readonly unfinished: RegExp;
}

const jsonLetters: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Arguments of tools are JSON inside a string: `\u0040` in it is an `@` to whoever runs the tool. */
const json: Writing = {
  pattern: /\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])/gu,
  appears: (text) => text.includes("\\"),
  says: (written) => {
    const kind = written.charAt(1);
    return kind === "u" ? String.fromCharCode(Number.parseInt(written.slice(2), 16)) : (jsonLetters[kind] ?? kind);
  },
  unfinished: /\\(?:u[0-9a-fA-F]{0,3})?$/u,
};

/** The bytes of one character stand together; what is no UTF-8 is read byte by byte. */
const url: Writing = {
  pattern: /%[cdCD][0-9a-fA-F]%[89abAB][0-9a-fA-F]|%[eE][0-9a-fA-F](?:%[89abAB][0-9a-fA-F]){2}|%[fF][0-7](?:%[89abAB][0-9a-fA-F]){3}|%[0-9a-fA-F]{2}/gu,
  appears: (text) => text.includes("%"),
  says: (written) => {
    const bytes = Buffer.from(written.replaceAll("%", ""), "hex");
    const text = bytes.toString("utf8");
    return text.includes("\uFFFD") ? bytes.toString("latin1") : text;
  },
  unfinished: /%[cdCD][0-9a-fA-F](?:%[89abAB]?)?$|%[eE][0-9a-fA-F](?:%[89abAB][0-9a-fA-F])?(?:%[89abAB]?)?$|%[fF][0-7](?:%[89abAB][0-9a-fA-F]){0,2}(?:%[89abAB]?)?$|%[0-9a-fA-F]?$/u,
};

const entityNames: Readonly<Record<string, string>> = { commat: "@", period: ".", amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", hyphen: "-", dash: "-", colon: ":", sol: "/", plus: "+", equals: "=", lowbar: "_" };

const html: Writing = {
  pattern: /&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-z]{2,6});/gu,
  appears: (text) => text.includes("&"),
  says: (written) => {
    const body = written.slice(1, -1);
    if (!body.startsWith("#")) return entityNames[body];
    const code = /^#x/iu.test(body) ? Number.parseInt(body.slice(2), 16) : Number.parseInt(body.slice(1), 10);
    return code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : undefined;
  },
  unfinished: /&[#a-zA-Z0-9]{0,9}$/u,
};

/** Characters that nobody sees are left out; digits and letters of full width, and digits of other scripts, are read as ours. */
const unicode: Writing = {
  // oxlint-disable-next-line no-misleading-character-class -- single characters are meant, whatever they combine with
  pattern: /[\u00AD\u180E\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFE00-\uFE0F\uFEFF\u{E0000}-\u{E01EF}]|[\u00A0\u2000-\u200A\u202F\u205F\u3000]|[\uFF01-\uFF5E]|[\u2010-\u2015\u2212]|[\u0660-\u0669\u06F0-\u06F9\u0966-\u096F]|[\u{1D400}-\u{1D7FF}]/gu,
  appears: () => true,
  says: (written) => {
    const code = written.codePointAt(0) ?? 0;
    if (code >= 0xff_01 && code <= 0xff_5e) return String.fromCharCode(code - 0xfe_e0);
    if (/^[\u0660-\u0669\u06F0-\u06F9\u0966-\u096F]$/u.test(written)) return String(decimalOf(code));
    if (code >= 0x1_d4_00 && code <= 0x1_d7_ff) return written.normalize("NFKC");
    if (/^[\u2010-\u2015\u2212]$/u.test(written)) return "-";
    return /^[\u00A0\u2000-\u200A\u202F\u205F\u3000]$/u.test(written) ? " " : "";
  },
  unfinished: /[\uD800-\uDBFF]$/,
};

function decimalOf(code: number): number {
  const zero = [0x6_60, 0x6_f0, 0x9_66].findLast((first) => first <= code) ?? code;
  return code - zero;
}

/** By escapes, which traits tell of, and by foreign characters. */
export const escapes: readonly Writing[] = [json, url, html];
export const foreign: readonly Writing[] = [unicode];

/**
 * The text as it reads once undone, without an end that may go on to be written in this way; undefined where there
 * is neither.
 */
export function undone(text: string, { pattern, appears, says, unfinished }: Writing): View | undefined {
  if (!appears(text)) return undefined;
  const builder = new ViewBuilder();
  const end = unfinishedStart(text, unfinished);
  let kept = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index >= end) break;
    const said = says(match[0]);
    if (said === undefined) continue;
    builder.keep(text, kept, match.index);
    builder.replace(match.index, match[0].length, said);
    kept = match.index + match[0].length;
  }
  if (kept === 0 && end === text.length) return undefined;
  builder.keep(text, kept, Math.max(kept, end));
  return builder.build();
}

const tailCharacters = 40;

/** Where an end begins that may go on; the text's length for none. */
export function unfinishedStart(text: string, pattern: RegExp): number {
  const from = Math.max(0, text.length - tailCharacters);
  const match = pattern.exec(text.slice(from));
  return match === null ? text.length : from + match.index;
}
