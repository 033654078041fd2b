import { LicetError } from "@licet/contract";
import { castNumber, isMissing, numericColumn } from "./cast.ts";
import { CsvReader, type TableBounds, tableBounds, tooLarge } from "./csv.ts";
import { type DictionaryColumn, encodeDictionary } from "./dictionary.ts";
import { checkedHeader, wrongWidth } from "./header.ts";
import type { Table } from "./table.ts";

/** How a column is kept. `auto`: as numbers when its first thousand cells are, as categories otherwise. */
export type ColumnKind = "number" | "category" | "skip" | "auto";

/** A table of typed columns: eight bytes a number and four a category, however long the texts are. */
export interface TypedTable {
  readonly columns: readonly string[];
  readonly rows: number;
  /** What each column was kept as. */
  readonly kinds: ReadonlyMap<string, "number" | "category">;
  /** Missing cells are NaN. Throws `table_column_missing` for a column that is not kept as numbers. */
  number(column: string): Float64Array;
  /** Throws `table_column_missing` for a column that is not kept as categories. */
  category(column: string): DictionaryColumn;
}

export interface TypedTableOptions {
  readonly kinds?: Readonly<Record<string, ColumnKind>>;
  /** For columns that `kinds` does not name. Default `auto`. */
  readonly otherwise?: ColumnKind;
  readonly bounds?: TableBounds;
}

/**
 * Reads a CSV file piece by piece into typed columns, so that millions of rows fit where their text would not.
 * Throws `table_malformed`, `table_too_large`, or `table_value_invalid` with row and column when text stands in a
 * column of numbers.
 */
export class TypedTableBuilder {
  readonly #options: TypedTableOptions;
  readonly #bounds: TableBounds;
  readonly #reader: CsvReader;
  #header: readonly string[] | undefined;
  #columns: ColumnStore[] = [];
  #rows = 0;
  #blankLine: number | undefined;

  constructor(options: TypedTableOptions = {}) {
    this.#options = options;
    this.#bounds = options.bounds ?? tableBounds;
    this.#reader = new CsvReader((fields, line) => this.#record(fields, line), this.#bounds);
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  end(): TypedTable {
    this.#reader.end();
    if (this.#header === undefined) {
      throw new LicetError("table_malformed", { message: "line 1: the file is empty: it needs a header row", at: { line: 1 } });
    }
    const kept = new Map(this.#header.flatMap((name, index): [string, Kept][] => {
      const found = this.#columns[index]?.end();
      return found === undefined ? [] : [[name, found]];
    }));
    return typedTable(this.#header, kept, this.#rows);
  }

  #record(fields: readonly string[], line: number): void {
    if (this.#header === undefined) {
      this.#header = checkedHeader(fields);
      this.#columns = fields.map((name) => new ColumnStore(name, this.#options.kinds?.[name] ?? this.#options.otherwise ?? "auto"));
      return;
    }
    if (this.#blankLine !== undefined) throw wrongWidth(this.#blankLine, 0, this.#header.length);
    if (fields.length === 0 && this.#header.length > 1) {
      this.#blankLine = line;
      return;
    }
    if (fields.length !== this.#header.length && fields.length > 0) throw wrongWidth(line, fields.length, this.#header.length);
    this.#rows += 1;
    if (this.#rows > this.#bounds.rowsMax) throw tooLarge(`the file has more than ${this.#bounds.rowsMax} rows`);
    for (let index = 0; index < this.#columns.length; index += 1) this.#columns[index]?.add(fields[index] ?? "");
  }
}

type Kept = { readonly kind: "number"; readonly values: Float64Array } | { readonly kind: "category"; readonly column: DictionaryColumn };

const lookedAt = 1000;

class ColumnStore {
  readonly #name: string;
  #kind: ColumnKind;
  /** First cells of an `auto` column, until its kind is known. */
  #first: string[] = [];
  #numbers = new Float64Array(0);
  #codes = new Uint32Array(0);
  readonly #dictionary = new Map<string, number>();
  #length = 0;

  constructor(name: string, kind: ColumnKind) {
    this.#name = name;
    this.#kind = kind;
  }

  add(cell: string): void {
    if (this.#kind === "number") this.#addNumber(cell);
    else if (this.#kind === "category") this.#addCategory(cell);
    else if (this.#kind === "auto") {
      this.#first.push(cell);
      if (this.#first.length >= lookedAt) this.#settle();
    }
  }

  end(): Kept | undefined {
    if (this.#kind === "auto") this.#settle();
    if (this.#kind === "skip") return undefined;
    if (this.#kind === "number") return { kind: "number", values: this.#numbers.slice(0, this.#length) };
    return { kind: "category", column: { codes: this.#codes.slice(0, this.#length), dictionary: [...this.#dictionary.keys()] } };
  }

  #settle(): void {
    const known = this.#first.filter((cell) => !isMissing(cell));
    this.#kind = known.length > 0 && known.every((cell) => castNumber(cell) !== undefined) ? "number" : "category";
    const cells = this.#first;
    this.#first = [];
    for (const cell of cells) this.add(cell);
  }

  #addNumber(cell: string): void {
    const value = isMissing(cell) ? Number.NaN : castNumber(cell);
    if (value === undefined) {
      throw new LicetError("table_value_invalid", {
        message: `row ${this.#length + 1} of column \`${this.#name}\` is not a number: correct it, or read the column as \`category\``,
        at: { row: this.#length + 1, column: this.#name },
      });
    }
    if (this.#length === this.#numbers.length) this.#numbers = grown(this.#numbers, new Float64Array(capacity(this.#length)));
    this.#numbers[this.#length] = value;
    this.#length += 1;
  }

  #addCategory(cell: string): void {
    if (this.#length === this.#codes.length) this.#codes = grown(this.#codes, new Uint32Array(capacity(this.#length)));
    let code = this.#dictionary.get(cell);
    if (code === undefined && !isMissing(cell)) {
      code = this.#dictionary.size + 1;
      // A copy of its own, because a cell is a view that would keep the whole piece of the file alive.
      this.#dictionary.set(Buffer.from(cell).toString(), code);
    }
    this.#codes[this.#length] = code ?? 0;
    this.#length += 1;
  }
}

function capacity(length: number): number {
  return Math.max(1024, 2 * length);
}

function grown<T extends Float64Array | Uint32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

/** The columns that are named, of a table that is there. Throws `table_value_invalid` for text in a column of numbers. */
export function typedFrom(table: Table, kinds: Readonly<Record<string, "number" | "category">>): TypedTable {
  const kept = Object.entries(kinds).filter(([name]) => table.has(name)).map(([name, kind]): readonly [string, Kept] => [name, kind === "number" ? { kind, values: numericColumn(table, name) } : { kind, column: encodeDictionary(table.cells(name)) }]);
  return typedTable(table.columns, new Map(kept), table.rows);
}

function typedTable(columns: readonly string[], kept: ReadonlyMap<string, Kept>, rows: number): TypedTable {
  const absent = (column: string, kind: string) =>
    new LicetError("table_column_missing", {
      message: `the table has no column \`${column}\` kept as ${kind}: correct the name in the check, or how the column is read`,
      at: { column, columns: columns.slice(0, 50) },
    });
  return {
    columns,
    rows,
    kinds: new Map([...kept].map(([name, { kind }]) => [name, kind])),
    number: (column) => {
      const found = kept.get(column);
      if (found?.kind === "number") return found.values;
      throw absent(column, "numbers");
    },
    category: (column) => {
      const found = kept.get(column);
      if (found?.kind === "category") return found.column;
      throw absent(column, "categories");
    },
  };
}
