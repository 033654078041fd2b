import { LicetError } from "@licet/contract";
import { CsvReader, type TableBounds, tableBounds, tooLarge } from "./csv.ts";

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
}

/** Collects a table from chunks of a CSV file. Throws `table_malformed` or `table_too_large`. */
export class TableBuilder {
  readonly #reader: CsvReader;
  readonly #bounds: TableBounds;
  #header: readonly string[] | undefined;
  #columns: string[][] = [];
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
    return tableOf(this.#header, this.#columns, this.#rows);
  }

  #record(fields: readonly string[], line: number): void {
    if (this.#header === undefined) {
      this.#header = checkedHeader(fields);
      this.#columns = fields.map(() => []);
      return;
    }
    if (this.#blankLine !== undefined) throw width(this.#blankLine, 0, this.#header.length);
    if (fields.length === 0 && this.#header.length > 1) {
      // Blank lines at the very end are common and harmless; one between records is a damaged file.
      this.#blankLine = line;
      return;
    }
    const cells = fields.length === 0 ? [""] : fields;
    if (cells.length !== this.#header.length) throw width(line, cells.length, this.#header.length);
    this.#rows += 1;
    if (this.#rows > this.#bounds.rowsMax) throw tooLarge(`the file has more than ${this.#bounds.rowsMax} rows`);
    for (const [index, cell] of cells.entries()) this.#columns[index]?.push(cell);
  }
}

/** Reads a whole CSV file from memory. */
export function readTable(bytes: Uint8Array, bounds: TableBounds = tableBounds): Table {
  const builder = new TableBuilder(bounds);
  builder.push(bytes);
  return builder.end();
}

function tableOf(columns: readonly string[], cells: readonly (readonly string[])[], rows: number): Table {
  const byName = new Map(columns.map((name, index) => [name, cells[index] ?? []]));
  return {
    columns,
    rows,
    has: (column) => byName.has(column),
    cells: (column) => {
      const found = byName.get(column);
      if (found !== undefined) return found;
      throw new LicetError("table_column_missing", {
        message: `the table has no column \`${column}\`: correct the name in the check or the header of the file`,
        at: { column, columns: columns.slice(0, 50) },
      });
    },
  };
}

function checkedHeader(fields: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  for (const [index, name] of fields.entries()) {
    if (name === "") throw header(`column ${index + 1} has no name`, index);
    if (seen.has(name)) throw header(`the name \`${name}\` stands twice`, index);
    seen.add(name);
  }
  if (fields.length === 0) throw header("the header row is empty", 0);
  return fields;
}

function header(what: string, index: number): LicetError {
  return new LicetError("table_malformed", { message: `line 1: ${what} in the header: give every column its own name`, at: { line: 1, column: index + 1 } });
}

function width(line: number, found: number, expected: number): LicetError {
  return new LicetError("table_malformed", {
    message: `line ${line} has ${found} fields where the header has ${expected}: complete the row or quote the commas in it`,
    at: { line, found, expected },
  });
}
