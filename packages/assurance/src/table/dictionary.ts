import { isMissing } from "./cast.ts";

/**
 * A column of text in which every different text is kept once. Code 0 stands for a missing cell; code k for
 * `dictionary[k - 1]`.
 */
export interface DictionaryColumn {
  readonly codes: Uint32Array;
  readonly dictionary: readonly string[];
}

/** Encodes cells in one pass; the dictionary is in the order of first appearance. */
export function encodeDictionary(cells: ArrayLike<string>): DictionaryColumn {
  const codes = new Uint32Array(cells.length);
  const known = new Map<string, number>();
  for (let row = 0; row < cells.length; row += 1) {
    const cell = cells[row] ?? "";
    let code = known.get(cell);
    if (code === undefined) {
      if (isMissing(cell)) continue;
      code = known.size + 1;
      known.set(cell, code);
    }
    codes[row] = code;
  }
  return { codes, dictionary: [...known.keys()] };
}
