import { canonicalize } from "@licet/evidence";
import type { PolicyDecision, PolicyReason } from "./decide.ts";

/** A decision reduced to what every asker must agree on: names of policies, in the bundle's order. */
export interface Outcome {
  readonly decision: "allow" | "deny";
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
  readonly shadowed: readonly string[];
  /** Policies that could not be evaluated; `request` and `engine` stand for the request and the evaluator. */
  readonly errors: readonly string[];
}

export function outcomeOf(decision: PolicyDecision): Outcome {
  return {
    decision: decision.decision,
    reasons: ids(decision.reasons),
    warnings: ids(decision.warnings),
    shadowed: ids(decision.shadowed),
    errors: [...new Set(decision.errors.map(({ policy }) => policy))].sort(),
  };
}

function ids(reasons: readonly PolicyReason[]): readonly string[] {
  return reasons.map(({ policy }) => policy);
}

/** One line in RFC 8785 form: the same bytes from the gate, the gateway, AuthZEN and `licet policy test --requests`. */
export function canonicalOutcome(decision: PolicyDecision): string {
  return canonicalize(outcomeOf(decision));
}
