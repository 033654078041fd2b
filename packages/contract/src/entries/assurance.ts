import { z } from "zod";
import { CheckResult } from "../assurance.ts";
import { ReservedAttempt, SettledCheck } from "../assurance/attempts.ts";
import { RunnerBudget } from "../assurance/runner.ts";
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
  attempts: z.array(ReservedAttempt).optional().describe("one for each check; absent in tickets from before attempts were counted"),
  settled: z.array(SettledCheck).optional().describe("checks whose verdict stands already"),
  budget: RunnerBudget.optional().describe("of producer `licet`: what its questions to models may come to"),
  repeatWithinMs: z.int().positive().optional().describe("of producer `ci`: how long the server has to make a drawn check again"),
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
  carriedFrom: Id.optional().describe("the result whose verdict stands for this release too: same subject, data and configuration"),
  result: CheckResult,
});
export type CheckResultPredicate = z.output<typeof CheckResultPredicate>;

/** What a second run of the same thing found, held against the first. */
export const Comparison = z.strictObject({ agrees: z.boolean(), differences: z.array(z.string().max(500)).max(50) });
export type Comparison = z.output<typeof Comparison>;

/** Body of `check.recorded`: our own statement and the in-toto test-result derived from it. */
export const CheckRecorded = z.strictObject({
  id: Id,
  statement: Envelope,
  testResult: Envelope,
  comparison: Comparison.optional().describe("of a result that another producer had before"),
});
export type CheckRecorded = z.output<typeof CheckRecorded>;

/** How the repeated check was drawn, for whoever draws again: SHA-256 of `from`, and of `among` the one that it names. */
export const RepeatDraw = z.strictObject({
  from: Id.describe("entry of the last result of the ticket: its random part was made when everything was in"),
  among: z.array(Id).min(1).max(200).describe("results that could be repeated, by check id"),
});
export type RepeatDraw = z.output<typeof RepeatDraw>;

/** Body of `check.repeated`: the server's runner made a reported result again. */
export const CheckRepeated = z.strictObject({
  id: Id,
  ticket: Id,
  system: Slug,
  release: Digest,
  check: z.string(),
  reported: Id,
  drawn: RepeatDraw,
  comparison: Comparison,
  voided: z.string().max(500).optional().describe("why it was not made within its time; then nothing was compared, and nothing agrees"),
});
export type CheckRepeated = z.output<typeof CheckRepeated>;
