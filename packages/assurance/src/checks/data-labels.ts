import { LicetError, type DataCheck } from "@licet/contract";
import { z } from "zod";
import { confidentJoint, type LabelledProbabilities } from "../data/confident-joint.ts";
import { findLabelIssues } from "../data/label-issues.ts";
import { type AdjudicatedStratum, decideLabelNoise, planAdjudication } from "../data/label-noise.ts";
import { selfConfidence } from "../data/label-quality.ts";
import { fromColumns, takeRows } from "../linear/matrix.ts";
import { isMissing, numericColumn } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import { round12 } from "../verdict/round.ts";
import { settle } from "../verdict/settle.ts";
import { inputOf, tableSubject } from "./loaded.ts";
import { count } from "./model-figures.ts";
import { label } from "./predictions.ts";
import { statisticsCheck } from "./statistics.ts";

type LabelNoise = Extract<DataCheck, { check: "data.labels.noise" }>;

interface Stratum extends AdjudicatedStratum {
  readonly name: string;
}

interface Judged {
  /** Rows of the sample, and those that somebody judged. */
  readonly attempted: number;
  readonly assessed: number;
  readonly strata: readonly Stratum[];
}

const strataMax = 100;
const answers: ReadonlyMap<string, boolean> = new Map([["1", true], ["true", true], ["yes", true], ["0", false], ["false", false], ["no", false]]);

/** A row that nobody judged has an empty cell under `wrong`. */
function countJudged(sample: Table, sizes: ReadonlyMap<string, number>): Judged {
  const found = new Map([...sizes].map(([name, size]) => [name, { name, size, judged: 0, wrong: 0 }]));
  const wrong = sample.cells("wrong");
  let assessed = 0;
  for (const [row, name] of sample.cells("stratum").entries()) {
    const stratum = found.get(name);
    if (stratum === undefined) throw invalid(row, `is of the stratum \`${name.slice(0, 200)}\`, which is not declared: give its rows under \`strata\``);
    const cell = wrong[row] ?? "";
    if (isMissing(cell)) continue;
    const answer = answers.get(cell.toLowerCase());
    if (answer === undefined) throw invalid(row, `holds \`${cell.slice(0, 200)}\` under \`wrong\`: write 1 or 0, or nothing where nobody judged it`);
    stratum.judged += 1;
    stratum.wrong += answer ? 1 : 0;
    assessed += 1;
  }
  return { attempted: sample.rows, assessed, strata: [...found.values()] };
}

function invalid(row: number, what: string): LicetError {
  return new LicetError("table_value_invalid", { message: `row ${row + 1} of the sample ${what}`, at: { row: row + 1 } });
}

/** Sizes that do not add up to the data set would weight the strata wrongly. */
function sizesOf({ strata, dataset }: LabelNoise, rows: number, sample: Table): ReadonlyMap<string, number> {
  if (strata === undefined) return new Map([[sample.cells("stratum")[0] ?? "all", rows]]);
  const sizes = new Map(Object.entries(strata));
  const sum = [...sizes.values()].reduce((all, size) => all + size, 0);
  if (sum === rows) return sizes;
  throw new LicetError("table_value_invalid", { message: `the strata hold ${sum} rows and \`${dataset}\` has ${rows}: correct their sizes under \`strata\``, at: { component: dataset } });
}

const labelNoise = statisticsCheck<LabelNoise, Judged>({
  check: "data.labels.noise",
  version: "1",
  op: "<=",
  exact: true,
  unit: "share of wrong labels",
  figures: z.object({ attempted: count, assessed: count, strata: z.array(z.object({ name: z.string().max(200), size: count, judged: count, wrong: count })).max(strataMax) }),
  limitValue: ({ max }) => max,
  components: ({ dataset, sample }) => [dataset, sample],
  measure: async (check, files) => {
    const [labelled, sample] = [await files.table(check.dataset), await files.table(check.sample)];
    const figures = countJudged(sample.content, sizesOf(check, labelled.content.rows, sample.content));
    const { attempted, assessed } = figures;
    return {
      subject: tableSubject(labelled),
      inputs: [inputOf("test", labelled), inputOf("judge_labels", sample)],
      counts: { attempted, assessed, unassessed: attempted - assessed },
      figures,
      notes: figures.strata.map(({ name, size, judged, wrong }) => `stratum \`${name}\`: ${wrong} of ${judged} judged labels are wrong, of ${size} rows`),
    };
  },
  decide: (figures, limit) => settle(decideLabelNoise(figures, limit), figures),
});

