import type { DictionaryColumn } from "./dictionary.ts";

/** A column of a columnar file in typed arrays: eight bytes a number, four a text, and every different text once. */
export type StoredColumn =
  | { readonly kind: "number"; readonly values: Float64Array }
  | ({ readonly kind: "text" } & DictionaryColumn)
  /** Holds something that has no cell of a table: lists, bytes, durations. Whoever reads it is told why. */
  | { readonly kind: "refused"; readonly why: string };

const rowsFirst = 1024;

/** Takes the cells of one column from top to bottom. A column is numbers until something stands in it that a double cannot hold exactly. */
export class ColumnSink {
  #numbers: Float64Array | undefined = new Float64Array(rowsFirst);
  #codes = new Uint32Array(0);
  readonly #dictionary = new Map<string, number>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  addMissing(): void {
    if (this.#numbers !== undefined) this.#pushNumber(this.#numbers, Number.NaN);
    else this.#pushCode(0);
  }

  addNumber(value: number): void {
    if (this.#numbers !== undefined) this.#pushNumber(this.#numbers, value);
    else if (Number.isNaN(value)) this.#pushCode(0);
    else this.addText(String(value));
  }

  /** Beyond 2^53 a double would be another number, so the whole column becomes text with every digit. */
  addInteger(value: bigint): void {
    const near = Number(value);
    if (Number.isSafeInteger(near)) this.addNumber(near);
    else this.addText(value.toString());
  }

  addText(text: string): void {
    if (this.#numbers !== undefined) this.#becomeText(this.#numbers);
    this.#pushCode(text === "" ? 0 : this.codeOf(text));
  }

  /** The code under which a text is kept: for whoever has its own dictionary and sends codes. */
  codeOf(text: string): number {
    const known = this.#dictionary.get(text);
    if (known !== undefined) return known;
    const code = this.#dictionary.size + 1;
    this.#dictionary.set(text, code);
    return code;
  }

  end(): StoredColumn {
    if (this.#numbers !== undefined) return { kind: "number", values: this.#numbers.slice(0, this.#length) };
    return { kind: "text", codes: this.#codes.slice(0, this.#length), dictionary: [...this.#dictionary.keys()] };
  }

  #becomeText(numbers: Float64Array): void {
    const before = this.#length;
    this.#numbers = undefined;
    this.#length = 0;
    for (let row = 0; row < before; row += 1) this.addNumber(numbers[row] ?? Number.NaN);
  }

  #pushNumber(numbers: Float64Array, value: number): void {
    let room = numbers;
    if (this.#length === numbers.length) {
      room = new Float64Array(2 * numbers.length);
      room.set(numbers);
      this.#numbers = room;
    }
    room[this.#length] = value;
    this.#length += 1;
  }

  #pushCode(code: number): void {
    if (this.#length === this.#codes.length) {
      const room = new Uint32Array(Math.max(rowsFirst, 2 * this.#length));
      room.set(this.#codes);
      this.#codes = room;
    }
    this.#codes[this.#length] = code;
    this.#length += 1;
  }
}
