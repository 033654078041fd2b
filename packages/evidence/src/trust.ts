import { fromBase64, equalBytes } from "./bytes.ts";
import { digestOf } from "./canonical.ts";
import { verifyCheckpoint, type LogTrust, type VerifiedCheckpoint } from "./checkpoint.ts";
import { statementKeyId, type SignerKey } from "./dsse.ts";
import { parseNote, type SignatureChecks } from "./note.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import type { Digest } from "./sha256.ts";
import { fits, isText, isTime, listOf, optional, type Shape, type Test } from "./shape.ts";
import { parseVkey, type Vkey } from "./vkey.ts";
import { parsePolicy, type WitnessPolicy } from "./witness-policy.ts";
import { parseJson } from "./json.ts";

/** Whom to believe. Comes over another channel than what it judges; its fingerprint is to be compared by a person. */
export interface TrustFile {
  /** Version 1 has one log, Ed25519 keys only and no witnesses. */
  readonly v: 1 | 2;
  /** Origin line of the log. */
  readonly origin: string;
  /** Verifier keys of the log (C2SP signed-note): at least one Ed25519 key; ML-DSA-44 keys in version 2. */
  readonly log: readonly string[];
  /** Version 2: the log's further shards, each under its own origin. */
  readonly logs?: readonly { readonly origin: string; readonly vkeys: readonly string[] }[];
  readonly statementKeys: readonly StatementKey[];
  /** Text of a C2SP tlog-policy (version 2). With `null`, verifiers say NOT WITNESSED. */
  readonly witnesses: null | { readonly policy: string };
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

/** A statement key; `notAfter` is Infinity while it is in use. */
export type TimedKey = SignerKey & { readonly notBefore: number; readonly notAfter: number };

export interface Trust extends LogTrust {
  /** The log and its further shards; the first is the one of `origin` and `vkeys`. */
  readonly logs: readonly LogTrust[];
  readonly keys: readonly TimedKey[];
  readonly witnesses: WitnessPolicy | null;
  /** Of the trust file. */
  readonly fingerprint: Digest;
}

const keysMax = 100;
const logsMax = 1000;

/** `sha256:` of the canonical JSON of a trust file without its `fingerprint`. */
export function trustFingerprint(file: Omit<TrustFile, "fingerprint"> & { readonly fingerprint?: unknown }): Digest {
  return digestOf({ ...file, fingerprint: undefined });
}

/** Parses the text of a trust file and checks it against itself: key ids, verifier keys, policy, fingerprint. */
export function parseTrust(text: string): Parsed<Trust> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return refused("trust_malformed", "the trust file is not json");
  }
  return isTrustFile(value) ? resolve(value) : refused("trust_malformed", "the file is not a trust file of version 1 or 2");
}

function resolve(file: TrustFile): Parsed<Trust> {
  const fingerprint = trustFingerprint(file);
  if (file.fingerprint !== undefined && file.fingerprint !== fingerprint) return refused("trust_fingerprint", "the trust file's fingerprint is not that of its content");
  const logs = resolveLogs(file);
  if (!logs.ok) return logs;
  const keys = resolveStatementKeys(file.statementKeys);
  if (!keys.ok) return keys;
  const witnesses = file.witnesses === null ? parsed(null) : resolvePolicy(file.witnesses.policy, logs.value);
  if (!witnesses.ok) return witnesses;
  const [first] = logs.value;
  return parsed({ origin: file.origin, vkeys: first?.vkeys ?? [], logs: logs.value, keys: keys.value, witnesses: witnesses.value, fingerprint });
}

function resolveLogs({ v, origin, log, logs = [] }: TrustFile): Parsed<readonly LogTrust[]> {
  const resolved: LogTrust[] = [];
  for (const of of [{ origin, vkeys: log }, ...logs]) {
    if (resolved.some((other) => other.origin === of.origin)) return refused("trust_origin_twice", `the trust file lists the log \`${of.origin}\` twice`);
    const vkeys = resolveVkeys(of.vkeys, v);
    if (!vkeys.ok) return vkeys;
    resolved.push({ origin: of.origin, vkeys: vkeys.value });
  }
  return parsed(resolved);
}

