import { LicetError } from "@licet/contract";
import { CsvReader, type TableBounds, tableBounds, tooLarge } from "./csv.ts";
import { CsvColumnSink } from "./csv-column.ts";
import { csvTable } from "./csv-table.ts";
import { checkedHeader, wrongWidth } from "./header.ts";

/**
 * A table as it stands in the file: every cell is text until a check casts it, so that `007` stays `007`.
 * Row 0 is the first row after the header.
 */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: number;
  /** Cells of one column from top to bottom. Throws `table_column_missing` for an unknown name. */
  cells(column: string): readonly string[];
  has(column: string): boolean;
  /**
   * A column that is kept as numbers, as a new array in which a missing cell is NaN; undefined for any other. Says the same as `cells`,
   * without making a text for each row; a cell that is written as a code is (`007`) is none. Absent where everything is kept as text.
   */
  numbers?(column: string): Float64Array | undefined;
}

/** Collects a table from chunks of a CSV file. Throws `table_malformed` or `table_too_large`. */
export class TableBuilder {
  readonly #reader: CsvReader;
  readonly #bounds: TableBounds;
  #header: readonly string[] | undefined;
  #columns: readonly CsvColumnSink[] = [];
  #rows = 0;
  #blankLine: number | undefined;

  constructor(bounds: TableBounds = tableBounds) {
    this.#bounds = bounds;
    this.#reader = new CsvReader((fields, line) => this.#record(fields, line), bounds);
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  end(): Table {
    this.#reader.end();
    if (this.#header === undefined) {
      throw new LicetError("table_malformed", { message: "line 1: the file is empty: it needs a header row", at: { line: 1 } });
    }
    return csvTable(new Map(this.#header.map((name, index) => [name, (this.#columns[index] ?? new CsvColumnSink()).end()])), this.#rows);
  }

  #record(fields: readonly string[], line: number): void {
    if (this.#header === undefined) {
      this.#header = checkedHeader(fields);
      this.#columns = fields.map(() => new CsvColumnSink());
      return;
    }
    if (this.#blankLine !== undefined) throw wrongWidth(this.#blankLine, 0, this.#header.length);
    if (fields.length === 0 && this.#header.length > 1) {
      // Blank lines at the very end are common and harmless; one between records is a damaged file.
      this.#blankLine = line;
      return;
    }
    const cells = fields.length === 0 ? [""] : fields;
    if (cells.length !== this.#header.length) throw wrongWidth(line, cells.length, this.#header.length);
    this.#rows += 1;
    if (this.#rows > this.#bounds.rowsMax) throw tooLarge(`the file has more than ${this.#bounds.rowsMax} rows`);
    for (let index = 0; index < cells.length; index += 1) this.#columns[index]?.add(cells[index] ?? "");
  }
}

const pieceBytesMax = 1024 * 1024;

/** Reads a whole CSV file from memory. */
export function readTable(bytes: Uint8Array, bounds: TableBounds = tableBounds): Table {
  const builder = new TableBuilder(bounds);
  // In pieces, because the text of a large file would not fit into one string.
  for (let at = 0; at < bytes.length || at === 0; at += pieceBytesMax) builder.push(bytes.subarray(at, at + pieceBytesMax));
  return builder.end();
}
