import { LicetError } from "@licet/contract";
import type { Table } from "./table.ts";

/** A table from columns of equal length, cells as text. */
export function tableOf(columns: readonly string[], cells: readonly (readonly string[])[]): Table {
  const rows = cells[0]?.length ?? 0;
  const byName = new Map(columns.map((name, index) => [name, cells[index] ?? []]));
  return {
    columns,
    rows,
    has: (column) => byName.has(column),
    cells: (column) => {
      const found = byName.get(column);
      if (found !== undefined) return found;
      throw columnMissing(column, columns);
    },
  };
}

export function columnMissing(column: string, columns: readonly string[]): LicetError {
  return new LicetError("table_column_missing", {
    message: `the table has no column \`${column}\`: correct the name in the check or the header of the file`,
    at: { column, columns: columns.slice(0, 50) },
  });
}
