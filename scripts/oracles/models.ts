import { readdirSync } from "node:fs";
import path from "node:path";
import { loadModel, numericColumn, type Model, type Table } from "../../packages/assurance/src/index.ts";
import { forward, type Layer } from "../../packages/assurance/src/onnx/network.ts";
import { walkForest } from "../../packages/assurance/src/onnx/trees.ts";
import type { Rows } from "../../packages/assurance/src/subject/probe.ts";
import { bytes, csv, json, type OracleOptions, type Tally } from "./tally.ts";

const tolerance = 3e-6;

/**
 * Every model's predictions on its test set: largest difference, and labels. Regressions relative to the value.
 * Then the model's description: features, weights where it lists them, and that the weights taken out of the graph
 * give the graph's own scores.
 */
export function compareModels(tally: Tally, options: OracleOptions): void {
  const names = readdirSync(path.join(options.dir, "models")).filter((name) => name.endsWith(".onnx")).map((name) => name.slice(0, -5));
  for (const name of options.quick ? names.filter((each) => each.startsWith("breast")) : names) {
    try {
      compareModel(tally, options, name);
    } catch (error) {
      tally.same(name, String(error), "a comparison");
    }
  }
}

function compareModel(tally: Tally, options: OracleOptions, name: string): void {
  const table = csv(options, `models/${name}.test.csv`);
  const model = loadModel(bytes(options, `models/${name}.onnx`));
  const { scores, classes } = model.score(featuresOf(table), table.rows);
  const expected = csv(options, `models/${name}.test_predictions.csv`);
  const wanted = expected.columns.map((column) => numericColumn(expected, column));
  tally.same(`${name} classes`, classes.length, wanted.length);
  tally.same(`${name} predictions further off than ${tolerance}`, countRows(table, (row) => !wanted.every((column, index) => close(scores[row * classes.length + index], column[row], classes.length))), 0);
  compareDescription(tally, { name, model, table, description: json(options, `models/${name}.json`) as Description });
  if (classes.length < 2) return;
  const best = (values: readonly number[]) => values.indexOf(Math.max(...values));
  const flipped = (row: number) => best([...scores.subarray(row * classes.length, (row + 1) * classes.length)]) !== best(wanted.map((column) => column[row] ?? Number.NaN));
  tally.same(`${name} labels that differ`, countRows(table, flipped), 0);
}

interface Description {
  readonly kind?: string;
  readonly features?: readonly string[];
  readonly n_estimators?: number;
  readonly n_test?: number;
  readonly hidden?: readonly number[];
  readonly coef?: readonly number[] | readonly (readonly number[])[];
  readonly intercept?: number | readonly number[];
}

function compareDescription(tally: Tally, given: { name: string; model: Model; table: Table; description: Description }): void {
  const { name, model, table, description } = given;
  const structure = model.structure();
  tally.same(`${name} can be looked through`, structure.kind !== "opaque", true);
  const network = structure.kind === "network" ? structure.network : undefined;
  const said = (what: string, actual: unknown, expected: unknown) => (expected === undefined ? undefined : tally.same(`${name} ${what}`, actual, expected));
  said("features", table.columns.filter((column) => column !== "target"), description.features);
  said("test rows", table.rows, description.n_test);
  said("trees", structure.kind === "forest" ? structure.forest.roots.length : 0, description.n_estimators);
  said("hidden layers", network?.layers.map(({ rows }) => rows), description.hidden);
  compareWeights(tally, given, network?.last.kind === "matrix" ? network.last : undefined);
  compareOutputs(tally, given);
}

function compareWeights(tally: Tally, { name, description }: { name: string; description: Description }, last: Layer | undefined): void {
  const weights = [...(description.coef ?? [])].flat();
  for (const [index, weight] of weights.entries()) tally.near(`${name} weight ${index}`, closest(last?.weights[index], weight), weight);
  for (const [index, offset] of [description.intercept ?? []].flat().entries()) tally.near(`${name} offset ${index}`, closest(last?.bias[index], offset), offset);
}

/** Weights are 32 bits wide in the model. */
function closest(actual = Number.NaN, expected: number): number {
  return Math.abs(actual - expected) <= 1e-6 * Math.max(1, Math.abs(expected)) ? expected : actual;
}

/** What was taken out of the graph decides as the graph does, through its link. */
function compareOutputs(tally: Tally, given: { name: string; model: Model; table: Table }): void {
  const { model, table } = given;
  const structure = model.structure();
  const { rows } = featureMatrix(table);
  const { scores, classes } = model.score(rows.data, rows.rows);
  const outputs = (row: number) => {
    const x = rows.data.subarray(row * rows.columns, (row + 1) * rows.columns);
    if (structure.kind === "network") return forward(structure.network, x);
    return structure.kind === "forest" ? walkForest(structure.forest, { rows: 1, columns: rows.columns, data: x }) : Float64Array.of(Number.NaN);
  };
  const worst = Array.from({ length: rows.rows }, (_, row) => row).filter((row) => {
    const linked = structure.kind === "opaque" ? [] : throughLink(structure.link, outputs(row));
    return linked.length !== classes.length || linked.some((value, column) => !close(value, scores[row * classes.length + column], classes.length));
  });
  tally.same(`${given.name} rows whose scores do not follow from weights or trees`, worst.length, 0);
}

function throughLink(link: string, outputs: Float64Array): readonly number[] {
  const logistic = (z: number) => 1 / (1 + Math.exp(-z));
  if (link === "mirrored") return [1 - logistic(outputs[0] ?? 0), logistic(outputs[0] ?? 0)];
  if (link === "logistic") return [...outputs].map(logistic);
  if (link !== "shares") return [...outputs];
  const most = Math.max(...outputs);
  const total = outputs.reduce((sum, z) => sum + Math.exp(z - most), 0);
  return [...outputs].map((z) => Math.exp(z - most) / total);
}

export function featuresOf(table: Table): Float32Array {
  return featureMatrix(table).rows.data;
}

/** Features as the model takes them, and their means in double precision. */
export function featureMatrix(table: Table): { readonly rows: Rows; readonly means: Float64Array } {
  const columns = table.columns.filter((column) => column !== "target").map((column) => numericColumn(table, column));
  const data = Float32Array.from({ length: table.rows * columns.length }, (_, index) => columns[index % columns.length]?.[Math.floor(index / columns.length)] ?? Number.NaN);
  const means = Float64Array.from(columns, (column) => column.reduce((sum, value) => sum + value, 0) / column.length);
  return { rows: { rows: table.rows, columns: columns.length, data }, means };
}

export function targetsOf(table: Table): Float64Array {
  return numericColumn(table, "target");
}

function close(actual = Number.NaN, expected = Number.NaN, classes = 1): boolean {
  return Math.abs(actual - expected) <= tolerance * (classes === 1 ? Math.max(1, Math.abs(expected)) : 1);
}

function countRows(table: Table, test: (row: number) => boolean): number {
  return Array.from({ length: table.rows }, (_, row) => row).filter(test).length;
}
