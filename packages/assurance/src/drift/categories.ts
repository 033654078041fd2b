import type { DictionaryColumn } from "../table/dictionary.ts";
import type { CategoryCounts } from "./categorical.ts";

/** Counts by category of two dictionary-encoded columns, categories in the order of their text. */
export function countCategories(name: string, reference: DictionaryColumn, current: DictionaryColumn): CategoryCounts {
  const [a, b] = [countCodes(reference), countCodes(current)];
  const categories = [...new Set([...reference.dictionary, ...current.dictionary])].toSorted();
  const [inA, inB] = [indexOf(reference.dictionary), indexOf(current.dictionary)];
  return {
    name,
    categories,
    reference: categories.map((category) => a.counts[inA.get(category) ?? -1] ?? 0),
    current: categories.map((category) => b.counts[inB.get(category) ?? -1] ?? 0),
    missing: { reference: a.missing, current: b.missing },
  };
}

/** The last slot counts the codes of missing values, so that the loop has no branch. */
function countCodes({ codes, dictionary }: DictionaryColumn): { counts: Float64Array; missing: number } {
  const slots = new Float64Array(dictionary.length + 1);
  for (let row = 0; row < codes.length; row += 1) {
    const code = codes[row] ?? 0;
    slots[code] = (slots[code] ?? 0) + 1;
  }
  return { counts: slots.subarray(1), missing: slots[0] ?? 0 };
}

function indexOf(dictionary: readonly string[]): ReadonlyMap<string, number> {
  return new Map(dictionary.map((text, index) => [text, index]));
}
