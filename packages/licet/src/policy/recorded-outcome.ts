import { isRecord } from "@licet/evidence";

/** Members of a recorded decision that say what it came to. */
export const outcomeMembers = ["code", "decision", "observed", "policyErrors", "reasons"] as const;

/** What a recorded decision came to. */
export interface Outcome {
  readonly allowed: boolean;
  readonly policies: readonly string[];
  /** The gateway itself refused, whatever the policies said. */
  readonly refused: boolean;
}

/** Reasons with a code are the gateway's own, or stand for the lack of a permit; the others are policies. */
export function recordedOutcome(body: Readonly<Record<string, unknown>>): Outcome {
  const reasons = Array.isArray(body["reasons"]) ? body["reasons"].filter(isRecord) : [];
  const errors = Array.isArray(body["policyErrors"]) ? body["policyErrors"].filter((each) => typeof each === "string") : [];
  const policies = reasons.flatMap(({ policy, code }) => (code === undefined && typeof policy === "string" ? [policy] : []));
  const refused = reasons.some(({ policy, code }) => typeof code === "string" && policy === `gateway.${code}`) || isObligationRefusal(body["code"], errors);
  // Under an observe waiver a call went on that the policies had refused: what they said is compared, not the waiver.
  const allowed = body["decision"] === "allow" && !Array.isArray(body["observed"]);
  return { allowed, policies: distinct([...policies, ...errors]), refused };
}

/** Mostly there is one, or none. */
export function distinct(ids: readonly string[]): readonly string[] {
  return ids.length < 2 ? ids : [...new Set(ids)].sort();
}

/** The decision API refuses what policies permit when the caller cannot carry out what they oblige it to. */
function isObligationRefusal(code: unknown, errors: readonly unknown[]): boolean {
  return code === "obligation_unsupported" || (code === "policy_errored" && errors.length === 0);
}
