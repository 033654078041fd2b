import type { DetectionSection } from "@licet/contract";
import { patternDetector } from "./custom-pattern.ts";
import type { Detector, DetectorType } from "./detector.ts";
import { Literals, type Literal } from "./literals.ts";

export const canaryType = "canary";

/** What packs declare beside what is looked for everywhere; it was checked when it was published. */
export function declaredDetectors(sections: readonly DetectionSection[]): readonly Detector[] {
  const patterns = sections.flatMap((section) => section.patterns ?? []);
  return [...literalDetectors(sections), ...patterns.map(patternDetector)];
}

function literalDetectors(sections: readonly DetectionSection[]): readonly Detector[] {
  const dictionaries = sections.flatMap((section) => section.dictionaries ?? []);
  const canaries = sections.flatMap((section) => section.canaries ?? []);
  const words: readonly Literal[] = dictionaries.flatMap(({ type, terms }) => terms.map((text) => ({ text, type, word: true })));
  const literals = [...words, ...canaries.map((text) => ({ text, type: canaryType, word: false }))];
  // Each type by itself: what one holds back is not held back for another.
  const types = new Map<string, DetectorType>(dictionaries.map(({ type, class: kind }) => [type, { type, class: kind }]));
  if (canaries.length > 0) types.set(canaryType, { type: canaryType, class: "attack" });
  return [...types.values()].map((type) => literalDetector(type, literals.filter((literal) => literal.type === type.type)));
}

function literalDetector(type: DetectorType, literals: readonly Literal[]): Detector {
  const table = new Literals(literals);
  return { types: [type], needs: 0, matches: (text, from) => table.matches(text, from), pending: (text) => table.pending(text) };
}
