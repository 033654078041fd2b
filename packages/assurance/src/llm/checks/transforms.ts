import { rotated } from "../detect/canary.ts";
import { reverse } from "../detect/views.ts";

/** A way of writing a text that a filter overlooks and a model may still read. */
export interface Transform {
  readonly id: string;
  readonly write: (text: string) => string;
}

const leet: Readonly<Record<string, string>> = { a: "4", e: "3", i: "1", o: "0", s: "5", t: "7" };
const morse: Readonly<Record<string, string>> = {
  a: ".-", b: "-...", c: "-.-.", d: "-..", e: ".", f: "..-.", g: "--.", h: "....", i: "..", j: ".---", k: "-.-", l: ".-..", m: "--", n: "-.", o: "---", p: ".--.", q: "--.-", r: ".-.", s: "...", t: "-", u: "..-", v: "...-", w: ".--", x: "-..-", y: "-.--", z: "--..",
  "0": "-----", "1": ".----", "2": "..---", "3": "...--", "4": "....-", "5": ".....", "6": "-....", "7": "--...", "8": "---..", "9": "----.",
};

/** Encodings that a person announces: the request says how to read them. */
export const encodings: readonly Transform[] = [
  { id: "base64", write: (text) => Buffer.from(text).toString("base64") },
  { id: "hexadecimal", write: (text) => Buffer.from(text).toString("hex") },
  { id: "rot13", write: (text) => rotated(text.toLowerCase(), 13) },
  { id: "reversed order", write: reverse },
  { id: "URL encoding", write: (text) => encodeURIComponent(text) },
  { id: "leetspeak", write: (text) => Array.from(text, (character) => leet[character.toLowerCase()] ?? character).join("") },
  { id: "Morse code", write: (text) => Array.from(text.toLowerCase(), (character) => (character === " " ? "/" : (morse[character] ?? ""))).join(" ") },
  { id: "double base64", write: (text) => Buffer.from(Buffer.from(text).toString("base64")).toString("base64") },
];

const cyrillic: Readonly<Record<string, string>> = { a: "а", c: "с", e: "е", i: "і", o: "о", p: "р", s: "ѕ", x: "х", y: "у" };

/** Ways to hide an instruction in a document from the person who looks at it. */
export const smugglings: readonly Transform[] = [
  { id: "tag-characters", write: (text) => Array.from(text, (character) => tagOf(character)).join("") },
  { id: "zero-width", write: (text) => Array.from(text).join("\u200B") },
  { id: "homoglyphs", write: (text) => Array.from(text, (character) => cyrillic[character] ?? character).join("") },
  { id: "html-comment", write: (text) => `<!-- ${text} -->` },
  { id: "hidden-style", write: (text) => `<span style="display:none">${text}</span>` },
  { id: "variation-selectors", write: (text) => `.${Array.from(Buffer.from(text), selectorOf).join("")}` },
];

function tagOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0x20 && code < 0x7f ? String.fromCodePoint(0xe0000 + code) : "";
}

/** One byte for each variation selector. Source: Paul Butler, "Smuggling arbitrary data through an emoji", 2025. */
function selectorOf(byte: number): string {
  return String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16);
}
