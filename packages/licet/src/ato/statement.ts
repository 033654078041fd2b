import { AtoPredicate, type Digest, type GateAnswer } from "@licet/contract";
import { canonicalize, digestOf, isRecord, parseJson, predicateType, statementType, type Statement, type Subject } from "@licet/evidence";
import { releaseOf } from "../inventory/release.ts";
import type { StoredRequest } from "../oversight/store.ts";
import type { Weighed } from "../oversight/weigh.ts";
import type { Gathered } from "./facts.ts";

export const atoPredicate = predicateType("authorization-to-operate");

export interface Grant {
  readonly id: string;
  readonly request: StoredRequest;
  readonly requestedBy: string;
  readonly gathered: Gathered;
  readonly answer: GateAnswer;
  /** The approvals that this grant spends. */
  readonly approvals: readonly Weighed[];
  readonly notBefore: number;
  readonly notAfter: number;
}

/** The authorization itself: in-toto, about the release and each of its components. */
export function atoStatement(grant: Grant): Statement {
  const { gathered } = grant;
  const subjects: Subject[] = [
    subject(gathered.facts.system, gathered.facts.release),
    ...releaseOf(gathered.release.bundle).components.map((component) => subject(`${component.kind}/${component.name}`, component.digest)),
  ];
  const plain: unknown = parseJson(canonicalize(AtoPredicate.parse(predicate(grant))));
  if (!isRecord(plain)) throw new TypeError("a predicate is an object");
  return { _type: statementType, subject: subjects, predicateType: atoPredicate, predicate: plain };
}

function subject(name: string, digest: string): Subject {
  return { name, digest: { sha256: digest.slice("sha256:".length) } };
}

function predicate(grant: Grant): unknown {
  const { gathered, answer } = grant;
  const { facts } = gathered;
  return {
    id: grant.id,
    decision: "granted",
    request: grant.request.id,
    space: grant.request.space,
    system: facts.system,
    release: facts.release,
    tier: facts.tier,
    stage: facts.to,
    environment: facts.environment,
    dataBoundary: gathered.release.bundle.manifest.dataBoundary,
    conditions: conditions(grant),
    requestedBy: grant.requestedBy,
    approvers: grant.approvals.map(({ row, email, early }) => ({
      approval: row.id,
      entry: row.entry,
      person: email,
      role: row.role,
      statementDigest: row.statement_digest,
      method: row.method,
      early,
      at: row.given_at,
    })),
    checks: facts.checks.map((check) => ({ id: check.id, check: check.check, verdict: check.verdict, producer: check.producer, entry: check.result, digest: resultDigest(grant, check.result) })),
    policyDigest: answer.policyDigest,
    factsDigest: answer.factsDigest,
    notBefore: grant.notBefore,
    notAfter: grant.notAfter,
  };
}

function resultDigest({ gathered }: Grant, entry: string): Digest {
  return digestOf(gathered.checks.results.get(entry) ?? { aborted: entry });
}

/** What has to stay true; the gateway refuses each call that breaks one. */
function conditions({ gathered }: Grant): string[] {
  const { environment, to } = gathered.facts;
  return [
    `only this release, at stage ${to} in environment ${environment}`,
    "only declared models, prompts, tools and parameter bounds",
    "only data inside the declared boundary",
    "ends at once with a hold, a revocation, or its last day",
  ];
}
