import type { StoredColumn } from "./stored-column.ts";

/** What a reader of a columnar file makes of it. Everything can be cloned into another thread. */
export interface ColumnarFile {
  readonly rows: number;
  readonly columns: readonly (readonly [name: string, column: StoredColumn])[];
}

/** What a columnar file may take. Every bound is inclusive. */
export interface ColumnarBounds {
  readonly rowsMax: number;
  readonly columnsMax: number;
  /** Rows times columns: what the typed arrays take. */
  readonly cellsMax: number;
  /** All buffers together after decompression. */
  readonly expandedBytesMax: number;
  readonly fieldCharsMax: number;
}

/** A file that is not what it says, in words for a person. Reported as `table_malformed`. */
export class DamagedFile extends Error {}

/** A file beyond a bound. Reported as `table_too_large`. */
export class LargeFile extends Error {}

const cellsWords = "give the check fewer rows or columns";

export function boundedRows(rows: number, columns: number, { rowsMax, columnsMax, cellsMax }: ColumnarBounds): void {
  if (rows > rowsMax) throw new LargeFile(`the file has more than ${rowsMax} rows`);
  if (columns > columnsMax) throw new LargeFile(`the file has more than ${columnsMax} columns`);
  if (rows * columns > cellsMax) throw new LargeFile(`the file has more than ${cellsMax} cells: ${cellsWords}`);
}

/** Counts what decompression makes, before it is made. */
export class Expansion {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Throws for a negative or broken length too: it comes from the file. */
  take(bytes: number): void {
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new DamagedFile("it gives a buffer an impossible length");
    this.#bytes += bytes;
    if (this.#bytes > this.#bytesMax) throw new LargeFile(`the file holds more than ${this.#bytesMax} bytes when it is unpacked`);
  }
}
