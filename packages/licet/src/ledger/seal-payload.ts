import { createCipheriv, createSecretKey, hash, type KeyObject, randomFillSync } from "node:crypto";

// Imports nothing of the product: the thread that seals by the hundred loads this file and little else.

const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;
const wrappedBytes = nonceBytes + keyBytes + tagBytes;

/** Journal payload: this byte, the payload's own key sealed under its key-encryption key, the ciphertext. */
export const payloadVersion = 1;
export const ciphertextAt = 1 + wrappedBytes;
/** No ciphertext is shorter: nonce and tag. */
export const ciphertextBytesMin = nonceBytes + tagBytes;

export interface PayloadJob {
  /** Key-encryption key. */
  readonly key: KeyObject;
  /** Of the entry. */
  readonly id: string;
  /** Space and retention class, a line each: with the id, what the ciphertext is bound to (`payloadAad`). */
  readonly place: string;
  readonly text: string;
  /** Of the text in UTF-8. */
  readonly textBytes: number;
}

/** The same in bytes. */
export interface PackedJob {
  readonly key: KeyObject;
  readonly name: Uint8Array;
  /** Name, space and class. */
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
}

export interface SealedPayload {
  readonly payload: Uint8Array;
  /** Of the ciphertext, in hex. */
  readonly digest: string;
  /** Of the payload's own key and the id, in hex. */
  readonly commit: string;
}

/** How many bytes the payload of this text takes. */
export function payloadBytes(text: string): number {
  return ciphertextAt + ciphertextBytesMin + Buffer.byteLength(text);
}

/** Seals the text under a key of its own. */
export function sealPayload({ key, id, place, text }: PayloadJob): SealedPayload {
  return sealPacked({ key, name: Buffer.from(id), aad: Buffer.from(`${id}\n${place}`), plaintext: Buffer.from(text) });
}

export function sealPacked({ key: wrapping, name, aad, plaintext }: PackedJob): SealedPayload {
  const secrets = random(keyBytes + 2 * nonceBytes);
  const key = secrets.subarray(0, keyBytes);
  const payload = Buffer.allocUnsafe(ciphertextAt + ciphertextBytesMin + plaintext.length);
  payload[0] = payloadVersion;
  encryptInto(payload.subarray(1), { key: wrapping, nonce: secrets.subarray(keyBytes, keyBytes + nonceBytes), data: key, aad: name });
  const ciphertext = payload.subarray(ciphertextAt);
  encryptInto(ciphertext, { key: createSecretKey(key), nonce: secrets.subarray(keyBytes + nonceBytes), data: plaintext, aad });
  const commit = hash("sha256", Buffer.concat([key, name]), "hex");
  key.fill(0);
  return { payload, digest: hash("sha256", ciphertext, "hex"), commit };
}

interface Encryption {
  /** Not bytes: for those, Node tries and fails to see a KeyObject in them, which costs twice the encryption. */
  readonly key: KeyObject;
  readonly nonce: Uint8Array;
  readonly data: Uint8Array;
  readonly aad: Uint8Array;
}

/** nonce ‖ ciphertext ‖ tag, without a copy of the whole. */
function encryptInto(target: Buffer, { key, nonce, data, aad }: Encryption): void {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(aad);
  target.set(nonce, 0);
  target.set(cipher.update(data), nonceBytes);
  cipher.final();
  target.set(cipher.getAuthTag(), nonceBytes + data.length);
}

let pool = Buffer.alloc(0);

/** One system call for many keys; no byte is handed out twice. */
function random(bytes: number): Buffer {
  if (pool.length < bytes) pool = randomFillSync(Buffer.allocUnsafeSlow(16_384));
  const taken = pool.subarray(0, bytes);
  pool = pool.subarray(bytes);
  return taken;
}
