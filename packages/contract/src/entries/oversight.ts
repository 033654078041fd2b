import { z } from "zod";
import { approvingRoles } from "../roles.ts";
import { WaiverKind } from "../predicates/waiver.ts";
import { Digest, Envelope, Id, Slug, Time, TrafficStage } from "../vocabulary.ts";

export const gateMoves = ["promote", "lift-hold", "register-provider", "register-ci", "grant-role", "set-privacy", "erase", "publish-policy", "grant-access", "grant-waiver"] as const;
export const GateMove = z.enum(gateMoves);
export type GateMove = z.output<typeof GateMove>;

/** Body of `request.opened`, version 1. `detail` is the move's own: days, hold, provider, person and role. */
export const RequestOpened = z.strictObject({
  request: Id,
  move: GateMove,
  system: Slug.nullable(),
  release: Digest.nullable(),
  stage: TrafficStage.nullable(),
  environment: z.string().nullable(),
  detail: z.record(z.string(), z.json()),
  requestedBy: z.string(),
});
export type RequestOpened = z.output<typeof RequestOpened>;

/** Body of `request.closed`, version 1: a move other than a promotion or a hold was carried out, by whose approvals. */
export const RequestClosed = z.strictObject({
  request: Id,
  status: z.enum(["granted", "refused", "returned"]),
  outcome: z.string(),
  approvals: z.array(Id),
});
export type RequestClosed = z.output<typeof RequestClosed>;

/**
 * Body of `approval.given`, version 1. `statement` is the exact canonical text whose SHA-256 was the passkey's challenge;
 * `return` and `refuse` close the request with the same entry.
 */
export const ApprovalGiven = z.strictObject({
  approval: Id,
  request: Id,
  role: z.enum(approvingRoles),
  person: z.string(),
  answer: z.enum(["approve", "return", "refuse"]),
  comment: z.string(),
  factsDigest: Digest,
  policyDigest: Digest,
  method: z.enum(["passkey", "server-asserted"]),
  authenticatedAt: Time,
  notAfter: Time,
  statement: z.string(),
  statementDigest: Digest,
  assertion: z.strictObject({ response: z.record(z.string(), z.json()), publicKey: z.string().describe("COSE key, base64") }).nullable(),
});
export type ApprovalGiven = z.output<typeof ApprovalGiven>;

/** Body of `hold.placed`, version 1. */
export const HoldPlaced = z.strictObject({ hold: Id, scope: z.enum(["all", "system", "vendor"]), system: Slug.nullable(), vendor: z.string().max(200).optional(), reason: z.string(), placedBy: z.string(), statement: Envelope.optional() });
export type HoldPlaced = z.output<typeof HoldPlaced>;

/** Body of `hold.lifted`, version 1: lifts, closes the request and spends its approvals in one entry. */
export const HoldLifted = z.strictObject({ hold: Id, request: Id, liftedBy: z.string(), outcome: z.string(), approvals: z.array(Id), statement: Envelope.optional() });
export type HoldLifted = z.output<typeof HoldLifted>;

/** Longest that a system is observed, counted from the first waiver for its environment: another one does not begin it anew. */
export const observeDaysMax = 30;

/** Detail of `request.opened` for the move `grant-waiver`. */
export const WaiverDetail = z.strictObject({ kind: WaiverKind, environment: z.string(), days: z.int().min(1).max(observeDaysMax), reason: z.string(), compensation: z.array(z.string()) });
export type WaiverDetail = z.output<typeof WaiverDetail>;

/** Body of `waiver.granted`, version 1: grants, closes the request and spends its approvals in one entry. */
export const WaiverGranted = z.strictObject({
  waiver: Id,
  kind: WaiverKind,
  system: Slug,
  environment: z.string(),
  reason: z.string(),
  compensation: z.array(z.string()),
  request: Id,
  requestedBy: z.string(),
  outcome: z.string(),
  approvals: z.array(z.strictObject({ id: Id, entry: Id, statementDigest: Digest, person: z.string(), role: z.string() })),
  policyDigest: Digest,
  factsDigest: Digest,
  notBefore: Time,
  notAfter: Time,
  statement: Envelope.optional(),
});
export type WaiverGranted = z.output<typeof WaiverGranted>;

/** Body of `waiver.ended`, version 1. One that nobody ended stops counting at its time; the entry follows within minutes. */
export const WaiverEnded = z.strictObject({
  waiver: Id,
  kind: WaiverKind,
  system: Slug,
  environment: z.string(),
  cause: z.enum(["revoked", "expired"]),
  reason: z.string(),
  endedBy: z.string(),
  statement: Envelope.optional(),
});
export type WaiverEnded = z.output<typeof WaiverEnded>;
