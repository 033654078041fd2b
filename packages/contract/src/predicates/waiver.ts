import { z } from "zod";
import { Digest, Id, Slug, Time } from "../vocabulary.ts";

/** What a waiver excuses. `observe`: calls go on that would have been refused, each labelled with why. */
export const WaiverKind = z.enum(["observe"]);
export type WaiverKind = z.output<typeof WaiverKind>;

/** Predicate `https://licet.dev/predicate/waiver/v1`: a deviation is accepted for a time, by named people, or was ended before that. Times are milliseconds since the Unix epoch, UTC. */
export const WaiverPredicate = z.discriminatedUnion("event", [
  z.strictObject({
    event: z.literal("granted"),
    entry: Id.describe("the log entry that holds this statement"),
    space: Slug,
    waiver: Id,
    kind: WaiverKind,
    system: Slug,
    environment: z.string().describe("of whatever release of the system runs there"),
    reason: z.string(),
    compensation: z.array(z.string()).describe("what is done instead, in the words of who asked"),
    request: Id.describe("the gate move that asked for it"),
    requestedBy: z.string().describe("id of the person"),
    outcome: z.string().describe("by whom it was approved, or `sole operator`"),
    approvals: z.array(z.strictObject({ entry: Id, statementDigest: Digest, person: z.string(), role: z.string() })).describe("spent on it; none where a sole operator granted it"),
    policyDigest: Digest,
    factsDigest: Digest,
    notBefore: Time,
    notAfter: Time,
    at: Time,
  }),
  z.strictObject({
    event: z.literal("ended"),
    entry: Id.describe("the log entry that holds this statement"),
    space: Slug,
    waiver: Id,
    kind: WaiverKind,
    system: Slug,
    environment: z.string(),
    cause: z.enum(["revoked", "expired"]),
    reason: z.string(),
    by: z.string().describe("id of the person, or `server` when its time was over"),
    at: Time,
  }),
]);
export type WaiverPredicate = z.output<typeof WaiverPredicate>;
