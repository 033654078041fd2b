import { createPublicKey, createSecretKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject } from "node:crypto";

/**
 * How provider keys travel: each side makes an X25519 key for one connection and forgets it with the connection, so what
 * was recorded of a connection opens with no key that lasts.
 */
export interface SealPair {
  /** Raw, base64. */
  readonly publicKey: string;
  /** The AES-256 key that both sides of `stream` have. Throws for what is no X25519 key. */
  shared(other: string, stream: string): KeyObject;
}

/** SubjectPublicKeyInfo up to the key itself, RFC 8410. */
const x25519Head = Buffer.from("302a300506032b656e032100", "hex");
const rawBytes = 32;

export function sealPair(): SealPair {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  return {
    publicKey: publicKey.export({ format: "der", type: "spki" }).subarray(-rawBytes).toString("base64"),
    shared: (other, stream) => {
      const raw = Buffer.from(other, "base64");
      const theirs = createPublicKey({ key: Buffer.concat([x25519Head, raw]), format: "der", type: "spki" });
      const secret = diffieHellman({ privateKey, publicKey: theirs });
      return createSecretKey(Buffer.from(hkdfSync("sha256", secret, Buffer.from(stream, "hex"), "licet gateway seal v1", rawBytes)));
    },
  };
}
