import { z } from "zod";
import { Id, Slug, Time } from "../vocabulary.ts";

/** Predicate `https://licet.dev/predicate/hold/v1`: traffic was stopped, or a stop was ended. Times are milliseconds since the Unix epoch, UTC. */
export const HoldPredicate = z.discriminatedUnion("event", [
  z.strictObject({
    event: z.literal("placed"),
    entry: Id.describe("the log entry that holds this statement"),
    space: Slug,
    hold: Id,
    scope: z.enum(["all", "system", "vendor"]),
    system: Slug.nullable().describe("null when everything in the space, or a vendor, is held"),
    vendor: z.string().optional().describe("of scope `vendor`: nothing is sent to its providers"),
    reason: z.string(),
    by: z.string().describe("id of the person or service"),
    at: Time,
  }),
  z.strictObject({
    event: z.literal("lifted"),
    entry: Id.describe("the log entry that holds this statement"),
    space: Slug,
    hold: Id,
    request: Id.describe("the gate move that asked for it"),
    approvals: z.array(Id).describe("spent on it"),
    outcome: z.string(),
    by: z.string(),
    at: Time,
  }),
]);
export type HoldPredicate = z.output<typeof HoldPredicate>;
