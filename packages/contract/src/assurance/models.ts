import { z } from "zod";
import { columnList, columnName, componentName, declared, scored, share } from "./declared.ts";

const value = z.union([z.string(), z.number()]);
/** One part of the rows: those that hold these values in these columns. */
const slice = z.record(columnName, value).refine((terms) => Object.keys(terms).length > 0, { error: "a slice without terms is every row: name a column and its value" });
/** Rows of each value of the column are compared with one another. */
const byColumn = z.strictObject({ name: componentName, column: columnName });
/** Or rows of each combination with those of a second column; with fewer than 30 rows it is named and not compared. */
const byColumns = byColumn.extend({ and: columnName.optional() });

export const ModelCheck = z.discriminatedUnion("check", [
  /** Mean loss of a two-class model's probabilities. */
  z.strictObject({ check: z.literal("perf.loss"), ...declared, ...scored, metric: z.enum(["log_loss", "brier"]), max: z.number().positive() }),
  /** A figure of a model's answers that is no rate: bootstrapped. */
  z.strictObject({ check: z.literal("perf.score"), ...declared, ...scored, metric: z.enum(["f1", "balanced_accuracy", "mcc", "average_precision"]), floor: share }),
  /** How much worse than the champion the model may be, in the metric's own unit. */
  z.strictObject({ check: z.literal("perf.noninferior"), ...declared, ...scored, champion: componentName, metric: z.enum(["accuracy", "auc", "log_loss", "brier"]), max: share.default(0.01) }),
  /** Share of right answers in every declared slice; a search for others is reported and decides nothing. */
  z.strictObject({ check: z.literal("perf.slices"), ...declared, ...scored, slices: z.array(slice).min(1).max(200), floor: share }),
  /** Expected calibration error of a two-class model's probabilities, debiased. */
  z.strictObject({ check: z.literal("calib.ece"), ...declared, ...scored, max: share.default(0.05) }),
  /** Largest difference in accuracy between groups. */
  z.strictObject({ check: z.literal("fair.accuracy"), ...declared, ...scored, by: byColumns, max: share.default(0.1) }),
  /** Smallest ratio of selection rates between groups. */
  z.strictObject({ check: z.literal("fair.fourfifths"), ...declared, ...scored, by: byColumns, min: share.default(0.8) }),
  /** Largest difference between groups in how far outcomes lie above the predicted probabilities. */
  z.strictObject({ check: z.literal("fair.calibration"), ...declared, ...scored, by: byColumn, max: share.default(0.1) }),
  /** How well the loss of a row tells whether the model was trained on it; `members` are rows that it was. */
  z
    .strictObject({
      check: z.literal("privacy.membership"), ...declared, ...scored, members: componentName,
      /** What is taken for a sign of membership; default: the loss. `rmia` and `lira` look at what reference models say, which were not trained on the rows. */
      attack: z.enum(["loss", "confidence", "entropy", "gap", "rmia", "lira"]).optional(),
      /** Columns of both data sets with the probability that each reference model gives the true class. */
      references: columnList.optional(),
      /** For `rmia`: rows of the same kind that no model was trained on, with the same columns. */
      population: componentName.optional(),
      figure: z.enum(["auc", "tpr"]).default("auc"), max: share.default(0.6),
    })
    .refine(({ attack, references = [] }) => references.length >= (attack === "lira" ? 2 : attack === "rmia" ? 1 : 0), { path: ["references"], error: "`rmia` takes the columns of a reference model under `references`, `lira` those of two" })
    .refine(({ attack, references, population }) => attack === "rmia" || attack === "lira" ? (attack === "rmia") === (population !== undefined) : references === undefined && population === undefined, { path: ["population"], error: "`references` are for `rmia` and `lira`, and `population` is for `rmia`, which needs one" }),
  /**
   * The privacy loss epsilon that was declared for the model's training: can the loss of a row contradict it? Either
   * `members` are rows of the training, or the data set holds canaries that each went into it by the toss of a coin.
   */
  z
    .strictObject({
      check: z.literal("privacy.epsilon"), ...declared, ...scored,
      members: componentName.optional(),
      /** One training run: the column says 1 for a canary that was included, and so many are guessed, half as in, half as out. */
      canaries: z.strictObject({ included: columnName, guesses: z.int().min(2).max(1_000_000) }).optional(),
      max: z.number().positive().max(100),
    })
    .refine(({ members, canaries }) => (members === undefined) !== (canaries === undefined), { error: "name either `members` or `canaries`" }),
  /** How often a copy that learned from the model's answers to the attacker's rows answers like it on rows of the data set. */
  z.strictObject({
    check: z.literal("privacy.extraction"), ...declared, model: scored.model, dataset: scored.dataset, target: columnName.optional(), features: scored.features,
    attacker: componentName,
    /** Rows that the attacker sends. */
    queries: z.int().min(4).max(10_000).default(1000),
    rows: z.int().min(1).max(5000).default(1000),
    max: share,
  }),
  /** How much more often the model's answers tell a hidden feature of a row than its commonest value does. */
  z.strictObject({
    check: z.literal("privacy.attribute"), ...declared, ...scored,
    attribute: columnName,
    /** That the attribute can have; default: those in the data set. */
    values: z.array(z.number()).min(2).max(100).optional(),
    rows: z.int().min(1).max(100_000).default(1000),
    max: share.default(0.05),
  }),
]);
export type ModelCheck = z.output<typeof ModelCheck>;
