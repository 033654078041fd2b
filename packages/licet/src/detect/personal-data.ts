import { builtinScanner } from "./scanner.ts";

/** Kinds of personal data that the built-in detectors find in a cell. Keys and attacks are no personal data. */
export function personalDataIn(cell: string): readonly string[] {
  const kinds = new Set(builtinScanner.scan(cell).map(({ type }) => type));
  return [...kinds].filter((type) => ["personal", "special"].includes(builtinScanner.classes.get(type) ?? ""));
}
