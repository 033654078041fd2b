import { readdirSync } from "node:fs";
import path from "node:path";
import { loadModel, numericColumn, type Table } from "../../packages/assurance/src/index.ts";
import { bytes, csv, type OracleOptions, type Tally } from "./tally.ts";

const tolerance = 3e-6;

/** Every model's predictions on its test set: largest difference, and labels. Regressions relative to the value. */
export function compareModels(tally: Tally, options: OracleOptions): void {
  const names = readdirSync(path.join(options.dir, "models")).filter((name) => name.endsWith(".onnx")).map((name) => name.slice(0, -5));
  for (const name of options.quick ? names.filter((each) => each.startsWith("breast")) : names) {
    const table = csv(options, `models/${name}.test.csv`);
    const { scores, classes } = loadModel(bytes(options, `models/${name}.onnx`)).score(featuresOf(table), table.rows);
    const expected = csv(options, `models/${name}.test_predictions.csv`);
    const wanted = expected.columns.map((column) => numericColumn(expected, column));
    tally.same(`${name} classes`, classes.length, wanted.length);
    tally.same(`${name} predictions further off than ${tolerance}`, countRows(table, (row) => !wanted.every((column, index) => close(scores[row * classes.length + index], column[row], classes.length))), 0);
    if (classes.length < 2) continue;
    const best = (values: readonly number[]) => values.indexOf(Math.max(...values));
    const flipped = (row: number) => best([...scores.subarray(row * classes.length, (row + 1) * classes.length)]) !== best(wanted.map((column) => column[row] ?? Number.NaN));
    tally.same(`${name} labels that differ`, countRows(table, flipped), 0);
  }
}

export function featuresOf(table: Table): Float32Array {
  const columns = table.columns.filter((column) => column !== "target").map((column) => numericColumn(table, column));
  return Float32Array.from({ length: table.rows * columns.length }, (_, index) => columns[index % columns.length]?.[Math.floor(index / columns.length)] ?? Number.NaN);
}

function close(actual = Number.NaN, expected = Number.NaN, classes = 1): boolean {
  return Math.abs(actual - expected) <= tolerance * (classes === 1 ? Math.max(1, Math.abs(expected)) : 1);
}

function countRows(table: Table, test: (row: number) => boolean): number {
  return Array.from({ length: table.rows }, (_, row) => row).filter(test).length;
}
