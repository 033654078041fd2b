import { LicetError, type ApprovingRole } from "@licet/contract";
import { digestOf, parseJson } from "@licet/evidence";
import { z } from "zod";
import { newId } from "../base/ids.ts";
import type { Draft, Recorder } from "../ledger/recorder.ts";
import { freshMinutesMax } from "./counts.ts";
import { whyNot, type Judge, type Judged, type Person } from "./judge.ts";
import { subjectOf } from "./moves.ts";
import { approvalStatement, seal, sealedText, type ApprovalClaim, type SealedText } from "./statement.ts";
import type { Reader, StoredRequest } from "./store.ts";
import { needRequest } from "./view.ts";

/** An approval that nobody acted on lapses: the person who gave it may know better by then. */
export const approvalDaysMax = 30;

export interface Passkeys {
  /** Whether one of the person's keys signed exactly this challenge (base64url), the user verified. */
  verify(check: { readonly personId: string; readonly challenge: string; readonly assertion: unknown }): Promise<boolean>;
  /** Their keys: credential ids, and public halves (COSE, base64) that an auditor checks the assertion with. */
  of(personId: string): Promise<readonly { readonly id: string; readonly publicKey: string }[]>;
}

export interface ApprovalOptions {
  readonly read: Reader;
  readonly recorder: Recorder;
  readonly judge: Judge;
  readonly passkeys: Passkeys;
}

export interface Answering extends Person {
  readonly authenticatedAt: number;
  readonly method: string;
}

export interface Answer {
  readonly space: string;
  readonly request: string;
  readonly role: ApprovingRole;
  readonly answer: "approve" | "return" | "refuse";
  readonly comment: string;
}

/** The exact text that this answer would sign now. Throws what {@link giveApproval} would throw. */
export async function draftApproval(options: ApprovalOptions, answer: Answer, by: Answering): Promise<SealedText & { readonly allowCredentials: readonly string[] }> {
  const now = options.recorder.now();
  const { request, judged } = await answerable(options.read, options.judge, { answer, by, now });
  const sealed = sealedText(approvalStatement(claim({ request, judged, answer, by, draftedAt: now })));
  const keys = await options.passkeys.of(by.personId);
  return { ...sealed, allowCredentials: keys.map((key) => key.id) };
}

interface Asked {
  readonly answer: Answer;
  readonly by: Answering;
  readonly now: number;
}

async function answerable(db: Reader, judge: Judge, { answer, by, now }: Asked): Promise<{ readonly request: StoredRequest; readonly judged: Judged }> {
  const { space, role } = answer;
  const request = await needRequest(db, space, answer.request);
  if (request.status !== "open") throw new LicetError("request_closed", { message: `the request was ${request.status}` });
  if (!by.roles.includes(role)) throw new LicetError("approval_role_missing", { message: `you do not hold the role \`${role}\`` });
  if (now - by.authenticatedAt > freshMinutesMax * 60_000) throw new LicetError("approval_reauthenticate");
  const judged = await judge(db, request, now);
  const why = await whyNot(db, space, { person: by, role, judged, now });
  if (why !== "") throw new LicetError("approval_not_yours", { message: `your answer would not count: ${why}` });
  return { request, judged };
}

interface ClaimParts {
  readonly request: StoredRequest;
  readonly judged: Judged;
  readonly answer: Answer;
  readonly by: Answering;
  readonly draftedAt: number;
}

function claim({ request, judged, answer, by, draftedAt }: ClaimParts): ApprovalClaim {
  return {
    space: answer.space,
    request: request.id,
    move: request.move,
    requirement: judged.requirement,
    role: answer.role,
    answer: answer.answer,
    system: request.system,
    release: request.release,
    stage: request.stage,
    environment: request.environment,
    factsDigest: judged.factsDigest,
    policyDigest: judged.policyDigest,
    commentDigest: digestOf(answer.comment),
    approver: by.personId,
    authentication: { method: by.method, at: by.authenticatedAt },
    draftedAt,
    notAfter: draftedAt + approvalDaysMax * 86_400_000,
  };
}

