import { builtinDetectionTypes, findingClasses, LicetError, type DetectionPattern, type DetectionSection, type PackDetection } from "@licet/contract";
import { RE2JS } from "re2js";
import type { PlacedPack } from "./compose-source.ts";

/** Of all dictionaries and canaries together: the table that finds them grows with them. */
const termCharactersMax = 100_000;
const patternInstructionsMax = 2000;

/**
 * What the packs declare about detection, in their order; of a team pack for its systems alone. Throws `pack_malformed`
 * where something in it could not be found by, or means two things.
 */
export function packDetection(packs: readonly PlacedPack[]): readonly PackDetection[] {
  const found = packs.flatMap(({ source: { name, manifest } }): readonly PackDetection[] => {
    const { detection: section, systems } = manifest;
    return section === undefined ? [] : [{ pack: name, ...(systems !== undefined && { systems }), section }];
  });
  const sections = found.map(({ section }) => section);
  checkNames(sections);
  for (const { patterns = [] } of sections) for (const pattern of patterns) checkPattern(pattern);
  const characters = sections.flatMap(({ dictionaries = [], canaries = [] }) => [...dictionaries.flatMap(({ terms }) => terms), ...canaries]).reduce((sum, term) => sum + term.length, 0);
  if (characters > termCharactersMax) throw malformed(`dictionaries and canaries have ${characters} characters together; ${termCharactersMax} are allowed`);
  return found;
}

/** A name means one thing: not one of ours, not a class, and of one class wherever it is declared. */
function checkNames(sections: readonly DetectionSection[]): void {
  const ours = new Set<string>([...builtinDetectionTypes, ...findingClasses]);
  const known = new Map<string, string>();
  for (const [type, kind] of sections.flatMap(declaredTypes)) {
    const before = known.get(type);
    if (ours.has(type)) throw malformed(`\`${type}\` is a name that Licet uses itself: give yours another`);
    if (before !== undefined && before !== kind) throw malformed(`\`${type}\` is declared as ${before} and as ${kind}: make it one class`);
    known.set(type, kind);
  }
  const unknown = sections.flatMap(({ actions = [] }) => actions).find(({ of }) => !ours.has(of) && !known.has(of));
  if (unknown !== undefined) throw malformed(`\`${unknown.of}\` is no type or class that anything is found by: see the table in docs/detectors.md`);
}

function declaredTypes({ patterns = [], dictionaries = [], external = [] }: DetectionSection): readonly (readonly [string, string])[] {
  return [...[...patterns, ...dictionaries].map(({ type, class: kind }) => [type, kind] as const), ...external.flatMap(({ classes }) => Object.entries(classes))];
}

function checkPattern({ type, pattern, ignoreCase = false }: DetectionPattern): void {
  const compiled = compile(type, pattern, ignoreCase);
  if (compiled.matcher("").find()) throw malformed(`the pattern of \`${type}\` finds nothing everywhere: let it find at least one character`);
  if (compiled.programSize() > patternInstructionsMax) throw malformed(`the pattern of \`${type}\` is too large: give fewer or smaller repetitions`);
}

function compile(type: string, pattern: string, ignoreCase: boolean): RE2JS {
  try {
    return RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  } catch (cause) {
    throw new LicetError("pack_malformed", { message: `the pattern of \`${type}\` is no regular expression of RE2: \`${pattern.slice(0, 80)}\``, cause });
  }
}

function malformed(message: string): LicetError {
  return new LicetError("pack_malformed", { message });
}
