import { concat, fromBase64, fromHex, fromUtf8, owned, toBase64, type Bytes } from "./bytes.ts";
import { isRecord } from "./canonical.ts";
import { parseCoseKey } from "./cose.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { sha256, type Digest } from "./sha256.ts";
import { parseJson } from "./json.ts";

/** Flags of authenticator data (WebAuthn level 3, section 6.1): the user was present, and was verified. */
const presentAndVerified = 0x01 | 0x04;
const authenticatorDataBytesMin = 37;

interface Assertion {
  readonly clientData: Bytes;
  readonly authenticatorData: Bytes;
  readonly signature: Bytes;
  readonly publicKey: Bytes;
}

/**
 * Verifies a passkey's assertion over a digest (WebAuthn level 3, section 7.2): challenge, user presence and
 * verification, signature. Takes `{response, publicKey}` with the response in its JSON form and the COSE key in base64.
 * That the key is the person's is what the server recorded; the origin is not compared, since the verifier knows none.
 */
export async function verifyPasskey(value: unknown, digest: Digest): Promise<Parsed<true>> {
  const assertion = readAssertion(value);
  if (assertion === undefined) return refused("passkey_malformed", "the passkey's assertion is malformed");
  const text = fromUtf8(assertion.clientData);
  const client = text.ok ? readClientData(text.value) : undefined;
  if (client === undefined || client.type !== "webauthn.get" || client.challenge !== challengeOf(digest)) return refused("passkey_challenge", "the passkey signed something else");
  const flags = assertion.authenticatorData[32] ?? 0;
  if (assertion.authenticatorData.length < authenticatorDataBytesMin || (flags & presentAndVerified) !== presentAndVerified) return refused("passkey_user", "the passkey did not verify its user");
  const message = concat(assertion.authenticatorData, sha256(assertion.clientData));
  return (await verifySignature(assertion, message)) ? parsed(true) : refused("passkey_signature", "the passkey's signature does not fit");
}

function readAssertion(value: unknown): Assertion | undefined {
  if (!isRecord(value) || !isRecord(value["response"])) return undefined;
  const inner = value["response"]["response"];
  const response = isRecord(inner) ? inner : value["response"];
  const publicKey = decode(value["publicKey"], fromBase64);
  const [clientData, authenticatorData, signature] = [response["clientDataJSON"], response["authenticatorData"], response["signature"]].map((member) => decode(member, fromBase64Url));
  const complete = publicKey !== undefined && clientData !== undefined && authenticatorData !== undefined && signature !== undefined;
  return complete ? { clientData, authenticatorData, signature, publicKey } : undefined;
}

function decode(value: unknown, by: (text: string) => Parsed<Bytes>): Bytes | undefined {
  const bytes = typeof value === "string" ? by(value) : undefined;
  return bytes?.ok === true ? bytes.value : undefined;
}

function fromBase64Url(text: string): Parsed<Bytes> {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/");
  return fromBase64(plain.padEnd(Math.ceil(plain.length / 4) * 4, "="));
}

function readClientData(text: string): { readonly type: unknown; readonly challenge: unknown } | undefined {
  try {
    const value: unknown = parseJson(text);
    return isRecord(value) ? { type: value["type"], challenge: value["challenge"] } : undefined;
  } catch {
    return undefined;
  }
}

/** The challenge is the digest itself, in base64url without padding. */
function challengeOf(digest: Digest): string {
  const bytes = fromHex(digest.slice("sha256:".length));
  return bytes.ok ? toBase64(bytes.value).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") : "";
}

async function verifySignature({ publicKey, signature }: Assertion, message: Bytes): Promise<boolean> {
  const key = parseCoseKey(publicKey);
  if (key === undefined) return false;
  const bytes = key.algorithm.name === "ECDSA" ? fromDer(signature) : signature;
  if (bytes === undefined) return false;
  try {
    const imported = await crypto.subtle.importKey("jwk", key.jwk, key.algorithm, false, ["verify"]);
    return await crypto.subtle.verify(key.algorithm, imported, owned(bytes), message);
  } catch {
    return false;
  }
}

/** WebAuthn writes ECDSA signatures in DER, WebCrypto reads two 32-byte numbers. */
function fromDer(signature: Uint8Array): Bytes | undefined {
  if (signature[0] !== 0x30 || signature[1] !== signature.length - 2) return undefined;
  const r = readInteger(signature, 2);
  const s = r === undefined ? undefined : readInteger(signature, r.end);
  return r !== undefined && s?.end === signature.length ? concat(r.value, s.value) : undefined;
}

function readInteger(der: Uint8Array, at: number): { readonly value: Uint8Array; readonly end: number } | undefined {
  const length = der[at + 1] ?? 0;
  const end = at + 2 + length;
  if (der[at] !== 0x02 || length === 0 || end > der.length) return undefined;
  const digits = der.subarray(at + 2, end);
  const bare = digits[0] === 0 ? digits.subarray(1) : digits;
  if (bare.length > 32) return undefined;
  const value = new Uint8Array(32);
  value.set(bare, 32 - bare.length);
  return { value, end };
}
