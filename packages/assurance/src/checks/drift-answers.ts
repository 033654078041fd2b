import { LicetError, type DriftCheck } from "@licet/contract";
import { z } from "zod";
import type { CategoryCounts } from "../drift/categorical.ts";
import { decideLabelShift, type LabelShiftStatistics, measureLabelShift } from "../drift/label-shift.ts";
import type { NumericPair } from "../drift/numeric.ts";
import { decidePredictionDrift, measurePredictionDrift, type Predictions, type PredictionDriftStatistics } from "../drift/prediction.ts";
import type { TestedModel } from "../subject/tested-model.ts";
import { type Assessed, settle } from "../verdict/settle.ts";
import { isMissing } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import { categoricalFigures, measuredOn, numericFigures, type Pair, pairOf } from "./drift.ts";
import { modelSubject } from "./loaded.ts";
import { count } from "./model-figures.ts";
import { type Classing, label, positiveIndex, scoreTable } from "./predictions.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends DriftCheck["check"]> = Extract<DriftCheck, { check: Id }>;
type AnswerCheck = Of<"drift.prediction"> | Of<"drift.label">;

const components = ({ model, dataset, reference }: AnswerCheck) => [model, dataset, reference];

/** The features of both sides are those of the reference, in its order. */
function seen(check: AnswerCheck, { reference }: Pair): Classing {
  return { ...check, features: check.features ?? reference.content.columns.filter((column) => column !== check.target) };
}

/** What a model says of every row. */
interface Answers {
  readonly classes: readonly string[];
  /** The model scores one class: every other answer is the opposite. */
  readonly single: boolean;
  /** By class over all rows: NaN where the row was not assessed. One column for two classes, since the other is its mirror. */
  readonly scores: readonly NumericPair["current"][];
  readonly scored: readonly string[];
  /** Index of the class that is answered, -1 where the row was not assessed. */
  readonly answers: Int32Array;
  readonly assessed: number;
}

async function answersOf(model: TestedModel, table: Table, check: Classing): Promise<Answers> {
  const { scores: { classes: named, scores }, complete } = await scoreTable(model, table, check);
  const labels = named.map(label);
  const width = labels.length;
  const usable = complete.map((whole, row) => whole && scores.subarray(row * width, (row + 1) * width).every(Number.isFinite));
  const column = (index: number) => Float64Array.from(usable, (known, row) => (known ? (scores[row * width + index] ?? Number.NaN) : Number.NaN));
  const assessed = usable.filter(Boolean).length;
  if (width > 2) {
    const columns = labels.map((_, index) => column(index));
    const answers = Int32Array.from(usable, (known, row) => (known ? largest(scores.subarray(row * width, (row + 1) * width)) : -1));
    return { classes: labels, single: false, scores: columns, scored: labels.map((each) => `score of ${each}`), answers, assessed };
  }
  const index = positiveIndex(labels, check);
  const positive = column(index);
  const answers = Int32Array.from(positive, (score) => (Number.isNaN(score) ? -1 : Number(score >= (check.threshold ?? 0.5))));
  const name = width === 1 ? label(String(check.positive ?? 1)) : (labels[index] ?? "");
  return { classes: [width === 1 ? `not ${name}` : (labels[1 - index] ?? ""), name], single: width === 1, scores: [positive], scored: [`score of ${name}`], answers, assessed };
}

function largest(values: Float32Array | Float64Array): number {
  let best = 0;
  for (const [index, value] of values.entries()) if (value > (values[best] ?? Infinity)) best = index;
  return best;
}

interface Sides {
  readonly reference: Assessed;
  readonly current: Assessed;
}

const assessedRows = z.object({ attempted: count, assessed: count });
const sidesForm = z.object({ reference: assessedRows, current: assessedRows });

function sidesOf(before: Answers, now: Answers): Sides {
  return { reference: { attempted: before.answers.length, assessed: before.assessed }, current: { attempted: now.answers.length, assessed: now.assessed } };
}

async function answersOn(check: AnswerCheck, files: Parameters<typeof pairOf>[1]) {
  const pair = await pairOf(check, files);
  const model = await files.model(check.model);
  const options = seen(check, pair);
  const before = await answersOf(model, pair.reference.content, options);
  const now = await answersOf(model, pair.current.content, options);
  const { inputs } = measuredOn(pair);
  const rows = sidesOf(before, now);
  const { attempted, assessed } = rows.current;
  const found = { subject: modelSubject(model), inputs, queries: attempted + rows.reference.attempted, counts: { attempted, assessed, unassessed: attempted - assessed } };
  return { pair, before, now, rows, found };
}

