import { castNumber, isMissing } from "../table/cast.ts";
import type { Table } from "../table/table.ts";

/** `007` is a code and no number, however much it looks like one. */
const code = /^[+-]?0\d/u;

/** Columns that hold numbers and nothing else, and the others. A column without any value is neither. */
export function columnKinds(table: Table): { readonly numeric: readonly string[]; readonly categorical: readonly string[] } {
  const numeric: string[] = [];
  const categorical: string[] = [];
  for (const column of table.columns) {
    const kept = table.numbers?.(column);
    if (kept !== undefined) {
      if (kept.some((value) => !Number.isNaN(value))) numeric.push(column);
      continue;
    }
    const present = table.cells(column).filter((cell) => !isMissing(cell));
    if (present.length === 0) continue;
    const isNumeric = present.every((cell) => !code.test(cell) && castNumber(cell) !== undefined);
    (isNumeric ? numeric : categorical).push(column);
  }
  return { numeric, categorical };
}
