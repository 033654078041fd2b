import { LicetError, type AssuranceCheck } from "@licet/contract";
import type { ClassScores, Model } from "../onnx/model.ts";
import { castNumber, isMissing, numericColumn } from "../table/cast.ts";
import type { Table } from "../table/table.ts";

type Scored = Extract<AssuranceCheck, { model: string }>;

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

/**
 * Scores every row of a table. The positive class is `positive`, or class 1 of a model with one or two classes.
 * Throws `model_input_mismatch`, `model_output_unclear`, `table_column_missing`, `table_value_invalid`.
 */
export function predict(model: Model, table: Table, check: Scored): Predictions {
  const targets = table.cells(check.target);
  const columns = featureColumns(model, table, check);
  const features = new Float32Array(table.rows * columns.length);
  for (const [column, values] of columns.entries()) {
    for (const [row, value] of values.entries()) features[row * columns.length + column] = value;
  }
  const complete = Array.from({ length: table.rows }, (_, row) => columns.every((values) => Number.isFinite(values[row])));
  const scores = model.score(features, table.rows);
  const reader = readerFor(scores, check);
  const assessed = targets.flatMap((target, row) => {
    if (isMissing(target) || complete[row] !== true) return [];
    const prediction = reader(row, label(target));
    return prediction === undefined ? [] : [prediction];
  });
  requireKnownTargets(targets, scores);
  return { attempted: table.rows, assessed };
}

function featureColumns(model: Model, table: Table, check: Scored): readonly Float64Array[] {
  const names = check.features ?? table.columns.filter((column) => column !== check.target);
  if (names.includes(check.target)) {
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

function readerFor({ classes, scores }: ClassScores, check: Scored): RowReader {
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

function positiveIndex(labels: readonly string[], check: Scored): number {
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
function label(text: string): string {
  const value = castNumber(text);
  return value === undefined ? text : String(value);
}

function unclear(message: string, classes: readonly string[]): LicetError {
  return new LicetError("model_output_unclear", { message, at: { classes: classes.slice(0, 50) } });
}
