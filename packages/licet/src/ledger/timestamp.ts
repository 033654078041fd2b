import { createHash, hash, randomBytes, verify, X509Certificate } from "node:crypto";
import { ASN1Obj, RFC3161Timestamp } from "@sigstore/core";
import { LicetError } from "../base/errors.ts";

/** RFC 3161 by the few structures that it takes (X.690, distinguished encoding). */
const tags = { integer: 0x02, sequence: 0x30, setOf: 0x31 } as const;

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 128) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const length = body.length < 256 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...length), body]);
}

/** AlgorithmIdentifier of SHA-256 with NULL parameters, as every authority takes it. */
const sha256Identifier = Buffer.from("300d06096086480165030402010500", "hex");
const nonceBytes = 8;

export interface TimestampRequest {
  /** TimeStampReq, the body of the POST. */
  readonly der: Buffer;
  /** SHA-256 of what is stamped. */
  readonly imprint: Buffer;
  readonly nonce: bigint;
}

/** Asks for a token over the SHA-256 of the bytes, with the authority's certificate in it. */
export function timestampRequest(data: Uint8Array): TimestampRequest {
  const imprint = hash("sha256", data, "buffer");
  const nonce = randomBytes(nonceBytes);
  // Positive, and no longer than it needs to be: the first byte is neither zero nor above 0x7f.
  nonce[0] = (nonce.readUInt8(0) & 0x3f) | 0x40;
  const version = der(tags.integer, Buffer.of(1));
  const message = der(tags.sequence, sha256Identifier, der(0x04, imprint));
  const certReq = Buffer.of(0x01, 0x01, 0xff);
  return { der: der(tags.sequence, version, message, der(tags.integer, nonce), certReq), imprint, nonce: nonce.readBigUInt64BE() };
}

export interface Timestamp {
  /** Milliseconds since the Unix epoch, as the authority says. */
  readonly time: number;
}

/**
 * Refuses `timestamp_invalid` unless the answer was granted, stamps this imprint, repeats this nonce and is signed by the
 * certificate that it carries. Whose certificate that is, is for whoever relies on the time to judge.
 */
export function readTimestamp(answer: Uint8Array, request: Pick<TimestampRequest, "imprint" | "nonce">): Timestamp {
  const token = parsedToken(answer, request.imprint);
  if (nonceOf(token) !== request.nonce) throw invalid("it answers another request");
  return { time: token.tstInfo.genTime.getTime() };
}

/** As `readTimestamp` for a stored token, whose nonce nobody knows any more. */
export function readStoredTimestamp(answer: Uint8Array, data: Uint8Array): Timestamp {
  return { time: parsedToken(answer, hash("sha256", data, "buffer")).tstInfo.genTime.getTime() };
}

function parsedToken(answer: Uint8Array, imprint: Buffer): RFC3161Timestamp {
  try {
    const token = RFC3161Timestamp.parse(Buffer.from(answer));
    // PKIStatus granted or grantedWithMods
    if (token.status !== 0n && token.status !== 1n) throw invalid(`the authority answered with status ${token.status}`);
    const { tstInfo } = token;
    if (tstInfo.messageImprintHashAlgorithm !== "sha256" || !tstInfo.messageImprintHashedMessage.equals(imprint)) throw invalid("it stamps something else");
    if (!isSignedByOwnCertificate(token)) throw invalid("its signature does not fit");
    return token;
  } catch (cause) {
    if (cause instanceof LicetError) throw cause;
    throw invalid("it is not a timestamp", cause);
  }
}

function invalid(what: string, cause?: unknown): LicetError {
  return new LicetError("timestamp_invalid", { message: `the time-stamping authority's answer was refused: ${what}`, cause });
}

/** TSTInfo: version, policy, imprint, serial, time; of what may follow, the nonce alone is a plain INTEGER. */
function nonceOf(token: RFC3161Timestamp): bigint | undefined {
  return token.tstInfo.root.subs.slice(5).find(({ tag }) => tag.isInteger())?.toInteger();
}

const messageDigestOid = "1.2.840.113549.1.9.4";
const digestNames: Readonly<Record<string, string>> = { sha256: "sha256", sha384: "sha384", sha512: "sha512" };

/** CMS (RFC 5652): signed attributes that hold the digest of TSTInfo, signed by one of the certificates beside them. */
function isSignedByOwnCertificate(token: RFC3161Timestamp): boolean {
  const signedData = part(part(token.root, 1).subs.find(({ tag }) => tag.isContextSpecific(0)), 0);
  const signer = part(signedData.subs.at(-1), 0);
  const attributes = signer.subs.find(({ tag }) => tag.isContextSpecific(0));
  const digestName = digestNames[token.signerDigestAlgorithm];
  if (attributes === undefined || digestName === undefined) return false;
  const digest = attributes.subs.find((attribute) => part(attribute, 0).toOID() === messageDigestOid);
  const content = createHash(digestName).update(token.tstInfo.raw).digest();
  if (digest === undefined || !part(part(digest, 1), 0).value.equals(content)) return false;
  const signed = Buffer.concat([Buffer.of(tags.setOf), attributes.toDER().subarray(1)]);
  const signature = signer.subs.find(({ tag }, at) => at > 3 && tag.isOctetString())?.value;
  return signature !== undefined && certificatesOf(signedData).some(({ publicKey }) => verify(digestName, signed, publicKey, signature));
}

function certificatesOf(signedData: ASN1Obj): readonly X509Certificate[] {
  const set = signedData.subs.slice(3).find(({ tag }) => tag.isContextSpecific(0));
  return (set?.subs ?? []).map((certificate) => new X509Certificate(certificate.toDER()));
}

function part(of: ASN1Obj | undefined, at: number): ASN1Obj {
  const found = of?.subs[at];
  if (found === undefined) throw new TypeError("a part of the timestamp is missing");
  return found;
}
