import { readdirSync } from "node:fs";
import path from "node:path";
import { numericColumn, type Table } from "../../packages/assurance/src/index.ts";
import { fromColumns, type Matrix } from "../../packages/assurance/src/linear/matrix.ts";
import { csv, json, type OracleOptions } from "./tally.ts";

export interface PoisoningFiles {
  readonly train: Table;
  readonly test: Table;
  readonly activations: Table;
  readonly model: string;
  /** Of the same task, without backdoor. */
  readonly cleanModel: string;
}

export interface PoisonedSet {
  readonly files: PoisoningFiles;
  readonly activations: Matrix;
  readonly pixels: Matrix;
  readonly labels: readonly string[];
  /** 1 for a poisoned row. */
  readonly poisoned: readonly number[];
  readonly expected: Readonly<Record<string, unknown>>;
}

export function readSet(options: OracleOptions): PoisonedSet {
  const names = readdirSync(path.join(options.dir, "poisoning"));
  const file = (ending: RegExp) => names.find((name) => ending.test(name)) ?? "";
  const model = file(/\.onnx$/u);
  const task = model.split("_")[0] ?? "";
  const clean = readdirSync(path.join(options.dir, "models")).find((name) => name.startsWith(`${task}_`) && name.endsWith(".onnx")) ?? "";
  const train = csv(options, `poisoning/${file(/\.train\.csv$/u)}`);
  const activations = csv(options, `poisoning/${file(/\.activations\.csv$/u)}`);
  const files = { train, activations, test: csv(options, `poisoning/${file(/\.test\.csv$/u)}`), model: `poisoning/${model}`, cleanModel: `models/${clean}` };
  return {
    files,
    activations: fromColumns(activations.columns.map((column) => numericColumn(activations, column))),
    pixels: fromColumns(featureColumns(train).map((column) => numericColumn(train, column))),
    labels: train.cells("label"),
    poisoned: train.cells("is_poison").map(Number),
    expected: json(options, "poisoning/expected.json") as Readonly<Record<string, unknown>>,
  };
}

export function featureColumns(table: Table): readonly string[] {
  return table.columns.filter((column) => column !== "label" && column !== "is_poison");
}
