import { z } from "zod";
import { DataClass } from "../manifest/boundary.ts";
import { Envelope, Id, Slug, Time } from "../vocabulary.ts";
import { Shipped } from "./gateways.ts";

/** What is recorded of a call's words, from least to most. */
export const contentModes = ["none", "digest", "redacted", "encrypted"] as const;
export const ContentMode = z.enum(contentModes).meta({
  id: "ContentMode",
  description: "none: nothing; digest: digests of messages; redacted: the text with every finding of a detector replaced by its type, encrypted; encrypted: the text, encrypted",
});
export type ContentMode = z.output<typeof ContentMode>;

/** One mode for each data class. A call gets the least of the modes of all classes that it may hold. */
export const ContentModes = z.record(DataClass, ContentMode).meta({ id: "ContentModes" });
export type ContentModes = z.output<typeof ContentModes>;

const Days = z.int().min(1).max(36_500);

/** Days after the end of its month that a key of the class is kept. Governance is kept: there is no number to give. */
export const RetentionDays = z.strictObject({ runtime: Days, content: Days }).meta({ id: "RetentionDays" });
export type RetentionDays = z.output<typeof RetentionDays>;

export const PrivacySettings = z.strictObject({ contentModes: ContentModes, retentionDays: RetentionDays }).meta({ id: "PrivacySettings" });
export type PrivacySettings = z.output<typeof PrivacySettings>;

export const defaultPrivacy: PrivacySettings = {
  contentModes: { public: "digest", internal: "digest", confidential: "digest", personal: "digest", special: "digest" },
  retentionDays: { runtime: 400, content: 30 },
};

/** Body of `privacy.set`, version 1: what an approved request `set-privacy` put in force. */
export const PrivacySet = z.strictObject({ ...PrivacySettings.shape, request: Id, setBy: z.string() });
export type PrivacySet = z.output<typeof PrivacySet>;

const before = Time.nullable().describe("only keys of months that ended by then; null for all");

/** What an erasure is of. Names nobody: an end user is a keyed hash, a person an id that nothing resolves any more. */
export const ErasureTarget = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("person"), person: Id }),
    z.strictObject({ kind: z.literal("user"), subject: z.string().regex(/^person:user-[0-9a-f]{32}$/u), before }),
    z.strictObject({ kind: z.literal("system"), system: Slug, class: z.enum(["runtime", "content"]), before }),
    z.strictObject({ kind: z.literal("schedule"), class: z.enum(["runtime", "content"]), before: Time }),
  ])
  .meta({ id: "ErasureTarget" });
export type ErasureTarget = z.output<typeof ErasureTarget>;

/** What stays of a person: an id and who held which role when, because later approvals are judged by it. */
export const PersonTombstone = z.strictObject({
  person: Id,
  createdBy: z.string(),
  createdAt: Time,
  entry: Id,
  roles: z.array(z.strictObject({ role: z.string(), grantedBy: z.string(), grantedAt: Time, early: z.boolean(), revokedAt: Time.nullable(), entry: Id })),
});
export type PersonTombstone = z.output<typeof PersonTombstone>;

/**
 * Body of `erasure.intended`, version 1: durable before the first key is destroyed. The same body without a statement
 * follows as `payload.erased` (on request) or `retention.applied` (by schedule) once all of `keys` are destroyed: a leaf
 * whose key id stands in one of those two is validly erased.
 */
export const ErasureBody = z.strictObject({
  erasure: Id,
  occasion: z.enum(["request", "schedule"]),
  target: ErasureTarget,
  class: z.enum(["governance", "runtime", "content", "all"]).describe("retention class of the keys; all: whatever the subject had"),
  before: Time.nullable(),
  keys: z.array(z.string().max(80)).min(1).max(10_000),
  counts: z.strictObject({ keys: z.int().nonnegative(), entries: z.int().nonnegative() }),
  basis: z.string().min(1).max(2000),
  requestedBy: z.string(),
  request: Id.nullable(),
  approvals: z.array(Id),
  tombstone: PersonTombstone.nullable(),
});
export type ErasureBody = z.output<typeof ErasureBody>;

/** Body of `payload.erased` and `retention.applied`, version 1. */
export const ErasureDone = ErasureBody.extend({ statement: Envelope.optional() });
export type ErasureDone = z.output<typeof ErasureDone>;
export const PayloadErased = ErasureDone;
export const RetentionApplied = ErasureDone;

/** One text of an answer: `0.content` is the text of its first choice. */
export const ContentText = z.strictObject({ at: z.string().max(200), text: z.string() });

/** Body of `gateway.content`, version 1 (runtime, class `content`): the words of one call, before or after it. */
export const GatewayContentBody = z.strictObject({
  id: Id,
  decision: Id,
  part: z.enum(["prompt", "answer"]),
  mode: z.enum(["redacted", "encrypted"]),
  messages: z.array(z.record(z.string(), z.json())).nullable().describe("of a prompt"),
  texts: z.array(ContentText).nullable().describe("of an answer: what left the gateway"),
  truncated: z.boolean().describe("more left the gateway than the bound of what is recorded"),
  shipped: Shipped.optional().describe("where it stands in the log of the gateway that recorded it"),
});
export type GatewayContentBody = z.output<typeof GatewayContentBody>;
