import { failType } from "./errors.ts";
import type { Value } from "./values.ts";

/** Texts that must follow each other, with anything between them; without a wildcard there is one. */
export type Pattern = readonly string[];

/**
 * Cedar's `like`, without backtracking: the first place where a text between wildcards fits is as good as any later one.
 * Code units suffice: texts and patterns hold whole characters, so a match never begins or ends inside of one.
 */
export function like(pattern: Pattern): (value: Value) => boolean {
  const head = pattern[0] ?? "";
  if (pattern.length < 2) return (value) => asText(value) === head;
  const tail = pattern.at(-1) ?? "";
  const middle = pattern.slice(1, -1).filter((text) => text !== "");
  return (value) => {
    const text = asText(value);
    const end = text.length - tail.length;
    if (end < head.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
    return inOrder(text.slice(head.length, end), middle);
  };
}

function asText(value: Value): string {
  return typeof value === "string" ? value : failType("string");
}

function inOrder(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}
