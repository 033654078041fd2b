import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign, verify } from "node:crypto";

export type SignatureAlgorithm = "ed25519" | "ml-dsa-44";

/** One key that signs, wherever it is: a file, or a key management service. */
export interface Signer {
  readonly algorithm: SignatureAlgorithm;
  /** SHA-256 of the raw public key, in hex. */
  readonly keyid: string;
  /** Raw: 32 bytes (RFC 8032), or 1312 bytes (FIPS 204). */
  readonly publicKey: Uint8Array;
  /** Throws `kms_failed` where a service does not answer. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** A key in this process's memory: signing inside a write transaction waits for nobody. */
export interface LocalSigner extends Signer {
  signNow(message: Uint8Array): Buffer;
}

/** Bytes of the raw key at the end of its SubjectPublicKeyInfo. */
const rawBytes = { ed25519: 32, "ml-dsa-44": 1312 } as const;
/** SubjectPublicKeyInfo up to the key itself: RFC 8410 and RFC 9881. */
const spkiHeads = { ed25519: "302a300506032b6570032100", "ml-dsa-44": "30820532300b06096086480165030403110382052100" } as const;

/** A new private key as PKCS #8. */
export function newPrivateKey(algorithm: SignatureAlgorithm): Buffer {
  const { privateKey } = algorithm === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ml-dsa-44");
  return privateKey.export({ format: "der", type: "pkcs8" });
}

/** Throws for bytes that are not a private key of this algorithm. */
export function fileSigner(algorithm: SignatureAlgorithm, pkcs8: Uint8Array): LocalSigner {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  if (key.asymmetricKeyType !== algorithm) throw new TypeError("the private key is of another algorithm");
  const publicKey = rawPublicKey(algorithm, createPublicKey(key));
  const signNow = (message: Uint8Array): Buffer => sign(null, message, key);
  return { algorithm, keyid: keyIdOf(publicKey), publicKey, signNow, sign: async (message) => signNow(message) };
}

/** Throws for a key of another algorithm. */
export function rawPublicKey(algorithm: SignatureAlgorithm, key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== algorithm) throw new TypeError("the public key is of another algorithm");
  return key.export({ format: "der", type: "spki" }).subarray(-rawBytes[algorithm]);
}

export function publicKeyFrom(algorithm: SignatureAlgorithm, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([Buffer.from(spkiHeads[algorithm], "hex"), raw]), format: "der", type: "spki" });
}

/** The `keyid` of a signing key: SHA-256 of its raw public key, in hex. */
export function keyIdOf(publicKey: Uint8Array): string {
  return hash("sha256", publicKey, "hex");
}

export function signatureHolds(by: Pick<Signer, "algorithm" | "publicKey">, message: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, message, publicKeyFrom(by.algorithm, by.publicKey), signature);
}
