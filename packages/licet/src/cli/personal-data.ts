import { defaultRules } from "../gateway/detect/rules.ts";

/** Kinds of personal data that the gateway's own detectors find in a cell. Keys and attacks are no personal data. */
export function personalDataIn(cell: string): readonly string[] {
  const kinds = new Set(defaultRules.scan(cell).map(({ type }) => type));
  return [...kinds].filter((type) => ["personal", "special"].includes(defaultRules.classes.get(type) ?? ""));
}
