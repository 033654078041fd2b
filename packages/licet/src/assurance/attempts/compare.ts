import type { CheckResult, Comparison } from "@licet/contract";

const differencesMax = 20;
const charactersMax = 200;

/** Figures are rounded to twelve digits; machines may differ in the last of them, and in nothing that was counted. */
const relativeMax = 1e-9;

/** Holds a second run of a check against the first: verdict, counts, and the figures that the verdict follows from. */
export function compareResults(reported: CheckResult, again: CheckResult): Comparison {
  const pairs = [
    ["verdict", reported.verdict, again.verdict],
    ["counts", reported.counts, again.counts],
    ["figures", reported.basis, again.basis],
  ] as const;
  const differences = pairs.flatMap(([name, first, second]) => [...differ(name, first, second)]);
  return { agrees: differences.length === 0, differences: differences.slice(0, differencesMax) };
}

function* differ(path: string, first: unknown, second: unknown): Generator<string> {
  if (same(first, second)) return;
  if (!isTree(first) || !isTree(second)) {
    yield `${path}: ${shown(first)} was reported, ${shown(second)} came out`.slice(0, charactersMax * 2);
    return;
  }
  const [a, b] = [new Map(Object.entries(first)), new Map(Object.entries(second))];
  for (const key of new Set([...a.keys(), ...b.keys()])) yield* differ(`${path}.${key}`.slice(0, charactersMax), a.get(key), b.get(key));
}

function isTree(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function same(first: unknown, second: unknown): boolean {
  if (typeof first !== "number" || typeof second !== "number") return Object.is(first, second);
  if (first === second) return true;
  if (Number.isInteger(first) && Number.isInteger(second)) return false;
  return Math.abs(first - second) <= relativeMax * Math.max(Math.abs(first), Math.abs(second));
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : (JSON.stringify(value) ?? "nothing").slice(0, charactersMax);
}
