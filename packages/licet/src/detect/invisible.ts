import type { Detector, Match } from "./detector.ts";
import { hasForeign } from "./traits.ts";

/**
 * Text that nobody sees and a model reads: tag characters (but for flags of regions), variation selectors in a row, rows
 * of zero-width characters, and overrides of direction.
 */
// oxlint-disable-next-line no-misleading-character-class -- single characters are meant, whatever they combine with
const smuggled = /[\u{E0000}-\u{E007F}]+|[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]{2,}|[\u200B-\u200F\u2060-\u2064\uFEFF\u180E\u00AD]{3,}|[\u202D\u202E]/gu;
const runCharactersMax = 4096;
/** What a run is made of, unit by unit, for reading backwards. */
// oxlint-disable-next-line no-misleading-character-class -- halves of characters are meant
const part = /[\u200B-\u200F\u2060-\u2064\uFEFF\u180E\u00AD\uFE00-\uFE0F\u202A-\u202E\uDB40\uDC00-\uDDEF]/;
const blackFlag = "\u{1F3F4}";
const cancelTag = "\u{E007F}";
const flagCharactersMax = 16;

export const invisibleDetector: Detector = {
  types: [{ type: "invisible-text", class: "attack" }],
  needs: hasForeign,
  matches: (text, from) => {
    const found: Match[] = [];
    smuggled.lastIndex = from;
    for (let match = smuggled.exec(text); match !== null; match = smuggled.exec(text)) {
      const start = match.index;
      const end = Math.min(start + match[0].length, start + runCharactersMax);
      smuggled.lastIndex = end;
      if (!isFlag(text, start, match[0])) found.push({ type: "invisible-text", start, end });
    }
    return found;
  },
  pending: (text) => {
    let start = text.length;
    const least = Math.max(0, text.length - runCharactersMax);
    while (start > least && part.test(text.charAt(start - 1))) start--;
    return start;
  },
};

/** The flags of England, Scotland and Wales are a black flag with tags of a few letters. */
function isFlag(text: string, start: number, run: string): boolean {
  return run.length <= flagCharactersMax && run.endsWith(cancelTag) && text.slice(Math.max(0, start - blackFlag.length), start) === blackFlag;
}
