import { LicetError } from "@licet/contract";
import { columnMissing } from "./table-of.ts";
import type { StoredColumn } from "./stored-column.ts";
import type { Table } from "./table.ts";

/**
 * A table over typed arrays. Texts are made when somebody asks for them and kept no longer than they are used: a million
 * rows take more room as text than as numbers.
 */
export function storedTable(columns: ReadonlyMap<string, StoredColumn>, rows: number): Table {
  const found = (column: string): Exclude<StoredColumn, { kind: "refused" }> => {
    const stored = columns.get(column);
    if (stored === undefined) throw columnMissing(column, [...columns.keys()]);
    if (stored.kind === "refused") throw unsupported(column, stored.why);
    return stored;
  };
  const used = new Map<string, WeakRef<readonly string[]>>();
  return {
    columns: [...columns.keys()],
    rows,
    has: (column) => columns.has(column),
    cells: (column) => {
      const known = used.get(column)?.deref();
      if (known !== undefined) return known;
      const made = textsOf(found(column));
      used.set(column, new WeakRef(made));
      return made;
    },
    numbers: (column) => {
      const stored = found(column);
      // An infinite number is no number in a cell either: the text tells the row.
      return stored.kind === "number" && stored.values.every((value) => Number.isFinite(value) || Number.isNaN(value)) ? stored.values.slice() : undefined;
    },
  };
}

function textsOf(stored: Exclude<StoredColumn, { kind: "refused" }>): readonly string[] {
  if (stored.kind === "number") return Array.from(stored.values, (value) => (Number.isNaN(value) ? "" : String(value)));
  return Array.from(stored.codes, (code) => stored.dictionary[code - 1] ?? "");
}

function unsupported(column: string, why: string): LicetError {
  return new LicetError("table_column_unsupported", { message: `column \`${column}\` cannot be read as the cells of a table: it ${why}`, at: { column } });
}
