import type { Hole } from "@licet/contract";
import { holePattern } from "./hole-pattern.ts";

const hole = /\{\{([a-zA-Z][a-zA-Z0-9_]{0,63})\}\}/u;

/**
 * Whether a message is this template with allowed values in its holes. A value ends where the text after its hole
 * first occurs, so it cannot contain that text: one reading only, linear time, and in doubt no match.
 */
export function matchesTemplate(template: { readonly text: string; readonly holes: Readonly<Record<string, Hole>> }, message: string): boolean {
  // Splitting at a group yields literal, name, literal, name … literal.
  const parts = template.text.split(hole);
  const head = parts[0] ?? "";
  if (!message.startsWith(head)) return false;
  let at = head.length;
  for (let index = 1; index < parts.length; index += 2) {
    const declared = template.holes[parts[index] ?? ""];
    const after = parts[index + 1] ?? "";
    const end = index + 2 >= parts.length ? tail(message, after, at) : message.indexOf(after, at);
    if (declared === undefined || end < at || !allowed(declared, message.slice(at, end))) return false;
    at = end + after.length;
  }
  return at === message.length;
}

function tail(message: string, ending: string, from: number): number {
  const start = message.length - ending.length;
  return start >= from && message.endsWith(ending) ? start : -1;
}

function allowed(declared: Hole, value: string): boolean {
  const compiled = holePattern(declared);
  return compiled.kind === "pattern" && compiled.matches(value);
}
