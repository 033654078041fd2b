import { apart, edited } from "./edits.ts";
import { maskOf } from "./placeholders.ts";
import { pendingIn, readingOf } from "./reading.ts";
import type { DetectionRules } from "./rules.ts";

/** Every finding replaced by its type, whatever is done about it in calls. */
export function redacted(rules: DetectionRules, text: string): string {
  const found = rules.scan(text);
  if (found.length === 0) return text;
  return edited(text, apart(found.map((match) => ({ ...match, action: "mask" }))).map(({ type, start, end }) => ({ start, end, replacement: maskOf(type) })));
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
