import { LicetError, type DriftCheck } from "@licet/contract";
import { z } from "zod";
import { decidePerformanceEstimate, measurePerformanceEstimate, type PerformanceEstimateStatistics } from "../drift/performance-estimate.ts";
import { finiteAnswers, positives } from "../performance/answered.ts";
import { settle } from "../verdict/settle.ts";
import { inputOf, modelSubject } from "./loaded.ts";
import { count } from "./model-figures.ts";
import { label, positiveIndex, predict, scoreTable } from "./predictions.ts";
import { statisticsCheck } from "./statistics.ts";

type Declared = Extract<DriftCheck, { check: "drift.performance" }>;
type Figures = Pick<PerformanceEstimateStatistics, "calibration" | "expected"> & { readonly metric: Declared["metric"]; readonly attempted: number; readonly assessed: number };

const sum = z.number();

/** What the figures say is written beside the verdict, which they cannot carry. */
export const performanceEstimate = statisticsCheck<Declared, Figures>({
  check: "drift.performance",
  version: "1",
  op: ">=",
  exact: true,
  unit: ({ metric }) => `expected ${metric}, if the scores are still probabilities`,
  figures: z.object({
    metric: z.enum(["accuracy", "precision", "recall", "specificity"]),
    attempted: count, assessed: count,
    calibration: z.object({ n: count, ece: z.number(), z: z.number(), p: z.number(), passes: z.boolean() }),
    expected: z.object({ n: count, answeredPositive: count, tp: sum, fp: sum, fn: sum, tn: sum, variance: sum, variancePositive: sum }).nullable(),
  }),
  limitValue: ({ floor }) => floor,
  components: ({ model, dataset, reference }) => [model, dataset, reference],
  measure: async (check, files) => {
    const [now, before, model] = [await files.table(check.dataset), await files.table(check.reference), await files.model(check.model)];
    const seeing = { ...check, features: check.features ?? before.content.columns.filter((column) => column !== check.target) };
    const labelled = finiteAnswers(await predict(model, before.content, seeing));
    const { scores: { classes, scores }, complete } = await scoreTable(model, now.content, seeing);
    if (classes.length > 2) throw new LicetError("model_unsupported", { message: `the model has ${classes.length} classes: what is expected of it is known for two` });
    const index = positiveIndex(classes.map(label), check);
    const today = Float64Array.from({ length: now.content.rows }, (_, row) => (complete[row] === true ? (scores[row * classes.length + index] ?? Number.NaN) : Number.NaN)).filter(Number.isFinite);
    const { calibration, expected, notes } = measurePerformanceEstimate({
      referenceScores: labelled.scores,
      referenceLabels: positives(labelled),
      currentScores: today,
      ...(check.threshold !== undefined && { threshold: check.threshold }),
    });
    const counts = { attempted: now.content.rows, assessed: today.length, unassessed: now.content.rows - today.length };
    return {
      subject: modelSubject(model),
      inputs: [inputOf("test", now), inputOf("reference", before)],
      figures: { metric: check.metric, attempted: counts.attempted, assessed: counts.assessed, calibration, expected },
      counts,
      notes,
      queries: now.content.rows + before.content.rows,
    };
  },
  decide: ({ metric, ...figures }, limit) => {
    const { estimate, interval, verdict, reason } = settle(decidePerformanceEstimate(figures, metric, limit), figures);
    // Whatever the bounds say, they hold only while nothing changed but the rows.
    const undecided = verdict === "insufficient_evidence" && reason !== "too_few";
    return { estimate, interval, verdict: "insufficient_evidence", reason: undecided ? (reason ?? "advisory") : "advisory" };
  },
});
