import { concat, fromBase64, utf8, type Bytes } from "./bytes.ts";
import { isRecord } from "./canonical.ts";
import { verifyEd25519 } from "./ed25519.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { sha256Hex } from "./sha256.ts";

/** A DSSE envelope (secure-systems-lab DSSE v1). */
export interface Envelope {
  readonly payloadType: string;
  /** Base64. */
  readonly payload: string;
  readonly signatures: readonly EnvelopeSignature[];
}

export interface EnvelopeSignature {
  /** SHA-256 of the signer's raw 32-byte Ed25519 public key, in hex. */
  readonly keyid: string;
  /** Base64 of 64 bytes. */
  readonly sig: string;
}

const signaturesMax = 16;

/** Pre-authentication encoding, the bytes that are signed: `DSSEv1 <length> <type> <length> <payload>`. */
export function pae(payloadType: string, payload: Uint8Array): Bytes {
  const type = utf8(payloadType);
  return concat(utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload);
}

/** The `keyid` of a statement key: SHA-256 of its raw 32-byte Ed25519 public key, in hex. */
export function statementKeyId(publicKey: Uint8Array): string {
  return sha256Hex(publicKey);
}

/** Takes exactly the members of an envelope, with at least one signature and at most 16. */
export function parseEnvelope(value: unknown): Parsed<Envelope> {
  const malformed = refused("envelope_malformed", "this is not a dsse envelope");
  if (!isRecord(value) || !hasExactly(value, ["payload", "payloadType", "signatures"])) return malformed;
  const { payload, payloadType, signatures } = value;
  if (typeof payload !== "string" || typeof payloadType !== "string" || !Array.isArray(signatures)) return malformed;
  if (signatures.length === 0 || signatures.length > signaturesMax || !signatures.every(isSignature)) return malformed;
  return fromBase64(payload).ok ? parsed({ payloadType, payload, signatures }) : malformed;
}

function isSignature(value: unknown): value is EnvelopeSignature {
  return isRecord(value) && hasExactly(value, ["keyid", "sig"]) && typeof value["keyid"] === "string" && typeof value["sig"] === "string";
}

/** True if the record has these members and no other. */
export function hasExactly(record: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return Object.keys(record).length === names.length && names.every((name) => Object.hasOwn(record, name));
}

export interface SignerKey {
  readonly keyid: string;
  /** 32 bytes, RFC 8032. */
  readonly publicKey: Uint8Array;
}

export interface VerifiedEnvelope {
  readonly payloadType: string;
  readonly payload: Bytes;
  /** Key ids of the given keys whose signatures hold; never empty. */
  readonly signers: readonly string[];
}

/** Ignores signatures of unknown keys; refuses if one of a known key fails, or if none of a known key is there. */
export async function verifyEnvelope(envelope: Envelope, keys: readonly SignerKey[]): Promise<Parsed<VerifiedEnvelope>> {
  const payload = fromBase64(envelope.payload);
  if (!payload.ok) return refused("envelope_malformed", "the envelope's payload is not base64");
  const message = pae(envelope.payloadType, payload.value);
  const signers = new Set<string>();
  for (const { keyid, sig } of envelope.signatures.slice(0, signaturesMax)) {
    const key = keys.find((candidate) => candidate.keyid === keyid);
    if (key === undefined) continue;
    const signature = fromBase64(sig);
    const holds = signature.ok && (await verifyEd25519({ publicKey: key.publicKey, signature: signature.value, message }));
    if (!holds) return refused("signature_wrong", `the signature by key \`${keyid.slice(0, 16)}\` does not fit`);
    signers.add(keyid);
  }
  return signers.size === 0
    ? refused("signature_missing", "no trusted key has signed this")
    : parsed({ payloadType: envelope.payloadType, payload: payload.value, signers: [...signers] });
}
