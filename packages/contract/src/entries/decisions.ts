import { z } from "zod";
import { Id, Slug, Time } from "../vocabulary.ts";
import { SnapshotStamp } from "./gateway.ts";

const TypeName = z.string().min(1).max(300);
const EntityId = z.string().min(1).max(2048);

export const EntityUid = z.strictObject({ type: TypeName, id: EntityId }).meta({ id: "EntityUid" });
export type EntityUid = z.output<typeof EntityUid>;

/** An entity of an application's data in Cedar's JSON form; its type is checked against the pack's schema. */
export const DataEntity = z
  .strictObject({
    uid: EntityUid,
    attrs: z.record(z.string().min(1).max(200), z.json()).default({}),
    parents: z.array(EntityUid).max(200).default([]),
    tags: z.record(z.string().min(1).max(200), z.json()).optional(),
  })
  .meta({ id: "DataEntity" });
export type DataEntity = z.output<typeof DataEntity>;

/** `space.opened` v1: the space with its first administrator, in one entry, so that no space is without one. */
export const SpaceOpened = z.strictObject({
  name: Slug,
  title: z.string().min(1).max(120),
  administrator: z.strictObject({ person: Id, email: z.string(), name: z.string() }),
});
export type SpaceOpened = z.output<typeof SpaceOpened>;

/** `policy.data-changed` v1: entities put into a space's data and taken out of it; a removal of what is not there is none. */
export const PolicyDataChanged = z.strictObject({ upsert: z.array(DataEntity), remove: z.array(EntityUid), changedBy: z.string() });
export type PolicyDataChanged = z.output<typeof PolicyDataChanged>;

/** `policy.client-issued` v1: the digest of a decision client's token, never the token. */
export const PolicyClientIssued = z.strictObject({ client: Id, name: z.string(), digest: z.string().regex(/^[0-9a-f]{64}$/u), expiresAt: Time, issuedBy: z.string() });
export type PolicyClientIssued = z.output<typeof PolicyClientIssued>;

/** `policy.client-revoked` v1. */
export const PolicyClientRevoked = z.strictObject({ client: Id, reason: z.string(), revokedBy: z.string() });
export type PolicyClientRevoked = z.output<typeof PolicyClientRevoked>;

/** `access.search` v1: one AuthZEN search, durable before its reply: what was asked, and by digest what was answered. */
export const AccessSearchBody = z.strictObject({
  id: z.string(),
  search: z.enum(["subject", "resource", "action"]),
  client: z.string().max(80),
  asked: z.strictObject({
    subject: z.strictObject({ type: z.string(), id: z.string().nullable() }),
    action: z.string().nullable(),
    resource: z.strictObject({ type: z.string(), id: z.string().nullable() }),
  }),
  policyBundle: z.string().nullable(),
  snapshot: SnapshotStamp.nullable(),
  results: z.int().nonnegative(),
  resultsDigest: z.string(),
  evaluated: z.int().nonnegative().describe("how many requests were decided for it"),
});
export type AccessSearchBody = z.output<typeof AccessSearchBody>;
