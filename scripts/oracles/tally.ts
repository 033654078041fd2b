import { readFileSync } from "node:fs";
import path from "node:path";
import { readTable, type Table } from "../../packages/assurance/src/index.ts";

export interface OracleOptions {
  readonly dir: string;
  readonly quick: boolean;
}

export interface Mismatch {
  readonly area: string;
  readonly name: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** Counts agreements of one area and keeps every difference. */
export class Tally {
  readonly area: string;
  matched = 0;
  total = 0;
  readonly mismatches: Mismatch[] = [];

  constructor(area: string) {
    this.area = area;
  }

  same(name: string, actual: unknown, expected: unknown): void {
    this.#count(name, JSON.stringify(actual) === JSON.stringify(expected), { actual, expected });
  }

  /** `expected` may be the word `undefined`, for which NaN is the match. */
  near(name: string, actual: number, expected: number | string | undefined, relative = 1e-9): void {
    const good = typeof expected === "number" ? Math.abs(actual - expected) <= relative * Math.abs(expected) + 1e-12 : Number.isNaN(actual);
    this.#count(name, good, { actual, expected });
  }

  #count(name: string, good: boolean, pair: { actual: unknown; expected: unknown }): void {
    this.total += 1;
    if (good) this.matched += 1;
    else this.mismatches.push({ area: this.area, name, expected: pair.expected, actual: typeof pair.actual === "number" ? String(pair.actual) : pair.actual });
  }
}

export function json(options: OracleOptions, file: string): unknown {
  return JSON.parse(readFileSync(path.join(options.dir, file), "utf8"));
}

export function bytes(options: OracleOptions, file: string): Uint8Array {
  return readFileSync(path.join(options.dir, file));
}

export function csv(options: OracleOptions, file: string): Table {
  return readTable(bytes(options, file));
}
