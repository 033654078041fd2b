import { LicetError, type CheckResult, type DriftCheck } from "@licet/contract";
import { z } from "zod";
import { type CategoryCounts, decideCategoricalDrift, measureCategoricalDrift } from "../drift/categorical.ts";
import { fromColumns } from "../linear/matrix.ts";
import { decideMissingDrift, measureMissingDrift } from "../drift/missing.ts";
import { decideMultivariateDrift, measureMultivariateDrift, type MultivariateDriftStatistics } from "../drift/multivariate.ts";
import { decideNumericDrift, measureNumericDrift } from "../drift/numeric.ts";
import type { Components, Loaded } from "../suite/component.ts";
import { isMissing, missingCells, numericColumn } from "../table/cast.ts";
import { encodeDictionary } from "../table/dictionary.ts";
import { isHollow, requireFilled } from "../table/filled.ts";
import type { Table } from "../table/table.ts";
import { columnKinds } from "./column-kinds.ts";
import { inputOf, tableSubject } from "./loaded.ts";
import { count, pairCounts } from "./model-figures.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends DriftCheck["check"]> = Extract<DriftCheck, { check: Id }>;
/** Two tables, and no model. */
type Compared = Exclude<DriftCheck, { model: string }>;

const columnsMax = 4096;
const figure = z.number().nullable();
const sides = z.object({ reference: count, current: count });
const rate = z.object({ events: count, n: count });
const counts = z.array(count).max(1000);

export interface Pair {
  readonly reference: Loaded<Table>;
  readonly current: Loaded<Table>;
}

export async function pairOf(check: Pick<DriftCheck, "dataset" | "reference">, components: Components): Promise<Pair> {
  return { reference: await components.table(check.reference), current: await components.table(check.dataset) };
}

export function measuredOn({ reference, current }: Pair): { readonly subject: CheckResult["subject"]; readonly inputs: CheckResult["inputs"]; readonly counts: CheckResult["counts"] } {
  const { rows } = current.content;
  return { subject: tableSubject(current), inputs: [inputOf("test", current), inputOf("reference", reference)], counts: { attempted: rows, assessed: rows, unassessed: 0 } };
}

/** Of the reference, unless the check names them; a check that compares nothing has shown nothing. */
function columnsOf(check: Compared, { reference }: Pair, kind: "numeric" | "categorical"): readonly string[] {
  const columns = check.columns ?? columnKinds(reference.content)[kind];
  if (columns.length > 0) return columns;
  throw new LicetError("table_value_invalid", { message: `\`${check.reference}\` has no ${kind} column: name the columns under \`columns\``, at: { component: check.reference } });
}

const limitValue = ({ max }: Compared) => max;
const components = ({ dataset, reference }: Compared) => [dataset, reference];

export const numericFigures = z.object({
  columns: z.array(z.object({
    name: z.string().max(500), n: count, m: count, missing: sides,
    d: figure, p: figure, pMethod: z.enum(["exact", "exact-ties", "kstwo", "bridge-ties"]), tiedShare: figure,
    wasserstein1: figure, wasserstein1OverIqr: figure, bins: z.object({ reference: counts, current: counts }),
    psi: figure, psiNullMean: figure, psiP: figure, constant: z.boolean(),
  })).max(columnsMax),
});

const numericDrift = statisticsCheck<Of<"drift.numeric">, Pick<ReturnType<typeof measureNumericDrift>, "columns">>({
  check: "drift.numeric",
  version: "1",
  op: "<=",
  unit: "largest distance between the distributions of a column",
  figures: numericFigures,
  limitValue,
  components,
  measure: async (check, files, { seed }) => {
    const pair = await pairOf(check, files);
    const columns = columnsOf(check, pair, "numeric").map((name) => ({ name, reference: numericColumn(pair.reference.content, name), current: numericColumn(pair.current.content, name) }));
    const { columns: measured, notes } = measureNumericDrift(columns, { seed });
    return { ...measuredOn(pair), figures: { columns: measured }, notes };
  },
  decide: decideNumericDrift,
});

export const categoricalFigures = z.object({
  columns: z.array(z.object({
    name: z.string().max(500), reference: counts, current: counts, missing: sides, merged: count,
    totalVariation: figure, p: figure, pMethod: z.enum(["chi-square", "monte-carlo"]), cramersV: figure, jensenShannonBits: figure, hellinger: figure, psi: figure, psiNullMean: figure,
    newCategories: oneSided(), lostCategories: oneSided(),
  })).max(columnsMax),
});

