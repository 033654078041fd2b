import type { DetectionAction, FindingClass, PackDetection } from "@licet/contract";
import { builtinDetectors } from "../../detect/builtin.ts";
import { declaredDetectors } from "../../detect/declared.ts";
import { scannerOf, type Scanner } from "../../detect/scanner.ts";
import { actionsOf } from "./actions.ts";
import { externalDetectors, type ExternalDetector } from "./external.ts";

export type { ExternalDetector } from "./external.ts";

/** What is looked for, and what is done about it: immutable, one for each space and set of team packs. */
export interface DetectionRules extends Scanner {
  action(type: string, boundary: readonly string[]): DetectionAction;
  /** Types that, where they are blocked, hold a streamed answer until its end. */
  readonly wholeMessage: ReadonlySet<string>;
  readonly external: readonly ExternalDetector[];
}

/** What the packs of a space declare: rules for each of its systems. */
export interface Detection {
  rules(system: string): DetectionRules;
}

/** Of the sections of a bundle; undefined or empty for the rules that hold everywhere. */
export function detectionOf(sections: readonly PackDetection[] | undefined): Detection {
  if (sections === undefined || sections.length === 0) return { rules: () => defaultRules };
  const known = new Map<string, DetectionRules>();
  return {
    rules: (system) => {
      const fit = sections.filter(({ systems }) => systems === undefined || systems.includes(system));
      const key = fit.map(({ pack }) => pack).join(" ");
      const rules = known.get(key) ?? (fit.length === 0 ? defaultRules : makeRules(fit));
      known.set(key, rules);
      return rules;
    },
  };
}

/** The rules for one system of a space; the defaults where the space declares none. */
export function rulesFor(space: { readonly detection?: Detection } | undefined, system: string): DetectionRules {
  return space?.detection?.rules(system) ?? defaultRules;
}

function makeRules(sections: readonly PackDetection[]): DetectionRules {
  const scanner = scannerOf([...builtinDetectors, ...declaredDetectors(sections.map(({ section }) => section))]);
  const external = externalDetectors(sections.flatMap(({ section }) => section.external ?? []));
  const classes = new Map<string, FindingClass>([...scanner.classes, ...external.flatMap(({ classes }) => [...classes])]);
  const rulesOf = (team: boolean) => sections.filter(({ systems }) => (systems !== undefined) === team).flatMap(({ section }) => section.actions ?? []);
  const held = sections.flatMap(({ section }) => section.actions ?? []).filter(({ hold }) => hold === "message").map(({ of }) => of);
  return {
    ...scanner,
    classes,
    action: actionsOf({ everybody: rulesOf(false), teams: rulesOf(true) }, classes),
    wholeMessage: new Set([...classes].filter(([type, kind]) => held.includes(type) || held.includes(kind)).map(([type]) => type)),
    external,
  };
}

export const defaultRules: DetectionRules = makeRules([]);
