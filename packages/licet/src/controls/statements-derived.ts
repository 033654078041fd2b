import type { AtoPredicate, AtoState } from "@licet/contract";
import { statementType, type Digest, type Statement } from "@licet/evidence";

/** in-toto attestation framework, predicate Simple Verification Result v0.1. */
export const svrType = "https://in-toto.io/attestation/svr/v0.1";
/** SLSA Verification Summary Attestation. */
export const vsaType = "https://slsa.dev/verification_summary/v1";
/** Changes when what is verified changes; who verified follows from the key. */
const verifierId = "https://licet.dev/verifier/authorization-to-operate/v1";
const atoExtension = "https://licet.dev/extension/authorization/v1";

/** An authorization as it stands when somebody asks. */
export interface StandingAto {
  readonly predicate: AtoPredicate;
  readonly state: AtoState;
  /** Of the signed bytes of its statement. */
  readonly statementDigest: Digest;
  readonly entry: string;
  /** Of the log that holds it. */
  readonly origin: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

function bare(digest: string): { readonly sha256: string } {
  return { sha256: digest.slice("sha256:".length) };
}

function time(at: number): string {
  return new Date(at).toISOString();
}

/** The release alone: its components are not authorised by themselves. */
function about({ predicate }: StandingAto): Statement["subject"] {
  return [{ name: predicate.system, digest: bare(predicate.release) }];
}

function policy({ predicate }: StandingAto): object {
  return { uri: `https://licet.dev/policy-bundle/${predicate.policyDigest}`, digest: bare(predicate.policyDigest) };
}

/** What neither format has a member for. */
function extension({ predicate, entry, origin, state }: StandingAto): object {
  const { id, space, stage, environment, notBefore, notAfter } = predicate;
  return { id, space, entry, origin, stage, environment, state, notBefore: time(notBefore), notAfter: time(notAfter) };
}

function word(text: string): string {
  return text.toUpperCase().replaceAll(/[^A-Z0-9]+/gu, "_");
}

export function inForce({ state, predicate, at }: StandingAto): boolean {
  return state === "granted" && predicate.notBefore <= at && at < predicate.notAfter;
}

/** The properties that hold at `at`. Of an authorization that is not in force none does: then there is nothing to say. */
export function svrStatement(standing: StandingAto): Statement | undefined {
  if (!inForce(standing)) return undefined;
  const { stage, tier } = standing.predicate;
  const predicate = {
    verifier: { id: verifierId, policy: policy(standing) },
    timeCreated: time(standing.at),
    properties: ["LICET_AUTHORIZED_TO_OPERATE", `LICET_STAGE_${word(stage)}`, `LICET_TIER_${word(tier)}`],
    [atoExtension]: extension(standing),
  };
  return { _type: statementType, subject: about(standing), predicateType: svrType, predicate };
}

/** PASSED while the authorization is in force, else FAILED. Claims no SLSA level: `verifiedLevels` has our own word. */
export function vsaStatement(standing: StandingAto): Statement {
  const passed = inForce(standing);
  const { system, release } = standing.predicate;
  const predicate = {
    verifier: { id: verifierId },
    timeVerified: time(standing.at),
    resourceUri: `pkg:generic/${system}?checksum=${release}`,
    policy: policy(standing),
    inputAttestations: [{ name: standing.entry, digest: bare(standing.statementDigest), mediaType: "application/vnd.in-toto+json" }],
    verificationResult: passed ? "PASSED" : "FAILED",
    verifiedLevels: [passed ? "LICET_AUTHORIZED_TO_OPERATE" : "FAILED"],
    [atoExtension]: extension(standing),
  };
  return { _type: statementType, subject: about(standing), predicateType: vsaType, predicate };
}
