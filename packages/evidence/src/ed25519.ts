import { owned } from "./bytes.ts";

export interface SignedBytes {
  /** 32 bytes, RFC 8032. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
}

/** Ed25519 by WebCrypto, in Node and browsers. False for keys and signatures of a wrong length or form. */
export async function verifyEd25519({ publicKey, signature, message }: SignedBytes): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const key = await crypto.subtle.importKey("raw", owned(publicKey), { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, key, owned(signature), owned(message));
  } catch {
    return false;
  }
}
