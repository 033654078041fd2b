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
