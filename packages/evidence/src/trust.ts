import { fromBase64 } from "./bytes.ts";
import { digestOf, isRecord } from "./canonical.ts";
import { statementKeyId, type SignerKey } from "./dsse.ts";
import { parseVkey, type Vkey } from "./note.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import type { Digest } from "./sha256.ts";
import { fits, isText, isTime, listOf, optional, type Test } from "./shape.ts";

/** Whom to believe. Comes over another channel than what it judges; its fingerprint is to be compared by a person. */
export interface TrustFile {
  readonly v: 1;
  /** Origin line of the log. */
  readonly origin: string;
  /** Verifier keys of the log (C2SP signed-note, Ed25519). */
  readonly log: readonly string[];
  readonly statementKeys: readonly StatementKey[];
  /** No witness policy yet: with `null`, verifiers say NOT WITNESSED. */
  readonly witnesses: null;
  /** Of the canonical JSON of all the other members. */
  readonly fingerprint?: Digest;
}

export interface StatementKey {
  /** SHA-256 of the raw public key, in hex. */
  readonly keyid: string;
  /** Base64 of 32 bytes, RFC 8032. */
  readonly publicKey: string;
  /** Milliseconds since the Unix epoch; the key signs from then on. */
  readonly notBefore: number;
  /** Milliseconds since the Unix epoch; the key no longer signs then. Absent while in use. */
  readonly notAfter?: number;
}

export interface Trust {
  readonly origin: string;
  readonly vkeys: readonly Vkey[];
  readonly keys: readonly (SignerKey & { readonly notBefore: number; readonly notAfter: number })[];
  readonly fingerprint: Digest;
}

const keysMax = 100;

/** `sha256:` of the canonical JSON of a trust file without its `fingerprint`. */
export function trustFingerprint(file: Omit<TrustFile, "fingerprint"> & { readonly fingerprint?: unknown }): Digest {
  return digestOf({ ...file, fingerprint: undefined });
}

/** Parses the text of a trust file and checks it against itself: key ids, verifier keys, fingerprint. */
export function parseTrust(text: string): Parsed<Trust> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused("trust_malformed", "the trust file is not json");
  }
  if (isRecord(value) && value["witnesses"] !== null && value["witnesses"] !== undefined) {
    return refused("trust_witnesses", "the trust file has a witness policy, which this verifier cannot check: use a newer one");
  }
  return isTrustFile(value) ? resolve(value) : refused("trust_malformed", "the file is not a trust file of version 1");
}

function resolve(file: TrustFile): Parsed<Trust> {
  const fingerprint = trustFingerprint(file);
  if (file.fingerprint !== undefined && file.fingerprint !== fingerprint) return refused("trust_fingerprint", "the trust file's fingerprint is not that of its content");
  const vkeys: Vkey[] = [];
  for (const text of file.log) {
    const vkey = parseVkey(text);
    if (!vkey.ok) return refused("trust_log_key", `the trust file's log key is unusable: ${vkey.message}`);
    vkeys.push(vkey.value);
  }
  const keys: Trust["keys"][number][] = [];
  for (const { keyid, publicKey, notBefore, notAfter = Infinity } of file.statementKeys) {
    const bytes = fromBase64(publicKey);
    if (!bytes.ok || bytes.value.length !== 32 || statementKeyId(bytes.value) !== keyid) return refused("trust_statement_key", "a statement key of the trust file does not fit its keyid");
    keys.push({ keyid, publicKey: bytes.value, notBefore, notAfter });
  }
  return parsed({ origin: file.origin, vkeys, keys, fingerprint });
}

/** The statement keys that may sign at a time, in milliseconds since the Unix epoch. */
export function keysAt(trust: Trust, time: number): readonly SignerKey[] {
  return trust.keys.filter((key) => key.notBefore <= time && time < key.notAfter);
}

function isKeyList(test: Test): Test {
  return (value) => listOf(test, keysMax)(value) && Array.isArray(value) && value.length > 0;
}

function isTrustFile(value: unknown): value is TrustFile {
  const statementKey = { keyid: isText, publicKey: isText, notBefore: isTime, notAfter: optional(isTime) };
  return fits(value, {
    v: (version) => version === 1,
    origin: isText,
    log: isKeyList(isText),
    statementKeys: isKeyList((key) => fits(key, statementKey)),
    witnesses: (policy) => policy === null,
    fingerprint: optional(isText),
  });
}
