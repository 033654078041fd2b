import { LicetError, type RobustnessCheck } from "@licet/contract";
import { z } from "zod";
import { decideCompleteness, decideStability, measureShapley, type ShapleyStatistics } from "../explain/shapley-check.ts";
import { type CounterfactualStatistics, decideCounterfactual, type Flip, counterfactuals } from "../fairness/counterfactual.ts";
import { permutation, randomFrom } from "../stats/random.ts";
import { answeredLater, rowsOf, type Rows } from "../subject/probe.ts";
import type { ModelScores } from "../subject/tested-model.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { countsOf } from "../verdict/settle.ts";
import { count, evidence, name } from "./model-figures.ts";
import { featureColumns, positiveIndex, type Classing } from "./predictions.ts";
import { components, counted, drawnFor, labelsOf } from "./robustness.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends RobustnessCheck["check"]> = Extract<RobustnessCheck, { check: Id }>;

type Explained = ShapleyStatistics & { readonly stabilityMin: number | null };

const shapley = statisticsCheck<Of<"explain.shapley">, Explained>({
  check: "explain.shapley",
  version: "2",
  op: "<=",
  unit: "what is missing between explanation and score",
  figures: z.object({
    ...counted, method: z.enum(["exact", "sampled"]), residual: z.number().nullable(), stability: z.number().nullable(), stabilityMin: z.number().nullable(),
    globals: z.array(z.object({ name, meanAbsolute: z.number(), error: z.number() })).max(200),
  }),
  limitValue: ({ max }) => max,
  components,
  measure: async (check, files, { seed }) => {
    const { model, rows, names, score, found } = await drawnFor(check, files, seed);
    const source = await files.table(check.reference ?? check.dataset);
    const background = backgroundOf(featureColumns(model, source.content, check), { rowsMax: check.background, seed });
    if (background.rows === 0) throw new LicetError("table_value_invalid", { message: `\`${source.name}\` has no row with all features: an explanation needs others to compare a row with`, at: { component: source.name } });
    const { statistics, notes } = await answeredLater(measureShapley(rows, background, { output: positiveIndex(await labelsOf(model, rows), check), names, seed }), score);
    const order = statistics.stability === null ? [] : [`the order of the features agrees between drawings by at least ${statistics.stability.toPrecision(2)} (Kendall)`];
    // Without an explained row there is no mean to report.
    const none = statistics.assessed === 0;
    return { ...found(), figures: { ...statistics, stabilityMin: check.stability ?? null, ...(none && { globals: [] }) }, counts: countsOf(statistics), notes: none ? [] : [...notes, ...order] };
  },
  decide: decideExplained,
});

/** What is asked of the order of the features must hold beside the sum. The figure is what the sum lacks. */
function decideExplained({ stabilityMin, ...figures }: Explained, limit: Limit): Outcome {
  const outcome = decideCompleteness(figures, limit);
  if (stabilityMin === null || outcome.verdict !== "pass") return outcome;
  const { verdict, reason } = decideStability(figures, { ...limit, op: ">=", value: stabilityMin });
  return { ...outcome, verdict, ...(reason !== undefined && { reason }) };
}

/** Rows with all features, drawn. */
function backgroundOf(columns: readonly Float64Array[], { rowsMax, seed }: { readonly rowsMax: number; readonly seed: string }): Rows {
  const whole = Array.from(columns[0] ?? [], (_, row) => row).filter((row) => columns.every((values) => Number.isFinite(values[row])));
  const drawn = permutation(randomFrom(`${seed}/background`), whole.length).subarray(0, rowsMax);
  return rowsOf(columns.length, Float32Array.from([...drawn].flatMap((place) => columns.map((values) => values[whole[place] ?? 0] ?? Number.NaN))));
}

const counterfactual = statisticsCheck<Of<"fair.counterfactual">, Omit<CounterfactualStatistics, "notes">>({
  check: "fair.counterfactual",
  version: "2",
  op: "<=",
  unit: "share of answers that change with the attribute alone",
  figures: z.object({ ...evidence, clusters: count, n: count, events: count, nEffective: z.number().nonnegative() }),
  limitValue: ({ max }) => max,
  components,
  measure: async (check, files, { seed }) => {
    const { model, rows, names, score, found } = await drawnFor(check, files, seed);
    const answer = answersBy(score, { labels: await labelsOf(model, rows), check });
    const each = Array.from({ length: rows.rows }, (_, row) => rows.data.slice(row * rows.columns, (row + 1) * rows.columns));
    const asking = counterfactuals(each, flipOf(check, names));
    let step = asking.next();
    while (step.done !== true) step = asking.next(await answer(step.value));
    const { notes, ...figures } = step.value;
    return { ...found(), group: check.flip.name, figures, counts: countsOf(figures), notes };
  },
  decide: (figures, limit) => decideCounterfactual({ ...figures, notes: [] }, limit),
});

function flipOf({ flip }: Of<"fair.counterfactual">, names: readonly string[]): Flip {
  const features = Object.entries(flip.features).map(([column, values]) => {
    const index = names.indexOf(column);
    if (index < 0) throw new LicetError("table_column_missing", { message: `the model takes no feature \`${column}\`: correct the name under \`flip\``, at: { column } });
    return { index, values };
  });
  return { name: flip.name, features };
}

/** Index of the class that is answered; NaN where a feature is missing or a score is no number. */
function answersBy(score: (rows: Rows) => Promise<ModelScores>, { labels, check }: { readonly labels: readonly string[]; readonly check: Classing }): (rows: readonly Float32Array[]) => Promise<readonly number[]> {
  const width = labels.length;
  const positive = width > 2 ? -1 : positiveIndex(labels, check);
  const threshold = check.threshold ?? 0.5;
  return async (rows) => {
    const columns = rows[0]?.length ?? 0;
    const data = new Float32Array(rows.length * columns);
    for (const [place, row] of rows.entries()) data.set(row, place * columns);
    const { scores } = await score(rowsOf(columns, data));
    return rows.map((row, place) => {
      const values = Array.from(scores.subarray(place * width, (place + 1) * width));
      if (![...row, ...values].every(Number.isFinite)) return Number.NaN;
      return positive < 0 ? values.indexOf(Math.max(...values)) : Number((values[positive] ?? 0) >= threshold);
    });
  };
}

export const probingChecks = [shapley, counterfactual] as const;
