import { hash } from "node:crypto";
import type { Match } from "./detector.ts";

/** Shorter texts are read anew in less time than their digest takes. */
const charactersMin = 512;
const entriesMax = 20_000;
const matchesMax = 200_000;

/**
 * What was found in a text, by the text's digest: a conversation says its past again with every turn. The oldest
 * half is forgotten when there is too much. Holds places only, never words.
 */
export class ScanMemo {
  #young = new Map<string, readonly Match[]>();
  #old = new Map<string, readonly Match[]>();
  #matches = 0;

  read(text: string, scan: (text: string) => readonly Match[]): readonly Match[] {
    // Half surrogate pairs have no form of their own in UTF-8, so two texts could have one digest.
    if (text.length < charactersMin || !text.isWellFormed()) return scan(text);
    const key = hash("sha256", text, "base64");
    const known = this.#young.get(key) ?? this.#old.get(key);
    const matches = known ?? scan(text);
    if (known === undefined || !this.#young.has(key)) this.#keep(key, matches);
    return matches;
  }

  #keep(key: string, matches: readonly Match[]): void {
    this.#matches += matches.length;
    if (this.#young.size >= entriesMax / 2 || this.#matches >= matchesMax / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#matches = matches.length;
    }
    this.#young.set(key, matches);
  }
}
