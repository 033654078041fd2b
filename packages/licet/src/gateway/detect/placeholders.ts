import { randomBytes } from "node:crypto";
import { parseJson } from "@licet/evidence";

const tagLetters = 10;

/** A value that was taken out of a call, in the two ways in which it goes back. */
export interface Original {
  /** Into plain text. */
  readonly text: string;
  /** Into a string of JSON, without its quotes. */
  readonly json: string;
}

/** What stood in plain text. */
export function plainOriginal(text: string): Original {
  return { text, json: jsonEscaped(text) };
}

/**
 * What stood in a string of a text that is JSON: escaped there, and itself wherever it goes back. Where nobody said that
 * the text is JSON, a reader of plain text gets what was written.
 */
export function jsonOriginal(written: string, said: "json" | "text"): Original {
  const value = unescaped(written);
  return value === undefined ? plainOriginal(written) : { text: said === "json" ? value : written, json: jsonEscaped(value) };
}

function jsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function unescaped(written: string): string | undefined {
  try {
    const value: unknown = parseJson(`"${written}"`);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
/** A model that makes up more than this of one call's values is given no more of them back. */
const placeholdersMax = 10_000;

/**
 * What stands in a call for the values that were taken out of it. The same value of one call has the same placeholder.
 * Its tag is drawn for each call, so that no text that was written before it can hold one.
 */
export class Placeholders {
  readonly #tag: () => string;
  readonly #byValue = new Map<string, string>();
  readonly #values = new Map<string, Original>();
  readonly #counts = new Map<string, number>();

  constructor(tag?: string) {
    let drawn = tag;
    this.#tag = () => (drawn ??= Array.from(randomBytes(tagLetters), (byte) => String.fromCharCode(97 + (byte % 26))).join(""));
  }

  /** How many values of each type were taken out. */
  get made(): readonly { readonly type: string; readonly count: number }[] {
    return [...this.#counts].map(([type, count]) => ({ type, count }));
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  /** Plain ASCII without quotes and backslashes, so that it means the same inside JSON. */
  replace(type: string, written: string, original: Original = plainOriginal(written)): string {
    this.count(type);
    const key = `${type} ${original.text}\n${original.json}`;
    const known = this.#byValue.get(key);
    if (known !== undefined) return known;
    if (this.#values.size >= placeholdersMax) return maskOf(type);
    const placeholder = `[${type}_${this.#byValue.size + 1}_${this.#tag()}]`;
    this.#byValue.set(key, placeholder);
    this.#values.set(placeholder, original);
    return placeholder;
  }

  /** Counts what was taken out for good. */
  count(type: string): void {
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1);
  }

  /** Every placeholder of a text with its value, in order. */
  found(text: string, from = 0): readonly { readonly start: number; readonly end: number; readonly value: Original }[] {
    if (this.isEmpty) return [];
    const found: { start: number; end: number; value: Original }[] = [];
    for (let start = text.indexOf("[", from); start >= 0; start = text.indexOf("[", start + 1)) {
      const end = text.indexOf("]", start) + 1;
      const value = end === 0 ? undefined : this.#values.get(text.slice(start, Math.min(end, start + placeholderCharactersMax)));
      if (value !== undefined) found.push({ start, end, value });
    }
    return found;
  }

  restore(text: string): string {
    let out = "";
    let at = 0;
    for (const { start, end, value } of this.found(text)) {
      out += text.slice(at, start) + value.text;
      at = end;
    }
    return at === 0 ? text : out + text.slice(at);
  }

  /** Where a placeholder could begin that the text does not hold whole yet. */
  pendingRestore(text: string): number {
    if (this.isEmpty) return text.length;
    const from = Math.max(0, text.length - placeholderCharactersMax);
    const start = text.lastIndexOf("[");
    if (start < from) return text.length;
    const tail = text.slice(start);
    return [...this.#values.keys()].some((placeholder) => placeholder.length > tail.length && placeholder.startsWith(tail)) ? start : text.length;
  }
}

const placeholderCharactersMax = 90;

/** What stands for a value that is given back to nobody. */
export function maskOf(type: string): string {
  return `[${type}]`;
}
