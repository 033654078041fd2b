import { base64, is, runStart } from "../../detect/characters.ts";
import { contextCharacters, type Detector, type Match } from "../../detect/detector.ts";
import { apart, type Edit, type Taken } from "./edits.ts";
import { maskOf, type Placeholders } from "./placeholders.ts";
import { matchesIn, openIn, pendingIn, readingOf, type Reading } from "../../detect/reading.ts";
import type { DetectionRules } from "./rules.ts";

/**
 * Reads one text of an answer that arrives in pieces. What could still grow into something that must not leave is held
 * back, and nothing else: by pending match, never by number of pieces.
 */
export interface TextFilter {
  push(piece: string): void;
  /** No more text comes: what was pending is decided. */
  finish(): void;
  /** Characters pushed so far. */
  readonly length: number;
  /** Characters that may leave, after `edits`. Never beyond the start of something blocked; once something is, it does not grow. */
  readonly safe: number;
  /** Places in the whole text, in order and apart; complete up to `safe`. */
  readonly edits: readonly Edit[];
  /** Type of what must not leave, once it was found. */
  readonly blocked: string | undefined;
}

export interface TextFilterOptions {
  readonly rules: DetectionRules;
  readonly boundary: readonly string[];
  /** Of the call that is answered: what was taken out of it is put back. */
  readonly placeholders: Placeholders;
  /** Counts by type are added here. */
  readonly found: Map<string, number>;
  /** `json` for a text that is JSON itself, such as a tool's arguments: what is put back is escaped. */
  readonly form?: "text" | "json";
  /** Values taken out of the answer are counted here by type. */
  readonly taken?: Map<string, number>;
}

/** A buffer is cut when there is more than this to cut. */
const cutCharactersMin = 128;
/** Where more is held back, the text is read again only after it has grown by a part of that, or a word has ended. */
const heldCharactersMax = 512;
const wordEndsMax = 4096;
const growth = 8;

