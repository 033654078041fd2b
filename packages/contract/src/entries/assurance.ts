import { z } from "zod";
import { CheckResult } from "../assurance.ts";
import { CiProvenance } from "./ci.ts";
import { Digest, Envelope, Id, Producer, Slug, Time } from "../vocabulary.ts";

/** Body of `ticket.issued`: the attempt itself, logged before anything runs. */
export const TicketIssued = z.strictObject({
  id: Id,
  system: Slug,
  release: Digest,
  producer: Producer,
  checks: z.array(z.string()),
  datasets: z.record(z.string(), Digest),
  seed: z.string(),
  attempt: z.int(),
  issuedTo: z.string(),
  leaseUntil: Time,
});
export type TicketIssued = z.output<typeof TicketIssued>;

/** Predicate of a check result, `https://licet.dev/predicate/check-result/v1`: the record and who produced it. */
export const CheckResultPredicate = z.strictObject({
  id: Id,
  ticket: Id,
  system: Slug,
  release: Digest,
  producer: Producer,
  producedBy: z.string(),
  producedAt: Time,
  provenance: CiProvenance.optional().describe("of producer `ci`: the run that it came from, as its issuer signed it"),
  result: CheckResult,
});
export type CheckResultPredicate = z.output<typeof CheckResultPredicate>;

/** Body of `check.recorded`: our own statement and the in-toto test-result derived from it. */
export const CheckRecorded = z.strictObject({ id: Id, statement: Envelope, testResult: Envelope });
export type CheckRecorded = z.output<typeof CheckRecorded>;