const of = z.union([z.object({ kind: z.literal("drift.numeric"), ...numericFigures.shape }), z.object({ kind: z.literal("drift.categorical"), ...categoricalFigures.shape })]);
type DriftOf = PredictionDriftStatistics["of"];

const predictionDrift = statisticsCheck<Of<"drift.prediction">, { readonly rows: Sides; readonly of: z.infer<typeof of> }>({
  check: "drift.prediction",
  version: "2",
  op: "<=",
  unit: "distance between the model's answers",
  figures: z.object({ rows: sidesForm, of }),
  limitValue: ({ max, of: compared }) => max ?? (compared === "scores" ? 0.2 : 0.1),
  components,
  measure: async (check, files, { seed }) => {
    const { before, now, rows, found } = await answersOn(check, files);
    const compared: Predictions = check.of === "scores" ? { kind: "scores", scores: scorePairs(before, now) } : { kind: "classes", classes: classCounts(before, now) };
    const { of: measured, notes } = measurePredictionDrift(compared, { seed });
    return { ...found, figures: { rows, of: of.parse(measured) }, notes };
  },
  decide: (figures, limit) => {
    const measured: DriftOf = { ...figures.of, notes: [] };
    return settle(settle(decidePredictionDrift({ of: measured }, limit), figures.rows.reference), figures.rows.current);
  },
});

function scorePairs(before: Answers, now: Answers): readonly NumericPair[] {
  return now.scores.map((current, index) => ({ name: now.scored[index] ?? "", reference: before.scores[index] ?? new Float64Array(), current }));
}

function classCounts(before: Answers, now: Answers): CategoryCounts {
  const counted = ({ classes, answers }: Answers) => classes.map((_, index) => answers.filter((answer) => answer === index).length);
  const missing = ({ answers, assessed }: Answers) => answers.length - assessed;
  return { name: "answers", categories: now.classes, reference: counted(before), current: counted(now), missing: { reference: missing(before), current: missing(now) } };
}

const classesMax = 100;
const counts = z.array(count).max(classesMax);

const labelShift = statisticsCheck<Of<"drift.label">, Omit<LabelShiftStatistics, "kind" | "notes"> & { readonly rows: Sides }>({
  check: "drift.label",
  version: "1",
  op: "<=",
  exact: true,
  unit: "total variation between class shares",
  figures: z.object({ rows: sidesForm, classes: z.array(z.string().max(500)).max(classesMax), confusion: z.array(counts).max(classesMax), answers: counts })
    .refine(({ confusion, answers }) => confusion.length === answers.length && confusion.every((line) => line.length === answers.length), { error: "the confusion is not square" }),
  limitValue: ({ max }) => max,
  components,
  measure: async (check, files) => {
    const { pair, before, now, rows, found } = await answersOn(check, files);
    if (now.classes.length > classesMax) throw new LicetError("model_unsupported", { message: `the model has ${now.classes.length} classes: their shares are estimated up to ${classesMax}` });
    const labels = labelsOf(pair.reference.content.cells(check.target), before);
    const known = [...labels.keys()].filter((row) => (labels[row] ?? -1) >= 0 && (before.answers[row] ?? -1) >= 0);
    const { kind: _, notes, ...figures } = measureLabelShift({
      classes: now.classes,
      referenceLabels: Uint32Array.from(known, (row) => labels[row] ?? 0),
      referenceAnswers: Uint32Array.from(known, (row) => before.answers[row] ?? 0),
      currentAnswers: Uint32Array.from(now.answers.filter((answer) => answer >= 0)),
    });
    return { ...found, figures: { ...figures, rows: { ...rows, reference: { attempted: rows.reference.attempted, assessed: known.length } } }, notes };
  },
  decide: ({ rows, ...figures }, limit) => settle(settle(decideLabelShift(figures, limit), rows.reference), rows.current),
});

/** -1 for a row without an answer. */
function labelsOf(cells: readonly string[], { classes, single }: Answers): Int32Array {
  const others = new Set<string>();
  return Int32Array.from(cells, (cell, row) => {
    if (isMissing(cell)) return -1;
    const index = classes.indexOf(label(cell));
    if (index >= 0) return index;
    others.add(label(cell));
    if (single && others.size === 1) return 0;
    throw new LicetError("table_value_invalid", { message: `row ${row + 1} of the target column holds a class that the model does not have: compare the labels`, at: { row: row + 1, classes: classes.slice(0, 50) } });
  });
}

export const answerDriftChecks = [predictionDrift, labelShift] as const;
