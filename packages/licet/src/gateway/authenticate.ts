import { hash } from "node:crypto";
import type { Inbound } from "./answer.ts";
import type { CredentialView, Snapshot } from "./snapshot.ts";

const credentialCharactersMax = 512;

/** Bearer only (RFC 6750): no cookie, no query parameter. Undefined for anything else. */
export function bearer(header: string | undefined): string | undefined {
  const match = /^Bearer +([A-Za-z0-9._~+/=-]+)$/iu.exec(header ?? "");
  const token = match?.[1];
  return token !== undefined && token.length <= credentialCharactersMax ? token : undefined;
}

/**
 * What the caller presents: a bearer token, or `x-api-key` as Anthropic's clients send it. Both at once is one caller
 * too many: which of the two would be believed is nothing to guess at.
 */
export function presentedCredential({ authorization, header, path }: Pick<Inbound, "authorization" | "header" | "path">): string | undefined {
  const key = path.startsWith(anthropicPrefix) ? header("x-api-key") : undefined;
  if (key === undefined) return bearer(authorization);
  return authorization === undefined ? bearer(`Bearer ${key}`) : undefined;
}

const anthropicPrefix = "/anthropic/";

/**
 * The credential that these characters belong to. Looked up by digest, so that neither memory nor timing holds the
 * secret. The same answer for unknown, revoked and expired: which it was is nobody's business but the owner's.
 */
export function authenticate(snapshot: Snapshot, token: string | undefined, now: number): CredentialView | undefined {
  const view = token === undefined ? undefined : snapshot.byCredentialDigest.get(hash("sha256", token, "hex"));
  return view !== undefined && now < view.expiresAt && view.revokedAt === null ? view : undefined;
}
