import type { Table } from "../table/table.ts";
import { RowHasher } from "./row-hash.ts";

/** Rows grouped by what they hold. `of[row]` is the group; groups are numbered by first appearance. */
export interface RowGroups {
  readonly of: Uint32Array;
  readonly sizes: readonly number[];
  /** First row of each group. */
  readonly first: readonly number[];
}

/**
 * Groups rows that are equal in the named columns, cell by cell as text. By 128-bit hash; rows with one hash are
 * compared, so that an attacker's collision joins nothing.
 */
export function groupRowsBy(table: Table, columns: readonly string[]): RowGroups {
  const index = new RowIndex(columns.map((column) => table.cells(column)));
  const of = new Uint32Array(table.rows);
  const sizes: number[] = [];
  for (let row = 0; row < table.rows; row += 1) {
    const group = index.add(row);
    of[row] = group;
    sizes[group] = (sizes[group] ?? 0) + 1;
  }
  return { of, sizes, first: index.first };
}

/** Different rows of some columns, found again by their content. */
export class RowIndex {
  readonly first: number[] = [];
  readonly #columns: readonly (readonly string[])[];
  readonly #hasher = new RowHasher();
  readonly #byHash = new Map<string, number[]>();

  constructor(columns: readonly (readonly string[])[]) {
    this.#columns = columns;
  }

  /** Number of the row's group, a new one where no equal row was added before. */
  add(row: number): number {
    const cells = this.#columns;
    const hash = this.#hash(cells, row);
    const known = this.#byHash.get(hash);
    const group = known?.find((each) => this.#equal(each, cells, row));
    if (group !== undefined) return group;
    this.first.push(row);
    if (known === undefined) this.#byHash.set(hash, [this.first.length - 1]);
    else known.push(this.first.length - 1);
    return this.first.length - 1;
  }

  /** Group of an equal row of another table with the same columns in the same order. */
  find(columns: readonly (readonly string[])[], row: number): number | undefined {
    return this.#byHash.get(this.#hash(columns, row))?.find((group) => this.#equal(group, columns, row));
  }

  #hash(columns: readonly (readonly string[])[], row: number): string {
    this.#hasher.begin();
    for (const cells of columns) this.#hasher.add(cells[row] ?? "");
    return this.#hasher.end();
  }

  #equal(group: number, columns: readonly (readonly string[])[], row: number): boolean {
    const own = this.first[group] ?? 0;
    return columns.every((cells, column) => cells[row] === this.#columns[column]?.[own]);
  }
}
