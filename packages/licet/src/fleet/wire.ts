import { BoundIdBody, Digest, Time } from "@licet/contract";
import { z } from "zod";
import { quantities } from "../gateway/budgets/shares.ts";

/** Below the data plane's origin. */
export const fleetPaths = { join: "/gateway/v1/join", feed: "/gateway/v1/feed", records: "/gateway/v1/records", shares: "/gateway/v1/shares", subject: "/gateway/v1/subject", bound: "/gateway/v1/bound" } as const;
export type FleetPurpose = keyof typeof fleetPaths;

/** A quarter of the lease: three heartbeats may be late before traffic stops. */
export const beatMs = 250;
/** How far the clocks of gateway and control plane may be apart. */
export const clocksApartMsMax = 5000;
/** Of one message of the feed: a whole policy bundle with its golden decisions is the largest. */
export const feedMessageCharactersMax = 64 * 1024 * 1024;
/** Of everything but records. */
export const requestBytesMax = 256 * 1024;
export const recordsBytesMax = 9 * 1024 * 1024;
export const recordsPerBatchMax = 256;
export const sharesBytesMax = 4 * 1024 * 1024;
/** Six for each system that is limited. */
export const countersMax = 12_000;
export const joinTokenMs = 3_600_000;

const Nonce = z.string().regex(/^[0-9a-f]{32}$/u);
const RawKey = z.base64().length(44);
const Origin = z.string().min(1).max(300);
const count = z.int().nonnegative();

/** What a gateway asks, signed by its key. `to` names the control plane's key, so that no other can be asked with it. */
const asking = { v: z.literal(1), gateway: z.string().max(80), to: z.string().max(64), time: Time, nonce: Nonce };

export const JoinRequest = z.strictObject({
  ...asking,
  purpose: z.literal("join"),
  secret: z.string().max(100),
  publicKey: RawKey,
  logOrigin: Origin,
  trust: z.string().max(64_000),
});
export type JoinRequest = z.output<typeof JoinRequest>;

export const FeedRequest = z.strictObject({
  ...asking,
  purpose: z.literal("feed"),
  sealKey: RawKey.describe("X25519, made for this connection alone"),
  have: z.array(Digest).max(1000).describe("texts that need not be sent again"),
});
export type FeedRequest = z.output<typeof FeedRequest>;

/** One entry of the gateway's log, opened. */
export const ShippedEntry = z.strictObject({
  index: count,
  leaf: Digest,
  entry: z
    .strictObject({
      kind: z.string().max(80),
      v: count,
      time: Time,
      space: z.string().max(63),
      actor: z.string().max(300),
      system: z.string().max(200).optional(),
      subject: z.string().max(310),
      class: z.enum(["runtime", "content"]),
      body: z.record(z.string(), z.json()),
      gateway: z.string().max(200).optional(),
      seq: count.optional(),
    })
    .nullable()
    .describe("null for what concerns the gateway alone, and for what was erased there"),
});
export type ShippedEntry = z.output<typeof ShippedEntry>;

export const RecordsRequest = z.strictObject({
  ...asking,
  purpose: z.literal("records"),
  log: Origin,
  entries: z.array(ShippedEntry).min(1).max(recordsPerBatchMax),
});
export type RecordsRequest = z.output<typeof RecordsRequest>;

const counter = {
  system: z.string().max(200).nullable().describe("null for all systems of the space together"),
  of: z.enum(quantities),
  index: count,
  currency: z.string().max(3),
};
const Hold = z.strictObject({ ...counter, amount: count, settled: count });
const Want = z.strictObject({ ...counter, need: count, unmet: count, ahead: count });

export const SharesRequest = z.strictObject({
  ...asking,
  purpose: z.literal("shares"),
  run: z.string().max(200).describe("as it stands in its decisions"),
  log: Origin.describe("the newest shard of the gateway's log"),
  size: count.describe("of that shard when the run began: what earlier runs decided is below"),
  number: z.int().positive(),
  holds: z.array(Hold).max(countersMax),
  wants: z.array(z.array(Want).max(20)).max(2000),
});
export type SharesRequest = z.output<typeof SharesRequest>;

export const SubjectRequest = z.strictObject({ ...asking, purpose: z.literal("subject"), user: z.string().max(4096) });
export type SubjectRequest = z.output<typeof SubjectRequest>;

const name = z.string().min(1).max(300);

/** Whose an id of a provider is, or which a system has: what other gateways of the installation bound. */
export const BoundRequest = z.strictObject({
  ...asking,
  purpose: z.literal("bound"),
  of: z.union([z.strictObject({ provider: name, id: name }), z.strictObject({ provider: name, system: name, object: z.enum(["file", "batch"]) })]),
});
export type BoundRequest = z.output<typeof BoundRequest>;

export const JoinAnswer = z.strictObject({
  v: z.literal(1),
  nonce: Nonce,
  gateway: z.string(),
  name: z.string(),
  space: z.string(),
  keys: z.array(z.strictObject({ keyid: z.string(), publicKey: RawKey })).min(1).max(100),
});

export const RecordsAnswer = z.strictObject({ v: z.literal(1), nonce: Nonce, next: count });
export const SharesAnswer = z.strictObject({
  v: z.literal(1),
  nonce: Nonce,
  number: z.int().positive(),
  granted: z.array(z.strictObject({ ...counter, amount: count, under: count, held: count, settled: count, scarce: z.boolean(), denied: z.boolean() })).max(2 * countersMax),
});
export const BoundAnswer = z.strictObject({ v: z.literal(1), nonce: Nonce, ids: z.array(BoundIdBody.extend({ system: z.string().max(200) })).max(1000) });
export const SubjectAnswer = z.strictObject({ v: z.literal(1), nonce: Nonce, subject: z.string().max(310) });

/** Bound to one connection by the request's nonce, and to its place there: nothing of another, nothing twice. */
const streamed = { v: z.literal(1), stream: Nonce, seq: count };

export const FeedMessage = z.discriminatedUnion("type", [
  z.strictObject({ ...streamed, type: z.literal("hello"), now: Time, leaseMs: z.int().positive(), space: z.string(), sealKey: RawKey, taken: z.record(z.string(), count), consoleUrl: z.url().max(2000).optional().describe("where people open what a refusal names") }),
  z.strictObject({
    ...streamed,
    type: z.literal("standing"),
    version: z.int(),
    readAt: Time,
    log: Origin.describe("the control plane's newest shard: versions are compared within one alone"),
    standing: z.unknown(),
    keys: z.array(z.strictObject({ provider: z.string(), sealed: z.base64() })),
  }),
  z.strictObject({ ...streamed, type: z.literal("beat"), version: z.int(), readAt: Time }),
]);
export type FeedMessage = z.output<typeof FeedMessage>;

/** Not signed: its digest stands in the standing that follows. */
export const Blob = z.strictObject({ ref: Digest, text: z.string() });

export function keyAad(stream: string, space: string, provider: string): Buffer {
  return Buffer.from(`licet gateway key v1\n${stream}\n${space}/${provider}`);
}
