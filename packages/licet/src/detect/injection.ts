import type { Detector, Match } from "./detector.ts";
import { phraseWords, strongPhrases } from "./injection-phrases.ts";
import { Literals } from "./literals.ts";

const words = new Literals([...phraseWords.map((text) => ({ text, type: "", word: false })), { text: "dan", type: "", word: true }]);
const phrases = strongPhrases.map((phrase) => new RegExp(phrase, "giu"));
/** Longer than any phrase matches. */
const phraseCharactersMax = 300;
const sentenceEnd = /[.!?\n]/gu;

/** Attempts to override instructions. A heuristic: it finds what is said openly, and some of what is not meant so. */
export const injectionDetector: Detector = {
  types: [{ type: "prompt-injection", class: "attack" }],
  needs: 0,
  matches: (text, from) => {
    const found: Match[] = [];
    let read = from;
    for (const { start } of words.matches(text, from)) {
      if (start < read) continue;
      const begin = Math.max(from, sentenceStart(text, start));
      read = sentenceFinish(text, start);
      found.push(...inSentence(text, begin, read));
    }
    return found;
  },
  pending: (text) => Math.max(sentenceStart(text, text.length), text.length - phraseCharactersMax),
};

/** With the line break before it: some phrases begin a line. */
function sentenceStart(text: string, at: number): number {
  const least = Math.max(0, at - 10 * phraseCharactersMax);
  let start = at;
  while (start > least && !isEnd(text.charCodeAt(start - 1))) start--;
  return start > 0 && text.charCodeAt(start - 1) === 10 ? start - 1 : start;
}

function sentenceFinish(text: string, at: number): number {
  sentenceEnd.lastIndex = at;
  return sentenceEnd.exec(text)?.index ?? text.length;
}

function isEnd(unit: number): boolean {
  return unit === 46 || unit === 33 || unit === 63 || unit === 10;
}

function inSentence(text: string, start: number, end: number): readonly Match[] {
  // With the character before, which tells whether a word begins here.
  const shown = Math.max(0, start - 1);
  const sentence = text.slice(shown, end);
  const all = phrases.flatMap((phrase) => Array.from(sentence.matchAll(phrase), (match) => ({ type: "prompt-injection", start: shown + match.index, end: shown + match.index + match[0].length })));
  const found: Match[] = [];
  let after = 0;
  for (const match of all.sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (match.start < Math.max(after, start)) continue;
    found.push(match);
    after = match.end;
  }
  return found;
}
