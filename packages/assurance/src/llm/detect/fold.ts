import { homoglyphs } from "./homoglyphs.ts";

const tagStart = 0xe0000;
/** Tag characters repeat ASCII from here: the text that they spell is what a model reads. */
const tag = /[\u{E0020}-\u{E007E}]/gu;
/** Zero-width, joining, directional, filling and variation characters, and the rest of the tag block. */
// oxlint-disable-next-line no-misleading-character-class -- single characters are meant, whatever they combine with
const invisible = /[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\u{E0000}-\u{E0FFF}]/gu;
const combining = /\p{M}+/gu;
const boxed = /[\u{1F150}-\u{1F169}\u{1F170}-\u{1F189}\u{1F1E6}-\u{1F1FF}]/gu;
const boxedStarts = [0x1f1e6, 0x1f170, 0x1f150] as const;
const foreignDigit = /(?![0-9])\p{Nd}/gu;
const foreign = /\P{ASCII}/u;

/**
 * What a reader sees, or a model reads, in a text: tag characters spelled out, invisible characters removed, NFKC,
 * boxed letters and digits of every script as ASCII. Case, spaces and punctuation stay.
 */
export function visible(text: string): string {
  if (!foreign.test(text)) return text;
  return text
    .replaceAll(tag, (character) => String.fromCodePoint((character.codePointAt(0) ?? 0) - tagStart))
    .replaceAll(invisible, "")
    .normalize("NFKC")
    .replaceAll(boxed, unboxed)
    .replaceAll(foreignDigit, digit);
}

/** `visible`, then letters of other scripts as the Latin ones they look like, accents dropped, lower case. */
export function folded(text: string): string {
  const seen = visible(text);
  if (!foreign.test(seen)) return seen.toLowerCase();
  // Capital letters look like other letters than small ones, so both are looked up.
  return lookedUp(lookedUp(seen).toLowerCase());
}

function lookedUp(text: string): string {
  return Array.from(text.normalize("NFKD").replaceAll(combining, ""), (character) => homoglyphs.get(character) ?? character).join("");
}

/** The letters and digits of a folded text, in order, with nothing between them. */
export function squeezed(text: string): string {
  return folded(text).replaceAll(/[^\p{L}\p{N}]+/gu, "");
}

function unboxed(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const start = boxedStarts.find((first) => code >= first) ?? code;
  return String.fromCodePoint(65 + (code - start));
}

/** Digits of one script stand in a row from zero to nine; rows begin where the character before is no digit. */
function digit(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value += 1;
  return String(value);
}
