import { LicetError, type CheckResult, type RegressionCheck } from "@licet/contract";
import { z } from "zod";
import { decideMeanParity, measureRegressionParity, type MeanParityStatistics } from "../fairness/mean-parity.ts";
import { decideMetric, measureMean, type MetricStatistics } from "../performance/metric.ts";
import type { Components } from "../suite/component.ts";
import { numericColumn } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { countsOf } from "../verdict/settle.ts";
import { columnGroups } from "./groups.ts";
import { inputOf, modelSubject } from "./loaded.ts";
import { evidence, groupMean, meanFigure } from "./model-figures.ts";
import { scoreTable } from "./predictions.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends RegressionCheck["check"]> = Extract<RegressionCheck, { check: Id }>;

interface Predicted {
  readonly table: Table;
  readonly truth: Float64Array;
  /** NaN where a feature is missing or the model gave no number. */
  readonly predicted: Float64Array;
  readonly found: { readonly subject: CheckResult["subject"]; readonly inputs: CheckResult["inputs"]; readonly queries: number; readonly oneClass: boolean };
}

export async function predictedOn(check: RegressionCheck, files: Components): Promise<Predicted> {
  const test = await files.table(check.dataset);
  const model = await files.model(check.model);
  const { scores, complete } = await scoreTable(model, test.content, check);
  if (scores.classes.length !== 1) {
    throw new LicetError("model_output_unclear", { message: `the model answers with ${scores.classes.length} numbers for each row: \`${check.check}\` takes a model that answers with one`, at: { classes: scores.classes.slice(0, 50) } });
  }
  const predicted = Float64Array.from(complete, (whole, row) => (whole ? (scores.scores[row] ?? Number.NaN) : Number.NaN));
  const truth = numericColumn(test.content, check.target);
  const known = truth.filter(Number.isFinite);
  const found = { subject: modelSubject(model), inputs: [inputOf("test", test)], queries: test.content.rows, oneClass: known.length > 0 && known.every((value) => value === known[0]) };
  return { table: test.content, truth, predicted, found };
}

const components = ({ model, dataset }: RegressionCheck) => [model, dataset];

type Mean = Extract<MetricStatistics, { kind: "mean" }>;

const error = statisticsCheck<Of<"perf.error">, Mean>({
  check: "perf.error",
  version: "2",
  op: "<=",
  unit: "error in the unit of the target",
  figures: z.object({ ...evidence, metric: z.enum(["mae", "rmse"]), kind: z.literal("mean"), figure: meanFigure }),
  limitValue: ({ max }) => max,
  components,
  measure: async (check, files, { seed, alpha }) => {
    const { truth, predicted, found } = await predictedOn(check, files);
    const residuals = truth.map((value, row) => value - (predicted[row] ?? Number.NaN));
    const losses = residuals.map(check.metric === "mae" ? Math.abs : (value) => value * value);
    const measured = measureMean(losses, { metric: check.metric, seed, alpha });
    if (measured.kind !== "mean") throw new TypeError("an error is a mean");
    const known = residuals.filter(Number.isFinite);
    const bias = known.reduce((sum, value) => sum + value, 0) / known.length;
    const notes = known.length === 0 ? [] : [`truth minus prediction is ${bias.toPrecision(3)} on average`, `the largest error is ${known.reduce((most, value) => Math.max(most, Math.abs(value)), 0).toPrecision(3)}`];
    return { ...found, figures: measured, counts: countsOf(measured), notes };
  },
  decide: decideError,
});

/** The root of a mean is at most the limit exactly when the mean is at most its square. */
function decideError(figures: Mean, limit: Limit): Outcome {
  if (figures.metric === "mae") return decideMetric(figures, limit);
  const squared = decideMetric(figures, { ...limit, value: limit.value ** 2 });
  const root = (value: number | null) => (value === null ? null : round12(Math.sqrt(Math.max(0, value))));
  const { interval } = squared;
  return { ...squared, estimate: root(squared.estimate), interval: interval === null ? null : { ...interval, lower: root(interval.lower), upper: root(interval.upper) } };
}

const parity = statisticsCheck<Of<"fair.regression">, Omit<MeanParityStatistics, "notes">>({
  check: "fair.regression",
  version: "2",
  op: "<=",
  exact: true,
  unit: "largest difference in error between groups, in standard deviations of the target",
  figures: z.object({ ...evidence, check: z.literal("fair.regression"), groups: z.array(groupMean).max(50) }),
  limitValue: ({ max }) => max,
  components,
  measure: async (check, files) => {
    const { table, truth, predicted, found } = await predictedOn(check, files);
    const { notes, ...figures } = measureRegressionParity({ truth, predicted, grouping: columnGroups(table, check.by.column) }, check.figure);
    return { ...found, group: check.by.name, figures, counts: countsOf(figures), notes };
  },
  decide: (figures, limit) => decideMeanParity({ ...figures, notes: [] }, limit),
});

export const regressionChecks = [error, parity] as const;
