import { parseJson as literal } from "@licet/evidence";
import { Damaged } from "../source.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export interface JsonDocument {
  readonly value: Json;
  /** Keys that stand twice in one object, with their place: readers disagree on which one counts. */
  readonly duplicates: readonly { readonly key: string; readonly at: number }[];
  /** NaN and Infinity, which are Python's and not JSON's. */
  readonly loose: boolean;
  /** Where the value ends. */
  readonly end: number;
}

const depthMax = 256;
const duplicatesMax = 20;
const space = /[ \t\n\r]*/uy;
const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/uy;
const words: readonly (readonly [string, Json])[] = [["true", true], ["false", false], ["null", null], ["NaN", Number.NaN], ["Infinity", Number.POSITIVE_INFINITY], ["-Infinity", Number.NEGATIVE_INFINITY]];

/** JSON of RFC 8259 with its duplicates told instead of dropped. Objects come without a prototype. Throws `Damaged`. */
export function parseJson(text: string): JsonDocument {
  const parser = new JsonParser(text);
  const value = parser.value(0);
  parser.skip();
  return { value, duplicates: parser.duplicates, loose: parser.loose, end: parser.at };
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

class JsonParser {
  readonly duplicates: { key: string; at: number }[] = [];
  loose = false;
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  skip(): void {
    space.lastIndex = this.at;
    space.exec(this.#text);
    this.at = space.lastIndex;
  }

  value(depth: number): Json {
    if (depth > depthMax) throw new Damaged("the document is nested too deep", this.at);
    this.skip();
    const letter = this.#text[this.at];
    if (letter === "{") return this.#object(depth);
    if (letter === "[") return this.#list(depth);
    if (letter === '"') return this.#string();
    const word = words.find(([name]) => this.#text.startsWith(name, this.at));
    if (word === undefined) return this.#number();
    this.at += word[0].length;
    this.loose ||= typeof word[1] === "number";
    return word[1];
  }

  #match(token: RegExp): string | undefined {
    token.lastIndex = this.at;
    const match = token.exec(this.#text);
    if (match === null) return undefined;
    this.at = token.lastIndex;
    return match[0];
  }

  #takes(mark: string): boolean {
    this.skip();
    if (this.#text[this.at] !== mark) return false;
    this.at += 1;
    return true;
  }

  #string(): string {
    const start = this.at;
    if (this.#text[start] !== '"') throw new Damaged("a key is no text", start);
    let end = this.#text.indexOf('"', start + 1);
    while (end > 0 && this.#isEscaped(end, start)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) throw new Damaged("a text does not end", start);
    this.at = end + 1;
    try {
      const parsed: unknown = literal(this.#text.slice(start, end + 1));
      return typeof parsed === "string" ? parsed : "";
    } catch {
      throw new Damaged("a text is broken", start);
    }
  }

  /** Whether an odd number of backslashes stands before a place. */
  #isEscaped(at: number, start: number): boolean {
    let before = at - 1;
    while (before > start && this.#text[before] === "\\") before -= 1;
    return (at - 1 - before) % 2 === 1;
  }

  #number(): number {
    const start = this.at;
    const token = this.#match(numberToken);
    if (token === undefined) throw new Damaged("there is no value", start);
    return Number(token);
  }

  #list(depth: number): Json {
    const items: Json[] = [];
    this.at += 1;
    if (this.#takes("]")) return items;
    do items.push(this.value(depth + 1));
    while (this.#takes(","));
    if (!this.#takes("]")) throw new Damaged("a list does not end", this.at);
    return items;
  }

  #object(depth: number): Json {
    const held: Record<string, Json> = Object.create(null);
    this.at += 1;
    if (this.#takes("}")) return held;
    do {
      this.skip();
      const start = this.at;
      const key = this.#string();
      if (!this.#takes(":")) throw new Damaged("a key has no value", this.at);
      if (Object.hasOwn(held, key) && this.duplicates.length < duplicatesMax) this.duplicates.push({ key, at: start });
      held[key] = this.value(depth + 1);
    } while (this.#takes(","));
    if (!this.#takes("}")) throw new Damaged("an object does not end", this.at);
    return held;
  }
}
