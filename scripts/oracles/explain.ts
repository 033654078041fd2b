import path from "node:path";
import { loadModel, type Model, type Table } from "../../packages/assurance/src/index.ts";
import { partialDependence } from "../../packages/assurance/src/explain/dependence.ts";
import type { LossName } from "../../packages/assurance/src/explain/loss.ts";
import { meanOf, permutationIncreases } from "../../packages/assurance/src/explain/permutation.ts";
import { completenessResidual, exactFeaturesMax, exactShapley, linearShapley, sampledShapley, type Shapley } from "../../packages/assurance/src/explain/shapley.ts";
import { treeShapley } from "../../packages/assurance/src/explain/tree-shapley.ts";
import { answered, type Rows, type Scores, scoresOf } from "../../packages/assurance/src/subject/probe.ts";
import { featureMatrix, targetsOf } from "./models.ts";
import { bytes, csv, json, type OracleOptions, type Tally } from "./tally.ts";

/** Relative to the larger of 1 and the figure: scores are 32 bits wide. */
const tolerance = 1e-5;

type Case = Readonly<Record<string, unknown>>;

interface Setting {
  readonly tally: Tally;
  readonly name: string;
  readonly model: Model;
  readonly score: (rows: Rows) => Scores;
  readonly columns: readonly string[];
  readonly test: Rows;
  readonly targets: Float64Array;
  readonly train: Table;
  readonly background: Rows;
  /** Double precision mean of the training rows, which closed forms are taken against. */
  readonly mean: Float64Array;
  readonly output: number;
  /** Rows that a case's losses are over: said once, for all of its figures. */
  readonly lossRows: number;
}

/** Shapley values, permutation importance and partial dependence of every case; a figure of another kind is a mismatch. */
export function compareExplain(tally: Tally, options: OracleOptions): void {
  const { cases } = json(options, "explain/expected.json") as { cases: Readonly<Record<string, Case>> };
  for (const [name, figures] of Object.entries(cases)) {
    try {
      compareCase(settingOf(tally, options, { name, figures }), figures);
    } catch (error) {
      tally.same(name, String(error), "a comparison");
    }
  }
}

function settingOf(tally: Tally, options: OracleOptions, given: { name: string; figures: Case }): Setting {
  const file = word(given.figures["model"], "");
  const stem = path.join(path.dirname(file), path.basename(file, ".onnx"));
  const model = loadModel(bytes(options, file));
  const train = csv(options, `${stem}.train.csv`);
  const testTable = csv(options, `${stem}.test.csv`);
  const { rows, means } = featureMatrix(train);
  const said = word(given.figures["background"], "mean of train.csv");
  const first = /first (\d+) rows/u.exec(said);
  if (first === null && !said.startsWith("mean")) throw new Error(`another background: ${said}`);
  const output = word(given.figures["output"], "p0");
  const logit = output.startsWith("logit");
  const column = Number(/p(\d+)/u.exec(output)?.[1] ?? 0);
  return {
    tally, name: given.name, model, train, mean: means, output: logit ? 0 : column,
    score: logit ? logits(scoresOf(model), column) : scoresOf(model),
    columns: testTable.columns.filter((each) => each !== "target"),
    test: featureMatrix(testTable).rows,
    targets: targetsOf(testTable),
    lossRows: Number(/"rows":"first (\d+) test rows"/u.exec(JSON.stringify(given.figures))?.[1] ?? testTable.rows),
    background: first === null ? { rows: 1, columns: rows.columns, data: Float32Array.from(means) } : head(rows, Number(first[1])),
  };
}

