import { randomBytes } from "node:crypto";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** A sortable id: prefix, 10 characters of time, 16 of randomness (ULID, Crockford base 32, lower case). */
export function newId(prefix: string, now: number): string {
  let time = "";
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) {
    time = alphabet.charAt(rest % 32) + time;
  }
  const random = Array.from(randomBytes(16), (byte) => alphabet.charAt(byte % 32)).join("");
  return `${prefix}_${time}${random}`;
}
