import type { PatternElem } from "./json.ts";

/** Words of the grammar, which can name no attribute or type without quotes. */
const reserved = new Set(["true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"]);
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/u;

export function isIdentifier(name: string): boolean {
  return identifier.test(name) && !reserved.has(name);
}

/** Control, format and other unseen characters (a bidi mark can make a policy read as what it is not), and all spaces but one. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const named: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\0", "\\0"],
]);

/** A Cedar string literal. A lone surrogate becomes U+FFFD, as it does where a text enters cedar-wasm. */
export function formatString(text: string): string {
  return `"${escaped(text)}"`;
}

/** The pattern of `like`: `*` stands for anything, `\*` for itself. */
export function formatPattern(pattern: readonly PatternElem[]): string {
  return `"${pattern.map((element) => (element === "Wildcard" ? "*" : escaped(element.Literal).replaceAll("*", String.raw`\*`))).join("")}"`;
}

function escaped(text: string): string {
  let out = "";
  for (const sign of text) out += named.get(sign) ?? (unseen.test(sign) ? unicode(sign) : sign);
  return out;
}

function unicode(sign: string): string {
  const point = sign.codePointAt(0) ?? 0xfffd;
  const held = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
  return String.raw`\u{${held.toString(16)}}`;
}
