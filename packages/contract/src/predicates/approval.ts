import { z } from "zod";
import { Digest, Id, Slug, Time, TrafficStage } from "../vocabulary.ts";

/** Predicate `https://licet.dev/predicate/approval/v1`: a person's answer to a request. Its canonical text is what a passkey signs. */
export const ApprovalPredicate = z.strictObject({
  v: z.literal(1),
  space: Slug,
  request: Id,
  move: z.string(),
  requirement: z.string(),
  role: z.string(),
  answer: z.enum(["approve", "return", "refuse"]),
  system: Slug.nullable(),
  release: Digest.nullable(),
  stage: TrafficStage.nullable(),
  environment: z.string().nullable(),
  factsDigest: Digest,
  policyDigest: Digest,
  commentDigest: Digest,
  approver: z.string(),
  authentication: z.strictObject({ method: z.string(), at: Time }),
  draftedAt: Time,
  notAfter: Time,
});
export type ApprovalPredicate = z.output<typeof ApprovalPredicate>;
