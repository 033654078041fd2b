import { createHash, randomBytes } from "node:crypto";

export const setupMinutesMax = 15;
export const invitationDaysMax = 7;

export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/** The database keeps only this: a stolen copy of it opens nothing. */
export function tokenDigest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Whether an address is this machine's own loopback, also as IPv4 inside IPv6. */
export function isLoopback(ip: string): boolean {
  const plain = ip.startsWith("::ffff:") ? ip.slice("::ffff:".length) : ip;
  return plain === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/u.test(plain);
}
