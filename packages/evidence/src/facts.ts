import { digestOf } from "./canonical.ts";
import type { Digest } from "./sha256.ts";

/**
 * What a gate's facts hold beside what an approval speaks about: the clock, who asked when, the approvals themselves and
 * who could act. An approval so does not make itself stale; a new result, another stage or environment, a hold does.
 */
export const immaterialFacts: readonly string[] = ["now", "requestedAt", "approvals", "turns"];

/** What the gate's answer, every approval and every authorization call `factsDigest`. */
export function factsDigest(facts: Readonly<Record<string, unknown>>): Digest {
  return digestOf(Object.fromEntries(Object.entries(facts).filter(([key]) => !immaterialFacts.includes(key))));
}
