import { folded } from "./fold.ts";
import { numberInWords } from "./number-words.ts";
import { viewsOf } from "./views.ts";

/** Apostrophes, spaces, commas, dots and underscores that stand between groups of three digits. */
const grouping = /(?<=\d)[,.'’_\s\u00a0\u202f](?=\d{3}(?!\d))/gu;

/**
 * Whether a text holds a computed number: in digits, with or without thousands separators, in another script, in English words, or
 * encoded. Digits beside it must end there, so that `16412` does not hold `6412`.
 */
export function holdsMarker(text: string, marker: string): boolean {
  const digits = marker.replaceAll(/\D/gu, "");
  if (digits === "") return false;
  const words = numberInWords(Number(digits));
  return viewsOf(text).some((view) => holds(folded(view.text), digits, words));
}

function holds(text: string, digits: string, words: string | undefined): boolean {
  const number = new RegExp(`(?<![\\d])${digits}(?!\\d|[.,]\\d*[1-9])`, "u");
  if (number.test(text) || number.test(text.replaceAll(grouping, ""))) return true;
  return words !== undefined && text.replaceAll(/[^a-z]+/gu, " ").replaceAll(/\band\b /gu, "").includes(words);
}

/** Whether an answer could hold the marker by repeating what it was sent: such a probe proves nothing. */
export function markerInPrompt(prompts: readonly string[], marker: string): boolean {
  return prompts.some((prompt) => holdsMarker(prompt, marker));
}
