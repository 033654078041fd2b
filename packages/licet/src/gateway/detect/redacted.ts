import type { Match } from "../../detect/detector.ts";
import { apart, edited } from "./edits.ts";
import { maskOf } from "./placeholders.ts";
import { pendingIn, readingOf } from "../../detect/reading.ts";
import type { DetectionRules } from "./rules.ts";

/** Every finding replaced by its type, whatever is done about it in calls. */
export function redacted(rules: DetectionRules, text: string): string {
  const found = rules.scan(text);
  if (found.length === 0) return text;
  return edited(text, apart(found.map((match) => ({ ...match, action: "mask" }))).map(({ type, start, end }) => ({ start, end, replacement: maskOf(type) })));
}

/**
 * Texts that are read as one, each as it is recorded: what shows only in them together is replaced as well, where it begins.
 * What a text says by itself counts too: beside others it may make a word of another kind.
 */
export function redactedTogether(rules: DetectionRules, texts: readonly string[]): readonly string[] {
  const starts: number[] = [];
  let length = 0;
  for (const text of texts) {
    starts.push(length);
    length += text.length;
  }
  const alone = texts.flatMap((text, at) => rules.scan(text).map((match) => moved(match, starts[at] ?? 0)));
  const found = [...rules.scan(texts.join("")), ...alone];
  if (found.length === 0) return texts;
  const edits = apart(found.map((match) => ({ ...match, action: "mask" })));
  return texts.map((text, at) => {
    const from = starts[at] ?? 0;
    const own = edits.filter(({ start, end }) => start < from + text.length && end > from);
    return edited(text, own.map(({ type, start, end }) => ({ start: Math.max(0, start - from), end: Math.min(text.length, end - from), replacement: start < from ? "" : maskOf(type) })));
  });
}

function moved({ type, start, end }: Match, by: number): Match {
  return { type, start: start + by, end: end + by };
}

/** How names that a caller chose are recorded: where nothing was found in the call, as they are. */
export function namesFor(rules: DetectionRules, findings: readonly unknown[]): (name: string) => string {
  return findings.length === 0 ? (name) => name : (name) => redacted(rules, name);
}

/** Without the end that more text could have made a finding of, but for attacks, which hold no data. */
export function decided(rules: DetectionRules, text: string): string {
  const reading = readingOf(text);
  const holding = rules.detectors.filter(({ types }) => types.some((each) => each.class !== "attack"));
  return text.slice(0, Math.min(text.length, ...holding.map((detector) => pendingIn(reading, detector))));
}
