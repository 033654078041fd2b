import { type CheckResult, LicetError, type PoisonCheck } from "@licet/contract";
import { z } from "zod";
import { fromColumns, type Matrix, scalingOf, takeRows } from "../linear/matrix.ts";
import { measureActivationClusters } from "../poison/activation-clustering.ts";
import { measureNeighbourLabels } from "../poison/neighbour-labels.ts";
import { measureSpectral } from "../poison/spectral-signature.ts";
import { permutation, randomFrom } from "../stats/random.ts";
import type { Components } from "../suite/component.ts";
import { isMissing, numericColumn } from "../table/cast.ts";
import type { Outcome } from "../verdict/outcome.ts";
import { columnKinds } from "./column-kinds.ts";
import { inputOf, tableSubject } from "./loaded.ts";
import { count } from "./model-figures.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends PoisonCheck["check"]> = Extract<PoisonCheck, { check: Id }>;

interface Looked {
  readonly data: Matrix;
  readonly labels: readonly string[];
  /** Row of the table, from 0, for each row of the matrix. */
  readonly rows: Uint32Array;
  readonly base: Pick<CheckResult, "subject" | "inputs" | "counts">;
}

const classesMax = 100;
const listedMax = 100;
const named = z.string().max(500);
const listed = z.array(count).max(listedMax);
const figure = z.number().nullable();

/** Rows with a label and all columns, drawn where there are too many. */
async function lookedAt(check: PoisonCheck, files: Components, seed: string): Promise<Looked> {
  const table = await files.table(check.dataset);
  const { content } = table;
  const names = check.columns ?? columnKinds(content).numeric.filter((column) => column !== check.label);
  if (names.length === 0) throw new LicetError("table_column_missing", { message: `\`${check.dataset}\` has no column of numbers beside the label: name activations or features under \`columns\``, at: { component: check.dataset } });
  if (names.includes(check.label)) throw new LicetError("table_value_invalid", { message: `\`columns\` names the label \`${check.label}\`: rows would be told by it`, at: { column: check.label } });
  const cells = content.cells(check.label);
  const columns = names.map((name) => numericColumn(content, name));
  const usable = Array.from({ length: content.rows }, (_, row) => row).filter((row) => !isMissing(cells[row] ?? "") && columns.every((values) => Number.isFinite(values[row])));
  const drawn = permutation(randomFrom(`${seed}/rows`), usable.length).subarray(0, check.rows).toSorted();
  const rows = Uint32Array.from(drawn, (at) => usable[at] ?? 0);
  const labels = Array.from(rows, (row) => cells[row] ?? "");
  const classes = new Set(labels).size;
  if (classes > classesMax) throw new LicetError("table_value_invalid", { message: `\`${check.label}\` has ${classes} classes: at most ${classesMax} are looked at`, at: { column: check.label } });
  const data = takeRows(fromColumns(columns), rows);
  const counts = { attempted: content.rows, assessed: usable.length, unassessed: content.rows - usable.length };
  return { data: check.scaled ? scaled(data) : data, labels, rows, base: { subject: tableSubject(table), inputs: [inputOf("train", table)], counts } };
}

function scaled(data: Matrix): Matrix {
  const { mean, deviation } = scalingOf(data);
  return { ...data, values: data.values.map((value, at) => (value - (mean[at % data.columns] ?? 0)) / (deviation[at % data.columns] ?? 1)) };
}

/** Whatever was found: a list of rows to look at is no evidence for or against anything. */
function advisory(suspects: number): Outcome {
  return { estimate: suspects, interval: null, verdict: "insufficient_evidence", reason: "advisory" };
}

function lookFirst(where: string, rows: readonly number[]): string {
  return `${where}: look first at rows ${rows.slice(0, 10).map((row) => row + 1).join(", ")}`;
}

const common = { version: "1", op: "<=", unit: "rows to look at", limitValue: () => 0, components: ({ dataset }: PoisonCheck) => [dataset] } as const;

interface Spectral {
  readonly classes: readonly { readonly label: string; readonly n: number; readonly dominance: number | null; readonly suspects: readonly number[] }[];
}

const spectral = statisticsCheck<Of<"data.poison.spectral">, Spectral>({
  ...common,
  check: "data.poison.spectral",
  figures: z.object({ classes: z.array(z.object({ label: named, n: count, dominance: figure, suspects: listed })).max(classesMax) }),
  measure: async (check, files, { seed }) => {
    const { data, labels, rows, base } = await lookedAt(check, files, seed);
    const measured = measureSpectral(data, labels, { expectedShare: check.expectedShare });
    const classes = measured.classes.map((each) => ({ ...each, suspects: each.suspects.slice(0, listedMax).map((row) => rows[row] ?? 0) }));
    return { ...base, figures: { classes }, notes: classes.filter(({ suspects }) => suspects.length > 0).map(({ label, suspects }) => lookFirst(`class \`${label}\``, suspects)) };
  },
  decide: ({ classes }) => advisory(classes.reduce((sum, { suspects }) => sum + suspects.length, 0)),
});

interface Clusters {
  readonly classes: readonly { readonly label: string; readonly n: number; readonly smallerShare: number | null; readonly silhouette: number | null; readonly smaller: readonly number[] }[];
}

/** Chen et al. look at classes whose smaller cluster holds less than this, well apart. */
const suspectShareMax = 0.35;
const silhouetteMin = 0.25;

const isSuspect = ({ smallerShare, silhouette }: Clusters["classes"][number]) => smallerShare !== null && smallerShare < suspectShareMax && (silhouette ?? 0) >= silhouetteMin;

const clusters = statisticsCheck<Of<"data.poison.clusters">, Clusters>({
  ...common,
  check: "data.poison.clusters",
  figures: z.object({ classes: z.array(z.object({ label: named, n: count, smallerShare: figure, silhouette: figure, smaller: listed })).max(classesMax) }),
  measure: async (check, files, { seed }) => {
    const { data, labels, rows, base } = await lookedAt(check, files, seed);
    const classes = measureActivationClusters(data, labels, { seed }).classes.map((each) => ({ ...each, smaller: each.smaller.slice(0, listedMax).map((row) => rows[row] ?? 0) }));
    return { ...base, figures: { classes }, notes: classes.filter(isSuspect).map(({ label, smaller }) => lookFirst(`class \`${label}\` falls into two clusters`, smaller)) };
  },
  decide: ({ classes }) => advisory(classes.filter(isSuspect).reduce((sum, { smaller }) => sum + smaller.length, 0)),
});

interface Neighbours {
  readonly rows: number;
  readonly neighbours: number;
  readonly mean: number | null;
  readonly suspects: readonly number[];
}

const neighbours = statisticsCheck<Of<"data.poison.neighbours">, Neighbours>({
  ...common,
  check: "data.poison.neighbours",
  figures: z.object({ rows: count, neighbours: count, mean: figure, suspects: listed }),
  measure: async (check, files, { seed }) => {
    const { data, labels, rows, base } = await lookedAt(check, files, seed);
    const measured = measureNeighbourLabels(data, labels, { neighbours: check.neighbours });
    const suspects = measured.suspects.slice(0, listedMax).map((row) => rows[row] ?? 0);
    const { mean } = measured;
    return { ...base, figures: { rows: measured.rows, neighbours: check.neighbours, mean, suspects }, notes: suspects.length === 0 ? [] : [lookFirst(`${measured.suspects.length} rows are labelled unlike most of their ${check.neighbours} nearest`, suspects)] };
  },
  decide: ({ suspects }) => advisory(suspects.length),
});

export const poisonChecks = [spectral, clusters, neighbours] as const;
