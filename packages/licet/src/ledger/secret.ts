import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto";
import { LicetError } from "../base/errors.ts";

export const nonceBytes = 12;
export const tagBytes = 16;

/** AES-256-GCM: nonce ‖ ciphertext ‖ tag. `aad` is authenticated with it, and not stored. */
export function seal(key: KeyObject, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(aad);
  const body = cipher.update(plaintext);
  return Buffer.concat([nonce, body, cipher.final(), cipher.getAuthTag()]);
}

const tagLength = { authTagLength: tagBytes } as const;

/** Throws `payload_damaged` when key, bytes or `aad` are not those of the sealing. */
export function unseal(key: KeyObject, sealed: Uint8Array, aad: Uint8Array): Buffer {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes), tagLength);
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
    const plaintext = decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes));
    // Of this cipher it holds nothing, and says whether the bytes are what was sealed.
    decipher.final();
    return plaintext;
  } catch (cause) {
    throw new LicetError("payload_damaged", { cause });
  }
}
