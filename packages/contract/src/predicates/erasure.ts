import { z } from "zod";
import { Id, Slug, Time } from "../vocabulary.ts";

/** Predicate `https://licet.dev/predicate/erasure/v1`: keys were destroyed, and with them what they sealed. Names no person. */
export const ErasurePredicate = z.strictObject({
  entry: Id.describe("the log entry that holds this statement"),
  space: Slug,
  occasion: z.enum(["request", "schedule"]).describe("somebody asked for it, or a retention period ended"),
  keys: z.strictObject({
    count: z.int().nonnegative(),
    digest: z.string().regex(/^sha256:[0-9a-f]{64}$/u).describe("of the canonical JSON of the list of key ids in the entry"),
  }),
  by: z.string(),
  at: Time,
});
export type ErasurePredicate = z.output<typeof ErasurePredicate>;
