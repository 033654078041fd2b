import { fromBase64 } from "./bytes.ts";
import { digestOf, isRecord } from "./canonical.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { isDigest, sha256Hex, type Digest } from "./sha256.ts";
import { covers, isText, isTime, listOf, type Shape, type Test } from "./shape.ts";
import { predicateType as typeOf, type Statement } from "./statement.ts";

/** The predicates that the verifier reads. Others are verified by signature alone. */
export const atoPredicateType = typeOf("authorization-to-operate");
export const approvalPredicateType = typeOf("approval");
export const checkResultPredicateType = typeOf("check-result");
export const keyRotationPredicateType = typeOf("key-rotation");

/** What the verifier reads of an authorization to operate; the predicate may say more. */
export interface AtoPredicate {
  readonly id: string;
  readonly system: string;
  readonly release: Digest;
  readonly stage: string;
  readonly environment: string;
  readonly decision: "granted" | "conditional";
  /** Milliseconds since the Unix epoch, as all times here. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Of the facts that stand beside the statement in its entry. */
  readonly factsDigest: Digest;
  readonly policyDigest: Digest;
  readonly approvers: readonly CitedApproval[];
  readonly checks: readonly CitedCheck[];
}

/** An approval, cited by the id of its entry and the digest of its text. */
export interface CitedApproval {
  readonly entry: string;
  readonly statementDigest: Digest;
  readonly person: string;
  readonly role: string;
}

/** A check result, cited by the id of its entry and the digest of its canonical JSON, with the verdict that was counted. */
export interface CitedCheck {
  readonly entry: string;
  readonly digest: Digest;
  readonly verdict: string;
}

/** What the verifier reads of an approval. */
export interface ApprovalPredicate {
  readonly approver: string;
  readonly role: string;
  readonly answer: string;
  readonly system: string;
  readonly release: Digest;
  readonly stage: string;
  readonly environment: string;
  readonly notAfter: number;
}

/** What the verifier reads of a check result. */
export interface CheckResultPredicate {
  readonly release: Digest;
  readonly producer: string;
  readonly producedBy: string;
  readonly verdict: string;
  /** Of the result's canonical JSON. */
  readonly digest: Digest;
}

export type KeyRole = "log" | "log-mldsa" | "statement" | "root";

/** A key replaced by another one; the statement's subject is the new key. */
export interface KeyRotationPredicate {
  readonly role: KeyRole;
  /** SHA-256 in hex: of the raw public key, or for `root`, which has none, whatever names the key. */
  readonly keyid: string;
  /** Base64 of 32 bytes (`ed25519`) or 1312 bytes (`ml-dsa-44`); empty for `root`. */
  readonly publicKey: string;
  readonly algorithm: "ed25519" | "ml-dsa-44" | "aes-256-gcm";
  /** Key id of the key that it replaces; `null` of a log's first `log-mldsa` key. */
  readonly previous: string | null;
  /** Milliseconds since the Unix epoch: from then on the new key signs, and the one it replaces no longer does. */
  readonly notBefore: number;
}

const isCitedApproval: Test = (value) => covers(value, { entry: isText, statementDigest: isDigest, person: isText, role: isText });
const isCitedCheck: Test = (value) => covers(value, { entry: isText, digest: isDigest, verdict: isText });
const citationsMax = 10_000;

const atoShape: Shape = {
  id: isText,
  system: isText,
  release: isDigest,
  stage: isText,
  environment: isText,
  decision: (value) => value === "granted" || value === "conditional",
  notBefore: isTime,
  notAfter: isTime,
  factsDigest: isDigest,
  policyDigest: isDigest,
  approvers: listOf(isCitedApproval, citationsMax),
  checks: listOf(isCitedCheck, citationsMax),
};

function isAto(value: unknown): value is AtoPredicate {
  return covers(value, atoShape);
}

/** Reads an authorization to operate, whose subjects must include the release that its predicate names. */
export function readAto({ predicateType, predicate, subject }: Statement): Parsed<AtoPredicate> {
  if (predicateType !== atoPredicateType || !isAto(predicate)) return refused("ato_malformed", "the authorization to operate lacks a member, or one has the wrong type");
  if (!includes(subject, predicate.release)) return refused("ato_release", "the authorization to operate is not about the release that it names");
  return predicate.notBefore < predicate.notAfter ? parsed(predicate) : refused("ato_term", "the authorization to operate ends before it begins");
}

const approvalShape: Shape = { approver: isText, role: isText, answer: isText, system: isText, release: isDigest, stage: isText, environment: isText, notAfter: isTime };

function isApproval(value: unknown): value is ApprovalPredicate {
  return covers(value, approvalShape);
}

/** Reads an approval of a release. */
export function readApproval({ predicateType, predicate, subject }: Statement): Parsed<ApprovalPredicate> {
  if (predicateType !== approvalPredicateType || !isApproval(predicate)) return refused("approval_malformed", "it is no approval of a release");
  return includes(subject, predicate.release) ? parsed(predicate) : refused("approval_release", "it is not about the release that it names");
}

/** Reads a check result. */
export function readCheckResult({ predicateType, predicate }: Statement): Parsed<CheckResultPredicate> {
  const { release, producer, producedBy, result } = predicate;
  const verdict = isRecord(result) ? result["verdict"] : undefined;
  const complete = predicateType === checkResultPredicateType && isDigest(release) && isText(producer) && isText(producedBy) && isText(verdict);
  return complete ? parsed({ release, producer, producedBy, verdict, digest: digestOf(result) }) : refused("check_malformed", "what is cited as a check result is not one");
}

function includes(subjects: Statement["subject"], release: Digest): boolean {
  return subjects.some((subject) => `sha256:${subject.digest.sha256}` === release);
}

const keyAlgorithms = { log: { algorithm: "ed25519", keyBytes: 32 }, "log-mldsa": { algorithm: "ml-dsa-44", keyBytes: 1312 }, statement: { algorithm: "ed25519", keyBytes: 32 }, root: { algorithm: "aes-256-gcm", keyBytes: 0 } };

const isKeyId: Test = (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
const rotationShape: Shape = {
  role: (value) => typeof value === "string" && Object.hasOwn(keyAlgorithms, value),
  keyid: isKeyId,
  publicKey: (value) => typeof value === "string",
  algorithm: isText,
  previous: (value) => value === null || isKeyId(value),
  notBefore: isTime,
};

function isRotation(value: unknown): value is KeyRotationPredicate {
  return covers(value, rotationShape);
}

/** Reads a key rotation: the algorithm is that of the role, and the key is the one that its id names. */
export function readKeyRotation({ predicateType, predicate, subject }: Statement): Parsed<KeyRotationPredicate> {
  if (predicateType !== keyRotationPredicateType || !isRotation(predicate)) return refused("key_rotation_malformed", "it is no statement about a key");
  const { role, keyid, publicKey, algorithm } = predicate;
  const bytes = fromBase64(publicKey);
  const expected = keyAlgorithms[role];
  if (!bytes.ok || bytes.value.length !== expected.keyBytes || algorithm !== expected.algorithm) return refused("key_rotation_key", `a key of the role \`${role}\` is of the algorithm ${expected.algorithm}`);
  if (role !== "root" && sha256Hex(bytes.value) !== keyid) return refused("key_rotation_key", "the key id is not that of the key");
  return subject.some(({ digest }) => digest.sha256 === keyid) ? parsed(predicate) : refused("key_rotation_subject", "it is not about the key that it names");
}
