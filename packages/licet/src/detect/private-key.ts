import type { Detector, Match } from "./detector.ts";
import { hasDashes } from "./traits.ts";

const begins = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/gu;
const prefix = "-----BEGIN ";
/** What a heading can be while it is not whole. */
const headingPart = /^(?:[A-Z0-9]{1,12} ){0,5}[A-Z0-9]{0,12}-{0,4}$/u;
const ends = "-----END ";
/** A key that has no last line within so many characters is taken to go so far. */
const keyCharactersMax = 12_000;
const lineCharactersMax = 80;

/** PEM private keys of any kind, with their last line; one without goes to the end of the text. */
export const privateKeyDetector: Detector = {
  types: [{ type: "private-key", class: "secret" }],
  needs: hasDashes,
  matches: (text, from) => {
    const found: Match[] = [];
    begins.lastIndex = from;
    for (let match = begins.exec(text); match !== null; match = begins.exec(text)) {
      const end = keyEnd(text, match.index) ?? Math.min(text.length, match.index + keyCharactersMax);
      found.push({ type: "private-key", start: match.index, end });
      begins.lastIndex = end;
    }
    return found;
  },
  pending: (text) => {
    const open = openKey(text);
    if (open !== undefined) return open;
    const tail = Math.max(0, text.length - lineCharactersMax);
    for (let dash = text.indexOf("-", tail); dash >= 0; dash = text.indexOf("-", dash + 1)) if (couldBegin(text.slice(dash))) return dash;
    return text.length;
  },
};

/** Past the last line; undefined while there is none. */
function keyEnd(text: string, start: number): number | undefined {
  const key = text.slice(start, start + keyCharactersMax);
  for (let last = key.indexOf(ends, prefix.length); last >= 0; last = key.indexOf(ends, last + 1)) {
    const close = key.indexOf("-----", last + ends.length);
    if (close >= 0 && close <= last + lineCharactersMax) return start + close + 5;
  }
  return undefined;
}

/** The first key, read in order as matches are, that has not come to its end. */
function openKey(text: string): number | undefined {
  if (!text.includes(prefix)) return undefined;
  begins.lastIndex = 0;
  for (let match = begins.exec(text); match !== null; match = begins.exec(text)) {
    const end = keyEnd(text, match.index);
    if (end === undefined && text.length - match.index < keyCharactersMax) return match.index;
    begins.lastIndex = end ?? match.index + keyCharactersMax;
  }
  return undefined;
}

function couldBegin(start: string): boolean {
  if (start.length <= prefix.length) return prefix.startsWith(start);
  return start.startsWith(prefix) && headingPart.test(start.slice(prefix.length));
}
