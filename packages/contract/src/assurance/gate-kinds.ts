/** What a requirement of the gate asks a check for. */
export type GateKind = "data" | "drift" | "perf" | "fair" | "robust" | "explain" | "privacy" | "artifact" | "injection" | "quality" | "ops" | "import";

const ofLanguage: readonly (readonly [string, GateKind])[] = [
  ["llm.injection.", "injection"],
  ["llm.smuggling", "injection"],
  ["llm.encoding", "injection"],
  ["llm.multiturn", "injection"],
  ["llm.multilingual", "injection"],
  ["llm.agency", "injection"],
  ["llm.defence.", "injection"],
  ["llm.leak.", "privacy"],
  ["llm.exfil.", "privacy"],
  ["llm.bias.", "fair"],
];

/** Policies name kinds of checks, not checks: this says which kind a check is of. What asks a language model for its work is `quality`. */
export function gateKindOf(check: string): string {
  const family = check.split(".", 1)[0] ?? check;
  if (family === "llm") return ofLanguage.find(([start]) => check.startsWith(start))?.[1] ?? "quality";
  return family === "calib" ? "perf" : family;
}
