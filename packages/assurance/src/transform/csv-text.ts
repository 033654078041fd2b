import { LicetError } from "@licet/contract";
import { tableBounds } from "../table/csv.ts";
import type { Table } from "../table/table.ts";

/** A table as RFC 4180 CSV with line feeds, which `readTable` reads as the same table. Throws `table_too_large` for a cell that it would not read. */
export function csvText(table: Table): string {
  const cells = table.columns.map((column) => table.cells(column));
  const lines = [table.columns.map((name) => field(name, name)).join(",")];
  for (let row = 0; row < table.rows; row += 1) {
    const line = cells.map((column, index) => field(column[row] ?? "", table.columns[index] ?? "")).join(",");
    // A lone empty cell would be a blank line, which readers leave out.
    lines.push(line === "" ? '""' : line);
  }
  return `${lines.join("\n")}\n`;
}

function field(cell: string, column: string): string {
  if (cell.length > tableBounds.fieldCharsMax) {
    throw new LicetError("table_too_large", { message: `a cell of column \`${column}\` would have more than ${tableBounds.fieldCharsMax} characters: drop the column, or give it fewer different values`, at: { column } });
  }
  return /[",\r\n]/u.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
