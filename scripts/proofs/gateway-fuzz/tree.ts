import type { JsonObject, JsonValue } from "../../../packages/licet/src/ledger/recorder.ts";
import { plainWords, type Chance } from "./chance.ts";

/** One text of a body that is being made: what is planted goes into these. */
export class Text {
  /** Words and what was planted between them, none of which is split again. */
  segments: string[];
  /** `name`: one short word, `fixed`: may not be rewritten. */
  readonly kind: "free" | "fixed" | "name";

  constructor(text: string, kind: Text["kind"] = "free") {
    this.segments = text === "" ? [] : text.split(" ");
    this.kind = kind;
  }

  get text(): string {
    return this.segments.join(" ");
  }
}

/** A text that is JSON itself. */
export class JsonText {
  readonly value: Tree;

  constructor(value: Tree) {
    this.value = value;
  }
}

/** An object whose keys are texts too. */
export class Keyed {
  readonly pairs: readonly (readonly [Text, Tree])[];

  constructor(pairs: Keyed["pairs"]) {
    this.pairs = pairs;
  }
}

export type Tree = string | number | boolean | null | undefined | Text | JsonText | Keyed | readonly Tree[] | { readonly [key: string]: Tree };

/** Makes trees and remembers where something can be planted. */
export class Garden {
  readonly chance: Chance;
  readonly texts: Text[] = [];
  /** Texts that a reader puts together, in their order. */
  readonly groups: (readonly Text[])[] = [];

  constructor(chance: Chance) {
    this.chance = chance;
  }

  text(kind: "free" | "fixed" = "free", long = true): Text {
    return this.#kept(new Text(this.chance.maybe(0.03) ? "" : plainWords(this.chance, long), kind));
  }

  name(stem: string): Text {
    return this.#kept(new Text(`${stem}_${this.chance.characters("abcdef", 3)}`, "name"));
  }

  /** Of a number of texts in parts, each as `make` wraps it. */
  parts(make: (text: Text) => Tree, most = 4): Tree[] {
    const group = this.chance.some(1, most, () => this.text());
    if (group.length > 1) this.groups.push(group);
    return group.map(make);
  }

  /** Arguments of a tool, with its texts somewhere inside. */
  json(): JsonText {
    return new JsonText(this.value(2));
  }

  value(depth: number): Tree {
    const inner = (): Tree => (depth > 0 && this.chance.maybe(0.3) ? this.value(depth - 1) : this.text());
    return this.chance.maybe(0.2) ? { list: this.chance.some(1, 3, inner), n: this.chance.below(9) } : { query: inner(), deep: { more: inner(), yes: true } };
  }

  schema(): Tree {
    return { type: "object", properties: new Keyed([[this.name("field"), { type: "string", description: this.text("fixed") }]]), required: [] };
  }

  #kept(text: Text): Text {
    this.texts.push(text);
    return text;
  }
}

/** The plain value, its texts as `told` says them. */
export function grown(tree: Tree, told: (text: string) => string = (text) => text): JsonValue {
  if (tree instanceof Text) return told(tree.text);
  if (tree instanceof JsonText) return JSON.stringify(grown(tree.value, told));
  if (tree instanceof Keyed) return Object.fromEntries(tree.pairs.map(([key, value]) => [told(key.text), grown(value, told)]));
  if (Array.isArray(tree)) return tree.map((each: Tree) => grown(each, told));
  if (typeof tree !== "object" || tree === null) return tree === undefined ? null : tree;
  return Object.fromEntries(Object.entries(tree).flatMap(([key, value]) => (value === undefined ? [] : [[key, grown(value as Tree, told)]])));
}

export function grownObject(tree: Tree, told?: (text: string) => string): JsonObject {
  return grown(tree, told) as JsonObject;
}

const edges: readonly (readonly [string, string])[] = [[" ", " "], [" ", " "], ["\n", "\n"], [" (", ") "], [' "', '" '], [" <", "> "], ["\t", ", "]];

/** Puts words into one text, with `mark` before them; false where the text takes no such words. */
export function plantIn(chance: Chance, text: Text, { mark, written }: { readonly mark: string; readonly written: string }): boolean {
  if (text.kind === "name") {
    if (/\s/u.test(written) || written.length > 200) return false;
    // One name says one thing.
    if (text.segments.length > 1 || !(text.segments[0] ?? "").includes("_")) return false;
    text.segments = [written];
    return true;
  }
  const [before, after] = chance.one(edges);
  const words = text.segments;
  const at = chance.below(words.length + 1);
  // Of edges at the beginning and the end nothing need stay.
  const planted = `${mark}${before}${written}${at === words.length && chance.maybe(0.5) ? "" : after}`;
  text.segments = [...words.slice(0, at), planted, ...words.slice(at)];
  return true;
}

/** Splits words over texts that a reader puts together. */
export function plantOver(chance: Chance, group: readonly Text[], written: string): void {
  const at = chance.below(group.length - 1);
  const [one, two] = [group[at], group[at + 1]];
  if (one === undefined || two === undefined) return;
  const cut = 1 + chance.below(Math.max(1, written.length - 1));
  one.segments.push("so", written.slice(0, cut));
  two.segments.unshift(written.slice(cut), "and");
}
