import { LicetError, type ModelCheck } from "@licet/contract";
import { z } from "zod";
import { attributeGuesses, type AttributeStatistics, type ClassSubject, decideAttribute } from "../privacy/attribute.ts";
import { answeredClasses, decideExtraction, extractionFrom, type ExtractionStatistics } from "../privacy/extraction.ts";
import { permutation, randomFrom } from "../stats/random.ts";
import { type Rows, rowsOf } from "../subject/probe.ts";
import { completeOnly } from "../subject/complete-only.ts";
import type { ModelScores, TestedModel } from "../subject/tested-model.ts";
import { numericColumn } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import { countsOf } from "../verdict/settle.ts";
import { isOneClass } from "./hollow.ts";
import { inputOf, modelSubject } from "./loaded.ts";
import { count, evidence } from "./model-figures.ts";
import { featureColumns, rowsAndTargets, type Seeing } from "./predictions.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends ModelCheck["check"]> = Extract<ModelCheck, { check: Id }>;
type Score = TestedModel["score"];

const extraction = statisticsCheck<Of<"privacy.extraction">, Omit<ExtractionStatistics, "notes">>({
  check: "privacy.extraction",
  version: "1",
  op: "<=",
  unit: "share of unseen rows that a copy answers like the model",
  figures: z.object({ ...evidence, queries: count, surrogate: z.enum(["softmax", "nearest"]), events: count, n: count, commonest: count }),
  limitValue: ({ max }) => max,
  components: ({ model, dataset, attacker }) => [model, dataset, attacker],
  measure: async (check, files, { seed }) => {
    const [test, theirs, model] = [await files.table(check.dataset), await files.table(check.attacker), await files.model(check.model)];
    const seeing = { target: check.target, features: check.features ?? test.content.columns.filter((column) => column !== check.target) };
    const queries = drawnRows(featuresOf(model, theirs.content, seeing), { seed: `${seed}/queries`, rowsMax: check.queries });
    const sent = new Set(queries.map(bitsOf));
    // What was asked already is no unseen row.
    const holdout = drawnRows(featuresOf(model, test.content, seeing).filter((row) => !sent.has(bitsOf(row))), { seed: `${seed}/rows`, rowsMax: check.rows });
    const score = completeOnly(model.score);
    const answers = { queries: await classesOf(score, queries), holdout: await classesOf(score, holdout) };
    const { notes, ...figures } = extractionFrom({ queries, holdout }, answers);
    return { subject: modelSubject(model), inputs: [inputOf("test", test), inputOf("reference", theirs)], figures, counts: countsOf(figures), notes, queries: model.sent() };
  },
  decide: (figures, limit) => decideExtraction({ ...figures, notes: [] }, limit),
});

function featuresOf(model: TestedModel, table: Table, seeing: Seeing): readonly Float32Array[] {
  const columns = featureColumns(model, table, seeing);
  return Array.from({ length: table.rows }, (_, row) => Float32Array.from(columns, (values) => values[row] ?? Number.NaN)).filter((row) => row.every(Number.isFinite));
}

function bitsOf(row: Float32Array): string {
  return Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString("latin1");
}

function drawnRows(rows: readonly Float32Array[], { seed, rowsMax }: { readonly seed: string; readonly rowsMax: number }): readonly Float32Array[] {
  return Array.from(permutation(randomFrom(seed), rows.length).subarray(0, rowsMax).toSorted(), (at) => rows[at] ?? new Float32Array(0));
}

function packed(rows: readonly Float32Array[]): Rows {
  const columns = rows[0]?.length ?? 0;
  const data = new Float32Array(rows.length * columns);
  for (const [place, row] of rows.entries()) data.set(row, place * columns);
  return rowsOf(columns, data);
}

async function classesOf(score: Score, rows: readonly Float32Array[]): Promise<readonly number[]> {
  if (rows.length === 0) return [];
  const { scores, columns } = await score(packed(rows));
  return answeredClasses({ scores, classes: columns }, rows.length);
}

const valuesMax = 100;

const attribute = statisticsCheck<Of<"privacy.attribute">, Omit<AttributeStatistics, "notes">>({
  check: "privacy.attribute",
  version: "2",
  op: "<=",
  unit: "how much more often the answers tell the attribute than its commonest value",
  figures: z.object({ ...evidence, n: count, onlyAttack: count, onlyBase: count, bothRight: count }),
  limitValue: ({ max }) => max,
  components: ({ model, dataset }) => [model, dataset],
  measure: async (check, files, { seed }) => {
    const [test, model] = [await files.table(check.dataset), await files.model(check.model)];
    const { rows: all, targets, names } = await rowsAndTargets(model, test.content, check);
    const feature = names.indexOf(check.attribute);
    if (feature < 0) throw new LicetError("table_column_missing", { message: `the model takes no feature \`${check.attribute}\`: correct the name under \`attribute\``, at: { column: check.attribute } });
    const values = check.values ?? valuesIn(numericColumn(test.content, check.attribute), check.attribute);
    const kept = permutation(randomFrom(`${seed}/rows`), all.rows).subarray(0, check.rows).toSorted();
    // A row without a true class tells the attacker nothing: it is asked about no value, and counted as unassessed.
    const rows = Array.from(kept, (row) => {
      const features = all.data.slice(row * all.columns, (row + 1) * all.columns);
      return Number.isNaN(targets[row] ?? Number.NaN) ? features.with(feature, Number.NaN) : features;
    });
    const asking = attributeGuesses(rows, { feature, values, truth: Uint32Array.from(kept, (row) => targets[row] ?? 0) });
    const score = completeOnly(model.score);
    let step = asking.next();
    while (step.done !== true) step = asking.next(probabilitiesOf(await score(packed(step.value))));
    const { notes, ...figures } = step.value;
    return { subject: modelSubject(model), inputs: [inputOf("test", test)], figures, counts: countsOf(figures), notes, queries: model.sent(), oneClass: isOneClass(targets) };
  },
  decide: (figures, limit) => decideAttribute({ ...figures, notes: [] }, limit),
});

function valuesIn(cells: Float64Array, column: string): readonly number[] {
  const found = [...new Set(cells.filter(Number.isFinite))].toSorted((a, b) => a - b);
  if (found.length >= 2 && found.length <= valuesMax) return found;
  throw new LicetError("table_value_invalid", { message: `\`${column}\` has ${found.length} different values: an attribute has 2 to ${valuesMax}, or name them under \`values\``, at: { column, values: found.length } });
}

/** One score is that of the positive class: the other class has the rest. */
function probabilitiesOf({ scores, columns }: ModelScores): ReturnType<ClassSubject> {
  if (scores.some((score) => score < 0 || score > 1)) throw new LicetError("model_output_unclear", { message: "the model's scores lie outside 0 to 1: what they tell of an attribute is read from probabilities" });
  if (columns !== 1) return { scores, classes: columns };
  return { scores: Float64Array.from({ length: scores.length * 2 }, (_, at) => (at % 2 === 0 ? 1 - (scores[at >> 1] ?? Number.NaN) : (scores[at >> 1] ?? Number.NaN))), classes: 2 };
}

export const privacyAnswerChecks = [extraction, attribute] as const;
