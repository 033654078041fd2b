import { canonicalize, isRecord, parseJson, predicateType, statementType, type Statement } from "@licet/evidence";
import { CheckResultPredicate, type CheckResult, type DatasetReuse, type ReservedAttempt } from "@licet/contract";

/** in-toto attestation framework, predicate test-result v0.1. */
export const testResultType = "https://in-toto.io/attestation/test-result/v0.1";

function statement(said: CheckResultPredicate, type: string, predicate: object): Statement {
  const plain: unknown = parseJson(canonicalize(predicate));
  if (!isRecord(plain)) throw new TypeError("a predicate is an object");
  return { _type: statementType, subject: [{ name: said.system, digest: { sha256: said.release.slice("sha256:".length) } }], predicateType: type, predicate: plain };
}

export function checkResultStatement(said: CheckResultPredicate): Statement {
  return statement(said, predicateType("check-result"), CheckResultPredicate.parse(said));
}

/** What others' tools read: FAILED for everything but a pass, never WARNED, so that nobody takes silence for success. */
export function testResultStatement(said: CheckResultPredicate): Statement {
  const passed = said.result.verdict === "pass";
  return statement(said, testResultType, {
    result: passed ? "PASSED" : "FAILED",
    configuration: said.result.inputs.map((input) => ({ name: input.id, digest: { sha256: input.digest.slice("sha256:".length) } })),
    passedTests: passed ? [said.result.id] : [],
    warnedTests: [],
    failedTests: passed ? [] : [said.result.id],
  });
}

/** The result as its producer may claim it: attempt, seed and reuse come from the ticket, never from the claim. */
export function stamped(result: CheckResult, plan: Pick<ReservedAttempt, "index" | "alpha" | "previous" | "repeats" | "seed">, reuse: readonly DatasetReuse[]): CheckResult {
  const { index, alpha, previous, repeats, seed } = plan;
  const { reuse: _, ...claimed } = result;
  return { ...claimed, seed, attempt: { index, alphaSpent: alpha, previous: [...previous], ...(repeats !== null && { repeats }) }, ...(reuse.length > 0 && { reuse: [...reuse] }) };
}