const categoricalDrift = statisticsCheck<Of<"drift.categorical">, Pick<ReturnType<typeof measureCategoricalDrift>, "columns">>({
  check: "drift.categorical",
  version: "2",
  op: "<=",
  unit: "largest total variation of a column",
  figures: categoricalFigures,
  limitValue,
  components,
  measure: async (check, files, { seed }) => {
    const pair = await pairOf(check, files);
    const columns = columnsOf(check, pair, "categorical").map((name) => categoryCounts(name, pair));
    const { columns: measured, notes } = measureCategoricalDrift(columns, { seed });
    return { ...measuredOn(pair), figures: { columns: measured }, notes };
  },
  decide: decideCategoricalDrift,
});

function oneSided() {
  return z.array(z.object({ category: z.string().max(200), events: count, n: count, bounds: z.object({ lower: z.number(), upper: z.number() }) })).max(100);
}

function categoryCounts(name: string, { reference, current }: Pair): CategoryCounts {
  const before = reference.content.cells(name);
  const after = current.content.cells(name);
  const { codes, dictionary } = encodeDictionary([...before, ...after]);
  const countBetween = (from: number, to: number): readonly number[] => {
    const found = dictionary.map(() => 0);
    for (let row = from; row < to; row += 1) {
      const code = codes[row] ?? 0;
      if (code > 0) found[code - 1] = (found[code - 1] ?? 0) + 1;
    }
    return found;
  };
  const missing = (cells: readonly string[]) => cells.filter(isMissing).length;
  return { name, categories: dictionary, reference: countBetween(0, before.length), current: countBetween(before.length, codes.length), missing: { reference: missing(before), current: missing(after) } };
}

const missingDrift = statisticsCheck<Of<"drift.missing">, Pick<ReturnType<typeof measureMissingDrift>, "columns">>({
  check: "drift.missing",
  version: "2",
  exact: true,
  op: "<=",
  unit: "largest change in the share of missing cells of a column",
  figures: z.object({ columns: z.array(z.object({ name: z.string().max(500), reference: rate, current: rate })).max(columnsMax) }),
  limitValue,
  components,
  measure: async (check, files) => {
    const pair = await pairOf(check, files);
    const missing = (table: Table, name: string) => ({ events: missingCells(table, name), n: table.rows });
    const names = check.columns ?? pair.reference.content.columns;
    if (isHollow(pair.current.content, names)) requireFilled([pair.reference.content], names);
    const columns = names.map((name) => ({ name, reference: missing(pair.reference.content, name), current: missing(pair.current.content, name) }));
    const { columns: measured, notes } = measureMissingDrift(columns);
    return { ...measuredOn(pair), figures: { columns: measured }, notes };
  },
  decide: decideMissingDrift,
});

const multivariateDrift = statisticsCheck<Of<"drift.multivariate">, Omit<MultivariateDriftStatistics, "kind" | "notes">>({
  check: "drift.multivariate",
  version: "2",
  op: "<=",
  unit: "how well rows of today are told from those of the reference",
  figures: z.object({
    columns: z.array(z.string().max(500)).max(columnsMax),
    rows: sides,
    energy: z.object({ statistic: z.number(), p: z.number() }).nullable(),
    mmd2: z.object({ statistic: z.number(), p: z.number(), median: z.number() }).nullable(),
    classifier: z.object(pairCounts).nullable(),
    features: z.enum(["linear", "quadratic"]),
    degenerate: z.boolean(),
  }),
  limitValue,
  components,
  measure: async (check, files, { seed }) => {
    const pair = await pairOf(check, files);
    const columns = columnsOf(check, pair, "numeric");
    const sideOf = (table: Table) => fromColumns(columns.map((name) => numericColumn(table, name)));
    const { kind: _, notes, ...figures } = measureMultivariateDrift(columns, { reference: sideOf(pair.reference.content), current: sideOf(pair.current.content) }, { seed });
    const { counts: all, ...on } = measuredOn(pair);
    return { ...on, counts: { ...all, assessed: figures.rows.current, unassessed: all.attempted - figures.rows.current }, figures, notes };
  },
  decide: decideMultivariateDrift,
});

export const driftChecks = [numericDrift, categoricalDrift, missingDrift, multivariateDrift] as const;
