import { LicetError } from "@licet/contract";
import { readTable } from "../table/table.ts";
import { requireEqual, unfinished, unreadable } from "./refusal.ts";
import type { ImportOptions, ReadReport } from "./report.ts";
import { rateOfRows, requireUnique, type Row } from "./rows.ts";

/**
 * A table with one row for each attempt. Which column holds the outcome, and which of its words mean what, is declared, because a word like
 * `pass` means opposite things in different tools; every other word is unassessed. The number of rows is declared, too: a table has no other
 * mark of its end. Source: RFC 4180.
 */
export function readCsvRows(bytes: Uint8Array, options: ImportOptions): ReadReport {
  const { csv, rows: expected } = options;
  if (csv === undefined) throw unreadable("it is not declared which column holds the outcome: name it, and its words");
  if (expected === undefined) throw unfinished("the number of rows is not declared: a table that was cut off looks like a whole one");
  const words = new Map([...csv.noEvent.map((word) => [word, "no_event"] as const), ...csv.event.map((word) => [word, "event"] as const)]);
  if (words.size !== csv.event.length + csv.noEvent.length) throw unreadable("a word is declared for both outcomes");
  const table = tableOf(bytes);
  requireEqual("rows", expected, table.rows);
  const outcomes = cellsOf(table, csv.outcome);
  if (csv.id !== undefined) requireUnique("the row", cellsOf(table, csv.id));
  const clusters = csv.cluster === undefined ? undefined : cellsOf(table, csv.cluster);
  const rows = outcomes.map((cell, index): Row => {
    const cluster = clusters?.[index] ?? `row ${index + 1}`;
    const outcome = words.get(cell.trim());
    return outcome === undefined ? { cluster, outcome: "unassessed", why: cell.trim() === "" ? "empty" : "unknown_word" } : { cluster, outcome };
  });
  return { tool: "csv", toolVersion: null, items: [rateOfRows(rows, { id: csv.outcome, event: csv.event.join(" or ").slice(0, 200) })] };
}

type Table = ReturnType<typeof readTable>;

function tableOf(bytes: Uint8Array): Table {
  try {
    return readTable(bytes);
  } catch (cause) {
    if (cause instanceof LicetError) throw unreadable(cause.message);
    throw cause;
  }
}

function cellsOf(table: Table, column: string): readonly string[] {
  if (!table.has(column)) throw unreadable(`the table has no column \`${column.slice(0, 100)}\``);
  return table.cells(column);
}
