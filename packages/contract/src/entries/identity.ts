import { z } from "zod";
import { roles } from "../roles.ts";
import { Id } from "../vocabulary.ts";

/** Entry `person.added`, version 1: somebody who may be given roles in the space. Sealed under `person:ID`. */
export const PersonAdded = z.strictObject({
  person: Id,
  email: z.string(),
  name: z.string(),
  by: z.enum(["setup", "administrator"]).describe("the one-time set-up link, or an administrator's invitation"),
});
export type PersonAdded = z.output<typeof PersonAdded>;

/** Entry `role.granted`, version 1. */
export const RoleGranted = z.strictObject({
  person: Id,
  role: z.enum(roles),
  early: z.boolean().describe("within the first hour of the installation, or in the demo: counts at once, and is marked"),
  request: Id.nullable().describe("the gate move that allowed it; null only for the first administrator"),
});
export type RoleGranted = z.output<typeof RoleGranted>;

/** Entry `role.revoked`, version 1. */
export const RoleRevoked = z.strictObject({ person: Id, role: z.enum(roles) });
export type RoleRevoked = z.output<typeof RoleRevoked>;

/** Entry `person.credential-changed`, version 1: how somebody signs in has changed. Written before it takes effect, one per space of the person. */
export const PersonCredentialChanged = z.strictObject({
  person: Id,
  change: z.enum(["password-set", "passkey-added", "passkey-removed"]),
  passkey: z.strictObject({ id: z.string(), publicKey: z.string().describe("COSE key, base64") }).nullable(),
});
export type PersonCredentialChanged = z.output<typeof PersonCredentialChanged>;

/** Entry `person.signed-in`, version 1: one per space of the person. */
export const PersonSignedIn = z.strictObject({ person: Id, method: z.enum(["password", "passkey"]) });
export type PersonSignedIn = z.output<typeof PersonSignedIn>;
