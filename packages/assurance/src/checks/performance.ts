import type { PerformanceCheck } from "@licet/contract";
import { z } from "zod";
import { decideMetric, measureAnswered, type MetricStatistics } from "../performance/metric.ts";
import { countsOf } from "../verdict/settle.ts";
import { count, evidence, pairCounts } from "./model-figures.ts";
import { scoringOf } from "./scoring.ts";
import { statisticsCheck } from "./statistics.ts";

type Counted = Extract<MetricStatistics, { kind: "rate" | "auc" }>;

/**
 * `perf.metric`: a rate or the AUC against a floor. A model that answers the same for every row, and a test set of one
 * class, show nothing.
 */
export const performanceMetric = statisticsCheck<PerformanceCheck, Counted>({
  check: "perf.metric",
  version: "3",
  exact: true,
  op: ">=",
  unit: ({ metric }) => metric,
  figures: z.discriminatedUnion("kind", [
    z.object({ ...evidence, metric: z.enum(["accuracy", "recall", "precision", "specificity"]), kind: z.literal("rate"), events: count, n: count }),
    z.object({ ...evidence, metric: z.literal("auc"), kind: z.literal("auc"), ...pairCounts }),
  ]),
  limitValue: ({ floor }) => floor,
  components: ({ model, dataset }) => [model, dataset],
  cases: (figures) => [{ of: "", n: figures.kind === "rate" ? figures.n : figures.positives + figures.negatives }],
  measure: async (check, files, { seed, alpha }) => {
    const { predictions, found } = await scoringOf(check, files);
    const figures = measureAnswered(predictions, { metric: check.metric, seed, alpha });
    if (figures.kind !== "rate" && figures.kind !== "auc") throw new TypeError("a declared metric is a rate or the AUC");
    const counts = { ...countsOf(figures), ...(figures.kind === "rate" && { events: figures.events }) };
    return { ...found, figures, counts, notes: [] };
  },
  decide: decideMetric,
});
