import { runEnd, wordPart } from "./characters.ts";
import type { Match } from "./detector.ts";

/** The name of a secret, and what stands between it and its value. No more than the context that a detector may look back. */
const names = /(?:pass(?:word|wd|phrase|wort|code)|pwd|kennwort|contrase(?:ñ|n)a|mot[ _-]?de[ _-]?passe|senha|wachtwoord|secret|token|api[ _-]?key|access[ _-]?key|account[ _-]?key|auth[ _-]?key|signing[ _-]?key|encryption[ _-]?key|private[ _-]?key|client[ _-]?secret|credential|authorization)s?[\w.-]{0,20}["'\]]{0,2}[ \t]{0,3}(?:=>|:=|={1,2}|:)[ \t]{0,3}(?:(?:bearer|basic|token)[ \t]{1,2})?["'`]?/giu;

const valueCharactersMin = 8;
const valueCharactersMax = 200;
/** Bits per character below which a value is rather a word than a secret. */
const entropyMin = 2.8;

/** Values of high entropy given to the name of a secret: `api_key = "…"`, `"password": "…"`, `Authorization: Bearer …`. */
export function assignedMatches(text: string, from: number): readonly Match[] {
  const found: Match[] = [];
  names.lastIndex = Math.max(0, from - 80);
  for (let name = names.exec(text); name !== null; name = names.exec(text)) {
    const start = name.index + name[0].length;
    const end = valueEnd(text, start);
    if (start < from || end - start < valueCharactersMin) continue;
    const value = text.slice(start, end);
    if (!isSecret(value)) continue;
    found.push({ type: typeOf(text, name, value), start, end });
  }
  return found;
}

function valueEnd(text: string, start: number): number {
  let end = runEnd(text, start, { kind: wordPart, max: valueCharactersMax });
  while (end > start && ".:!?\\".includes(text.charAt(end - 1))) end--;
  // Of a query string or a chain of assignments the value is what stands before the next.
  const next = /[&]/u.exec(text.slice(start, end));
  return next === null ? end : start + next.index;
}

function typeOf(text: string, name: RegExpExecArray, value: string): string {
  const before = text.slice(Math.max(0, name.index - 80), name.index);
  if (/^[A-Za-z0-9+/]{40}$/u.test(value) && /aws|secret[ _-]?access|secret[ _-]?key/iu.test(before.slice(-24) + name[0])) return "aws-secret-key";
  const isConnection = /(?:server|data source|host|endpoint|uid|user id|username|database|initial catalog)[ ]?=[^\n]{0,70};[ ]?$/iu.test(before);
  return isConnection && /^(?:pass|pwd)/iu.test(name[0]) ? "connection-string" : "assigned-secret";
}

const placeholder = /^(?:\$|%|<|\{|\*{3}|x{4}|\.{3}|process\.|os\.|env\.|import\.|self\.|this\.|config\.|settings\.|secrets?\.|null|undefined|none|true|false|your|my[-_]|example|changeme|placeholder|redacted|dummy|test[-_]?$|todo|string|https?:)/iu;

function isSecret(value: string): boolean {
  if (placeholder.test(value) || /[()]/u.test(value)) return false;
  // A word, a dotted name, a path, a date, or a plain number says what it is.
  if (/^[\p{L}_.-]*$/u.test(value) && !/[a-z][A-Z].*[a-z][A-Z]/u.test(value)) return false;
  if (/^[\d.,:/T+-]*Z?$/u.test(value) || /^\.{0,2}\/[\w./-]*$/u.test(value)) return false;
  const kinds = [/[a-z]/u, /[A-Z]/u, /\d/u, /[^A-Za-z0-9]/u].filter((kind) => kind.test(value)).length;
  return kinds >= 2 && entropy(value) >= entropyMin - (kinds > 2 ? 0.3 : 0);
}

/** Shannon's, in bits per character, of the value's own characters. */
export function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / value.length) * Math.log2(count / value.length), 0);
}
