import { concat, fromHex, owned, type Bytes } from "./bytes.ts";
import type { SignedBytes } from "./ed25519.ts";

/** `unsupported`: this platform cannot check ML-DSA-44, which says nothing about the signature and is never a pass. */
export type SignatureCheck = "verified" | "wrong" | "unsupported";

/** Checks one ML-DSA-44 signature with the empty context. */
export type CheckMlDsa44 = (signed: SignedBytes) => Promise<SignatureCheck>;

/** FIPS 204, table 2. */
export const mlDsa44KeyBytes = 1312;
export const mlDsa44SignatureBytes = 2420;

/** Holds of well-formed keys only; `undefined` where the platform has no ML-DSA-44. */
type Verifier = (signed: SignedBytes) => boolean | Promise<boolean>;

let found: Promise<Verifier | undefined> | undefined;

/** ML-DSA-44 (FIPS 204) by node:crypto or WebCrypto, whichever there is. `message` is at most what the platform takes; 1312-byte key, 2420-byte signature. */
export async function verifyMlDsa44(signed: SignedBytes): Promise<SignatureCheck> {
  if (signed.publicKey.length !== mlDsa44KeyBytes || signed.signature.length !== mlDsa44SignatureBytes) return "wrong";
  found ??= findVerifier();
  const verify = await found;
  if (verify === undefined) return "unsupported";
  try {
    return (await verify(signed)) ? "verified" : "wrong";
  } catch {
    return "wrong";
  }
}

/** node:crypto first: its ML-DSA is not marked experimental, so it prints no warning. */
async function findVerifier(): Promise<Verifier | undefined> {
  return nodeVerifier() ?? (await webVerifier());
}

/** Every string of this length is a key, so that importing one tells whether the platform knows the algorithm. */
const anyKey = new Uint8Array(mlDsa44KeyBytes);

/** SubjectPublicKeyInfo of an ML-DSA-44 key up to the key itself (RFC 9881). */
const spkiHead = fromHex("30820532300b06096086480165030403110382052100");

function spki(publicKey: Uint8Array): Bytes {
  return spkiHead.ok ? concat(spkiHead.value, publicKey) : concat(publicKey);
}

function nodeVerifier(): Verifier | undefined {
  const node = typeof process === "undefined" ? undefined : nodeCrypto();
  if (node === undefined) return undefined;
  const keyOf = (publicKey: Uint8Array) => node.createPublicKey({ key: Buffer.from(spki(publicKey)), format: "der", type: "spki" });
  try {
    keyOf(anyKey);
  } catch {
    return undefined;
  }
  return ({ publicKey, message, signature }) => node.verify(null, message, keyOf(publicKey), signature);
}

/** Bundlers for browsers replace or leave out `process`; only a real Node has this function. */
function nodeCrypto(): typeof import("node:crypto") | undefined {
  return typeof process.getBuiltinModule === "function" ? process.getBuiltinModule("node:crypto") : undefined;
}

/** The name and format of the WICG's modern algorithms in WebCrypto. */
const webAlgorithm = { name: "ML-DSA-44" };

async function webVerifier(): Promise<Verifier | undefined> {
  const importing = async (publicKey: Uint8Array): Promise<CryptoKey> => crypto.subtle.importKey("spki", owned(spki(publicKey)), webAlgorithm, false, ["verify"]);
  try {
    await importing(anyKey);
  } catch {
    return undefined;
  }
  return async ({ publicKey, message, signature }) => crypto.subtle.verify(webAlgorithm, await importing(publicKey), owned(signature), owned(message));
}
