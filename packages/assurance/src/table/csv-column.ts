import { tooLarge } from "./csv.ts";
import { cellText, missingForm, type ParsedCell, parseCell } from "./number-text.ts";

/** A column of a CSV file in typed arrays. Its cells are the texts of the file, character by character. */
export interface CsvColumn {
  readonly cells: () => readonly string[];
  /** A new array in which a missing cell is NaN; undefined where a cell is no number, or is written as no number is. */
  readonly numbers: () => Float64Array | undefined;
}

/** Takes the cells of one column; what it has taken can be had at any time. */
interface Store {
  /** False where it cannot keep this cell as it stands, and has not taken it. */
  add(cell: string): boolean;
  end(): CsvColumn;
}

/**
 * Takes the cells of one column from top to bottom: as numbers while every cell is one, then as codes of different texts
 * while they repeat, then as bytes. What it is kept as changes no cell.
 */
export class CsvColumnSink {
  #store: Store = new NumberStore();

  add(cell: string): void {
    if (this.#store.add(cell)) return;
    const taken = this.#store.end().cells();
    this.#store = this.#store instanceof NumberStore ? new CodeStore() : new ByteStore();
    for (const before of taken) this.add(before);
    this.add(cell);
  }

  /** What has been taken. The room that it took on the way is given back: nothing can be added to it afterwards. */
  end(): CsvColumn {
    const column = this.#store.end();
    this.#store = new NumberStore();
    return column;
  }
}

const rowsFirst = 1024;

/** Eight bytes a cell, and one more where they are not all written alike. */
class NumberStore implements Store {
  #values = new Float64Array(rowsFirst);
  /** Of every cell, from the first that is written in another way than those before it. */
  #forms: Uint8Array | undefined;
  #form: number | undefined;
  #length = 0;
  readonly #parsed: ParsedCell = { value: 0, form: missingForm };

  add(cell: string): boolean {
    const parsed = this.#parsed;
    if (!parseCell(cell, parsed)) return false;
    if (this.#length === this.#values.length) this.#grow();
    this.#values[this.#length] = parsed.value;
    if (this.#forms !== undefined) this.#forms[this.#length] = parsed.form;
    else if (this.#form !== parsed.form) this.#differ(parsed.form);
    this.#length += 1;
    return true;
  }

  #differ(form: number): void {
    if (this.#form === undefined) {
      this.#form = form;
      return;
    }
    this.#forms = new Uint8Array(this.#values.length).fill(this.#form, 0, this.#length);
    this.#forms[this.#length] = form;
  }

  #grow(): void {
    this.#values = grown(this.#values, new Float64Array(2 * this.#length));
    if (this.#forms !== undefined) this.#forms = grown(this.#forms, new Uint8Array(2 * this.#length));
  }

  end(): CsvColumn {
    const values = this.#values.slice(0, this.#length);
    const forms = this.#forms?.slice(0, this.#length);
    const form = this.#form ?? missingForm;
    return {
      cells: () => Array.from(values, (value, row) => cellText(value, forms?.[row] ?? form)),
      numbers: () => values.slice(),
    };
  }
}

/** A column with more different texts than half its cells gains nothing from codes. */
const wordsMax = 65_536;
const wordShareMax = 0.5;

/** Four bytes a cell, and every different text once. */
class CodeStore implements Store {
  #codes = new Uint32Array(rowsFirst);
  readonly #words = new Map<string, number>();
  #length = 0;

  add(cell: string): boolean {
    let code = this.#words.get(cell);
    if (code === undefined) {
      if (this.#words.size >= wordsMax && this.#words.size >= wordShareMax * this.#length) return false;
      code = this.#words.size;
      // A copy of its own, because a cell is a view that would keep a whole piece of the file alive.
      this.#words.set(Buffer.from(cell).toString(), code);
    }
    if (this.#length === this.#codes.length) this.#codes = grown(this.#codes, new Uint32Array(2 * this.#length));
    this.#codes[this.#length] = code;
    this.#length += 1;
    return true;
  }

  end(): CsvColumn {
    const codes = this.#codes.slice(0, this.#length);
    const words = [...this.#words.keys()];
    return { cells: () => Array.from(codes, (code) => words[code] ?? ""), numbers: () => undefined };
  }
}

const bytesFirst = 65_536;
/** A character takes three bytes at most. */
const characterBytesMax = 3;

/** The bytes of the texts, one after the other, and where each ends. */
class ByteStore implements Store {
  #bytes = Buffer.alloc(bytesFirst);
  #ends = new Uint32Array(rowsFirst);
  #length = 0;
  #filled = 0;

  add(cell: string): boolean {
    const most = this.#filled + characterBytesMax * cell.length;
    if (most > this.#bytes.length) this.#bytes = grown(this.#bytes, Buffer.alloc(Math.max(most, 2 * this.#bytes.length)));
    if (this.#length === this.#ends.length) this.#ends = grown(this.#ends, new Uint32Array(2 * this.#length));
    this.#filled += this.#bytes.write(cell, this.#filled);
    if (this.#filled > textBytesMax) throw tooLarge(`a column has more than ${textBytesMax} bytes of text`);
    this.#ends[this.#length] = this.#filled;
    this.#length += 1;
    return true;
  }

  end(): CsvColumn {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#filled));
    const ends = this.#ends.slice(0, this.#length);
    return { cells: () => Array.from(ends, (end, row) => bytes.toString("utf8", ends[row - 1] ?? 0, end)), numbers: () => undefined };
  }
}

const textBytesMax = 2 ** 32 - 1;

function grown<T extends Float64Array | Uint32Array | Uint8Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
