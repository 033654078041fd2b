import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NumericPair } from "../../packages/assurance/src/drift/numeric.ts";
import type { Decided } from "../../packages/assurance/src/fairness/group-counts.ts";
import { type Random, randomFrom } from "../../packages/assurance/src/stats/random.ts";
import type { DictionaryColumn } from "../../packages/assurance/src/table/dictionary.ts";

export interface CategoricalPair {
  readonly name: string;
  readonly reference: DictionaryColumn;
  readonly current: DictionaryColumn;
}

export interface BenchData {
  readonly numeric: readonly NumericPair[];
  readonly categorical: readonly CategoricalPair[];
  readonly decided: Decided;
}

const groups = ["a", "b", "c", "d", "e", "f"];

/** Fourteen continuous columns (some drifting a little, some with missing values), two of whole numbers, four of categories. */
export function makeData(rows: number): BenchData {
  const random = randomFrom("bench");
  const numeric = Array.from({ length: 16 }, (_, index): NumericPair => {
    const shift = index % 4 === 3 ? 0.01 : 0;
    return { name: `x${index}`, reference: column(rows, random, { index, shift: 0 }), current: column(rows, random, { index, shift }) };
  });
  const categorical = [2, 5, 12, 40].map((size): CategoricalPair => ({ name: `c${size}`, reference: categories(rows, random, size), current: categories(rows, random, size) }));
  const positive = Uint8Array.from({ length: rows }, () => (random.uniform() < 0.3 ? 1 : 0));
  const decided: Decided = {
    positive,
    predicted: positive.map((label) => (random.uniform() < 0.85 ? label : 1 - label)),
    grouping: { names: groups, codes: Int32Array.from({ length: rows }, () => random.below(groups.length)) },
  };
  return { numeric, categorical, decided };
}

function column(rows: number, random: Random, { index, shift }: { index: number; shift: number }): Float64Array {
  return Float64Array.from({ length: rows }, () => {
    if (index % 5 === 4 && random.uniform() < 0.05) return Number.NaN;
    const value = random.normal() + shift;
    return index >= 14 ? Math.round(5 * value) : value;
  });
}

function categories(rows: number, random: Random, size: number): DictionaryColumn {
  return { codes: Uint32Array.from({ length: rows }, () => 1 + Math.min(random.below(size), random.below(size))), dictionary: Array.from({ length: size }, (_, index) => `k${index}`) };
}

/** As files of raw numbers that numpy reads. */
export function writeData(folder: string, { numeric, categorical, decided }: BenchData): void {
  for (const { name, reference, current } of numeric) for (const [side, values] of [["reference", reference], ["current", current]] as const) writeFileSync(join(folder, `${name}.${side}`), values);
  for (const { name, reference, current } of categorical) for (const [side, { codes }] of [["reference", reference], ["current", current]] as const) writeFileSync(join(folder, `${name}.${side}`), codes);
  writeFileSync(join(folder, "fair.group"), decided.grouping.codes);
  writeFileSync(join(folder, "fair.positive"), decided.positive);
  writeFileSync(join(folder, "fair.predicted"), decided.predicted);
  const meta = { numeric: numeric.map(({ name }) => name), categorical: Object.fromEntries(categorical.map(({ name, reference }) => [name, reference.dictionary])), groups };
  writeFileSync(join(folder, "columns.json"), JSON.stringify(meta));
}
