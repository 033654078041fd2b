import { digestOf, isRecord } from "./canonical.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { isDigest, type Digest } from "./sha256.ts";
import { covers, isText, isTime, listOf, type Shape, type Test } from "./shape.ts";
import { predicateType as typeOf, type Statement } from "./statement.ts";

/** The predicates that the verifier reads. Others are verified by signature alone. */
export const atoPredicateType = typeOf("authorization-to-operate");
export const approvalPredicateType = typeOf("approval");
export const checkResultPredicateType = typeOf("check-result");

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
