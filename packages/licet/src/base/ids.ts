import { randomFillSync } from "node:crypto";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** A sortable id: prefix, 10 characters of time, 16 of randomness (ULID, Crockford base 32, lower case). */
export function newId(prefix: string, now: number): string {
  let time = "";
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) {
    time = alphabet.charAt(rest % 32) + time;
  }
  let random = "";
  for (const byte of randomBytes16()) random += alphabet.charAt(byte % 32);
  return `${prefix}_${time}${random}`;
}

const idBytes = 16;
/** Owned by `randomBytes16`: one system call for many ids; no byte is handed out twice. */
let pool = Buffer.alloc(0);

function randomBytes16(): Buffer {
  if (pool.length < idBytes) pool = randomFillSync(Buffer.allocUnsafeSlow(4096));
  const taken = pool.subarray(0, idBytes);
  pool = pool.subarray(idBytes);
  return taken;
}
