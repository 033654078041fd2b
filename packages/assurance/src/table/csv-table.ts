import type { CsvColumn } from "./csv-column.ts";
import { columnMissing } from "./table-of.ts";
import type { Table } from "./table.ts";

/** A table over the typed columns of a CSV file. Texts are made when somebody asks for them and kept no longer than they are used. */
export function csvTable(columns: ReadonlyMap<string, CsvColumn>, rows: number): Table {
  const names = [...columns.keys()];
  const used = new Map<string, WeakRef<readonly string[]>>();
  const found = (column: string): CsvColumn => {
    const kept = columns.get(column);
    if (kept === undefined) throw columnMissing(column, names);
    return kept;
  };
  return {
    columns: names,
    rows,
    has: (column) => columns.has(column),
    cells: (column) => {
      const known = used.get(column)?.deref();
      if (known !== undefined) return known;
      const made = found(column).cells();
      used.set(column, new WeakRef(made));
      return made;
    },
    numbers: (column) => found(column).numbers(),
  };
}
