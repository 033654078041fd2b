import type { GatewayContentBody } from "@licet/contract";

export type AnswerText = NonNullable<GatewayContentBody["texts"]>[number];

/** Bounds of what is recorded of one answer. */
export const answerCharactersMax = 1_048_576;
const textsMax = 1024;
const placeCharactersMax = 200;

/** The words of an answer, each text put together from its pieces; what is over the bound is left out, and said so. */
export class Transcript {
  readonly #texts = new Map<string, string[]>();
  #left = answerCharactersMax;
  #truncated = false;

  add(at: string, piece: string): void {
    const known = this.#texts.get(at);
    const fits = piece.slice(0, this.#left);
    if (fits.length < piece.length || (known === undefined && this.#texts.size >= textsMax)) this.#truncated = true;
    if (fits === "" || (known === undefined && this.#texts.size >= textsMax)) return;
    this.#left -= fits.length;
    if (known === undefined) this.#texts.set(at, [fits]);
    else known.push(fits);
  }

  get texts(): readonly AnswerText[] {
    return [...this.#texts].map(([at, pieces]) => ({ at: at.slice(0, placeCharactersMax).toWellFormed(), text: pieces.join("").toWellFormed() }));
  }

  get truncated(): boolean {
    return this.#truncated;
  }
}

/** Said once and not words, but for a tool's name: which tool was called belongs to what was said. */
export const wholeKeys: ReadonlySet<string> = new Set(["role", "id", "type", "name"]);

/** Every text of a whole message, at the places where the pieces of a stream would put it. */
export function addMessage(transcript: Transcript, at: string, value: unknown): void {
  if (typeof value === "string") transcript.add(at, value);
  else if (Array.isArray(value)) {
    for (const [position, child] of value.entries()) addMessage(transcript, `${at}[${position}]`, child);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      if (!wholeKeys.has(key) || key === "name") addMessage(transcript, `${at}.${key}`, child);
    }
  }
}
