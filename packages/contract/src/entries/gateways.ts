import { z } from "zod";
import { Digest, Id, Slug, Time } from "../vocabulary.ts";

const Base64 = z.base64().max(200);

/** `gateway.added` v1: somebody may join under this name until the token ends. Holds the token's digest, never the token. */
export const GatewayAdded = z.strictObject({ gateway: Id, name: Slug, tokenDigest: Digest, tokenExpiresAt: Time, addedBy: z.string() });
export type GatewayAdded = z.output<typeof GatewayAdded>;

/** `gateway.joined` v1: the keys of a gateway process and of its own log. They sign its requests and its log, and no statement that counts here. */
export const GatewayJoined = z.strictObject({
  gateway: Id,
  name: Slug,
  publicKey: Base64.describe("Ed25519, RFC 8032: signs what the gateway asks and sends"),
  logOrigin: z.string().max(300),
  trust: z.string().max(64_000).describe("the trust file of the gateway's own log, as JSON"),
});
export type GatewayJoined = z.output<typeof GatewayJoined>;

/** `gateway.removed` v1: from now on it gets no snapshot, and nothing that it sends is taken. */
export const GatewayRemoved = z.strictObject({ gateway: Id, name: Slug, reason: z.string().max(2000), removedBy: z.string() });
export type GatewayRemoved = z.output<typeof GatewayRemoved>;

/** In a record that another gateway's log holds: where it stands there. The record here is a copy, the one there was before the effect. */
export const Shipped = z.strictObject({
  gateway: Id,
  log: z.string().max(300).describe("origin of the gateway's log"),
  index: z.int().nonnegative().describe("the entry's number in that log"),
  leaf: Digest.describe("SHA-256 of the entry's leaf, RFC 6962"),
  time: Time.describe("when the gateway recorded it"),
});
export type Shipped = z.output<typeof Shipped>;
