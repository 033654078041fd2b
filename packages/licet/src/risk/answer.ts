import { canonicalize, digestOf, isRecord, parseJson, predicateType, statementType, type Statement } from "@licet/evidence";
import { AnswerPredicate, type Envelope, type Manifest, type ReleaseBundle, type RouteAnswer, type Tier } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import type { Caller } from "../http/handlers.ts";
import { findRelease, findSystem } from "../inventory/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import type { Assessment, SignedAnswer } from "./assessment.ts";
import { assess, assessmentView, questionText } from "./assess.ts";
import { listAnswers, type Reader } from "./store.ts";

export interface RiskDeps {
  readonly recorder: Recorder;
  readonly read: Reader;
  readonly signStatement: (statement: Statement) => Envelope;
}

/**
 * Answers bind only while the one who gave them is the declared risk owner and no technical owner, and while what
 * they were about stands as it stood: a new owner, purpose or declaration is answered anew.
 */
export async function signedAnswers(read: Reader, space: string, manifest: Manifest): Promise<readonly SignedAnswer[]> {
  const rows = await listAnswers(read, space, manifest.name);
  if (rows.length === 0) return [];
  const said = rows.map((row) => ({ row, claim: claimOf(row.statement) }));
  const same = await releasesAbout(read, { space, manifest, releases: said.flatMap(({ claim }) => (claim === undefined ? [] : [claim.release])) });
  const binding = said.filter(({ claim }) => claim !== undefined && same.has(claim.release) && maySign(claim.email, manifest));
  return binding.map(({ row }) => ({ question: row.question, value: row.value === "yes", by: row.person, at: row.answered_at, entry: row.entry }));
}

function maySign(email: string, { owners }: Manifest): boolean {
  const signer = email.toLowerCase();
  return signer === owners.risk.toLowerCase() && signer !== owners.technical.toLowerCase();
}

/** What the questions are about. Prompts, models and data change more often, and say nothing of the use. */
const judged = ["purpose", "users", "affectedPeople", "deploymentContext", "jurisdictions", "oversight", "autonomy", "risk", "downstreamActions"] as const satisfies readonly (keyof Manifest)[];

function judgedDigest(manifest: Manifest): string {
  return digestOf(judged.map((key) => manifest[key] ?? null));
}

/** Those of the releases that declare the same use as this manifest. */
async function releasesAbout(read: Reader, { space, manifest, releases }: { readonly space: string; readonly manifest: Manifest; readonly releases: readonly string[] }): Promise<ReadonlySet<string>> {
  const now = judgedDigest(manifest);
  const same = new Set<string>();
  for (const digest of new Set(releases)) {
    const release = await findRelease(read, space, manifest.name, digest);
    if (release !== undefined && judgedDigest(release.bundle.manifest) === now) same.add(digest);
  }
  return same;
}

/** What the statement itself says. */
function claimOf(statement: string): AnswerPredicate | undefined {
  const envelope: unknown = parseJson(statement);
  const payload = isRecord(envelope) && typeof envelope["payload"] === "string" ? envelope["payload"] : "";
  const parsed: unknown = parseJson(Buffer.from(payload, "base64").toString("utf8"));
  const predicate = AnswerPredicate.safeParse(isRecord(parsed) ? parsed["predicate"] : undefined);
  return predicate.success ? predicate.data : undefined;
}

/** The tier of a bundle with what is signed for its system so far. */
export async function assessBundle(deps: Pick<RiskDeps, "read" | "recorder">, space: string, bundle: ReleaseBundle): Promise<Assessment> {
  const { manifest } = bundle;
  return assess({ manifest, answers: await signedAnswers(deps.read, space, manifest), now: deps.recorder.now() });
}

export async function tierOf(deps: Pick<RiskDeps, "read" | "recorder">, space: string, bundle: ReleaseBundle): Promise<Tier> {
  return (await assessBundle(deps, space, bundle)).tier;
}

export interface AnswerGivenBy {
  readonly space: string;
  readonly system: string;
  readonly question: string;
  readonly value: "yes" | "no";
  readonly reason: string;
  readonly caller: Caller;
}

function statementOf(said: AnswerPredicate): Statement {
  const plain: unknown = parseJson(canonicalize(AnswerPredicate.parse(said)));
  return {
    _type: statementType,
    subject: [{ name: said.system, digest: { sha256: said.release.slice("sha256:".length) } }],
    predicateType: predicateType("answer"),
    predicate: isRecord(plain) ? plain : {},
  };
}

/**
 * Only the person whom the manifest names as risk owner, in that role, no author of the release, signed in within the
 * last 15 minutes. Throws `risk_question_unknown`, `system_unknown`, `not_risk_owner`, `answer_by_author`, `session_too_old`.
 */
export async function giveAnswer(deps: RiskDeps, given: AnswerGivenBy): Promise<RouteAnswer<"giveAnswer">> {
  questionText(given.question);
  const { space, caller } = given;
  const { value: bundle } = await deps.recorder.commit(async (tx, time) => {
    const system = await findSystem(tx, space, given.system);
    const release = system === undefined ? undefined : await findRelease(tx, space, given.system, system.latest_release);
    if (release === undefined) throw new LicetError("system_unknown", { message: `there is no system \`${given.system}\` in this space` });
    const owner = release.bundle.manifest.owners.risk;
    if (owner.toLowerCase() !== caller.email.toLowerCase()) {
      throw new LicetError("not_risk_owner", { message: `the manifest of \`${given.system}\` names \`${owner}\` as risk owner, and you are \`${caller.email}\`` });
    }
    if (release.pushed_by === caller.personId || !maySign(caller.email, release.bundle.manifest)) throw new LicetError("answer_by_author");
    if (time - caller.authenticatedAt > freshMs) throw new LicetError("session_too_old");
    const said: AnswerPredicate = {
      system: given.system,
      release: release.digest,
      question: given.question,
      value: given.value,
      reason: given.reason,
      person: caller.personId,
      email: caller.email,
      method: caller.method,
      authenticatedAt: caller.authenticatedAt,
      answeredAt: time,
    };
    const body = { system: given.system, question: given.question, value: given.value, reason: given.reason, person: caller.personId, statement: deps.signStatement(statementOf(said)) };
    return {
      entry: { kind: "answer.given", space, actor: caller.personId, system: given.system, subject: `system:${given.system}`, class: "governance", body: parseJson(JSON.stringify(body)) },
      value: release.bundle,
    };
  });
  return assessmentView(await assessBundle(deps, space, bundle));
}

const freshMs = 15 * 60 * 1000;
