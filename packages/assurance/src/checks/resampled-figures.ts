import type { ModelCheck, RegressionCheck } from "@licet/contract";
import { z } from "zod";
import { decideMetric, measureAnswered, measureResampled, type MetricStatistics } from "../performance/metric.ts";
import type { Statistic } from "../stats/resample.ts";
import { countsOf } from "../verdict/settle.ts";
import { count, evidence, resampled } from "./model-figures.ts";
import { predictedOn } from "./regression.ts";
import { scoringOf } from "./scoring.ts";
import { statisticsCheck } from "./statistics.ts";

type Score = Extract<ModelCheck, { check: "perf.score" }>;
type Fit = Extract<RegressionCheck, { check: "perf.fit" }>;
type Resampled = Extract<MetricStatistics, { kind: "resampled" }>;

const form = { ...evidence, kind: z.literal("resampled"), estimate: z.number().nullable(), n: count, resampled: resampled.nullable() };

function resampledOnly(measured: MetricStatistics): Resampled {
  if (measured.kind !== "resampled") throw new TypeError("the figure is none that is resampled");
  return measured;
}

/** Figures of answers that no exact bound is known for. */
const score = statisticsCheck<Score, Resampled>({
  check: "perf.score",
  version: "1",
  op: ">=",
  unit: ({ metric }) => metric,
  figures: z.object({ ...form, metric: z.enum(["f1", "balanced_accuracy", "mcc", "average_precision"]) }),
  limitValue: ({ floor }) => floor,
  components: ({ model, dataset }) => [model, dataset],
  cases: ({ assessed }) => [{ of: "", n: assessed }],
  measure: async (check, files, { seed, alpha }) => {
    const { predictions, found } = await scoringOf(check, files);
    const figures = resampledOnly(measureAnswered(predictions, { metric: check.metric, seed, alpha }));
    return { ...found, figures, counts: countsOf(figures), notes: [] };
  },
  decide: decideMetric,
});

const fit = statisticsCheck<Fit, Resampled>({
  check: "perf.fit",
  version: "1",
  op: ">=",
  unit: "share of the target's variation that is explained",
  figures: z.object({ ...form, metric: z.literal("r2") }),
  limitValue: ({ floor }) => floor,
  components: ({ model, dataset }) => [model, dataset],
  cases: ({ assessed }) => [{ of: "", n: assessed }],
  measure: async (check, files, { seed, alpha }) => {
    const { truth, predicted, found } = await predictedOn(check, files);
    const known = Uint32Array.from(truth.keys()).filter((row) => Number.isFinite(truth[row]) && Number.isFinite(predicted[row]));
    const measured = resampledOnly(measureResampled(known.length, { metric: "r2", seed, alpha, statistic: explained(truth, predicted, known) }));
    const figures = { ...measured, attempted: truth.length };
    return { ...found, figures, counts: countsOf(figures), notes: [] };
  },
  decide: decideMetric,
});

/** 1 - squared errors over squared distances from the mean of the rows; NaN where the truth does not vary. */
function explained(truth: Float64Array, predicted: Float64Array, known: Uint32Array): Statistic {
  return (rows) => {
    let [sum, squares, errors] = [0, 0, 0];
    // Around a constant, so that large values with a small spread lose no digits.
    const around = truth[known[0] ?? 0] ?? 0;
    for (const place of rows) {
      const row = known[place] ?? 0;
      const value = (truth[row] ?? 0) - around;
      sum += value;
      squares += value * value;
      errors += ((truth[row] ?? 0) - (predicted[row] ?? 0)) ** 2;
    }
    const spread = squares - (sum * sum) / rows.length;
    return spread > 0 ? 1 - errors / spread : Number.NaN;
  };
}

export const resampledChecks = [score, fit] as const;
