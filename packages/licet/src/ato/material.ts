import type { GateFacts } from "@licet/contract";
import { factsDigest as digestOfFacts } from "@licet/evidence";

/** What the gate's answer and every approval call `factsDigest`: the same function that verifiers use. */
export function factsDigest(facts: GateFacts): string {
  return digestOfFacts(facts);
}
