import type { Match } from "./detect.ts";

const localCharactersMax = 64;
const domainCharactersMax = 255;

/** `local@label.xx`: found as soon as two letters follow a dot of the domain, so that an end need not be awaited. */
export function emailMatches(text: string): readonly Match[] {
  const found: Match[] = [];
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    const start = localStart(text, at);
    const end = domainEnd(text, at + 1);
    if (start < at && end !== undefined) {
      found.push({ start, end });
    }
  }
  return found;
}

/** The trailing run of characters that could be, or go before, an `@`. */
export function emailPending(text: string): number {
  // Two more than a domain has: its last dot may be waiting for two letters.
  const domain = runStart(text, text.length, { is: isDomain, max: domainCharactersMax + 2 });
  const at = domain - 1;
  const started = at >= 0 && text[at] === "@" && domainEnd(text, domain) === undefined;
  return started ? localStart(text, at) : localStart(text, text.length);
}

function localStart(text: string, end: number): number {
  return runStart(text, end, { is: isLocal, max: localCharactersMax });
}

interface Run {
  is(unit: number): boolean;
  readonly max: number;
}

function runStart(text: string, end: number, run: Run): number {
  let start = end;
  while (start > 0 && end - start < run.max && run.is(text.charCodeAt(start - 1))) {
    start--;
  }
  return start;
}

function domainEnd(text: string, from: number): number | undefined {
  const limit = Math.min(text.length, from + domainCharactersMax);
  for (let i = from; i < limit && isDomain(text.charCodeAt(i)); i++) {
    const dot = i > from && text[i] === ".";
    if (dot && isLetter(text.charCodeAt(i + 1)) && isLetter(text.charCodeAt(i + 2))) {
      return i + 3;
    }
  }
  return undefined;
}

/** ASCII letters, and the Latin letters with accents that names and domains are written with. */
function isLetter(unit: number): boolean {
  return (unit >= 65 && unit <= 90) || (unit >= 97 && unit <= 122) || (unit >= 0xc0 && unit <= 0x24f);
}

function isDigit(unit: number): boolean {
  return unit >= 48 && unit <= 57;
}

function isDomain(unit: number): boolean {
  return isLetter(unit) || isDigit(unit) || unit === 45 || unit === 46;
}

/** Plus, percent and underscore beside what domains take; other legal characters are rare, and the rest still matches. */
function isLocal(unit: number): boolean {
  return isDomain(unit) || unit === 37 || unit === 43 || unit === 95;
}
