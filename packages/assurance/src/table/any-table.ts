import { type TableBounds, tableBounds, tooLarge } from "./csv.ts";
import { formBytes, type TableForm, tableForm } from "./table-form.ts";
import { readTable, type Table, TableBuilder } from "./table.ts";

/** Takes the pieces of a file in whichever form it is: CSV is read as it comes, the others, whose directory stands at their end, when they are whole. */
export class TableSink {
  readonly #bounds: TableBounds;
  #csv: TableBuilder | undefined;
  #form: TableForm | undefined;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(bounds: TableBounds = tableBounds) {
    this.#bounds = bounds;
  }

  push(piece: Uint8Array): void {
    if (this.#csv !== undefined) {
      this.#csv.push(piece);
      return;
    }
    this.#bytes += piece.length;
    if (this.#bytes > this.#bounds.bytesMax) throw tooLarge(`the file has more than ${this.#bounds.bytesMax} bytes`);
    this.#pieces.push(piece);
    if (this.#form === undefined && this.#bytes >= formBytes) this.#begin();
  }

  async end(): Promise<Table> {
    if (this.#form === undefined) this.#begin();
    if (this.#csv !== undefined) return this.#csv.end();
    return readAnyTable(Buffer.concat(this.#pieces), this.#bounds);
  }

  #begin(): void {
    this.#form = tableForm(Buffer.concat(this.#pieces));
    if (this.#form !== "csv") return;
    this.#csv = new TableBuilder(this.#bounds);
    for (const piece of this.#pieces) this.#csv.push(piece);
    this.#pieces = [];
  }
}

/** Reads a whole CSV, Parquet or Arrow file from memory. Throws `table_malformed` or `table_too_large`. */
export async function readAnyTable(bytes: Uint8Array, bounds: TableBounds = tableBounds): Promise<Table> {
  const form = tableForm(bytes);
  if (form === "csv") return readTable(bytes, bounds);
  if (bytes.length > bounds.bytesMax) throw tooLarge(`the file has more than ${bounds.bytesMax} bytes`);
  const { readColumnar } = await import("./columnar.ts");
  return readColumnar(bytes, form, bounds);
}
