import { z } from "zod";
import { Digest, Id, Slug, Time } from "../vocabulary.ts";

/** Predicate `https://licet.dev/predicate/policy-publication/v1`: from then on the space decides by this bundle. The subject is the bundle. */
export const PolicyPublicationPredicate = z.strictObject({
  entry: Id.describe("the log entry that holds this statement, and the bundle in full"),
  space: Slug,
  digest: Digest.describe("of the bundle"),
  policies: z.array(z.strictObject({ id: z.string(), effect: z.enum(["permit", "forbid"]) })).max(10_000),
  by: z.string(),
  at: Time,
});
export type PolicyPublicationPredicate = z.output<typeof PolicyPublicationPredicate>;
