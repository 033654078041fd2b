import { z } from "zod";
import { columnName, componentName, declared, scored, share } from "./declared.ts";

/** A model of numbers: its one output is compared with a numeric column. */
const predicted = { ...declared, model: scored.model, dataset: scored.dataset, target: scored.target, features: scored.features };

export const RegressionCheck = z.discriminatedUnion("check", [
  /** Mean absolute error, or the root of the mean squared error, in the unit of the target. */
  z.strictObject({ check: z.literal("perf.error"), ...predicted, metric: z.enum(["mae", "rmse"]), max: z.number().positive() }),
  /** Share of the target's variation that the model explains (R²): 0 is what its mean alone reaches. */
  z.strictObject({ check: z.literal("perf.fit"), ...predicted, metric: z.literal("r2").default("r2"), floor: share }),
  /** Largest difference between groups in the mean error or the mean absolute error, in standard deviations of the target. */
  z.strictObject({
    check: z.literal("fair.regression"),
    ...predicted,
    by: z.strictObject({ name: componentName, column: columnName }),
    figure: z.enum(["error", "absolute_error"]).default("error"),
    max: share.default(0.1),
  }),
]);
export type RegressionCheck = z.output<typeof RegressionCheck>;
