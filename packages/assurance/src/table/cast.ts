import { LicetError } from "@licet/contract";
import type { Table } from "./table.ts";

const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/u;
const integer = /^[+-]?\d+(?:\.0*)?$/u;
const date = /^(\d{4})-(\d{2})-(\d{2})(?:T([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/u;

/** An empty cell, or the mark that numeric programs write for one. */
export function isMissing(cell: string): boolean {
  return cell === "" || cell === "NaN" || cell === "nan";
}

/** The number that a cell spells in decimal notation; undefined for anything else, including spaces and infinity. */
export function castNumber(cell: string): number | undefined {
  if (!number.test(cell)) return undefined;
  const value = Number(cell);
  return Number.isFinite(value) ? value : undefined;
}

export function castInteger(cell: string): number | undefined {
  return integer.test(cell) ? castNumber(cell) : undefined;
}

export function castBoolean(cell: string): boolean | undefined {
  if (/^(?:true|1)$/iu.test(cell)) return true;
  return /^(?:false|0)$/iu.test(cell) ? false : undefined;
}

/** Milliseconds since the epoch of an ISO 8601 calendar date that exists, with or without a time; UTC unless it says otherwise. */
export function castDate(cell: string): number | undefined {
  const match = date.exec(cell);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const midnight = new Date(Date.UTC(year, month - 1, day));
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  if (match[4] === undefined) return midnight.getTime();
  const value = Date.parse(/(?:Z|[+-]\d{2}:\d{2})$/u.test(cell) ? cell : `${cell}Z`);
  return Number.isNaN(value) ? undefined : value;
}

/**
 * A column as numbers; missing cells become NaN, for the caller to count.
 * Throws `table_value_invalid` with row and column at the first text that is no number.
 */
export function numericColumn(table: Table, column: string): Float64Array {
  const kept = table.numbers?.(column);
  if (kept !== undefined) return kept;
  const cells = table.cells(column);
  const values = new Float64Array(cells.length);
  for (const [row, cell] of cells.entries()) {
    const value = isMissing(cell) ? Number.NaN : castNumber(cell);
    if (value === undefined) {
      throw new LicetError("table_value_invalid", {
        message: `row ${row + 1} of column \`${column}\` is not a number: correct it, or leave the column out of \`features\``,
        at: { row: row + 1, column },
      });
    }
    values[row] = value;
  }
  return values;
}

/** How many cells of a column are missing. */
export function missingCells(table: Table, column: string): number {
  const kept = table.numbers?.(column);
  return kept === undefined ? table.cells(column).filter(isMissing).length : kept.reduce((count, value) => (Number.isNaN(value) ? count + 1 : count), 0);
}

/** Median of the values that are numbers; undefined when there is none. */
export function median(values: Float64Array): number | undefined {
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  const upper = known[known.length >> 1];
  const lower = known[(known.length - 1) >> 1];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}
