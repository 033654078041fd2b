import { rocOf } from "../performance/roc.ts";
import { clopperPearson } from "../stats/proportion.ts";

/** Attack scores, higher for a likelier member, in an order that does not depend on them. */
export interface AttackScores {
  readonly members: Float64Array;
  readonly nonmembers: Float64Array;
}

/** What an attack at one threshold did on rows that were not used to choose it. */
export interface EpsilonCounts {
  readonly threshold: number;
  readonly tp: number;
  readonly members: number;
  readonly fp: number;
  readonly nonmembers: number;
}

/** Where the threshold comes from: a share of the first-half non-members, or the largest bound on the first halves. */
export type ThresholdRule = { readonly kind: "fpr"; readonly share: number } | { readonly kind: "best"; readonly alpha: number };

/**
 * Chooses the threshold on the first half of the members and of the others, and counts on the second halves, so that
 * choosing it costs no confidence. Source: Jagielski, Ullman & Oprea 2020.
 */
export function splitThreshold({ members, nonmembers }: AttackScores, rule: ThresholdRule): EpsilonCounts {
  const [halfIn, halfOut] = [members.length >> 1, nonmembers.length >> 1];
  const first = { members: members.subarray(0, halfIn), nonmembers: nonmembers.subarray(0, halfOut) };
  const threshold = rule.kind === "fpr" ? thresholdOfShare(first, rule.share) : thresholdOfBound(first, rule.alpha);
  const [testIn, testOut] = [members.subarray(halfIn), nonmembers.subarray(halfOut)];
  const reaching = (values: Float64Array) => values.reduce((count, value) => count + (value >= threshold ? 1 : 0), 0);
  return { threshold, tp: reaching(testIn), members: testIn.length, fp: reaching(testOut), nonmembers: testOut.length };
}

/** The score that this share of the others reaches; ties can make it more. */
function thresholdOfShare({ nonmembers }: AttackScores, share: number): number {
  return nonmembers.toSorted()[nonmembers.length - Math.max(1, Math.floor(share * nonmembers.length))] ?? Infinity;
}

function thresholdOfBound({ members, nonmembers }: AttackScores, alpha: number): number {
  const scores = new Float64Array(members.length + nonmembers.length);
  scores.set(members);
  scores.set(nonmembers, members.length);
  const roc = rocOf({ scores, positive: Uint8Array.from(scores, (_, row) => (row < members.length ? 1 : 0)) });
  let threshold = Infinity;
  let best = -Infinity;
  for (const point of roc.points) {
    // The bound is below the plain ratio, which costs nothing to compute.
    if (Math.log(point.tp / roc.positives / (point.fp / roc.negatives)) <= best) continue;
    const value = logRatio({ threshold: 0, tp: point.tp, members: roc.positives, fp: point.fp, nonmembers: roc.negatives }, alpha);
    if (value <= best) continue;
    best = value;
    threshold = point.threshold;
  }
  return threshold;
}

/** One-sided bounds of both rates, each with confidence 1 - alpha. */
export function epsilonRates({ tp, members, fp, nonmembers }: EpsilonCounts, alpha: number): { readonly tprLower: number; readonly fprUpper: number } {
  return { tprLower: clopperPearson(tp, members, alpha).lower, fprUpper: clopperPearson(fp, nonmembers, alpha).upper };
}

/**
 * Lower bound of the privacy loss epsilon (delta 0), at least 0: ln(TPR_low / FPR_up), each rate with confidence
 * 1 - alpha, so that the bound holds with 1 - 2 alpha.
 */
export function epsilonLowerBound(counts: EpsilonCounts, alpha: number): number {
  return Math.max(0, logRatio(counts, alpha));
}

/**
 * Lower bound of epsilon from one training run with randomly included canaries: of `guesses` membership guesses `correct`
 * were right. Holds with confidence 1 - beta for delta 0. Source: Steinke, Nasr & Jagielski 2023, theorem 5.2 in closed form.
 */
export function oneRunEpsilon({ guesses, correct }: { readonly guesses: number; readonly correct: number }, beta: number): number {
  const { lower } = clopperPearson(correct, guesses, beta);
  return Math.max(0, Math.log(lower / (1 - lower)));
}

function logRatio(counts: EpsilonCounts, alpha: number): number {
  const { tprLower, fprUpper } = epsilonRates(counts, alpha);
  return Math.log(tprLower / fprUpper);
}