/** Answers are often JSON without being told to the caller's client as such; a placeholder begins with a bracket as well. */
const jsonDocument = /^(?:\{\s*["}]|\[\s*["{])/u;
const headCharacters = 32;

export function textFilter(options: TextFilterOptions): TextFilter {
  return new LaneFilter(options);
}

interface Watch {
  readonly detector: Detector;
  /** Something of this detector must not leave as it is. */
  readonly holds: boolean;
  /** Matches before it, in the whole text, are decided. */
  from: number;
}

class LaneFilter implements TextFilter {
  readonly edits: Edit[] = [];
  readonly #options: TextFilterOptions;
  readonly #watches: Watch[];
  readonly #wholeMessage: boolean;
  /** Matches that are taken out and begin at or after `safe`, and the last that began before it. */
  #queue: Taken[] = [];
  /** The undecided end of the text, with a little before it; `base` is where it begins in the whole text. */
  #buffer = "";
  #base = 0;
  #safe = 0;
  #blocked: { readonly type: string; readonly at: number } | undefined;
  /** End of the last edit, and up to where placeholders were looked for. */
  #editedTo = 0;
  #restoredTo = 0;
  #readAgainAt = 0;
  /** How the text begins, as far as that tells whether it is a JSON document. */
  #head = "";

  constructor(options: TextFilterOptions) {
    const { rules, boundary } = options;
    const acts = (type: string) => rules.action(type, boundary);
    this.#options = options;
    this.#watches = rules.detectors.map((detector) => ({ detector, holds: detector.types.some(({ type }) => acts(type) !== "flag"), from: 0 }));
    this.#wholeMessage = [...rules.wholeMessage].some((type) => acts(type) === "block");
  }

  get length(): number {
    return this.#base + this.#buffer.length;
  }

  get safe(): number {
    return this.#safe;
  }

  get blocked(): string | undefined {
    return this.#blocked?.type;
  }

  push(piece: string): void {
    this.#buffer += piece;
    if (!this.#options.placeholders.isEmpty && this.#head.length < headCharacters) this.#head = (this.#head + piece).trimStart().slice(0, headCharacters);
    if (this.#blocked !== undefined) return;
    const wordEnds = this.#buffer.length < wordEndsMax && /[^\w+/=.-]/u.test(piece);
    if (wordEnds || this.#buffer.length >= this.#readAgainAt) this.#settle(false);
  }

  finish(): void {
    if (this.#blocked === undefined) this.#settle(true);
  }

  #settle(final: boolean): void {
    const buffer = this.#buffer;
    const reading = readingOf(buffer);
    const open = final ? buffer.length : this.#options.placeholders.pendingRestore(buffer);
    const encoded = final ? buffer.length : openIn(reading);
    const restored = this.#restore(open);
    let hold = open;
    let undecided = open;
    for (const watch of this.#watches) {
      const pending = final ? buffer.length : Math.min(open, pendingIn(reading, watch.detector, encoded));
      if (watch.holds) hold = Math.min(hold, pending);
      undecided = Math.min(undecided, pending);
      this.#decide(watch, { reading, pending, restored, final });
    }
    const free = this.#wholeMessage && !final ? 0 : this.#base + hold;
    this.#safe = Math.max(this.#safe, Math.min(free, this.#blocked?.at ?? free));
    this.#edit();
    // Of what is written in another way more characters make up the same context.
    const context = reading.views.length === 0 ? contextCharacters : 6 * contextCharacters;
    this.#cut(Math.min(undecided, Math.max(0, this.#safe - this.#base)), context);
    const held = this.#buffer.length - Math.max(0, undecided - (buffer.length - this.#buffer.length));
    this.#readAgainAt = held > heldCharactersMax ? this.#buffer.length + Math.floor(held / growth) : 0;
  }

  /** Placeholders that have come whole: what they stand for goes back to who said it. */
  #restore(open: number): readonly { readonly start: number; readonly end: number }[] {
    const { placeholders, form } = this.#options;
    if (placeholders.isEmpty) return [];
    const json = form === "json" || jsonDocument.test(this.#head);
    const all = placeholders.found(this.#buffer).filter(({ start }) => start < open);
    for (const { start, end, value } of all) {
      if (this.#base + start < this.#restoredTo) continue;
      this.#restoredTo = this.#base + end;
      this.#queue.push({ type: "", action: "flag", start: this.#base + start, end: this.#base + end, restored: json ? value.json : value.text });
    }
    return all;
  }

  #decide(watch: Watch, { reading, pending, restored, final }: Deciding): void {
    const { found, rules, boundary } = this.#options;
    const matches = matchesIn(reading, watch.detector, Math.max(0, watch.from - this.#base));
    let from = pending;
    for (const match of matches) {
      if (match.start >= pending && !final) continue;
      from = Math.max(from, match.end);
      if (restored.some(({ start, end }) => match.start >= start && match.end <= end)) continue;
      found.set(match.type, (found.get(match.type) ?? 0) + 1);
      const action = rules.action(match.type, boundary);
      if (action === "block") this.#block(match);
      else if (action !== "flag") this.#queue.push({ ...this.#placed(match), action });
    }
    watch.from = Math.max(watch.from, this.#base + from);
  }

  #placed({ type, start, end }: Match): Match {
    return { type, start: this.#base + start, end: this.#base + end };
  }

  #block({ type, start }: Match): void {
    const at = this.#base + start;
    if (this.#blocked === undefined || at < this.#blocked.at) this.#blocked = { type, at };
  }

  /** Everything that begins before `safe` is known by now. */
  #edit(): void {
    if (this.#queue.length === 0) return;
    const due = this.#queue.filter(({ start }) => start < this.#safe);
    if (due.length === 0) return;
    this.#queue = this.#queue.filter(({ start }) => start >= this.#safe);
    for (const each of apart(due, this.#editedTo)) {
      const { type, start, end, restored } = each;
      this.edits.push({ start, end, replacement: restored ?? maskOf(type) });
      this.#editedTo = end;
      if (restored === undefined) this.#options.taken?.set(type, (this.#options.taken.get(type) ?? 0) + 1);
    }
  }

  #cut(undecided: number, context: number): void {
    const keep = cutPlace(this.#buffer, undecided - context);
    if (keep < cutCharactersMin) return;
    this.#buffer = this.#buffer.slice(keep);
    this.#base += keep;
  }
}

interface Deciding {
  readonly reading: Reading;
  readonly pending: number;
  readonly restored: readonly { readonly start: number; readonly end: number }[];
  readonly final: boolean;
}

/** A little before what is undecided; of something encoded at a place where its characters still count alike. */
function cutPlace(text: string, place: number): number {
  let keep = Math.max(0, place);
  const begins = runStart(text, keep, { kind: base64, max: keep });
  if (keep < text.length && is(text.charCodeAt(keep), base64)) keep -= (keep - begins) % 12;
  const least = Math.max(0, keep - contextCharacters);
  // Neither a character in two units nor one of a row of backslashes is cut off from what it belongs to.
  while (keep > least && (text.charCodeAt(keep - 1) === 92 || (text.charCodeAt(keep) & 0xfc_00) === 0xdc_00)) keep--;
  return keep;
}
