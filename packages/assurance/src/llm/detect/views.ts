import { visible } from "./fold.ts";

/** How a text was read: `raw`, or the decoders applied one after the other. */
export interface View {
  readonly name: string;
  readonly text: string;
}

/** Decoded texts of decoded texts: base64 of base64 of percent-encoding is three. */
const depthMax = 3;
const viewsMax = 64;
const runsMax = 2000;
const textCharsMax = 1_000_000;
/** Of all decoded views together: nested encodings of a long answer would otherwise take half a minute. */
const viewCharsMax = 3_000_000;

type Decoder = (text: string) => readonly string[];

/**
 * A text as it stands and as every decoding of it that yields readable characters: percent-encoding, HTML entities,
 * backslash escapes, hex, base64 and base64url (also twice), base32, and character codes in decimal or binary. Reversal and rotation
 * are left to the matchers. All input is hostile: length, depth and number of views are bounded.
 */
export function viewsOf(text: string): readonly View[] {
  const views: View[] = [{ name: "raw", text: visible(text.slice(0, textCharsMax)) }];
  const seen = new Set(views.map((view) => view.text));
  let frontier: readonly View[] = views.slice();
  let chars = 0;
  for (let depth = 0; depth < depthMax && frontier.length > 0; depth += 1) {
    const before = views.length;
    for (const decoded of eachDecoded(frontier)) {
      chars += decoded.text.length;
      if (views.length === viewsMax || chars > viewCharsMax) return views;
      if (fresh(seen, decoded.text)) views.push(decoded);
    }
    frontier = views.slice(before);
  }
  return views;
}

/** One view after the other, so that what is not needed is not decoded. */
function* eachDecoded(views: readonly View[]): Generator<View> {
  for (const view of views) yield* decodedViews(view);
}

function fresh(seen: Set<string>, text: string): boolean {
  if (text === "" || seen.has(text)) return false;
  seen.add(text);
  return true;
}

function decodedViews(view: View): readonly View[] {
  return Object.entries(decoders).flatMap(([name, decode]) =>
    decode(view.text).map((text) => ({ name: view.name === "raw" ? name : `${view.name}, ${name}`, text })),
  );
}

const decoders: Readonly<Record<string, Decoder>> = {
  "percent-encoding": (text) => (text.includes("%") ? [percentDecoded(text)] : []),
  "HTML entities": (text) => (text.includes("&") ? [entitiesDecoded(text)] : []),
  "backslash escapes": (text) => (text.includes("\\") ? [escapesDecoded(text)] : []),
  base64: (text) => [...base64Decoded(text), ...base64Decoded(reverse(text))],
  hex: hexDecoded,
  base32: base32Decoded,
  "character codes": (text) => [codesDecoded(text, /\d{2,3}/gu, 10), codesDecoded(text, /\b[01]{7,8}\b/gu, 2)],
};

/** Percent-encoded bytes may be damaged by the model: each run is decoded on its own, and what is no UTF-8 stays a replacement character. */
function percentDecoded(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/giu, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8"));
}

const namedEntities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", colon: ":", sol: "/", period: ".", hyphen: "-", dash: "-", NewLine: "", Tab: "" };

export function entitiesDecoded(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,10}));?/giu, (whole, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
    if (name !== undefined) return namedEntities[name] ?? whole;
    return character(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)) ?? whole;
  });
}

function escapesDecoded(text: string): string {
  return text.replaceAll(/\\(?:u\{([0-9a-f]{1,6})\}|u([0-9a-f]{4})|x([0-9a-f]{2})|([0-3][0-7]{2}))/giu, (whole, ...groups: (string | undefined)[]) => {
    const octal = groups[3];
    const hex = groups[0] ?? groups[1] ?? groups[2];
    return character(hex === undefined ? Number.parseInt(octal ?? "", 8) : Number.parseInt(hex, 16)) ?? whole;
  });
}

function character(code: number): string | undefined {
  return Number.isInteger(code) && code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

/**
 * Runs are read with and without the white space between them, because models wrap and space out what they encode,
 * and from each of the four places where a group may begin, because letters may stand before the run.
 */
function base64Decoded(text: string): readonly string[] {
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  const runs = [...matches(standard, /[A-Za-z0-9+/]{11,}/gu), ...matches(text.replaceAll(/\s+/gu, ""), /[A-Za-z0-9+/]{11,}/gu)];
  return runs.length === 0 ? [] : [0, 1, 2, 3].map((offset) => printable(runs.map((run) => Buffer.from(run.slice(offset), "base64")))).filter((decoded) => decoded !== "");
}

/** Bytes are read with `0x`, `\x` and the separators between them taken out, from both places where a pair may begin. */
function hexDecoded(text: string): readonly string[] {
  const plain = text.replaceAll(/0x|\\x/giu, "").replaceAll(/[\s:,;\-_[\]"']+/gu, "");
  const runs = matches(plain, /[0-9a-f]{16,}/giu);
  return runs.length === 0 ? [] : [0, 1].map((offset) => printable(runs.map((run) => Buffer.from(run.slice(offset), "hex")))).filter((decoded) => decoded !== "");
}

const base32Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Source: RFC 4648, section 6. */
function base32Decoded(text: string): readonly string[] {
  const runs = matches(text, /[A-Z2-7]{13,}/gu);
  return runs.length === 0 ? [] : [printable(runs.map(base32Bytes))];
}

function base32Bytes(run: string): Buffer {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const letter of run) {
    held = ((held << 5) | base32Letters.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return Buffer.from(bytes);
}

function codesDecoded(text: string, form: RegExp, base: number): string {
  const codes = matches(text, form);
  if (codes.length < 8) return "";
  return codes
    .map((code) => Number.parseInt(code, base))
    .filter((code) => code >= 32 && code < 127)
    .map((code) => String.fromCodePoint(code))
    .join("");
}

function matches(text: string, form: RegExp): readonly string[] {
  const found: string[] = [];
  for (const match of text.matchAll(form)) {
    if (found.length === runsMax) break;
    found.push(match[0]);
  }
  return found;
}

/** Runs that decode to bytes nobody writes are noise: what is left is read run by run. */
function printable(runs: readonly Buffer[]): string {
  const texts = runs.map((run) => run.toString("utf8"));
  return texts.filter((text) => readableShare(text) >= 0.5).join("\n");
}

function readableShare(text: string): number {
  if (text === "") return 0;
  let readable = 0;
  for (const character of text) if (/[\p{L}\p{N}\p{P}\p{Zs}\n]/u.test(character)) readable += 1;
  return readable / Array.from(text).length;
}

export function reverse(text: string): string {
  return Array.from(text).toReversed().join("");
}
