import { LicetError } from "@licet/contract";
import type { ClassScores, Model } from "../onnx/model.ts";
import { castNumber, isMissing, numericColumn } from "../table/cast.ts";
import { rowsOf, type Rows } from "../subject/probe.ts";
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

type Scored = Classing & { readonly target: string };

/** One row that could be scored and has a true class. */
export interface Prediction {
  /** Row of the table, from 0. */
  readonly row: number;
  /** True class and answered class, as labels. */
  readonly target: string;
  readonly answer: string;
  readonly actual: boolean;
  readonly predicted: boolean;
  /** The predicted class is the true one, of however many. */
  readonly correct: boolean;
  /** Score of the positive class. */
  readonly score: number;
}

export interface Predictions {
  readonly attempted: number;
  /** Rows left out have no true class, a missing feature, or a score that is no number. */
  readonly assessed: readonly Prediction[];
}

/** The same as columns over all rows: NaN is the score of a row that was not assessed. */
export function scoredColumns({ assessed, attempted }: Predictions): { readonly positive: Uint8Array; readonly scores: Float64Array } {
  const positive = new Uint8Array(attempted);
  const scores = new Float64Array(attempted).fill(Number.NaN);
  for (const { row, actual, score } of assessed) {
    positive[row] = actual ? 1 : 0;
    scores[row] = score;
  }
  return { positive, scores };
}

/** Of all rows whether the answer was right: 1, 0, or 255 without an answer. */
export function rightRows({ assessed, attempted }: Predictions): Uint8Array {
  const right = new Uint8Array(attempted).fill(255);
  for (const { row, correct } of assessed) right[row] = correct ? 1 : 0;
  return right;
}

/**
 * Scores every row of a table. The positive class is `positive`, or class 1 of a model with one or two classes.
 * Throws `model_input_mismatch`, `model_output_unclear`, `table_column_missing`, `table_value_invalid`.
 */
export function predict(model: Model, table: Table, check: Scored): Predictions {
  const targets = table.cells(check.target);
  const { scores, complete } = scoreTable(model, table, check);
  const reader = readerFor(scores, check);
  const assessed = targets.flatMap((target, row) => {
    if (isMissing(target) || complete[row] !== true) return [];
    const prediction = reader(row, label(target));
    return prediction === undefined ? [] : [prediction];
  });
  requireKnownTargets(targets, scores);
  return { attempted: table.rows, assessed };
}

/** Scores of every row; a row is complete when the model was given all of it. */
export function scoreTable(model: Model, table: Table, check: Seeing): { readonly scores: ClassScores; readonly complete: readonly boolean[] } {
  const columns = featureColumns(model, table, check);
  const features = new Float32Array(table.rows * columns.length);
  for (const [column, values] of columns.entries()) {
    for (const [row, value] of values.entries()) features[row * columns.length + column] = value;
  }
  const complete = Array.from({ length: table.rows }, (_, row) => columns.every((values) => Number.isFinite(values[row])));
  return { scores: model.score(features, table.rows), complete };
}

/** The rows that a check asks about, as the model takes them, and the index of each row's true class: NaN where it has none. */
export function rowsAndTargets(model: Model, table: Table, check: Scored): { readonly rows: Rows; readonly targets: Float64Array; readonly names: readonly string[] } {
  const columns = featureColumns(model, table, check);
  const data = new Float32Array(table.rows * columns.length);
  for (const [column, values] of columns.entries()) {
    for (const [row, value] of values.entries()) data[row * columns.length + column] = value;
  }
  const { classes } = model.score(data.subarray(0, columns.length), Math.min(1, table.rows));
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

export function featureColumns(model: Model, table: Table, check: Seeing): readonly Float64Array[] {
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

type RowReader = (row: number, target: string) => Prediction | undefined;

function readerFor({ classes, scores }: ClassScores, check: Classing): RowReader {
  const labels = classes.map(label);
  const width = labels.length;
  const positive = positiveIndex(labels, check);
  const positiveLabel = width === 1 ? label(String(check.positive ?? 1)) : labels[positive];
  const threshold = check.threshold ?? 0.5;
  return (row, target) => {
    const values = scores.subarray(row * width, (row + 1) * width);
    const score = values[positive] ?? Number.NaN;
    if (!values.every((value) => Number.isFinite(value))) return undefined;
    const actual = target === positiveLabel;
    if (width <= 2) {
      const predicted = score >= threshold;
      return { row, target, answer: predicted ? "positive" : "negative", actual, predicted, correct: predicted === actual, score };
    }
    const best = values.reduce((winner, value, index) => (value > (values[winner] ?? Infinity) ? index : winner), 0);
    const answer = labels[best] ?? "";
    return { row, target, answer, actual, predicted: best === positive, correct: answer === target, score };
  };
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
function requireKnownTargets(targets: readonly string[], { classes }: ClassScores): void {
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