function resolveVkeys(texts: readonly string[], v: TrustFile["v"]): Parsed<readonly Vkey[]> {
  const vkeys: Vkey[] = [];
  for (const text of texts) {
    const vkey = parseVkey(text);
    if (!vkey.ok) return refused("trust_log_key", `the trust file's log key is unusable: ${vkey.message}`);
    const signs = vkey.value.type === "ed25519" || (vkey.value.type === "ml-dsa-44" && v === 2);
    if (!signs) return refused("trust_log_key", `the trust file's log key is of a type that signs no checkpoints in version ${v}`);
    vkeys.push(vkey.value);
  }
  return vkeys.some(({ type }) => type === "ed25519") ? parsed(vkeys) : refused("trust_log_key", "the trust file lists no ed25519 key of a log");
}

function resolveStatementKeys(listed: readonly StatementKey[]): Parsed<readonly TimedKey[]> {
  const keys: TimedKey[] = [];
  for (const { keyid, publicKey, notBefore, notAfter = Infinity } of listed) {
    const bytes = fromBase64(publicKey);
    if (!bytes.ok || bytes.value.length !== 32 || statementKeyId(bytes.value) !== keyid) return refused("trust_statement_key", "a statement key of the trust file does not fit its keyid");
    keys.push({ keyid, publicKey: bytes.value, notBefore, notAfter });
  }
  return parsed(keys);
}

/** A log's key among the witnesses would be a witness of itself. */
function resolvePolicy(text: string, logs: readonly LogTrust[]): Parsed<WitnessPolicy> {
  const policy = parsePolicy(text);
  if (!policy.ok) return refused("trust_policy", `the trust file's witness policy is unusable: ${policy.message}`);
  const keys = logs.flatMap(({ vkeys }) => vkeys);
  const unlisted = policy.value.logs.find(({ vkey }) => !keys.some((key) => key.name === vkey.name && key.keyHash === vkey.keyHash));
  if (unlisted !== undefined) return refused("trust_policy", `the witness policy names a key of the log \`${unlisted.vkey.name}\` that the trust file does not list`);
  const own = keys.find(({ publicKey }) => isWitnessKey(policy.value, publicKey));
  return own === undefined ? policy : refused("trust_policy", `a key of the log \`${own.name}\` is also that of a witness`);
}

export function isWitnessKey(policy: WitnessPolicy | null, publicKey: Uint8Array): boolean {
  return policy?.witnesses.some(({ vkey }) => equalBytes(vkey.publicKey, publicKey)) ?? false;
}

/** The statement keys that may sign at a time, in milliseconds since the Unix epoch. */
export function keysAt(trust: Trust, time: number): readonly SignerKey[] {
  return trust.keys.filter((key) => key.notBefore <= time && time < key.notAfter);
}

/** The keys of one of the trusted logs; undefined for an origin that is not trusted. */
export function logOf(trust: Trust, origin: string): LogTrust | undefined {
  return trust.logs.find((log) => log.origin === origin);
}

/** `verifyCheckpoint` for any of the trusted logs. Refuses `checkpoint_origin` for another one. */
export async function verifyTrustedCheckpoint(signed: string, trust: Trust, checks: SignatureChecks = {}): Promise<Parsed<VerifiedCheckpoint>> {
  const note = parseNote(signed);
  if (!note.ok) return note;
  const origin = note.value.text.split("\n", 1)[0] ?? "";
  const log = logOf(trust, origin);
  return log === undefined ? refused("checkpoint_origin", `the trust file does not list the log \`${origin}\``) : verifyCheckpoint(signed, log, checks);
}

function isKeyList(test: Test): Test {
  return (value) => listOf(test, keysMax)(value) && Array.isArray(value) && value.length > 0;
}

const statementKeyShape: Shape = { keyid: isText, publicKey: isText, notBefore: isTime, notAfter: optional(isTime) };
const shapeOf1: Shape = {
  v: (version) => version === 1,
  origin: isText,
  log: isKeyList(isText),
  statementKeys: isKeyList((key) => fits(key, statementKeyShape)),
  witnesses: (policy) => policy === null,
  fingerprint: optional(isText),
};
const shapeOf2: Shape = {
  ...shapeOf1,
  v: (version) => version === 2,
  logs: optional(listOf((log) => fits(log, { origin: isText, vkeys: isKeyList(isText) }), logsMax)),
  witnesses: (policy) => policy === null || fits(policy, { policy: isText }),
};

function isTrustFile(value: unknown): value is TrustFile {
  return fits(value, shapeOf1) || fits(value, shapeOf2);
}