type LabelSuspects = Extract<DataCheck, { check: "data.labels.suspects" }>;

const sampleMax = 10_000;
const drawn = z.array(count).max(sampleMax);
const suspectFigures = z.object({ attempted: count, assessed: count, noiseRate: z.number().nullable(), suspects: count, rest: count, drawnSuspects: drawn, drawnRest: drawn });

const labelSuspects = statisticsCheck<LabelSuspects, z.infer<typeof suspectFigures>>({
  check: "data.labels.suspects",
  version: "1",
  op: "<=",
  unit: "labels to look at",
  figures: suspectFigures,
  limitValue: () => 0,
  components: ({ dataset }) => [dataset],
  measure: async (check, files, { seed }) => {
    const table = await files.table(check.dataset);
    const { data, rows } = labelledProbabilities(check, table.content);
    const plan = rows.length === 0 ? { suspects: 0, rest: 0, drawnSuspects: [], drawnRest: [] } : planAdjudication(data, { size: check.sample, seed });
    const placed = (places: readonly number[]) => places.map((place) => rows[place] ?? 0);
    const counts = { attempted: table.content.rows, assessed: rows.length, unassessed: table.content.rows - rows.length };
    const noiseRate = rows.length === 0 ? null : round12(confidentJoint(data).noiseRate);
    const figures = { attempted: counts.attempted, assessed: counts.assessed, noiseRate, suspects: plan.suspects, rest: plan.rest, drawnSuspects: placed(plan.drawnSuspects), drawnRest: placed(plan.drawnRest) };
    return { subject: tableSubject(table), inputs: [inputOf("test", table)], counts, figures, notes: rows.length === 0 ? [] : suspectNotes(figures, placed(worstFirst(data))) };
  },
  // A list of rows to look at is no evidence for or against anything.
  decide: ({ suspects }) => ({ estimate: suspects, interval: null, verdict: "insufficient_evidence", reason: "advisory" }),
});

/** Rows with a label and all probabilities, and where they stand. Throws `table_value_invalid` for a label without a column. */
function labelledProbabilities({ label: column, probabilities }: LabelSuspects, table: Table): { readonly data: LabelledProbabilities; readonly rows: readonly number[] } {
  const classes = Object.keys(probabilities).map(label);
  const columns = Object.values(probabilities).map((name) => {
    const values = numericColumn(table, name);
    const wrong = values.findIndex((value) => value < 0 || value > 1);
    if (wrong >= 0) throw new LicetError("table_value_invalid", { message: `row ${wrong + 1} of \`${name}\` is no probability`, at: { row: wrong + 1, column: name } });
    return values;
  });
  const cells = table.cells(column);
  const wrong = cells.findIndex((cell) => !isMissing(cell) && !classes.includes(label(cell)));
  if (wrong >= 0) throw new LicetError("table_value_invalid", { message: `row ${wrong + 1} has the label \`${(cells[wrong] ?? "").slice(0, 200)}\`, for which no column of probabilities is named: name it under \`probabilities\``, at: { row: wrong + 1, column } });
  const rows = [...cells.keys()].filter((row) => !isMissing(cells[row] ?? "") && columns.every((values) => Number.isFinite(values[row])));
  return { data: { labels: Uint32Array.from(rows, (row) => classes.indexOf(label(cells[row] ?? ""))), probabilities: takeRows(fromColumns(columns), Uint32Array.from(rows)) }, rows };
}

const namedMax = 10;

/** The suspect rows that are least of their label. */
function worstFirst(data: LabelledProbabilities): readonly number[] {
  const confidence = selfConfidence(data);
  return findLabelIssues(data, "prune_by_noise_rate").toSorted((a, b) => (confidence[a] ?? 0) - (confidence[b] ?? 0)).slice(0, namedMax);
}

function suspectNotes({ assessed, suspects, rest, drawnSuspects, drawnRest }: z.infer<typeof suspectFigures>, worst: readonly number[]): readonly string[] {
  const list = (rows: readonly number[]) => rows.map((row) => row + 1).join(", ");
  const judged = `judge ${drawnSuspects.length} rows of the stratum \`suspect\` and ${drawnRest.length} of \`rest\`, as the record lists them (from 0), and declare \`strata: { suspect: ${suspects}, rest: ${rest} }\` in \`data.labels.noise\``;
  return [`${suspects} of ${assessed} labels are suspect`, ...(worst.length === 0 ? [] : [`look first at rows ${list(worst)}`]), judged];
}

export const dataLabelChecks = [labelNoise, labelSuspects] as const;
