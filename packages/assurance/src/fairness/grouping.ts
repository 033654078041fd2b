import { LicetError } from "@licet/contract";

/** More groups than this make every pairwise comparison meaningless and the pairs too many to compute. */
export const groupsMax = 50;
/** Smaller intersections say nothing about anybody; they are named and left out. */
export const intersectionRowsMin = 30;

/** A column of group names as codes. */
export interface Grouping {
  readonly names: readonly string[];
  /** Index of each row's group, -1 where it has none. */
  readonly codes: Int32Array;
}

/** Codes for the texts of a column, names in code-point order; `undefined` and the empty text are no group. Throws `table_value_invalid` beyond 50 groups. */
export function groupingOf(cells: readonly (string | undefined)[]): Grouping {
  const seen = new Map<string, number>();
  const raw = new Int32Array(cells.length);
  for (const [row, cell] of cells.entries()) {
    if (cell === undefined || cell === "") {
      raw[row] = -1;
      continue;
    }
    let code = seen.get(cell);
    if (code === undefined) {
      code = seen.size;
      seen.set(cell, code);
      if (code >= groupsMax) throw tooMany();
    }
    raw[row] = code;
  }
  const names = [...seen.keys()].toSorted();
  const place = Int32Array.from(seen.keys(), (name) => names.indexOf(name));
  return { names, codes: raw.map((code) => (code < 0 ? -1 : (place[code] ?? -1))) };
}

/** Every combination of two groupings that has a row, named `a|b`. */
export function intersect(first: Grouping, second: Grouping): Grouping {
  const width = second.names.length;
  const seen = new Uint8Array(first.names.length * width);
  const raw = first.codes.map((code, row) => {
    const other = second.codes[row] ?? -1;
    if (code < 0 || other < 0) return -1;
    seen[code * width + other] = 1;
    return code * width + other;
  });
  const present = [...seen.keys()].filter((cell) => seen[cell] === 1);
  const place = new Int32Array(seen.length);
  for (const [index, cell] of present.entries()) place[cell] = index;
  return {
    names: present.map((cell) => `${first.names[Math.floor(cell / width)] ?? ""}|${second.names[cell % width] ?? ""}`),
    codes: raw.map((cell) => (cell < 0 ? -1 : (place[cell] ?? -1))),
  };
}

function tooMany(): LicetError {
  return new LicetError("table_value_invalid", {
    message: `the group column has more than ${groupsMax} different values: group by a column with at most ${groupsMax}`,
    at: { groupsMax },
  });
}
