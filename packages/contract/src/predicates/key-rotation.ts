import { z } from "zod";
import { Time } from "../vocabulary.ts";

const KeyId = z.string().min(1).max(200);

/** Predicate `https://licet.dev/predicate/key-rotation/v1`: another key takes over a role. Signed by the previous and the new statement key. */
export const KeyRotationPredicate = z.strictObject({
  role: z.enum(["log", "log-mldsa", "statement", "root"]),
  keyid: KeyId.describe("of the new key"),
  publicKey: z.string().describe("base64 of the raw key; empty for the root key, which has none"),
  algorithm: z.enum(["ed25519", "ml-dsa-44", "aes-256-gcm"]),
  previous: KeyId.nullable().describe("null for the first key of a role"),
  notBefore: Time,
});
export type KeyRotationPredicate = z.output<typeof KeyRotationPredicate>;
