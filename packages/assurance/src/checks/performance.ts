import type { CheckBasis, PerformanceCheck } from "@licet/contract";
import { countPairs } from "../stats/auc.ts";
import type { CheckDefinition } from "./definition.ts";
import { inputOf, modelSubject } from "./loaded.ts";
import type { Measurement } from "./measure.ts";
import { predict, type Prediction, type Predictions } from "./predictions.ts";

type Metric = PerformanceCheck["metric"];
type RateMetric = Exclude<Metric, "auc">;

const among: Readonly<Record<RateMetric, (row: Prediction) => boolean>> = {
  accuracy: () => true,
  recall: (row) => row.actual,
  precision: (row) => row.predicted,
  specificity: (row) => !row.actual,
};

const counted: Readonly<Record<RateMetric, (row: Prediction) => boolean>> = {
  accuracy: (row) => row.correct,
  recall: (row) => row.predicted,
  precision: (row) => row.actual,
  specificity: (row) => !row.predicted,
};

/**
 * `perf.metric`: a rate or the AUC against a floor. Rates get exact Clopper-Pearson bounds, the AUC Newcombe's
 * fifth method. A model that answers the same for every row, and a test set of one class, show nothing.
 */
export function measurePerformance(predictions: Predictions, check: PerformanceCheck): Measurement {
  const { assessed, attempted } = predictions;
  const basis = basisOf(assessed, check.metric);
  const events = basis.kind === "rate" ? { events: basis.events } : {};
  return {
    basis,
    counts: { attempted, assessed: assessed.length, unassessed: attempted - assessed.length, ...events },
    unit: check.metric,
    limit: { op: ">=", value: check.floor },
    notes: [],
    queries: attempted,
  };
}

function basisOf(rows: readonly Prediction[], metric: Metric): CheckBasis {
  if (metric === "auc") {
    const scores = rows.map((row) => row.score);
    const pairs = countPairs(scores, rows.map((row) => row.actual));
    return { kind: "auc", ...pairs, degenerate: rows.length > 0 && new Set(scores).size === 1 ? "constant_predictions" : null };
  }
  const trials = rows.filter(among[metric]);
  return { kind: "rate", events: trials.filter(counted[metric]).length, n: trials.length, degenerate: degenerate(rows) };
}

function degenerate(rows: readonly Prediction[]): "constant_predictions" | "one_class" | null {
  if (rows.length === 0) return null;
  if (new Set(rows.map(({ answer }) => answer)).size === 1) return "constant_predictions";
  return new Set(rows.map(({ target }) => target)).size === 1 ? "one_class" : null;
}

export const performanceMetric: CheckDefinition<PerformanceCheck> = {
  check: "perf.metric",
  version: "1",
  exact: true,
  op: ">=",
  bases: ["rate", "auc"],
  limitValue: ({ floor }) => floor,
  components: ({ model, dataset }) => [model, dataset],
  measure: async (check, components) => {
    const test = await components.table(check.dataset);
    const model = await components.model(check.model);
    return { measurement: measurePerformance(predict(model.content, test.content, check), check), subject: modelSubject(model), inputs: [inputOf("test", test)] };
  },
};
