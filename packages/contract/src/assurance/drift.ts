import { z } from "zod";
import { columnList, columnName, componentName, declared, scored, share } from "./declared.ts";

/** Data of today beside the data that the model was made for. */
const compared = {
  ...declared,
  dataset: componentName,
  /** What `dataset` is compared with. */
  reference: componentName,
  /** Default: every column of the reference of the kind that the check compares. */
  columns: columnList.optional(),
};

export const DriftCheck = z.discriminatedUnion("check", [
  /** Largest distance between the distributions of a numeric column (Kolmogorov-Smirnov), 0 to 1. */
  z.strictObject({ check: z.literal("drift.numeric"), ...compared, max: share.default(0.2) }),
  /** Largest total variation between the categories of a column, 0 to 1. */
  z.strictObject({ check: z.literal("drift.categorical"), ...compared, max: share.default(0.1) }),
  /** Largest change in the share of missing cells of a column. */
  z.strictObject({ check: z.literal("drift.missing"), ...compared, max: share.default(0.02) }),
  /** How well a classifier tells rows of today from those of the reference, all numeric columns together (AUC, 0.5 to 1). */
  z.strictObject({ check: z.literal("drift.multivariate"), ...compared, max: z.number().min(0.5).max(1).default(0.6) }),
  /** Distance between what a model says of the rows of both sides; needs no answers. */
  z.strictObject({
    check: z.literal("drift.prediction"),
    ...declared,
    model: componentName,
    dataset: componentName,
    reference: componentName,
    /** Column with the answer, which is no feature. */
    target: columnName.optional(),
    features: columnList.optional(),
    of: z.enum(["scores", "classes"]).default("scores"),
    positive: scored.positive,
    threshold: scored.threshold,
    /** Default: 0.2 of scores, 0.1 of classes. */
    max: share.optional(),
  }),
  /** Change of the class shares behind rows without an answer; `reference` has answers that the model was not trained on. */
  z.strictObject({ check: z.literal("drift.label"), ...declared, ...scored, reference: componentName, max: share.default(0.1) }),
  /**
   * How good a two-class model would be on rows without an answer, if its scores are still probabilities; `reference` has
   * answers that it was not trained on. Assumes that nothing changed but the rows, which it cannot see: never anything but advisory.
   */
  z.strictObject({
    check: z.literal("drift.performance"),
    ...declared,
    ...scored,
    advisory: z.literal(true, { error: "write `advisory: true`: it assumes what only labels can show, and decides nothing" }),
    reference: componentName,
    metric: z.enum(["accuracy", "precision", "recall", "specificity"]).default("accuracy"),
    floor: share,
  }),
]);
export type DriftCheck = z.output<typeof DriftCheck>;
