import { LicetError } from "@licet/contract";
import { isMissing } from "./cast.ts";
import type { Table } from "./table.ts";

export function isHollow(table: Table, columns: readonly string[]): boolean {
  return table.rows > 0 && columns.every((column) => table.cells(column).every(isMissing));
}

/** Tables whose columns hold nothing at all compare well with anything. Throws `table_value_invalid`; a table without rows is another matter. */
export function requireFilled(tables: readonly Table[], columns: readonly string[]): void {
  if (!tables.some((table) => isHollow(table, columns))) return;
  const named = columns.slice(0, 5).map((column) => `\`${column}\``).join(", ");
  throw new LicetError("table_value_invalid", { message: `no cell of ${named}${columns.length > 5 ? " and others" : ""} is filled: give a table with values, or name other columns`, at: { columns: columns.slice(0, 50) } });
}
