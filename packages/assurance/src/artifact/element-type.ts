import type { ElementType } from "./pickle/value.ts";

const sizes: Readonly<Record<string, number>> = {
  "?": 1, b: 1, B: 1, h: 2, H: 2, i: 4, I: 4, u: 4, l: 8, L: 8, q: 8, Q: 8, p: 8, P: 8,
  e: 2, f: 4, d: 8, g: 16, F: 8, D: 16, G: 32, O: 8, M: 8, m: 8, S: 0, a: 0, U: 0, V: 0, c: 1,
};
const named = /^(?:float|u?int|complex)(\d{1,3})$/u;
const code = /^[<>|=]?([?a-zA-Z])(\d{0,9})(?:\[[a-zA-Z0-9/]{1,20}\])?$/u;

/**
 * What a NumPy array-protocol type string means, for example `<f8`, `|b1`, `<U12` or `|O`; undefined for anything else.
 * Source: NumPy documentation, "The array interface protocol" (`typestr`) and `numpy.dtype` one-character codes.
 */
export function elementType(text: string): ElementType | undefined {
  if (text === "bool") return { itemBytes: 1, holdsObjects: false };
  const bits = named.exec(text)?.[1];
  if (bits !== undefined) return { itemBytes: Number(bits) / 8, holdsObjects: false };
  const [, kind = "", digits = ""] = code.exec(text) ?? [];
  if (text === "object" || kind === "O") return { itemBytes: 8, holdsObjects: true };
  const size = sizes[kind];
  if (size === undefined) return undefined;
  return { itemBytes: digits === "" ? size : Number(digits) * (kind === "U" ? 4 : 1), holdsObjects: false };
}
