import { createHash } from "node:crypto";
import { isRecord } from "@licet/evidence";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { LicetError } from "../../base/errors.ts";

/** Signatures with two keys. With one (`HS…`) the public key would be the secret, and `none` is no signature. */
export const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
/** How far the issuer's clock may be from ours. */
export const clockSkewSeconds = 60;

/** A token before anybody has checked its signature: what it says is a claim, and no more. */
export interface UnverifiedToken {
  readonly text: string;
  readonly issuer: string;
  /** SHA-256 of its signed part: a signature can be written in more than one way, what it signs cannot. */
  readonly digest: string;
}

function sha256(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

function malformed(message: string, cause?: unknown): LicetError {
  return new LicetError("ci_token_malformed", { message, cause });
}

function decoded(text: string): { readonly alg: string; readonly claims: Readonly<Record<string, unknown>> } {
  try {
    return { alg: decodeProtectedHeader(text).alg ?? "", claims: decodeJwt(text) };
  } catch (cause) {
    throw malformed("what was sent is not a signed JWT", cause);
  }
}

/**
 * Reads what can be told without a key. Answers about form and time depend on nothing that is registered.
 * Throws `ci_token_malformed`, `ci_token_expired`.
 */
export function readToken(text: string, now: number): UnverifiedToken {
  const { alg, claims } = decoded(text);
  if (!algorithms.includes(alg)) throw malformed(`the token is signed with \`${alg.slice(0, 20)}\`: only ${algorithms.join(", ")} are taken`);
  const { iss, exp, iat, nbf } = claims;
  if (typeof iss !== "string" || typeof exp !== "number" || typeof iat !== "number") throw malformed("the token lacks `iss`, `exp` or `iat`");
  if (nbf !== undefined && typeof nbf !== "number") throw malformed("`nbf` is no time");
  assertTimes({ exp, iat, nbf }, Math.floor(now / 1000));
  return { text, issuer: iss, digest: sha256(text.slice(0, text.lastIndexOf("."))) };
}

function assertTimes({ exp, iat, nbf }: { readonly exp: number; readonly iat: number; readonly nbf: number | undefined }, seconds: number): void {
  if (exp <= seconds - clockSkewSeconds) throw new LicetError("ci_token_expired", { message: "the token has expired" });
  const begins = Math.max(iat, nbf ?? iat);
  if (begins > seconds + clockSkewSeconds) throw new LicetError("ci_token_expired", { message: "the token is not valid yet: the issuer's clock is ahead" });
}

/** What a token may be used by once: its own id where its issuer gives one, so that the same id signed again is no other token. */
export function useOf({ issuer, digest }: UnverifiedToken, claims: Readonly<Record<string, unknown>>): string {
  const { jti } = claims;
  return typeof jti === "string" && jti !== "" ? sha256(JSON.stringify([issuer, jti])) : digest;
}

export function isTokenFor(audience: string, claims: Readonly<Record<string, unknown>>): boolean {
  const { aud } = claims;
  const all: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return all.length === 1 && all[0] === audience;
}

export function claimsOf(payload: unknown): Readonly<Record<string, unknown>> {
  return isRecord(payload) ? payload : {};
}
