import { attackCheckIds, taskCheckIds } from "./language.ts";

const ofLanguage: readonly (readonly [string, string])[] = [
  ["llm.injection.", "injection"],
  ["llm.smuggling", "injection"],
  ["llm.encoding", "injection"],
  ["llm.multiturn", "injection"],
  ["llm.multilingual", "injection"],
  ["llm.leak.", "privacy"],
  ["llm.exfil.", "privacy"],
  ["llm.bias.", "fair"],
  ["llm.utility", "quality"],
  ["llm.grounded", "quality"],
];

/** Members of a family that do not show what the requirement on that family asks for. */
const apart: Readonly<Record<string, string>> = { "robust.determinism": "ops", "robust.input": "ops" };

/**
 * The kind of evidence that a check is, as requirements of the gate name it: policies ask for kinds, not for checks. What
 * is not named here keeps the name of its family, for which no requirement asks unless a policy says so: a check of cost
 * never stands for one of quality.
 */
export function gateKindOf(check: string): string {
  const family = check.split(".", 1)[0] ?? check;
  if (family === "llm") return ofLanguage.find(([start]) => check.startsWith(start))?.[1] ?? family;
  return apart[check] ?? (family === "calib" ? "perf" : family);
}

/** The kinds that requirements of the gate ask for. */
export const gateKinds = ["data", "perf", "fair", "quality", "injection", "robust", "privacy", "explain", "artifact"] as const;

/** The member of a declared check that holds its limit, for people who are to change it. */
export function limitMember(check: string, op: "<=" | ">="): "limit" | "max" | "min" | "floor" {
  const byProbes: readonly string[] = [...attackCheckIds, ...taskCheckIds];
  if (byProbes.includes(check)) return "limit";
  if (op === "<=") return "max";
  return ["data.coverage", "data.privacy.kanon", "fair.fourfifths"].includes(check) ? "min" : "floor";
}
