import { verifyAuthenticationResponse } from "@simplewebauthn/server";
import { z } from "zod";
import { advanceCounter, passkeysOf, type IdentityDatabase } from "./store.ts";

/** What `navigator.credentials.get` gives, in the JSON form of WebAuthn level 3. */
const Assertion = z.object({
  id: z.string().max(1400),
  rawId: z.string().max(1400),
  type: z.literal("public-key"),
  response: z.object({
    clientDataJSON: z.string().max(20_000),
    authenticatorData: z.string().max(20_000),
    signature: z.string().max(20_000),
    userHandle: z.string().max(1400).optional(),
  }),
});

export interface AssertionCheck {
  readonly personId: string;
  /** base64url: what the key had to sign, such as a statement's SHA-256. */
  readonly challenge: string;
  readonly assertion: unknown;
  readonly origin: string | readonly string[];
  readonly rpId: string;
}

/** A passkey's public half, for keeping beside an assertion that an auditor checks later. */
export interface PasskeyCredential {
  readonly id: string;
  /** COSE key, base64. */
  readonly publicKey: string;
}

/** Whether one of the person's own passkeys signed exactly this challenge, its user verified. Any doubt is `false`. */
export async function verifyAssertion(database: IdentityDatabase, check: AssertionCheck): Promise<boolean> {
  const parsed = Assertion.safeParse(check.assertion);
  if (!parsed.success) return false;
  const { id, rawId, type, response } = parsed.data;
  const { userHandle, ...signed } = response;
  const stored = (await passkeysOf(database.operational, check.personId)).find(({ credentialID }) => credentialID === id);
  if (stored === undefined) return false;
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { id, rawId, type, response: { ...signed, ...(userHandle === undefined ? {} : { userHandle }) }, clientExtensionResults: {} },
      expectedChallenge: check.challenge,
      expectedOrigin: typeof check.origin === "string" ? check.origin : [...check.origin],
      expectedRPID: check.rpId,
      credential: { id: stored.credentialID, publicKey: new Uint8Array(Buffer.from(stored.publicKey, "base64")), counter: stored.counter },
      requireUserVerification: true,
    });
    if (!verified || !authenticationInfo.userVerified) return false;
    await advanceCounter(database.operational, stored.id, authenticationInfo.newCounter);
    return true;
  } catch {
    // The library throws for each thing that does not match; which one helps only an attacker.
    return false;
  }
}

export async function passkeyCredentials(database: IdentityDatabase, personId: string): Promise<readonly PasskeyCredential[]> {
  return (await passkeysOf(database.operational, personId)).map(({ credentialID, publicKey }) => ({ id: credentialID, publicKey }));
}

/** The ids that a page offers to `navigator.credentials.get`. */
export async function credentialIds(database: IdentityDatabase, personId: string): Promise<readonly string[]> {
  return (await passkeyCredentials(database, personId)).map(({ id }) => id);
}
