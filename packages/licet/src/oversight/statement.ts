import { createHash } from "node:crypto";
import { canonicalize, predicateType, statementType, type Statement } from "@licet/evidence";

/** What an approval says, in full. All of it stands in the text that a passkey signs. */
export interface ApprovalClaim {
  readonly space: string;
  readonly request: string;
  readonly move: string;
  /** The requirement that the role answers, or the move's own rule. */
  readonly requirement: string;
  readonly role: string;
  readonly answer: "approve" | "return" | "refuse";
  readonly system: string | null;
  readonly release: string | null;
  readonly stage: string | null;
  readonly environment: string | null;
  readonly factsDigest: string;
  readonly policyDigest: string;
  readonly commentDigest: string;
  readonly approver: string;
  /** How and when the session was opened; a passkey's own signature stands beside the statement. */
  readonly authentication: { readonly method: string; readonly at: number };
  readonly draftedAt: number;
  readonly notAfter: number;
}

/** in-toto statement `approval/v1`; its subject is the release, or the digest of what was asked for. */
export function approvalStatement(claim: ApprovalClaim): Statement {
  const subject = claim.release === null ? { name: claim.request, sha256: claim.factsDigest } : { name: claim.system ?? claim.request, sha256: claim.release };
  return {
    _type: statementType,
    subject: [{ name: subject.name, digest: { sha256: subject.sha256.slice("sha256:".length) } }],
    predicateType: predicateType("approval"),
    predicate: { v: 1, ...claim },
  };
}

export interface SealedText {
  /** Canonical JSON, exactly as signed. */
  readonly text: string;
  readonly digest: string;
  /** What a passkey is asked to sign: the SHA-256 in base64url. */
  readonly challenge: string;
}

export function sealedText(statement: Statement): SealedText {
  return seal(canonicalize(statement));
}

/** Digest and challenge of a text as it stands. */
export function seal(text: string): SealedText {
  const hash = createHash("sha256").update(text, "utf8").digest();
  return { text, digest: `sha256:${hash.toString("hex")}`, challenge: hash.toString("base64url") };
}
