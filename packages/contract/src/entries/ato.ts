import { z } from "zod";
import { GateAnswer, GateFacts } from "../gate.ts";
import { Digest, Envelope, Id, Slug, Tier, Time, TrafficStage } from "../vocabulary.ts";

/** Predicate of `https://licet.dev/predicate/authorization-to-operate/v1`; the subjects are the release and its components. */
export const AtoPredicate = z.strictObject({
  id: Id,
  decision: z.literal("granted"),
  request: Id,
  space: Slug,
  system: Slug,
  release: Digest,
  tier: Tier,
  stage: TrafficStage,
  environment: z.string(),
  dataBoundary: z.record(z.string(), z.json()),
  conditions: z.array(z.string()),
  requestedBy: z.string(),
  approvers: z.array(
    z.strictObject({
      approval: Id,
      entry: Id,
      person: z.string(),
      role: z.string(),
      statementDigest: Digest,
      method: z.enum(["passkey", "server-asserted"]),
      early: z.boolean().describe("counted although the role is younger than 24 hours: first hour of the installation, or the demo"),
      at: Time,
    }),
  ),
  checks: z.array(z.strictObject({ id: z.string(), check: z.string(), verdict: z.string(), producer: z.string(), entry: Id, digest: Digest.describe("of the canonical result") })),
  policyDigest: Digest,
  factsDigest: Digest,
  notBefore: Time,
  notAfter: Time,
});
export type AtoPredicate = z.output<typeof AtoPredicate>;

/** Body of `ato.granted`, version 1: the signed statement, and the facts and answer from which anyone can decide again. */
export const AtoGranted = z.strictObject({
  ato: Id,
  request: Id,
  system: Slug,
  release: Digest,
  stage: TrafficStage,
  environment: z.string(),
  notBefore: Time,
  notAfter: Time,
  statement: Envelope,
  approvals: z.array(Id),
  facts: GateFacts,
  answer: GateAnswer,
});
export type AtoGranted = z.output<typeof AtoGranted>;

/** Body of `ato.state-changed`, version 1: revoked, suspended, or granted again after a suspension. */
export const AtoStateChanged = z.strictObject({ ato: Id, state: z.enum(["revoked", "suspended", "granted"]), reason: z.string(), by: z.string() });
export type AtoStateChanged = z.output<typeof AtoStateChanged>;

/** Body of `deployment.recorded`, version 1. Holds the digest of the credential's secret, never the secret. */
export const DeploymentRecorded = z.strictObject({
  deployment: Id,
  system: Slug,
  environment: z.string(),
  stage: TrafficStage,
  release: Digest,
  ato: Id.nullable().describe("null where only a waiver opens the environment"),
  waiver: Id.optional().describe("the observe waiver that stands in for the authorization"),
  recordedBy: z.string(),
  attested: z.array(z.string()),
  credential: z.strictObject({ id: Id, digest: Digest, hint: z.string(), expiresAt: Time }),
  statement: Envelope.optional(),
});
export type DeploymentRecorded = z.output<typeof DeploymentRecorded>;

/** Body of `credential.revoked`, version 1. What the credential was for stands in entries with a statement. */
export const CredentialRevoked = z.strictObject({
  credential: Id,
  digest: Digest.optional(),
  deployment: Id.optional(),
  system: Slug.optional(),
  release: Digest.optional(),
  reason: z.string(),
  revokedBy: z.string(),
  statement: Envelope.optional(),
});
export type CredentialRevoked = z.output<typeof CredentialRevoked>;
