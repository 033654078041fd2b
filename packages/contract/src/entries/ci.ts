import { z } from "zod";
import { Digest, Id, Slug, Time } from "../vocabulary.ts";

/** Whose tokens: presets for the two that most people use, and any other OpenID Connect issuer. */
export const CiKind = z.enum(["github", "gitlab", "other"]);
export type CiKind = z.output<typeof CiKind>;

const ClaimName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_:./-]{0,99}$/u, "the name of a claim, such as `repository`");

/** What a claim of the token must be: this exact text, where `*` stands for any characters. */
export const CiClaim = z.strictObject({ claim: ClaimName, value: z.string().min(1).max(500) }).meta({ id: "CiClaim" });
export type CiClaim = z.output<typeof CiClaim>;

/** Which claims say repository, ref and workflow (each must have a rule), commit and run (recorded where they are there). */
export const CiClaimNames = z.strictObject({ repository: ClaimName, ref: ClaimName, workflow: ClaimName, commit: ClaimName, run: ClaimName }).meta({ id: "CiClaimNames" });
export type CiClaimNames = z.output<typeof CiClaimNames>;

/** Body of `ci.registered`, version 1: tokens of this issuer that fit may begin a counted run of the system. */
export const CiRegistered = z.strictObject({
  registration: Id,
  system: Slug,
  kind: CiKind,
  issuer: z.string(),
  audience: z.string(),
  names: CiClaimNames,
  claims: z.array(CiClaim).min(3).max(20),
  allowPrivate: z.boolean(),
  registeredBy: z.string(),
  request: Id,
  outcome: z.string(),
});
export type CiRegistered = z.output<typeof CiRegistered>;

/** Body of `ci.removed`, version 1. Credentials that were exchanged under it end with it. */
export const CiRemoved = z.strictObject({ registration: Id, system: Slug, reason: z.string(), removedBy: z.string() });
export type CiRemoved = z.output<typeof CiRemoved>;

/** Where a CI run came from, as its issuer signed it. */
export const CiProvenance = z
  .strictObject({
    run: Id,
    registration: Id,
    issuer: z.string(),
    repository: z.string(),
    ref: z.string(),
    workflow: z.string(),
    commit: z.string().nullable(),
    runId: z.string().nullable(),
    runUrl: z.string().nullable(),
  })
  .meta({ id: "CiProvenance" });
export type CiProvenance = z.output<typeof CiProvenance>;

/**
 * Body of `ci.exchanged`, version 1: a token became the right to one counted run. The token is not in it:
 * `tokenDigest` is of its signed part, `tokenUse` what it may be used by once, `secretDigest` of the one-run credential.
 */
export const CiExchanged = CiProvenance.extend({
  system: Slug,
  subject: z.string(),
  actor: z.record(z.string(), z.string()).describe("claims that say who or what began the run"),
  authors: z.array(z.string()).describe("e-mail addresses of commit authors: named by the CI, not signed by its issuer"),
  tokenDigest: Digest,
  tokenUse: Digest,
  secretDigest: Digest,
  expiresAt: Time,
});
export type CiExchanged = z.output<typeof CiExchanged>;

/** Body of `ci.refused`, version 1: a token that was used already came again. Entered once for each token. */
export const CiRefused = z.strictObject({ run: Id, registration: Id, system: Slug, cause: z.literal("replayed"), tokenDigest: Digest });
export type CiRefused = z.output<typeof CiRefused>;

/** Detail of `request.opened` for the move `register-ci`. */
export const CiDetail = CiRegistered.omit({ registration: true, system: true, registeredBy: true, request: true, outcome: true });
export type CiDetail = z.output<typeof CiDetail>;
