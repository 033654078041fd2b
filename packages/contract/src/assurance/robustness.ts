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

/** What an attacker may do to a feature. */
const featureRule = z
  .strictObject({
    /** Nobody can change it. */
    fixed: z.literal(true).optional(),
    integer: z.literal(true).optional(),
    min: z.number().optional(),
    max: z.number().optional(),
    /** It may only rise, or only fall: nobody gets younger. */
    direction: z.enum(["up", "down"]).optional(),
    /** Features that name the same are a code of which exactly one is 1. */
    oneHot: z.string().min(1).max(100).optional(),
  })
  .refine(({ min = -Infinity, max = Infinity }) => min <= max, { error: "`min` lies above `max`" })
  .refine(({ oneHot, integer, min, max, direction }) => oneHot === undefined || [integer, min, max, direction].every((rule) => rule === undefined), { error: "a member of a one-hot code is 0 or 1: beside `oneHot` only `fixed` means anything" });

/** What happens to inputs in practice. */
const damages = z
  .strictObject({
    /** Share of the cells that go missing. */
    missing: share.positive().optional(),
    /** What stands in their place: the mean of the rows, as most systems fill gaps, or nothing. */
    fill: z.enum(["mean", "nothing"]).default("mean"),
    /** One drawn feature of each row arrives in another unit: times each of these. */
    factors: z.array(z.number()).min(1).max(20).optional(),
    /** Two drawn features of each row arrive in each other's place. */
    swap: z.boolean().default(false),
    /** Noise of so many standard deviations. */
    sigma: z.number().positive().max(100).optional(),
  })
  .refine(({ missing, factors, swap, sigma }) => missing !== undefined || factors !== undefined || swap || sigma !== undefined, { error: "name at least one of `missing`, `factors`, `swap` and `sigma`" });

/** How the score must answer when features of a row change. */
const relation = z.strictObject({
  change: z
    .record(columnName, z.union([z.strictObject({ add: z.number() }), z.strictObject({ times: z.number() }), z.strictObject({ set: z.number() })]))
    .refine((change) => Object.keys(change).length > 0 && Object.keys(change).length <= 1000, { error: "name 1 to 1,000 features" }),
  score: z.enum(["same", "not-lower", "not-higher"]),
  /** Differences of the score up to this size are none. */
  tolerance: z.number().nonnegative().max(1_000_000).default(0),
});

export const RobustnessCheck = z.discriminatedUnion("check", [
  /** Share of rows that are right and proven to stay right within the distance. */
  z.strictObject({ check: z.literal("robust.certified"), ...of, norm: z.enum(["linf", "l2", "l1"]).default("linf"), epsilon, floor: share }),
  /** Share of right rows that an attack turns within the distance. */
  z.strictObject({ check: z.literal("robust.evasion"), ...of, norm: z.enum(["linf", "l2", "l1"]).default("linf"), epsilon, sees: z.enum(["scores", "labels"]).default("labels"), queries: z.int().min(10).max(100_000).default(2000), rules: z.record(columnName, featureRule).optional(), max: share.default(0.1) }),
  /** Loss of accuracy under noise of so many standard deviations, missing cells, and features in each other's place. */
  z.strictObject({ check: z.literal("robust.noise"), ...of, sigma: z.number().positive().max(100).default(0.1), missing: share.default(0), swap: z.boolean().default(false), max: share.default(0.02) }),
  /**
   * Either the loss of accuracy when inputs arrive damaged as they do in practice (default limit 0.02), or the share of rows
   * whose score moves the wrong way when features do (0.01).
   */
  z
    .strictObject({ check: z.literal("robust.corruption"), ...of, damages: damages.optional(), relations: z.array(relation).min(1).max(50).optional(), max: share.optional() })
    .refine((check) => (check.damages === undefined) !== (check.relations === undefined), { error: "name either `damages` or `relations`: each has its own limit" }),
  /** Numbers that are none, extremes, no rows, too many features: what is answered wrongly, or ends the model. */
  z.strictObject({ check: z.literal("robust.input"), ...of }),
  /** Largest difference of a score between two ways of asking for it. */
  z.strictObject({ check: z.literal("robust.determinism"), ...of, max: z.number().nonnegative().default(1e-5) }),
  /** Largest share of rows that one value of one feature turns to one class. */
  z.strictObject({ check: z.literal("robust.trigger"), ...of, max: share.default(0.5) }),
  /** Share of the importance that features have which the decision should not rest on. */
  z.strictObject({ check: z.literal("explain.permutation"), ...of, watched: columnList, queries: z.int().min(100).max(10_000_000).default(200_000), max: share.default(0.05) }),
  /** How far the values of an explanation and their base are from adding up to the score, relative to the larger of 1 and the score. `stability`: how well the order of the features must agree between drawings (Kendall, to 1); 0.8 is usual. */
  z.strictObject({ check: z.literal("explain.shapley"), ...of, rows: z.int().min(1).max(1000).default(20), background: z.int().min(2).max(1000).default(50), stability: share.optional(), max: z.number().positive().default(1e-4) }),
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
