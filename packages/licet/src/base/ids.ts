import { randomFillSync } from "node:crypto";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
/** Two characters for each 10 bits: half of the steps, and ids are made several times for each call. */
const pairs = Array.from({ length: 1024 }, (_, bits) => alphabet.charAt(bits >> 5) + alphabet.charAt(bits & 31));

/** A sortable id: prefix, 10 characters of time, 16 of randomness (ULID, Crockford base 32, lower case). */
export function newId(prefix: string, now: number): string {
  return `${prefix}_${timeText(now)}${randomText()}`;
}

/** Owned by `timeText`: many ids are made in one millisecond. */
let latest = { now: -1, text: "" };

function timeText(now: number): string {
  if (latest.now !== now) {
    let text = "";
    for (let rest = now, i = 0; i < 5; i++, rest = Math.floor(rest / 1024)) text = pair(rest % 1024) + text;
    latest = { now, text };
  }
  return latest.text;
}

const randomBytes = 16;
/** Owned by `randomText`: one system call for many ids; no byte is handed out twice. */
let pool = Buffer.alloc(0);
let taken = 0;

/** Of 80 random bits: two characters for each two bytes, of which six bits stay unused. */
function randomText(): string {
  if (taken + randomBytes > pool.length) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(randomBytes * 256));
    taken = 0;
  }
  const from = taken;
  taken += randomBytes;
  const at = (n: number) => pair(pool.readUInt16LE(from + 2 * n) & 1023);
  return at(0) + at(1) + at(2) + at(3) + at(4) + at(5) + at(6) + at(7);
}

function pair(bits: number): string {
  return pairs[bits] ?? "";
}