export interface Signing {
  /** The drafted text, as signed. Left out, the server words and asserts it. */
  readonly statement?: string | undefined;
  readonly assertion?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Records an answer. Throws `request_closed`, `approval_role_missing`, `approval_reauthenticate`, `approval_not_yours`,
 * `approval_statement_changed`, `assertion_invalid`.
 */
export async function giveApproval(options: ApprovalOptions, answer: Answer, given: { readonly by: Answering; readonly signing: Signing }): Promise<void> {
  const { by, signing } = given;
  const started = options.recorder.now();
  const draftedAt = signing.statement === undefined ? started : draftTime(signing.statement, started);
  // Looked up before the transaction: inside it nothing else may be awaited.
  const proof = signing.assertion === undefined ? null : await assertion(options.passkeys, by, signing);
  await options.recorder.commit(async (tx, now) => {
    const { request, judged } = await answerable(tx, options.judge, { answer, by, now });
    const said = claim({ request, judged, answer, by, draftedAt });
    const sealed = sealedText(approvalStatement(said));
    if (signing.statement !== undefined && signing.statement !== sealed.text) throw new LicetError("approval_statement_changed");
    return { entry: entry({ request, said, sealed, comment: answer.comment, proof, id: newId("apr", now) }), value: undefined };
  });
}

const Drafted = z.object({ predicate: z.object({ draftedAt: z.int() }) });

/** A draft is good for as long as a sign-in; everything else in it is compared with what the server would write. */
function draftTime(statement: string, now: number): number {
  const parsed = Drafted.safeParse(json(statement));
  if (!parsed.success) throw new LicetError("approval_statement_changed", { message: "this is not a drafted statement" });
  const { draftedAt } = parsed.data.predicate;
  if (draftedAt > now || now - draftedAt > freshMinutesMax * 60_000) throw new LicetError("approval_statement_changed", { message: `the draft is older than ${freshMinutesMax} minutes` });
  return draftedAt;
}

function json(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

const JsonRecord = z.record(z.string(), z.json());
type Proof = { readonly response: z.output<typeof JsonRecord>; readonly publicKey: string } | null;

/** The statement that the assertion is checked against is compared with the record's own before it is kept. */
async function assertion(passkeys: Passkeys, by: Answering, signing: Signing): Promise<Proof> {
  const response = JsonRecord.safeParse(signing.assertion);
  if (signing.statement === undefined || !response.success) throw new LicetError("assertion_invalid", { message: "a passkey signs a drafted statement: send both" });
  const { challenge } = seal(signing.statement);
  const key = (await passkeys.of(by.personId)).find((each) => each.id === response.data["id"]);
  const verified = key !== undefined && (await passkeys.verify({ personId: by.personId, challenge, assertion: response.data }));
  if (!verified) throw new LicetError("assertion_invalid");
  return { response: response.data, publicKey: key.publicKey };
}

interface EntryParts {
  readonly request: StoredRequest;
  readonly said: ApprovalClaim;
  readonly sealed: SealedText;
  readonly comment: string;
  readonly proof: Proof;
  readonly id: string;
}

function entry({ request, said, sealed, comment, proof, id }: EntryParts): Draft {
  const { space, role, answer, factsDigest, policyDigest, notAfter, approver, authentication } = said;
  return {
    kind: "approval.given",
    space,
    actor: approver,
    ...(request.system !== null && { system: request.system }),
    subject: subjectOf(request.system),
    class: "governance",
    body: {
      approval: id,
      request: request.id,
      role,
      person: approver,
      answer,
      comment,
      factsDigest,
      policyDigest,
      method: proof === null ? "server-asserted" : "passkey",
      authenticatedAt: authentication.at,
      notAfter,
      statement: sealed.text,
      statementDigest: sealed.digest,
      assertion: proof,
    },
  };
}
