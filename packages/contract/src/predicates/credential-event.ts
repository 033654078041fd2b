import { z } from "zod";
import { Digest, Id, Slug, Time, TrafficStage } from "../vocabulary.ts";

const common = {
  entry: Id.describe("the log entry that holds this statement"),
  space: Slug,
  credential: Id,
  deployment: Id,
  system: Slug,
  release: Digest,
  by: z.string(),
  at: Time,
};

/** Predicate `https://licet.dev/predicate/credential-event/v1`: a deployment's credential began or ended. The subject's digest is that of the secret, which no record holds. */
export const CredentialEventPredicate = z.discriminatedUnion("event", [
  z.strictObject({ event: z.literal("issued"), ...common, environment: z.string(), stage: TrafficStage, ato: Id.nullable(), waiver: Id.optional().describe("where no authorization, only a waiver opens the environment"), expiresAt: Time }),
  z.strictObject({ event: z.literal("revoked"), ...common, reason: z.string() }),
]);
export type CredentialEventPredicate = z.output<typeof CredentialEventPredicate>;
