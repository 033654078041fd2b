import { z } from "zod";
import { Digest, Id, Slug, Time } from "../vocabulary.ts";

/** Predicate `https://licet.dev/predicate/waiver/v1`: one requirement is excused for a release, for a time, by named people. */
export const WaiverPredicate = z.strictObject({
  id: Id,
  space: Slug,
  system: Slug,
  release: Digest,
  requirement: z.string(),
  reason: z.string(),
  compensation: z.array(z.string()).describe("what is done instead"),
  request: Id,
  approvals: z.array(z.strictObject({ entry: Id, statementDigest: Digest, person: z.string(), role: z.string() })).min(1),
  policyDigest: Digest,
  factsDigest: Digest,
  notBefore: Time,
  notAfter: Time,
});
export type WaiverPredicate = z.output<typeof WaiverPredicate>;
