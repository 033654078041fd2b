import { z } from "zod";
import { Digest, Slug, Time } from "../vocabulary.ts";

const count = z.int().nonnegative();

/**
 * Predicate `https://licet.dev/predicate/decision-batch/v1`: every numbered record of one run of a gateway, from one
 * number to another without a gap. The subject's digest is `root`: whoever has the leaves checks completeness with
 * one signature.
 */
export const DecisionBatchPredicate = z.strictObject({
  origin: z.string().describe("of the log"),
  space: Slug,
  gateway: z.string().describe("one run of a gateway process"),
  from: z.int().min(1).describe("first number"),
  to: z.int().min(1).describe("last number"),
  count: count.describe("records, which is to - from + 1"),
  decisions: z.strictObject({ allow: count, deny: count, unknown: count.describe("content erased before this was signed") }),
  outcomes: count,
  root: Digest.describe("RFC 6962 Merkle tree hash over the records' leaves in the order of their numbers"),
  firstIndex: count.describe("smallest place of a record in the log"),
  lastIndex: count.describe("largest place of a record in the log"),
  at: Time,
});
export type DecisionBatchPredicate = z.output<typeof DecisionBatchPredicate>;