function word(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function logits(score: (rows: Rows) => Scores, column: number): (rows: Rows) => Scores {
  return (rows) => {
    const { columns, scores } = score(rows);
    const one = Float64Array.from({ length: rows.rows }, (_, row) => scores[row * columns + Math.min(column, columns - 1)] ?? Number.NaN);
    return { rows: rows.rows, columns: 1, scores: one.map((p) => Math.log(p / (1 - p))) };
  };
}

function head(rows: Rows, count: number): Rows {
  return { rows: count, columns: rows.columns, data: rows.data.subarray(0, count * rows.columns) };
}

const described = new Set(["model", "rows", "background", "output"]);

function compareCase(setting: Setting, figures: Case): void {
  for (const [key, value] of Object.entries(figures)) {
    if (described.has(key)) continue;
    const compare = comparisons.find(([pattern]) => pattern.test(key))?.[1];
    if (compare === undefined) setting.tally.same(`${setting.name} ${key}`, "not computed", value);
    else compare(setting, key, value);
  }
}

const comparisons: readonly (readonly [RegExp, (setting: Setting, key: string, value: unknown) => void])[] = [
  [/^shapley_(?:exact_)?first\d+/u, compareShapley],
  [/^base_value$/u, (setting, key, value) => near(setting, key, { actual: shapleyOf(setting, 0).base, expected: value })],
  [/^global_mean_abs_shapley$/u, compareGlobal],
  [/^permutation_importance_\w+_(?:expected|exact)$/u, comparePermutation],
  [/^base_mse$/u, (setting, key, value) => near(setting, key, { actual: meanOf(importance(setting, "squared-error", setting.test.rows).base), expected: value })],
  [/^partial_dependence$/u, compareDependence],
];

function near(setting: Setting, what: string, pair: { actual: number; expected: unknown }): void {
  const expected = Number(pair.expected);
  const close = Math.abs(pair.actual - expected) <= tolerance * Math.max(1, Math.abs(expected));
  setting.tally.near(`${setting.name} ${what}`, close ? expected : pair.actual, expected);
}

function rowOf(setting: Setting, row: number): Float32Array {
  return setting.test.data.subarray(row * setting.test.columns, (row + 1) * setting.test.columns);
}

/** The closed form where there is one, otherwise every coalition. */
function shapleyOf(setting: Setting, row: number): Shapley {
  const structure = setting.model.structure();
  const output = structure.kind === "network" && setting.background.rows === 1 ? linearShapley(structure.network, 0, { row: rowOf(setting, row), mean: setting.mean }) : undefined;
  return output ?? answered(exactShapley({ row: rowOf(setting, row), background: setting.background, output: setting.output }), setting.score);
}

function compareShapley(setting: Setting, key: string, value: unknown): void {
  for (const [row, expected] of (value as readonly (readonly number[])[]).entries()) {
    const found = shapleyOf(setting, row);
    for (const [feature, each] of expected.entries()) near(setting, `${key} row ${row} feature ${feature}`, { actual: found.values[feature] ?? Number.NaN, expected: each });
    setting.tally.same(`${setting.name} row ${row} is complete`, completenessResidual(found) <= 1e-4 * Math.max(1, Math.abs(found.score)), true);
    if (row === 0) compareWays(setting, found, expected);
  }
}

/** The other ways to the same values agree: sampling within its own error, and the trees' own walk. */
function compareWays(setting: Setting, found: Shapley, expected: readonly number[]): void {
  if (expected.length > exactFeaturesMax) return;
  const task = { row: rowOf(setting, 0), background: setting.background, output: setting.output };
  const sampled = answered(sampledShapley(task, { seed: setting.name, pairs: 100 }), setting.score);
  const off = expected.filter((value, feature) => Math.abs((sampled.values[feature] ?? 0) - value) > 5 * (sampled.errors[feature] ?? 0) + tolerance);
  setting.tally.same(`${setting.name} sampled values further off than five errors`, off.length, 0);
  const structure = setting.model.structure();
  if (structure.kind !== "forest") return;
  const margin = (rows: Rows): Scores => {
    const { columns, scores } = setting.score(rows);
    const raw = Float64Array.from({ length: rows.rows }, (_, row) => scores[row * columns + columns - 1] ?? Number.NaN);
    return { rows: rows.rows, columns: 1, scores: structure.link === "mirrored" ? raw.map((p) => Math.log(p / (1 - p))) : raw };
  };
  const whole = answered(exactShapley({ ...task, output: 0 }), margin);
  const walked = treeShapley(structure.forest, structure.forest.targets - 1, task);
  const worst = Math.max(...whole.values.map((value, feature) => Math.abs(value - (walked?.values[feature] ?? Number.NaN))));
  setting.tally.same(`${setting.name} trees give the exact values of their margin (${found.method})`, worst <= 1e-4, true);
}

function compareGlobal(setting: Setting, key: string, value: unknown): void {
  const sums = new Float64Array(setting.test.columns);
  for (let row = 0; row < setting.test.rows; row += 1) {
    for (const [feature, each] of shapleyOf(setting, row).values.entries()) sums[feature] = (sums[feature] ?? 0) + Math.abs(each) / setting.test.rows;
  }
  for (const [feature, expected] of (value as readonly number[]).entries()) near(setting, `${key} ${feature}`, { actual: sums[feature] ?? Number.NaN, expected });
}

const losses: readonly (readonly [RegExp, LossName])[] = [
  [/_mse_/u, "squared-error"], [/_brier_/u, "brier"], [/_error_rate_/u, "error"], [/_log_?loss_/u, "log-loss"],
];

function comparePermutation(setting: Setting, key: string, value: unknown): void {
  const loss = losses.find(([pattern]) => pattern.test(key))?.[1];
  if (loss === undefined) return setting.tally.same(`${setting.name} ${key}`, "another loss", value);
  const parts = Array.isArray(value) ? { importance: value as readonly number[] } : (value as { rows?: string; base?: number; importance: readonly number[] });
  const rows = Number(/first (\d+)/u.exec("rows" in parts ? String(parts.rows) : "")?.[1] ?? setting.lossRows);
  const found = importance(setting, loss, rows);
  if ("base" in parts) near(setting, `${key} base`, { actual: meanOf(found.base), expected: parts.base });
  for (const [feature, expected] of parts.importance.entries()) near(setting, `${key} ${feature}`, { actual: meanOf(found.increases[feature] ?? new Float64Array(0)), expected });
}

function importance(setting: Setting, loss: LossName, rows: number) {
  return answered(permutationIncreases(head(setting.test, rows), setting.targets, { loss, queriesMax: Infinity, seed: setting.name }), scoresOf(setting.model));
}

function compareDependence(setting: Setting, key: string, value: unknown): void {
  const { grid, background, ...features } = value as { grid: readonly number[]; background?: string } & Readonly<Record<string, readonly number[]>>;
  const said = /first (\d+) rows/u.exec(background ?? "");
  const rows = said === null ? featureMatrix(setting.train).rows : head(featureMatrix(setting.train).rows, Number(said[1]));
  for (const [column, expected] of Object.entries(features)) {
    const means = answered(partialDependence(rows, setting.columns.indexOf(column), { grid, output: setting.output }), setting.score);
    for (const [index, each] of expected.entries()) near(setting, `${key} ${column} ${index}`, { actual: means[index] ?? Number.NaN, expected: each });
  }
}
