import { LicetError } from "@licet/contract";

/** What a table may take before reading stops. Every bound is inclusive. */
export interface TableBounds {
  readonly bytesMax: number;
  readonly rowsMax: number;
  readonly columnsMax: number;
  readonly fieldCharsMax: number;
  /** Rows times columns of a columnar file. */
  readonly cellsMax: number;
  /** What the compressed parts of a columnar file may unpack to, together. */
  readonly expandedBytesMax: number;
  /** Heap of the thread that reads a columnar file. */
  readonly memoryMbMax: number;
  readonly readMsMax: number;
}

export const tableBounds: TableBounds = {
  bytesMax: 256 * 1024 * 1024,
  rowsMax: 2_000_000,
  columnsMax: 4096,
  fieldCharsMax: 64 * 1024,
  cellsMax: 100_000_000,
  expandedBytesMax: 2 * 1024 * 1024 * 1024,
  memoryMbMax: 2048,
  readMsMax: 120_000,
};

type State = "start" | "plain" | "quoted" | "quote_in_quoted" | "after_cr";

/**
 * Incremental reader of RFC 4180 CSV in UTF-8: quotes, doubled quotes, line breaks inside quotes, LF or CRLF, BOM.
 * Feed chunks to `push`, then call `end`. Each record goes to `onRecord` with the line it starts on, as text.
 * Throws `table_malformed` with line and column, or `table_too_large`. All input is hostile.
 */
export class CsvReader {
  readonly #onRecord: (fields: readonly string[], line: number) => void;
  readonly #bounds: TableBounds;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #state: State = "start";
  #fields: string[] = [];
  #field = "";
  #quotedField = false;
  #line = 1;
  #column = 0;
  #recordLine = 1;
  #quoteAt = { line: 1, column: 1 };
  #bytes = 0;

  constructor(onRecord: (fields: readonly string[], line: number) => void, bounds: TableBounds = tableBounds) {
    this.#onRecord = onRecord;
    this.#bounds = bounds;
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#bounds.bytesMax) {
      throw tooLarge(`the file has more than ${this.#bounds.bytesMax} bytes`);
    }
    this.#takeAll(this.#decode(chunk));
  }

  end(): void {
    this.#takeAll(this.#decode(undefined));
    if (this.#state === "quoted") {
      throw malformed("a quoted field is never closed: close the quote opened here", this.#quoteAt);
    }
    if (this.#state === "after_cr") throw this.#malformed("a carriage return stands without line feed");
    if (this.#state !== "start" || this.#fields.length > 0) this.#endRecord();
  }

  #decode(chunk: Uint8Array | undefined): string {
    try {
      return chunk === undefined ? this.#decoder.decode() : this.#decoder.decode(chunk, { stream: true });
    } catch (cause) {
      throw new LicetError("table_malformed", {
        message: `the file is not UTF-8 after line ${this.#line}: save it as UTF-8`,
        at: { line: this.#line },
        cause,
      });
    }
  }

  /** Runs without a special character are taken whole: cell by cell, not character by character. */
  #takeAll(text: string): void {
    let at = 0;
    while (at < text.length) {
      const run = this.#state === "quoted" ? quotedRun(text, at) : this.#state === "plain" || this.#state === "start" ? plainRun(text, at) : noRun;
      if (run.end <= at) {
        this.#take(text.charAt(at));
        at += 1;
        continue;
      }
      this.#append(text.slice(at, run.end));
      this.#column += run.characters;
      if (this.#state === "start") this.#state = "plain";
      at = run.end;
    }
  }

  #take(character: string): void {
    this.#column += 1;
    if (character === "\0") throw this.#malformed("a zero byte stands in the text");
    switch (this.#state) {
      case "start":
        this.#inStart(character);
        break;
      case "plain":
        this.#inPlain(character);
        break;
      case "quoted":
        this.#inQuoted(character);
        break;
      case "quote_in_quoted":
        this.#afterQuote(character);
        break;
      case "after_cr":
        if (character !== "\n") throw this.#malformed("a carriage return stands without line feed");
        this.#endRecord();
        break;
    }
  }

  #inStart(character: string): void {
    if (character === '"') {
      this.#state = "quoted";
      this.#quotedField = true;
      this.#quoteAt = { line: this.#line, column: this.#column };
      return;
    }
    this.#state = "plain";
    this.#inPlain(character);
  }

  #inPlain(character: string): void {
    if (character === '"') throw this.#malformed("a quote stands inside an unquoted field: quote the whole field");
    if (!this.#separator(character)) this.#append(character);
  }

  #inQuoted(character: string): void {
    if (character === '"') {
      this.#state = "quote_in_quoted";
      return;
    }
    this.#append(character);
    if (character === "\n") this.#nextLine();
  }

  #afterQuote(character: string): void {
    if (character === '"') {
      this.#append('"');
      this.#state = "quoted";
      return;
    }
    if (!this.#separator(character)) throw this.#malformed("text stands after a closing quote: double the quotes inside a field");
  }

  #separator(character: string): boolean {
    if (character === ",") this.#endField();
    else if (character === "\n") this.#endRecord();
    else if (character === "\r") this.#state = "after_cr";
    else return false;
    return true;
  }

  #append(character: string): void {
    this.#field += character;
    if (this.#field.length > this.#bounds.fieldCharsMax) {
      throw tooLarge(`a field in line ${this.#recordLine} has more than ${this.#bounds.fieldCharsMax} characters`);
    }
  }

  #endField(): void {
    this.#fields.push(this.#field);
    if (this.#fields.length > this.#bounds.columnsMax) {
      throw tooLarge(`line ${this.#recordLine} has more than ${this.#bounds.columnsMax} columns`);
    }
    this.#field = "";
    this.#state = "start";
    this.#quotedField = false;
  }

  #endRecord(): void {
    const blank = this.#fields.length === 0 && this.#field === "" && !this.#quotedField;
    this.#endField();
    const fields = this.#fields;
    const line = this.#recordLine;
    this.#fields = [];
    this.#nextLine();
    this.#recordLine = this.#line;
    this.#onRecord(blank ? [] : fields, line);
  }

  #nextLine(): void {
    this.#line += 1;
    this.#column = 0;
  }

  #malformed(what: string): LicetError {
    return malformed(what, { line: this.#line, column: this.#column });
  }
}

interface Run {
  readonly end: number;
  /** Code points, for places in messages. */
  readonly characters: number;
}

const noRun: Run = { end: -1, characters: 0 };

function plainRun(text: string, start: number): Run {
  let end = start;
  let halves = 0;
  for (; end < text.length; end += 1) {
    const unit = text.charCodeAt(end);
    if (unit === 44 || unit === 10 || unit === 13 || unit === 34 || unit === 0) break;
    if (unit >= 0xdc00 && unit <= 0xdfff) halves += 1;
  }
  return { end, characters: end - start - halves };
}

function quotedRun(text: string, start: number): Run {
  let end = start;
  let halves = 0;
  for (; end < text.length; end += 1) {
    const unit = text.charCodeAt(end);
    if (unit === 34 || unit === 10 || unit === 0) break;
    if (unit >= 0xdc00 && unit <= 0xdfff) halves += 1;
  }
  return { end, characters: end - start - halves };
}

function malformed(what: string, at: { line: number; column: number }): LicetError {
  return new LicetError("table_malformed", { message: `line ${at.line}, column ${at.column}: ${what}`, at });
}

export function tooLarge(what: string): LicetError {
  return new LicetError("table_too_large", { message: `${what}: give the check a smaller file` });
}
