import { isMissing } from "../table/cast.ts";
import type { Table } from "../table/table.ts";

/** Columns in which every cell is the same text, missing cells included: they carry nothing. */
export function constantColumns(table: Table): readonly string[] {
  if (table.rows === 0) return [];
  return table.columns.filter((column) => {
    const cells = table.cells(column);
    return cells.every((cell) => cell === cells[0]);
  });
}

/** One `@`, a local part without spaces, and a domain of at least two labels; not whether the address exists. RFC 5321, 4.1.2, without quoted parts. */
const email = /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]{2,63}$/u;

export function isEmailAddress(cell: string): boolean {
  return cell.length <= 254 && email.test(cell) && !cell.includes("..") && !cell.startsWith(".");
}

/** Rows (from 0) whose non-empty cell does not have the wanted form. */
export function rowsNotMatching(table: Table, column: string, matches: (cell: string) => boolean): readonly number[] {
  return table.cells(column).flatMap((cell, row) => (isMissing(cell) || matches(cell) ? [] : [row]));
}
