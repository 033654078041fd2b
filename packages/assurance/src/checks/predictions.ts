import { LicetError } from "@licet/contract";
import { type Answered, thresholdDefault } from "../performance/answered.ts";
import { castNumber, isMissing, numericColumn } from "../table/cast.ts";
import { rowsOf, type Rows } from "../subject/probe.ts";
import { completeOnly } from "../subject/complete-only.ts";
import type { ModelScores, TestedModel } from "../subject/tested-model.ts";
import type { Table } from "../table/table.ts";

/** What a check says about the columns that its model sees. */
export interface Seeing {
  /** Column with the answer, which a model must not see. */
  readonly target?: string | undefined;
  readonly features?: readonly string[] | undefined;
}

/** And about what its scores are of. */
export interface Classing extends Seeing {
  readonly check: string;
  readonly metric?: string | undefined;
  readonly positive?: string | number | undefined;
  readonly threshold?: number | undefined;
}

export type Asked = Pick<TestedModel, "width" | "score">;

export type Scored = Classing & { readonly target: string };

/** What a model answered to every row of a table. Rows without a true class, without a feature, or with a score that is no number have no score. */
export interface Predictions extends Answered {
  readonly attempted: number;
}

/**
 * Scores every row of a table. The positive class is `positive`, or class 1 of a model with one or two classes.
 * Throws `model_input_mismatch`, `model_output_unclear`, `table_column_missing`, `table_value_invalid`.
 */
export async function predict(model: Asked, table: Table, check: Scored): Promise<Predictions> {
  const targets = table.cells(check.target);
  const { scores, complete } = await scoreTable(model, table, check);
  const known = targets.map((target, row) => !isMissing(target) && complete[row] === true);
  const answers = answersOf(scores, { check, targets, known });
  requireKnownTargets(targets, scores);
  return { attempted: table.rows, ...answers };
}

/** Scores of every row; a row is complete when the model was given all of it. */
export async function scoreTable(model: Asked, table: Table, check: Seeing): Promise<{ readonly scores: ModelScores; readonly complete: readonly boolean[] }> {
  const columns = featureColumns(model, table, check);
  const features = new Float32Array(table.rows * columns.length);
  for (const [column, values] of columns.entries()) {
    for (const [row, value] of values.entries()) features[row * columns.length + column] = value;
  }
  const complete = Array.from({ length: table.rows }, (_, row) => columns.every((values) => Number.isFinite(values[row])));
  return { scores: await completeOnly(model.score)(rowsOf(columns.length, features)), complete };
}

/** The rows that a check asks about, as the model takes them, and the index of each row's true class: NaN where it has none. */
export async function rowsAndTargets(model: Asked, table: Table, check: Scored): Promise<{ readonly rows: Rows; readonly targets: Float64Array; readonly names: readonly string[] }> {
  const columns = featureColumns(model, table, check);
  const data = new Float32Array(table.rows * columns.length);
  for (const [column, values] of columns.entries()) {
    for (const [row, value] of values.entries()) data[row * columns.length + column] = value;
  }
  const { classes } = await model.score(rowsOf(columns.length, data.subarray(0, table.rows === 0 ? 0 : columns.length)));
  const labels = classes.map(label);
  const positive = label(String(check.positive ?? 1));
  const targets = Float64Array.from(table.cells(check.target), (cell) => {
    if (isMissing(cell)) return Number.NaN;
    if (labels.length === 1) return label(cell) === positive ? 1 : 0;
    const index = labels.indexOf(label(cell));
    return index < 0 ? Number.NaN : index;
  });
  return { rows: rowsOf(columns.length, data), targets, names: check.features ?? table.columns.filter((column) => column !== check.target) };
}

export function featureColumns(model: Pick<TestedModel, "width">, table: Table, check: Seeing): readonly Float64Array[] {
  const names = check.features ?? table.columns.filter((column) => column !== check.target);
  if (check.target !== undefined && names.includes(check.target)) {
    throw new LicetError("model_input_mismatch", { message: `\`features\` names the target \`${check.target}\`: a model must not see the answer` });
  }
  if (model.width !== undefined && model.width !== names.length) {
    throw new LicetError("model_input_mismatch", {
      message: `the model takes ${model.width} features and the check gives it ${names.length}: name the columns under \`features\` in the model's order`,
      at: { expected: model.width, found: names.length },
    });
  }
  return names.map((name) => numericColumn(table, name));
}

interface Reading {
  readonly check: Classing;
  readonly targets: readonly string[];
  /** Rows that have a true class and all features. */
  readonly known: readonly boolean[];
}

/** With one or two classes the positive one is answered from the threshold on; of more the one with the largest score. */
function answersOf({ classes, scores }: ModelScores, { check, targets, known }: Reading): Answered {
  const labels = classes.map(label);
  const width = labels.length;
  const index = positiveIndex(labels, check);
  const two = width <= 2;
  const positive = two ? 1 : index;
  const positiveLabel = width === 1 ? label(String(check.positive ?? 1)) : labels[index];
  const found = { scores: new Float64Array(targets.length).fill(Number.NaN), target: new Int32Array(targets.length).fill(-1), answer: new Int32Array(targets.length).fill(-1) };
  for (const [row, text] of targets.entries()) {
    const values = scores.subarray(row * width, (row + 1) * width);
    if (known[row] !== true || !values.every((value) => Number.isFinite(value))) continue;
    const score = values[index] ?? Number.NaN;
    const truth = label(text);
    found.scores[row] = score;
    found.target[row] = two ? Number(truth === positiveLabel) : labels.indexOf(truth);
    found.answer[row] = two ? Number(score >= (check.threshold ?? thresholdDefault)) : largest(values);
  }
  return { ...found, positive };
}

function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) if ((values[index] ?? -Infinity) > (values[best] ?? -Infinity)) best = index;
  return best;
}

export function positiveIndex(labels: readonly string[], check: Classing): number {
  if (labels.length === 1) return 0;
  if (check.positive === undefined) {
    if (labels.length === 2 || (check.check === "perf.metric" && check.metric === "accuracy")) return 1;
    throw unclear(`the model has ${labels.length} classes: name the positive one under \`positive\``, labels);
  }
  const index = labels.indexOf(label(String(check.positive)));
  if (index < 0) throw unclear(`the model has no class \`${check.positive}\`: correct \`positive\``, labels);
  return index;
}

/** A label that the model cannot answer with means that table and model do not belong together. */
function requireKnownTargets(targets: readonly string[], { classes }: ModelScores): void {
  const known = new Set(classes.map(label));
  const found = new Set<string>();
  for (const [row, target] of targets.entries()) {
    if (isMissing(target)) continue;
    found.add(label(target));
    const unknown = classes.length === 1 ? found.size > 2 : !known.has(label(target));
    if (!unknown) continue;
    throw new LicetError("table_value_invalid", {
      message: `row ${row + 1} of the target column holds a class that the model does not have: compare the labels`,
      at: { row: row + 1, classes: classes.slice(0, 50) },
    });
  }
}

/** `1`, `1.0` and `01` are one label; text stays as it is. */
export function label(text: string): string {
  const value = castNumber(text);
  return value === undefined ? text : String(value);
}

function unclear(message: string, classes: readonly string[]): LicetError {
  return new LicetError("model_output_unclear", { message, at: { classes: classes.slice(0, 50) } });
}
