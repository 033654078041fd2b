import { z } from "zod";
import { Digest, Time } from "../vocabulary.ts";
import { PrivacySpending } from "./privacy-budget.ts";

const count = z.int().min(0);
const share = z.number().min(0).max(1);
const text = z.string().min(1).max(500);
const columns = z.array(text).max(4096);

const Sensitive = z.strictObject({ column: text, distinctL: count, entropyL: z.number(), t: z.number(), tDistance: z.enum(["equal", "ordered"]) });

/** What may stand in a column of a synthetic table: declared by a person, never looked up in the data. */
export const ColumnDomain = z.union([
  z.strictObject({ values: z.array(z.string().max(500)).min(1).max(4096) }),
  z.strictObject({ min: z.number(), max: z.number(), bins: z.int().min(1).max(4096), whole: z.boolean().optional() }),
]);
export type ColumnDomain = z.output<typeof ColumnDomain>;

export const NoisyFigure = z.union([
  z.strictObject({ figure: z.literal("count"), column: text, values: z.array(z.string().max(500)).min(1).max(4096) }),
  z.strictObject({ figure: z.literal("sum"), column: text, min: z.number(), max: z.number() }),
]);
export type NoisyFigure = z.output<typeof NoisyFigure>;

/** Epsilon before and after this run, at the budget's delta, and the answers that this run paid for. */
const Spent = z.strictObject({ epsilon: z.number(), delta: z.number(), epsilonBefore: z.number(), epsilonAfter: z.number(), epsilonTotal: z.number(), spendings: z.array(PrivacySpending) });

const common = {
  schema: z.literal("licet.assurance.lineage/v1"),
  source: z.strictObject({ name: text, digest: Digest, bytes: count, rows: count, columns, dataset: text.optional(), system: text.optional() }),
  output: z.strictObject({ name: text, digest: Digest, bytes: count, rows: count, columns }),
  engine: z.strictObject({ name: z.string(), version: z.string(), digest: Digest }),
  time: Time,
  /** Sentences for the owner of the data. */
  notes: z.array(z.string()),
};

/** Noise that protects people comes from the operating system and is kept nowhere: a seed would undo it. */
const randomness = z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("none") }), z.strictObject({ kind: z.literal("seed"), seed: z.string() }), z.strictObject({ kind: z.literal("secret") })]);

/**
 * Where a table comes from that was made from another: digests of both, the method with all its parameters, what it
 * promises and what it cost. The figures of loss were counted on the real data, without noise: it is for the owner.
 */
export const DataLineage = z.discriminatedUnion("method", [
  z.strictObject({
    ...common,
    method: z.literal("anonymise"),
    parameters: z.strictObject({ quasiIdentifiers: columns, k: count, diversity: z.strictObject({ column: text, l: count }).optional(), sensitive: columns, drop: columns }),
    randomness,
    privacy: z.strictObject({ k: count, groups: count, sensitive: z.array(Sensitive) }),
    loss: z.strictObject({ rows: count, suppressed: count, certaintyPenalty: share, groupSizeOverK: z.number() }),
  }),
  z.strictObject({
    ...common,
    method: z.literal("synthesise"),
    parameters: z.strictObject({ domains: z.record(z.string(), ColumnDomain), rows: count, epsilon: z.number(), delta: z.number() }),
    randomness,
    privacy: z.strictObject({ spent: Spent, copies: count, pairs: z.array(z.tuple([z.string(), z.string()])) }),
    loss: z.strictObject({ oneWay: share, twoWay: share }),
  }),
  z.strictObject({
    ...common,
    method: z.literal("noise"),
    parameters: z.strictObject({ figures: z.array(NoisyFigure), mechanism: z.enum(["laplace", "gaussian"]), epsilon: z.number(), delta: z.number() }),
    randomness,
    privacy: z.strictObject({ spent: Spent }),
    loss: z.strictObject({ figures: z.array(z.strictObject({ column: text, figure: z.enum(["count", "sum"]), sensitivity: z.number(), expectedError: z.number(), epsilonSpent: z.number() })) }),
  }),
]);
export type DataLineage = z.output<typeof DataLineage>;

export const lineageSuffix = ".lineage.json";
export const lineageBytesMax = 4 * 1024 * 1024;
