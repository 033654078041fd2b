import { z } from "zod";
import { columnList, columnName, componentName, declared, scored, share } from "./declared.ts";

const of = {
  ...declared,
  ...scored,
  /** Data whose spread is the unit of distance; default: the data set itself. */
  reference: componentName.optional(),
  /** Rows drawn from the data set; default 200. */
  rows: z.int().min(1).max(100_000).default(200),
};
/** Distance in standard deviations of each feature. */
const epsilon = z.number().positive().max(100).default(0.1);

export const RobustnessCheck = z.discriminatedUnion("check", [
  /** Share of rows that are right and proven to stay right within the distance. */
  z.strictObject({ check: z.literal("robust.certified"), ...of, norm: z.enum(["linf", "l2", "l1"]).default("linf"), epsilon, floor: share }),
  /** Share of right rows that an attack turns within the distance. */
  z.strictObject({ check: z.literal("robust.evasion"), ...of, norm: z.enum(["linf", "l2", "l1"]).default("linf"), epsilon, sees: z.enum(["scores", "labels"]).default("labels"), queries: z.int().min(10).max(100_000).default(2000), max: share.default(0.1) }),
  /** Loss of accuracy under noise of so many standard deviations, missing cells, and features in each other's place. */
  z.strictObject({ check: z.literal("robust.noise"), ...of, sigma: z.number().positive().max(100).default(0.1), missing: share.default(0), swap: z.boolean().default(false), max: share.default(0.02) }),
  /** Numbers that are none, extremes, no rows, too many features: what is answered wrongly, or ends the model. */
  z.strictObject({ check: z.literal("robust.input"), ...of }),
  /** Largest difference of a score between two ways of asking for it. */
  z.strictObject({ check: z.literal("robust.determinism"), ...of, max: z.number().nonnegative().default(1e-5) }),
  /** Largest share of rows that one value of one feature turns to one class. */
  z.strictObject({ check: z.literal("robust.trigger"), ...of, max: share.default(0.5) }),
  /** Share of the importance that features have which the decision should not rest on. */
  z.strictObject({ check: z.literal("explain.permutation"), ...of, watched: columnList, queries: z.int().min(100).max(10_000_000).default(200_000), max: share.default(0.05) }),
  /** How far the values of an explanation and their base are from adding up to the score, relative to the larger of 1 and the score. */
  z.strictObject({ check: z.literal("explain.shapley"), ...of, rows: z.int().min(1).max(1000).default(20), background: z.int().min(2).max(1000).default(50), max: z.number().positive().default(1e-4) }),
  /** Share of answers that change when only these features are set to other values, row by row. */
  z.strictObject({
    check: z.literal("fair.counterfactual"),
    ...of,
    rows: z.int().min(1).max(100_000).default(1000),
    flip: z.strictObject({
      name: componentName,
      /** Every value that each feature is set to; several features are moved together, so each has as many values. */
      features: z
        .record(columnName, z.array(z.number()).min(1).max(1000))
        .refine((features) => new Set(Object.values(features).map(({ length }) => length)).size === 1, { error: "name at least one feature, and give all of them the same number of values" }),
    }),
    max: share.default(0.01),
  }),
]);
export type RobustnessCheck = z.output<typeof RobustnessCheck>;
