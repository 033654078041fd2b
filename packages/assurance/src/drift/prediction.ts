import type { Limit, Outcome } from "../verdict/outcome.ts";
import { categoricalDriftAlarms, type CategoricalDriftStatistics, type CategoryCounts, decideCategoricalDrift, measureCategoricalDrift } from "./categorical.ts";
import type { AlarmRule, DriftAlarm } from "./family.ts";
import { decideNumericDrift, measureNumericDrift, numericDriftAlarms, type NumericDriftStatistics, type NumericPair } from "./numeric.ts";

/** What a model says: scores (one column per class), or the classes it answers with. */
export type Predictions = { readonly kind: "scores"; readonly scores: readonly NumericPair[] } | { readonly kind: "classes"; readonly classes: CategoryCounts };

export interface PredictionDriftStatistics {
  readonly kind: "drift.prediction";
  readonly of: NumericDriftStatistics | CategoricalDriftStatistics;
  readonly notes: readonly string[];
}

/** `drift.prediction`: do the model's answers change? Needs no labels. The same methods as for columns. */
export function measurePredictionDrift(predictions: Predictions, options: { seed: string }): PredictionDriftStatistics {
  const of = predictions.kind === "scores" ? measureNumericDrift(predictions.scores, options) : measureCategoricalDrift([predictions.classes], options);
  return { kind: "drift.prediction", of, notes: of.notes };
}

export function decidePredictionDrift({ of }: Pick<PredictionDriftStatistics, "of">, limit: Limit): Outcome {
  return of.kind === "drift.numeric" ? decideNumericDrift(of, limit) : decideCategoricalDrift(of, limit);
}

export function predictionDriftAlarms({ of }: Pick<PredictionDriftStatistics, "of">, rule?: AlarmRule): readonly DriftAlarm[] {
  return of.kind === "drift.numeric" ? numericDriftAlarms(of, rule) : categoricalDriftAlarms(of, rule);
}
