import { contradicted, type Evidence, isRate, settle, unusable } from "../verdict/settle.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { round12 } from "../verdict/round.ts";
import { type AttackScores, type EpsilonCounts, splitThreshold, type ThresholdRule } from "./epsilon.ts";

/** Counts of an audit: an attack at a held-out threshold, or guesses about canaries of one training run. */
export type EpsilonStatistics = Evidence & { readonly notes: readonly string[] } & (
    | { readonly kind: "attack"; readonly counts: EpsilonCounts }
    | { readonly kind: "one-run"; readonly guesses: number; readonly correct: number }
  );

const caveat = "this is what the attack shows: a stronger attack may show more";

/** `privacy.epsilon` by an attack: the threshold comes from the first halves, the counts from the second. */
export function measureEpsilon(scores: AttackScores, rule: ThresholdRule = { kind: "best", alpha: 0.025 }): EpsilonStatistics {
  const finite = { members: scores.members.filter((score) => Number.isFinite(score)), nonmembers: scores.nonmembers.filter((score) => Number.isFinite(score)) };
  const counts = splitThreshold(finite, rule);
  return {
    attempted: scores.members.length + scores.nonmembers.length,
    assessed: finite.members.length + finite.nonmembers.length,
    degenerate: null,
    notes: [caveat],
    kind: "attack",
    counts: { ...counts, threshold: Number.isFinite(counts.threshold) ? round12(counts.threshold) : 0 },
  };
}

/** `privacy.epsilon` from one run: each canary was included by a fair coin, and guessed 1 (in), 0 (out) or 255 (no guess). */
export function measureOneRun(included: Uint8Array, guessed: Uint8Array): EpsilonStatistics {
  let [guesses, correct] = [0, 0];
  for (const [canary, guess] of guessed.entries()) {
    if (guess > 1) continue;
    guesses += 1;
    if (guess === included[canary]) correct += 1;
  }
  // Abstaining is part of the attack, not a missing answer.
  return { attempted: included.length, assessed: included.length, degenerate: null, notes: [caveat], kind: "one-run", guesses, correct };
}

/**
 * The privacy loss that the audit shows against a declared epsilon (op `<=`). Fails when its lower bound is above, passes
 * when the upper bound of what this attack achieves is at most that: an attack can refute a privacy claim, and a pass is
 * only about this attack. Both rates share the error rate.
 */
export function decideEpsilon(statistics: EpsilonStatistics, limit: Limit): Outcome {
  const bad = unusable(limit) ?? (limit.op === "<=" ? undefined : silent("inconsistent_import"));
  return bad ?? contradicted(consistent(statistics)) ?? settle(statistics.kind === "attack" ? decideAttack(statistics.counts, limit) : decideOneRun(statistics, limit), statistics);
}

function consistent(statistics: EpsilonStatistics): boolean {
  if (statistics.kind === "one-run") return isRate(statistics.correct, statistics.guesses) && statistics.guesses <= statistics.assessed;
  const { tp, members, fp, nonmembers } = statistics.counts;
  return isRate(tp, members) && isRate(fp, nonmembers) && members + nonmembers <= statistics.assessed;
}

function decideAttack({ tp, members, fp, nonmembers }: EpsilonCounts, limit: Limit): Outcome {
  if (members === 0 || nonmembers === 0) return silent("undefined_denominator");
  const [tpr, fpr] = [clopperPearson(tp, members, limit.alpha / 2), clopperPearson(fp, nonmembers, limit.alpha / 2)];
  const bounds = { lower: Math.max(0, Math.log(tpr.lower / fpr.upper)), upper: Math.max(0, Math.log(tpr.upper / fpr.lower)) };
  const estimate = Math.max(0, Math.log((tp + 0.5) / (members + 1) / ((fp + 0.5) / (nonmembers + 1))));
  return compared({ method: "clopper-pearson-ratio", estimate, bounds, limit }, () => undefined);
}

function decideOneRun({ guesses, correct }: { readonly guesses: number; readonly correct: number }, limit: Limit): Outcome {
  if (guesses === 0) return silent("undefined_denominator");
  const logit = (p: number) => Math.max(0, Math.log(p / (1 - p)));
  const { lower, upper } = clopperPearson(correct, guesses, limit.alpha);
  const estimate = logit((correct + 0.5) / (guesses + 1));
  return compared({ method: "steinke-2023-one-run", estimate, bounds: { lower: logit(lower), upper: logit(upper) }, limit }, () => undefined);
}
