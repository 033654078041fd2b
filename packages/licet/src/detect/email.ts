import { domainPart, is, letter, localPart, runEnd, runStart } from "./characters.ts";
import type { Detector, Match } from "./detector.ts";
import { hasAt } from "./traits.ts";

const local = { kind: localPart, max: 64 };
const domain = { kind: domainPart, max: 255 };

/** `local@label.xx`, to the end of the domain. */
export const emailDetector: Detector = {
  types: [{ type: "email", class: "personal" }],
  needs: hasAt,
  matches: (text, from) => {
    const found: Match[] = [];
    let after = from;
    for (let at = text.indexOf("@", from); at >= 0; at = text.indexOf("@", at + 1)) {
      const start = runStart(text, at, local);
      const end = domainEnd(text, at + 1);
      if (start < at && start >= after && end !== undefined && !isPassword(text, start)) {
        found.push({ type: "email", start, end });
        after = end;
      }
    }
    return found;
  },
  /** The trailing run of characters that could be, or go before, an `@`. */
  pending: (text) => {
    const start = runStart(text, text.length, domain);
    return text[start - 1] === "@" ? runStart(text, start - 1, local) : runStart(text, text.length, { kind: localPart, max: local.max });
  },
};

/** `scheme://user:password@host` holds no address. */
function isPassword(text: string, start: number): boolean {
  return text.charAt(start - 1) === ":" && /:\/\/[^\s/@]{0,60}$/u.test(text.slice(Math.max(0, start - 70), start - 1));
}

/** Ends with a label that begins with two letters; a dot at the end belongs to the sentence. */
function domainEnd(text: string, from: number): number | undefined {
  let end = runEnd(text, from, domain);
  while (end > from && ".-".includes(text.charAt(end - 1))) end--;
  for (let at = from + 1; at + 2 < end; at++) {
    if (text.charCodeAt(at) === 46 && is(text.charCodeAt(at + 1), letter) && is(text.charCodeAt(at + 2), letter)) return end;
  }
  return undefined;
}
