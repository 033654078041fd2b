import { approvingRoles, LicetError, Stage, type GateFacts, type TrafficStage } from "@licet/contract";
import { ciRunsOfRelease } from "../assurance/store.ts";
import { findPersonByEmail, holdersOf, idsByEmail } from "../identity/store.ts";
import { findRelease, findSystem, listProviders, type StoredRelease } from "../inventory/store.ts";
import { emailsOf, holdsOn, type StoredRequest } from "../oversight/store.ts";
import type { Authors } from "../oversight/counts.ts";
import { weighApprovals, type Weighed } from "../oversight/weigh.ts";
import { bundleOf } from "../policy/publish.ts";
import type { Bundle } from "../policy/bundle.ts";
import { signedAnswers } from "../risk/answer.ts";
import { assess } from "../risk/assess.ts";
import { checkFacts, type CheckFacts } from "./check-facts.ts";
import { declaredFacts, ownProvider } from "./declared-facts.ts";
import { factsDigest } from "./material.ts";
import { everAuthorised, type Reader } from "./store.ts";

/** A move that somebody asks about, with the request for it where there is one. */
export interface Question {
  readonly system: string;
  /** The latest where none is named. */
  readonly release?: string | undefined;
  readonly to: TrafficStage;
  readonly environment?: string | undefined;
  readonly request?: StoredRequest | undefined;
}

export interface Gathered {
  readonly facts: GateFacts;
  readonly bundle: Bundle;
  readonly release: StoredRelease;
  readonly authors: Authors;
  readonly weighed: readonly Weighed[];
  readonly checks: CheckFacts;
}

/** Reads everything once that the gate may look at. Throws `not_found`, `release_unknown`, `policy_not_published`. */
export async function gatherFacts(db: Reader, space: string, question: Question, now: number): Promise<Gathered> {
  const bundle = await bundleOf(db, space);
  const { material, release, authors, checks } = await gatherMaterial(db, space, question, now);
  const { request } = question;
  const scale = { now, factsDigest: factsDigest(material), policyDigest: bundle.digest, authors };
  const weighed = request === undefined ? [] : await weighApprovals(db, space, { ...scale, request: request.id });
  const approvals = weighed.map(({ row, email, counts, why }) => ({ id: row.id, role: row.role, person: email, answer: answerOf(row.answer), counts, why, at: row.given_at, notAfter: row.not_after }));
  const facts = { ...material, approvals, requestedAt: request?.requestedAt ?? null };
  return { facts, bundle, release, authors, weighed, checks };
}

function answerOf(answer: string): "approve" | "return" | "refuse" {
  return answer === "approve" || answer === "return" ? answer : "refuse";
}

interface Material {
  readonly material: GateFacts;
  readonly release: StoredRelease;
  readonly authors: Authors;
  readonly checks: CheckFacts;
}

async function gatherMaterial(db: Reader, space: string, question: Question, now: number): Promise<Material> {
  const system = await findSystem(db, space, question.system);
  if (system === undefined) throw new LicetError("not_found", { message: `there is no system \`${question.system}\` in this space` });
  const digest = question.release ?? system.latest_release;
  const release = await findRelease(db, space, system.name, digest);
  if (release === undefined) throw new LicetError("release_unknown", { message: `\`${system.name}\` has no release \`${digest}\`` });
  const { manifest } = release.bundle;
  const assessment = assess({ manifest, answers: await signedAnswers(db, space, manifest), now });
  const declared = declaredFacts(release.bundle, assessment, question);
  const ids = [...declared.declaredChecks, ...declared.advisoryChecks];
  const checks = await checkFacts(db, space, { system: system.name, release: digest, ids, declared: manifest.assurance?.checks ?? [], tier: declared.tier, now });
  const authors = await authorsOf(db, space, { release, producers: checks.producers });
  const registered = new Set((await listProviders(db, space)).map((row) => row.id));
  const needed = manifest.components.models.map((model) => model.provider).filter((id) => id !== ownProvider);
  const material: GateFacts = {
    v: 1,
    offline: false,
    now,
    system: system.name,
    release: digest,
    releasePushedAt: release.pushed_at,
    number: release.number,
    from: Stage.parse(system.stage),
    to: question.to,
    ...declared,
    unregisteredProviders: [...new Set(needed)].filter((id) => !registered.has(id)).sort(),
    checks: await withNames(db, space, checks),
    approvals: [],
    authors: [...authors.emails].sort(),
    requestedAt: null,
    holds: (await holdsOn(db, space, system.name)).map((row) => row.id),
    evidence: (await everAuthorised(db, space, { system: system.name, stage: "pilot" })) ? ["pilot.authorised"] : [],
    turns: await turnsOf(db, space, manifest.owners),
  };
  return { material, release, authors, checks };
}

async function withNames(db: Reader, space: string, { checks }: CheckFacts): Promise<GateFacts["checks"]> {
  const emails = await emailsOf(db, space, checks.map((check) => check.producedBy));
  return checks.map((check) => ({ ...check, producedBy: emails.get(check.producedBy) ?? check.producedBy }));
}

/** Who pushed, whom a CI named as commit author, who produced counted results, who is the technical owner: none of them approves. */
async function authorsOf(db: Reader, space: string, of: { readonly release: StoredRelease; readonly producers: readonly string[] }): Promise<Authors> {
  const technical = of.release.bundle.manifest.owners.technical.toLowerCase();
  const owner = await findPersonByEmail(db, space, technical);
  const committed = (await ciRunsOfRelease(db, space, { system: of.release.system, release: of.release.digest })).flatMap((run) => run.authors);
  const committers = await idsByEmail(db, space, committed);
  const emails = await emailsOf(db, space, [of.release.pushed_by, ...of.producers, ...committers, ...(owner === undefined ? [] : [owner.id])]);
  // Only people: the server's own runner produces results too, and the first roles were given by the server.
  return { ids: new Set(emails.keys()), emails: new Set([technical, ...committed, ...[...emails.values()].map((email) => email.toLowerCase())]), grantsCount: false };
}

const turnRoles = [...approvingRoles, "platform-engineer", "executive"] as const;

async function turnsOf(db: Reader, space: string, owners: { readonly business: string; readonly technical: string; readonly risk: string }): Promise<Record<string, string[]>> {
  const turns: Record<string, string[]> = { "technical-owner": [owners.technical], "business-owner": [owners.business] };
  for (const role of turnRoles) turns[role] = (await holdersOf(db, space, role)).map((person) => person.email).sort();
  turns["risk-owner"] = [...new Set([...(turns["risk-owner"] ?? []), owners.risk])].sort();
  return turns;
}
