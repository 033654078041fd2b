import { z } from "zod";

export const tiers = ["minimal", "limited", "high", "critical"] as const;
export const Tier = z.enum(tiers).meta({ id: "Tier" });
export type Tier = z.output<typeof Tier>;

export const stages = ["proposed", "experiment", "pilot", "production", "retired"] as const;
export const Stage = z.enum(stages).meta({ id: "Stage" });
export type Stage = z.output<typeof Stage>;

/** The stages that carry traffic and so need an ATO. */
export const TrafficStage = z.enum(["experiment", "pilot", "production"]).meta({ id: "TrafficStage" });
export type TrafficStage = z.output<typeof TrafficStage>;

export const AtoState = z.enum(["granted", "conditional", "suspended", "revoked", "expired", "denied"]).meta({ id: "AtoState" });
export type AtoState = z.output<typeof AtoState>;

export const Producer = z.enum(["self", "ci", "licet"]).meta({ id: "Producer" });
export type Producer = z.output<typeof Producer>;

export const Slug = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/u, "lower-case letters, digits and hyphens, at most 63 characters").meta({ id: "Slug" });
export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/u, "`sha256:` and 64 hexadecimal digits").meta({ id: "Digest" });
export type Digest = z.output<typeof Digest>;
export const Time = z.int().min(0).meta({ id: "Time", description: "milliseconds since the Unix epoch, UTC" });
export const Id = z.string().min(3).max(80).meta({ id: "Id" });

/** A DSSE envelope as it travels. */
export const Envelope = z
  .strictObject({
    payloadType: z.string(),
    payload: z.string(),
    signatures: z.array(z.strictObject({ keyid: z.string(), sig: z.string() })).min(1),
  })
  .meta({ id: "Envelope" });
export type Envelope = z.output<typeof Envelope>;

export const PageQuery = z.object({
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
