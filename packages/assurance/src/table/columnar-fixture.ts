import { tableToIPC, type Table as ArrowTable } from "apache-arrow";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import type { LicetError } from "@licet/contract";
import { readAnyTable } from "./any-table.ts";
import type { TableBounds } from "./csv.ts";
import type { Table } from "./table.ts";

export function parquetOf(columnData: ColumnSource[], options: { readonly codec?: "SNAPPY" | "UNCOMPRESSED"; readonly rowGroupSize?: number } = {}): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parquetWriteBuffer({ columnData, ...options }));
}

export function arrowOf(table: ArrowTable, form: "file" | "stream" = "file"): Uint8Array<ArrayBuffer> {
  return new Uint8Array(tableToIPC(table, form));
}

export const cellsOf = (table: Table) => Object.fromEntries(table.columns.map((name) => [name, table.cells(name)]));

/** The code under which bytes are refused, or the table. */
export async function outcome(bytes: Uint8Array, bounds?: TableBounds): Promise<Table | string> {
  return readAnyTable(bytes, bounds).catch((error: LicetError) => error.code);
}
