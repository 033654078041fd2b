import { z } from "zod";
import { columnList, columnName, componentName, declared, share } from "./declared.ts";

const of = { ...declared, dataset: componentName };

/** Facts about the tables that a system is built and tested with. */
export const DataCheck = z.discriminatedUnion("check", [
  /** Largest share of rows that repeat another row. A declared key that repeats or is empty fails in any case. */
  z.strictObject({
    check: z.literal("data.duplicates"),
    ...of,
    columns: columnList.optional(),
    key: columnList.optional(),
    /** Texts that are nearly equal count as well, from this similarity (Jaccard, 0 to 1). */
    near: z.strictObject({ columns: columnList, similarityMin: z.number().min(0.5).max(1) }).optional(),
    max: share.default(0.01),
  }),
  /** `dataset` is the test set; nothing of it may stand in `reference`, the training set. */
  z.strictObject({
    check: z.literal("data.leakage.overlap"),
    ...of,
    reference: componentName,
    columns: columnList.optional(),
    /** Whom or what a row is about: no one may be on both sides. */
    entity: columnName.optional(),
    /** Date or number that orders rows: no test row may be older than the newest training row. */
    time: columnName.optional(),
    /** To look for single columns that give the answer away. */
    target: z.strictObject({ column: columnName, positive: z.union([z.string(), z.number()]) }).optional(),
    max: share.default(0),
  }),
  /** Fewest rows in any combination of values of the columns. */
  z
    .strictObject({
      check: z.literal("data.coverage"),
      ...of,
      columns: columnList,
      expected: z.array(z.string().max(500)).max(2000).optional(),
      min: z.int().min(1).optional(),
      /** As many as show a figure of each group against a limit when all is well, or a difference between two groups. */
      enoughFor: z.array(z.strictObject({ figure: z.enum(["rate", "difference"]), limit: share.gt(0).lt(1), expected: share.optional() })).min(1).max(20).optional(),
    })
    .refine(({ min, enoughFor }) => min !== undefined || enoughFor !== undefined, { error: "say how many rows: `min`, or what they must be `enoughFor`" }),
  /** Fewest rows that share all quasi-identifiers (k-anonymity). */
  z
    .strictObject({
      check: z.literal("data.privacy.kanon"),
      ...of,
      quasiIdentifiers: columnList,
      sensitive: columnList.optional(),
      min: z.int().min(2).default(5),
      /** Fewest different values of each sensitive column in any group (l-diversity). */
      diversity: z.int().min(2).max(1_000_000).optional(),
      /** Largest distance between a sensitive column in a group and in all rows (t-closeness), 0 to 1. */
      closeness: share.optional(),
    })
    .refine(({ sensitive, diversity, closeness }) => sensitive !== undefined || (diversity === undefined && closeness === undefined), { path: ["sensitive"], error: "`diversity` and `closeness` are about sensitive columns: name them under `sensitive`" }),
  /**
   * Which labels to look at first, by probabilities of a model that has not seen the rows, and which rows people are to
   * judge for `data.labels.noise`. A ranking is no rate: never anything but advisory.
   */
  z.strictObject({
    check: z.literal("data.labels.suspects"),
    ...of,
    advisory: z.literal(true, { error: "write `advisory: true`: it says which labels to look at and decides nothing" }),
    label: columnName,
    /** By class as it stands in the label's column: the column with its probability. */
    probabilities: z.record(z.string().min(1).max(200), columnName).refine((classes) => Object.keys(classes).length >= 2 && Object.keys(classes).length <= 100, { error: "name the columns of 2 to 100 classes" }),
    /** Rows to judge, half of them suspect. */
    sample: z.int().min(2).max(10_000).default(200),
  }),
  /** Share of wrong labels, by what people found in a sample: a table with a row for each judged row, `stratum` and `wrong` (0 or 1). */
  z.strictObject({
    check: z.literal("data.labels.noise"),
    ...of,
    sample: componentName,
    /** Rows of the data set in each stratum that was sampled; default: one stratum, which is all of it. */
    strata: z.record(z.string().min(1).max(200), z.int().nonnegative()).refine((strata) => Object.keys(strata).length > 0 && Object.keys(strata).length <= 100, { error: "name 1 to 100 strata" }).optional(),
    max: share.default(0.03),
  }),
  /** Share of cells with personal data that their column is not declared to hold. */
  z.strictObject({
    check: z.literal("data.pii"),
    ...of,
    columns: columnList.optional(),
    /** Kinds that a column may hold, as the gateway's detectors name them. */
    allowed: z.record(columnName, z.array(z.string().min(1).max(100)).min(1).max(100)).optional(),
    max: share.default(0),
  }),
]);
export type DataCheck = z.output<typeof DataCheck>;
